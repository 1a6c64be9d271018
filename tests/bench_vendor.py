"""A lean vendor for the benchmarks of the worker: three calls, a latency, and the time of every first byte.

The sandbox does far more for each call than 640 calls a second leave time for on a machine that the worker and the
database share with it. Standard library only; shares no code with the client.

    python tests/bench_vendor.py PORT LATENCY

GET /_calls tells the calls since it was asked last: when their first byte came (CLOCK_MONOTONIC, which all processes
of a machine share), path and client id. GET /_dead?ID lets that client id hang from now on, GET /_dead nobody.
"""

import asyncio
import itertools
import json
import sys
import time
from typing import Any

_numbers = itertools.count(int(time.time() * 1000))  # not those of the vendor before it: a second one is read first
made: dict[str, list[dict[str, str]]] = {}  # by client id
calls: list[tuple[float, str, str]] = []
dead: set[str] = set()


def reply(path: str, client_id: str, body: bytes) -> Any:
    mine = made.setdefault(client_id, [])
    if path == "/v4/subaccount/list":
        return {"subaccounts": mine}
    if path == "/v4/subaccount/create":
        line = {"ID": f"sub_{next(_numbers)}", "email": json.loads(body)["email"]}
        mine.append(line)
        return {"subaccount": line}
    if path == "/v4/subaccount":
        return {"subaccount": {"ID": json.loads(body)["subaccount"], "campaigns": []}}
    raise ValueError(path)


def control(path: str) -> Any:
    if path.startswith("/_dead"):
        dead.clear()
        dead.update(path.partition("?")[2].split(",") if "?" in path else ())
        return {}
    told = list(calls)
    calls.clear()
    return told


class Connection(asyncio.Protocol):
    """One kept connection; its calls come one after the other, as HTTP/1.1 without pipelining."""

    latency = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport, self.received, self.first_byte = transport, b"", 0.0

    def data_received(self, data: bytes) -> None:
        if not self.received:
            self.first_byte = time.monotonic()
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if len(body) < int(headers.get("content-length", 0)):
            return
        self.received, path = b"", request.split()[1]
        if path.startswith("/_"):
            self.answer(control(path))
            return
        client_id = headers.get("x-client-id", "")
        calls.append((self.first_byte, path, client_id))
        if client_id not in dead:
            # A create is made at its end: the next look may not see it earlier than its maker learns of it.
            loop = asyncio.get_running_loop()
            loop.call_later(self.latency, lambda: self.answer({"status": "OK", **reply(path, client_id, body)}))

    def answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def main() -> None:
    port, Connection.latency = int(sys.argv[1]), float(sys.argv[2])
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=512)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
