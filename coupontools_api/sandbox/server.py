"""Sockets and threads: HTTP/1.1 with keep-alive, loopback only, able to stop at any moment."""

import contextlib
import ipaddress
import itertools
import math
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import TCPServer
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from . import control, coupon_page, panel
from .arguments import CREDENTIALS, Call, parse, without_secrets
from .ledger import LedgerRequest
from .mishaps import Outcome, perform
from .pages import Visit
from .replies import Reply, as_page
from .route import REST, RPC, Route
from .routes import routes_at
from .settings import Settings
from .vendor import Vendor

LARGEST_BODY = 8 * 1024 * 1024
HEADERS = {
    "x-client": ("X-Client-Id", "X-Client-Secret"),
    "x-api": ("X-Api-Key", "X-Api-Secret"),
}
CONNECTION_TROUBLE = (ConnectionError, TimeoutError, ssl.SSLError)


def loopback(host: str) -> str:
    """The address to bind. Raises ValueError for one that others can reach."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise ValueError(f"The sandbox listens on a loopback address only, not on {host}.")


class Handler(BaseHTTPRequestHandler):
    """One connection, any number of requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def dispatch(self) -> None:
        url = urlsplit(self.path)
        body = self._read_body()
        if body is None:
            return
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        vendor = self.server.vendor
        if control.is_control_path(url.path):
            self._send(control.respond(vendor, self.command, url.path, query, body))
        elif panel.is_panel_path(url.path) or coupon_page.is_coupon_path(url.path):
            form = dict(parse_qsl(body.decode("utf-8", "replace")))
            cookies = self.headers.get("Cookie", "")
            visit = Visit(self.command, url.path, query, form, cookies, self.server.tls is not None)
            pages = panel if panel.is_panel_path(url.path) else coupon_page
            self._send(pages.respond(vendor, visit))
        else:
            self._vendor(url.path, parse(body, url.query if self.command == "GET" else ""))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = dispatch

    def log_message(self, format: str, *args: object) -> None:
        """The ledger is the log."""

    def _vendor(self, path: str, arguments: dict[str, object]) -> None:
        vendor = self.server.vendor
        settings = vendor.state.settings
        routes = routes_at(settings, path)
        methods = _methods(settings, routes)
        route = next((route for route in routes if route.method == self.command), None)
        call, credentials = self._call(settings, path, arguments, routes[0] if routes else None)
        allowed = not routes or self.command in methods
        fault = None
        if allowed:
            pattern = path if route is None else route.path
            fault = vendor.faults.due({path, pattern}, self.command, call.client_id)
        request = vendor.ledger.open(
            LedgerRequest(
                n=0,
                at=time.time(),
                method=self.command,
                path=path,
                client_id=call.client_id,
                credentials=credentials,
                arguments=without_secrets(call.arguments),
                connection=self.server.connection_number(self.connection),
                fault=fault.kind if fault else None,
            )
        )
        if allowed:
            ids = {} if route is None else route.ids(path) or {}
            outcome = perform(vendor, replace(call, arguments={**call.arguments, **ids}), fault)
        else:
            outcome = Outcome(_not_allowed(methods))
        if outcome.reply is not None:
            vendor.ledger.answered(request, outcome.reply.status, outcome.codes)
        self._deliver(outcome)

    def _call(
        self, settings: Settings, path: str, arguments: dict[str, object], route: Route | None
    ) -> tuple[Call, str | None]:
        """The call, with credentials from the headers or else, in the RPC dialect, from the body."""
        plain = {name: value for name, value in arguments.items() if name not in CREDENTIALS}
        is_rest = route is not None and route.dialect == REST
        for kind, names in HEADERS.items():
            given = (self.headers.get(names[0]), self.headers.get(names[1]))
            if is_rest:
                read = settings.rest_headers in (kind, "both")
            else:
                read = kind == "x-client" and settings.rpc_credentials == "both"
            if read and given != (None, None):
                return Call(self.command, path, plain, *given), "headers"
        if is_rest:
            return Call(self.command, path, plain), None
        values = [arguments.get(name) for name in CREDENTIALS]
        client_id, secret = (value if isinstance(value, str) else None for value in values)
        return Call(self.command, path, plain, client_id, secret), "body" if client_id else None

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        chunked = "Transfer-Encoding" in self.headers
        if chunked or not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(as_page(400, "Bad Request", "The body needs a Content-Length, and a small one."))
            return None
        return self.rfile.read(int(length))

    def _deliver(self, outcome: Outcome) -> None:
        if outcome.delivery == "reset":
            self._reset()
        elif outcome.reply is None:
            self.close_connection = True
            self.server.stopping.wait(outcome.seconds)
        elif outcome.delivery == "truncated":
            self.close_connection = True
            body = _whole(outcome.reply)
            self.wfile.write(self._head(outcome.reply, len(body)) + body[: len(body) // 2])
        elif outcome.delivery == "drip":
            self._drip(outcome.reply, outcome)
        else:
            self._send(outcome.reply)

    def _drip(self, reply: Reply, outcome: Outcome) -> None:
        self.close_connection = True
        body = _whole(reply)
        head = self._head(reply, len(body))
        if outcome.drip_headers:
            body = head + body
        else:
            self.wfile.write(head)
        interval = max(outcome.interval, 0.001)
        size = max(1, math.ceil(len(body) / max(1, round(outcome.seconds / interval))))
        for start in range(0, len(body), size):
            if self.server.stopping.wait(interval):
                return
            self.wfile.write(body[start : start + size])

    def _reset(self) -> None:
        """Drop the connection so that the other side sees a reset and not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def _send(self, reply: Reply) -> None:
        if isinstance(reply.body, bytes):
            body = b"" if self.command == "HEAD" else reply.body
            self.wfile.write(self._head(reply, len(reply.body)) + body)
            return
        self.wfile.write(self._head(reply, None))
        for part in reply.body:
            if part:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, reply: Reply, length: int | None) -> bytes:
        phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else "Unknown"
        lines = [
            f"HTTP/1.1 {reply.status} {phrase}",
            f"Date: {formatdate(usegmt=True)}",
            "Server: sandbox",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
        ]
        if reply.status != 204:
            lines.append(f"Content-Type: {reply.content_type}")
            lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
        if self.close_connection:
            lines.append("Connection: close")
        lines += [f"{name}: {value}" for name, value in reply.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _methods(settings: Settings, routes: tuple[Route, ...]) -> list[str]:
    """What a path answers to: the method of each route, and GET where the RPC dialect takes it too."""
    methods = [route.method for route in routes]
    return methods + ["GET"] * (settings.allow_get and any(route.dialect == RPC for route in routes))


def _not_allowed(methods: list[str]) -> Reply:
    named = ", ".join(methods)
    return as_page(405, "Method Not Allowed", f"Use {named}.", ("Allow", named))


def _whole(reply: Reply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)


class Server(HTTPServer):
    """Accepts connections, a thread for each, and knows them all, so that `stop` leaves none."""

    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], vendor: Vendor, tls: tuple[str, str] | None) -> None:
        self.vendor = vendor
        self.stopping = threading.Event()
        self.tls: ssl.SSLContext | None = None
        if tls is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, int] = {}
        self._threads: set[threading.Thread] = set()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__((loopback(address[0]), address[1]), Handler)

    def server_bind(self) -> None:
        """Bind without the name lookup that HTTPServer does."""
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), port

    def connection_number(self, connection: socket.socket) -> int:
        with self._lock:
            return self._connections[connection]

    def process_request(self, request: object, client_address: object) -> None:
        connection = cast(socket.socket, request)
        thread = threading.Thread(
            target=self._serve,
            args=(connection, client_address),
            name="sandbox-connection",
            daemon=True,
        )
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def stop(self) -> None:
        """Close every connection, whatever it is in the middle of, and wait for its thread."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            threads = list(self._threads)
            for connection in self._connections:
                # Already gone, or never finished its handshake.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(timeout=5)

    @contextlib.contextmanager
    def _known(self, connection: socket.socket, number: int) -> Iterator[None]:
        with self._lock:
            self._connections[connection] = number
            stopping = self.stopping.is_set()
        try:
            if not stopping:
                yield
        finally:
            with self._lock:
                del self._connections[connection]
            connection.close()

    def _serve(self, connection: socket.socket, client_address: object) -> None:
        number = next(self._numbers)
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            with self._known(connection, number):
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                Handler(connection, client_address, self)
        except CONNECTION_TROUBLE:
            pass  # the caller went away, which is the caller's business
        except OSError as problem:
            if not self.stopping.is_set():
                print(f"sandbox: {problem}", file=sys.stderr)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
