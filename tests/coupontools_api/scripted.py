"""A vendor of a few lines that answers as a test says, byte by byte. Shares no code with client or sandbox."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


class HungUp(Exception):
    """The script is done with the connection, which the server closes."""


Script = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    connection: int


@dataclass
class Vendor:
    """Answers every request by the script of its turn; the last script goes on for good."""

    url: str
    scripts: list[Script] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def plays(self, *scripts: Script) -> None:
        with self.lock:
            self.scripts, self.requests = list(scripts), []

    def next_script(self, request: Request) -> Script:
        with self.lock:
            self.requests.append(request)
            return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]


def answers(body: Any, status: int = 200, **headers: str) -> Script:
    """A whole answer; what is not bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def play(connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + content)

    return play


def is_cut_off(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{"status": {"status": "OK"}')
    raise HungUp


def drips(connection: socket.socket) -> None:
    """A byte now and then, so that no single read ever waits for long."""
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        for _ in range(400):
            connection.sendall(b" ")
            time.sleep(0.02)


def resets(connection: socket.socket) -> None:
    """Ends the connection with RST, as a crashed server does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HungUp


def resets_within(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{")
    time.sleep(0.02)
    resets(connection)


@contextlib.contextmanager
def running() -> Iterator[Vendor]:
    listener = socket.create_server(("127.0.0.1", 0))
    vendor = Vendor(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def listen() -> None:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                number += 1
                threading.Thread(target=_serve, args=(vendor, connection, number), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield vendor
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _serve(vendor: Vendor, connection: socket.socket, number: int) -> None:
    with connection, connection.makefile("rb") as reader, contextlib.suppress(OSError, ValueError, HungUp):
        while request := _read(reader, number):
            vendor.next_script(request)(connection)


def _read(reader: Any, number: int) -> Request | None:
    first = reader.readline().decode().split()
    if not first:
        return None
    headers = {}
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[0], first[1], headers, reader.read(int(headers.get("content-length", 0))), number)
