"""The proxy that does https in front of a production installation, as small as it can be, on loopback.

Its two ports stand for 443 and 80: the portal behind it sees no port, and redirects get it back.
"""

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "server", "date"}


class Front:
    """Where it listens: `https_port` and `http_port`. `dropped` is a header that it does not pass on."""

    dropped = ""

    def __init__(self, upstream: int, pair: Path) -> None:
        self.upstream = upstream
        self._servers = [self._server("https"), self._server("http")]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        self._servers[0].socket = context.wrap_socket(self._servers[0].socket, server_side=True)
        self.https_port, self.http_port = (server.server_address[1] for server in self._servers)
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _server(self, scheme: str) -> ThreadingHTTPServer:
        front = self

        class Handler(BaseHTTPRequestHandler):
            def forward(self) -> None:
                front._forward(self, scheme)

            do_GET = do_HEAD = do_POST = do_OPTIONS = forward  # noqa: N815 -- names of the standard library

            def log_message(self, *args: object) -> None:
                pass

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def _forward(self, request: BaseHTTPRequestHandler, scheme: str) -> None:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in HOP_BY_HOP and not name.lower().startswith("x-forwarded")
        }
        headers |= {
            "Host": request.headers.get("Host", "").partition(":")[0],
            "X-Forwarded-Proto": scheme,
            "X-Forwarded-For": request.client_address[0],
        }
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=20)
        try:
            connection.request(request.command, request.path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        request.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() == "location":
                value = self._with_port(value)
            if name.lower() not in {*HOP_BY_HOP, self.dropped}:
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    def _with_port(self, location: str) -> str:
        scheme, separator, rest = location.partition("://")
        if not separator:
            return location
        host, slash, path = rest.partition("/")
        port = self.https_port if scheme == "https" else self.http_port
        return f"{scheme}://{host}:{port}{slash}{path}"


@contextmanager
def running(upstream: int, pair: Path) -> Iterator[Front]:
    front = Front(upstream, pair)
    try:
        yield front
    finally:
        front.close()
