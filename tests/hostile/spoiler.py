"""A proxy before the sandbox that spoils answers on their way, over real sockets."""

import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from coupontools_api.sandbox import Sandbox
from tests.hostile.mutations import Mutator, Spoiled

IDS = re.compile(rb"sub_\d+")


class Spoiler:
    """Spoils `share` of the answers. What would be a well-formed lie about an id is passed on as it was: nobody can
    tell such an answer from a true one, and the hourly comparison with the vendor's list is for those."""

    def __init__(self, sandbox: Sandbox, mutator: Mutator, share: float) -> None:
        self.sandbox, self.mutator, self.share = sandbox, mutator, share
        self.counted: Counter[str] = Counter()
        self.lock = threading.Lock()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Spoiled:
        connection = http.client.HTTPConnection(self.sandbox.url.partition("://")[2], timeout=5)
        try:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            true = Spoiled(reply.status, reply.read())
        finally:
            connection.close()
        with self.lock:
            self.counted["answers"] += 1
            if self.mutator.chance.random() >= self.share:
                return true
            spoiled = self.mutator.answer(json.loads(true.body), true.status)
            if set(IDS.findall(spoiled.body)) - set(IDS.findall(true.body)):
                return true
            self.counted["spoiled"] += 1
            return spoiled


@contextmanager
def spoiling(spoiler: Spoiler) -> Iterator[str]:
    """The URL of the proxy while it runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = spoiler.answer(self.path, kept, body)
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
