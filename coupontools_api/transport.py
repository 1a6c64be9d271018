"""One pooled, kept-alive HTTPS session with a hard total deadline per call."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection

from coupontools_api.assumed import MAX_REPLY_BYTES
from coupontools_api.errors import NoAnswer, NotSent, UnexpectedReply
from coupontools_api.replies import Payload, judge

NO_RETRY = Retry(total=0, read=False, redirect=False, raise_on_status=False)
# 429 is not retried here: the caller schedules it, because Retry-After may be an hour.
READ_RETRY = Retry(
    total=2,
    redirect=False,
    allowed_methods=None,
    status_forcelist=(502, 503, 504),
    backoff_factor=0.2,
    backoff_jitter=0.2,
    respect_retry_after_header=True,
    retry_after_max=5,
    raise_on_status=False,
)


@dataclass
class _Call:
    """What one call needs to be cut at its deadline, in whatever phase it is."""

    retries: Retry
    has_left: bool = False
    is_over: bool = False
    handle: socket.socket | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, descriptor: int) -> None:
        """Keeps a handle of its own on the socket, because the connection may let go of it before the body is read."""
        with self.lock:
            self._forget()
            self.handle = socket.socket(fileno=os.dup(descriptor))
        if self.is_over:
            raise TimeoutError("deadline")

    def cut(self) -> None:
        with self.lock:
            self.is_over = True
            if self.handle is not None:
                with contextlib.suppress(OSError):
                    self.handle.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """From here on the connection may serve somebody else."""
        with self.lock:
            self._forget()

    def _forget(self) -> None:
        if self.handle is not None:
            self.handle.close()
            self.handle = None


_current = threading.local()


# The ignores below: a mixin for both of urllib3's connection classes, which have what it calls.
class _Watched:
    """Tells the call which socket it is on. Time-outs of `requests` bound each read and not their sum; cutting
    the socket ends a drip in any phase, the TLS handshake included."""

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _current.call.watch(sock.fileno())
        return sock

    def send(self, data: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()  # type: ignore[attr-defined]
        call: _Call = _current.call
        call.watch(self.sock.fileno())  # type: ignore[attr-defined]
        call.has_left = True
        super().send(data)  # type: ignore[misc]


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _Adapter(HTTPAdapter):
    """Serves reads and writes from one pool: whether a call may be retried is the call's own affair."""

    @property
    def max_retries(self) -> Retry:
        call: _Call = _current.call
        return call.retries

    @max_retries.setter
    def max_retries(self, value: Retry) -> None:
        """HTTPAdapter sets a default when it is made; calls bring their own."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class Transport:
    """Posts JSON with credentials in headers, and hands back judged payloads.

    `base_url` is https; http is for a sandbox on loopback only. Redirects are never followed, and neither
    `.netrc` nor proxies of the environment are looked at.
    """

    LOOPBACK: ClassVar[frozenset[str]] = frozenset({"127.0.0.1", "::1", "localhost"})

    def __init__(
        self, *, client_id: str, client_secret: str, base_url: str, deadline: float, verify: str | bool = True
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in self.LOOPBACK):
            raise ValueError("base_url must be https, or http on loopback")
        self._base_url = base_url.rstrip("/")
        self.deadline = deadline
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify
        self._session.headers.update(
            {
                "X-Client-Id": client_id,
                "X-Client-Secret": client_secret,
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "coupontools-portal",
            }
        )
        adapter = _Adapter(pool_connections=1, pool_maxsize=32)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"Transport({self._base_url!r})"

    def close(self) -> None:
        self._session.close()

    def read(
        self,
        endpoint: str,
        arguments: Mapping[str, Any],
        *,
        deadline: float | None = None,
        max_bytes: int = MAX_REPLY_BYTES,
    ) -> Payload:
        """A call that changes nothing: retried twice within its deadline (seconds)."""
        return self._post(endpoint, arguments, READ_RETRY, deadline or self.deadline, max_bytes)

    def write(self, endpoint: str, arguments: Mapping[str, Any], *, deadline: float | None = None) -> Payload:
        """A call that changes something: sent at most once, because the vendor takes no idempotency key."""
        return self._post(endpoint, arguments, NO_RETRY, deadline or self.deadline, MAX_REPLY_BYTES)

    def _post(
        self, endpoint: str, arguments: Mapping[str, Any], retries: Retry, deadline: float, max_bytes: int
    ) -> Payload:
        call = _Call(retries=retries)
        try:
            with self._bounded(call, deadline):
                response = self._session.post(
                    f"{self._base_url}{endpoint}",
                    json=dict(arguments),
                    timeout=deadline,
                    allow_redirects=False,
                    stream=True,
                )
                try:
                    body = b"".join(_capped(response, max_bytes))
                    if call.is_over:
                        raise TimeoutError("deadline")  # a cut body may look like one that ended
                except _TooLong:
                    raise UnexpectedReply(endpoint, detail=f"over {max_bytes} bytes") from None
                finally:
                    response.close() if call.is_over else response.raw.release_conn()
        # `from None`, always: what requests raises carries the request, and with it the credentials.
        except (requests.RequestException, OSError, ValueError) as problem:
            kind = type(problem).__name__
            if not call.has_left:
                raise NotSent(endpoint, detail=kind) from None
            raise NoAnswer(endpoint, detail="deadline" if call.is_over else kind) from None
        return judge(endpoint, response.status_code, response.headers, body)

    @contextlib.contextmanager
    def _bounded(self, call: _Call, deadline: float) -> Iterator[None]:
        _current.call = call
        watchdog = threading.Timer(deadline, call.cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
            call.end()


class _TooLong(Exception):
    """The reply has more bytes than such a reply may have."""


def _capped(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """The decoded body in pieces; raises _TooLong past the cap and ValueError if the reply ends early."""
    expected = _content_length(response.raw.headers)
    received = 0
    for piece in response.iter_content(64 * 1024):
        received += len(piece)
        if received > max_bytes:
            response.close()
            raise _TooLong
        yield piece
    if expected is not None and "Content-Encoding" not in response.headers and received < expected:
        response.close()
        raise ValueError("cut off")


def _content_length(headers: HTTPMessage | Mapping[str, str]) -> int | None:
    value = headers.get("Content-Length") or ""
    return int(value) if value.isascii() and value.isdigit() else None
