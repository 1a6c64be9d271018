"""One pooled, kept-alive HTTPS session with a hard total deadline per call."""

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError

from coupontools_api.assumed import MAX_LIST_BYTES, MAX_REPLY_BYTES
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.errors import NoAnswer, NotSent, OutOfResources, Undocumented, UnexpectedReply
from coupontools_api.replies import Answer, Payload, judge, judge_rest, retry_after

OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


@dataclass
class _Call:
    """What one call needs to be cut at its deadline, in whatever phase it is."""

    retries: Retry
    ends_at: float
    """By the monotonic clock."""
    has_left: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    handle: socket.socket | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_over(self) -> bool:
        return self.over.is_set()

    def left(self) -> float:
        """Seconds to the deadline. Raises TimeoutError where there are none."""
        seconds = self.ends_at - time.monotonic()
        if self.is_over or seconds <= 0:
            raise TimeoutError("deadline")
        return seconds

    def pause(self, seconds: float) -> None:
        """Sleeps. Raises TimeoutError for the deadline: at once where the pause would outlast it."""
        if seconds >= self.left():
            self.cut()
        if self.over.wait(seconds):
            raise TimeoutError("deadline")

    def watch(self, descriptor: int) -> None:
        """Keeps a handle of its own on the socket, because the connection may let go of it before the body is read."""
        with self.lock:
            self._forget()
            self.handle = socket.socket(fileno=os.dup(descriptor))
        if self.is_over:
            raise TimeoutError("deadline")

    def cut(self) -> None:
        with self.lock:
            self.over.set()
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


class _Retry(Retry):
    """Its pauses are as long as a Retry-After asks for, where that makes sense, and end with the deadline.

    429 is not retried, whatever it says: the caller schedules it, because Retry-After may be an hour.
    """

    RETRY_AFTER_STATUS_CODES = frozenset({503})

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        asked_for = retry_after(response.headers.get("Retry-After")) if response is not None else None
        call: _Call = _current.call
        call.pause(self.get_backoff_time() if asked_for is None else asked_for)


NO_RETRY = _Retry(total=0, read=False, redirect=False, raise_on_status=False)
READ_RETRY = _Retry(
    total=2,
    redirect=False,
    allowed_methods=None,
    status_forcelist=(502, 503, 504),
    backoff_factor=0.2,
    backoff_jitter=0.2,
    raise_on_status=False,
)


# The ignores below: a mixin for both of urllib3's connection classes, which have what it calls.
class _Watched:
    """Tells the call which socket it is on. Time-outs of `requests` bound each read and not their sum; cutting
    the socket ends a drip in any phase, the TLS handshake included."""

    def _new_conn(self) -> socket.socket:
        connection: Any = self
        try:
            sock = _connected(connection._dns_host.strip("[]"), connection.port)
        except socket.gaierror as problem:
            raise NameResolutionError(connection.host, connection, problem) from problem
        except OSError as problem:
            raise NewConnectionError(connection, str(problem)) from problem
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _current.call.watch(sock.fileno())
        return sock

    def send(self, data: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]  # mixed into a connection
            self.connect()  # type: ignore[attr-defined]  # mixed into a connection
        call: _Call = _current.call
        call.watch(self.sock.fileno())  # type: ignore[attr-defined]  # mixed into a connection
        call.left()  # a process that was stopped wakes before its watchdog does
        call.has_left = True
        super().send(data)  # type: ignore[misc]  # mixed into a connection


def _connected(host: str, port: int) -> socket.socket:
    """A socket to the first address of the host that takes it; each is tried for no longer than what is left.

    urllib3 would give each the whole time: a host with four silent addresses would take four deadlines.
    """
    call: _Call = _current.call
    problem = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        seconds = call.left()
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(seconds)
            sock.connect(address)
        except OSError as refused:
            sock.close()
            problem = refused
        else:
            return sock
    raise problem


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


class _Session(requests.Session):
    """Sees no redirect: `requests` looks ahead at one that it must not follow, and reads its whole body first."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Transport:
    """Calls endpoints with credentials in headers, and hands back judged payloads.

    `base_url` is https; http is for a sandbox on loopback only. Redirects are never followed, and neither
    `.netrc` nor proxies of the environment are looked at. Deadlines are in seconds and bound a call in whole, but for
    the look-up of the host's name, which nothing can interrupt: where that took too long, nothing is sent.
    """

    LOOPBACK: ClassVar[frozenset[str]] = frozenset({"127.0.0.1", "::1", "localhost"})

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        base_url: str,
        deadline: float,
        list_deadline: float = 60,
        allow_undocumented: bool = False,
        paths: Mapping[str, str] | None = None,
        verify: str | bool = True,
        sends_all_headers: bool = False,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in self.LOOPBACK):
            raise ValueError("base_url must be https, or http on loopback")
        self._base_url = base_url.rstrip("/")
        self.deadline, self.list_deadline = deadline, list_deadline
        self._allows_undocumented, self._paths = allow_undocumented, dict(paths or {})
        rpc = {"X-Client-Id": client_id, "X-Client-Secret": client_secret}
        self._credentials = {
            Dialect.V3_RPC: rpc,
            Dialect.V4_RPC: rpc,
            Dialect.V4_REST: {
                "x-api-key": client_id,
                "x-api-secret": client_secret,
                **(rpc if sends_all_headers else {}),
            },
        }
        self._session = _Session()
        self._session.trust_env = False
        self._session.verify = verify
        self._session.headers.update(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "coupontools-portal"}
        )
        adapter = _Adapter(pool_connections=1, pool_maxsize=32)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"Transport({self._base_url!r})"

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        endpoint: Endpoint,
        arguments: Mapping[str, Any] | None = None,
        *,
        deadline: float | None = None,
        not_after: float | None = None,
    ) -> Payload:
        """The payload of an RPC call; arguments that are None are left out."""
        return judge(endpoint, self.answer(endpoint, arguments, deadline=deadline, not_after=not_after))

    def call_rest(
        self,
        endpoint: Endpoint,
        arguments: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        ids: Mapping[str, int] | None = None,
    ) -> object:
        """The bare payload of a REST call; `ids` are put into its path."""
        return judge_rest(endpoint, self.answer(endpoint, arguments, ids=ids))

    def answer(
        self,
        endpoint: Endpoint,
        arguments: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        deadline: float | None = None,
        not_after: float | None = None,
        ids: Mapping[str, int] | None = None,
    ) -> Answer:
        """What comes over the wire, not yet judged. `not_after` is a moment of the monotonic clock, for a call that is
        over then even if its deadline is not.

        A call that changes nothing is retried twice within its deadline, any other is sent at most once: the
        vendor takes no idempotency key. Raises Undocumented, NotSent, NoAnswer; UnexpectedReply if it is too long.
        """
        if endpoint.evidence is not Evidence.DOCUMENTED and not self._allows_undocumented:
            raise Undocumented(endpoint.path, detail=endpoint.name)
        path = self._paths.get(endpoint.name, endpoint.path).format_map(ids or {})
        deadline = deadline or (self.list_deadline if endpoint.is_long else self.deadline)
        max_bytes = MAX_LIST_BYTES if endpoint.is_long else MAX_REPLY_BYTES
        ends_at = time.monotonic() + deadline
        if not_after is not None:
            ends_at = min(ends_at, not_after)
        call = _Call(NO_RETRY if endpoint.changes else READ_RETRY, ends_at=ends_at)
        try:
            with self._bounded(call, deadline):
                response = self._session.request(
                    endpoint.http_method,
                    f"{self._base_url}{path}",
                    headers=self._credentials[endpoint.dialect],
                    timeout=deadline,
                    allow_redirects=False,
                    stream=True,
                    **_sent_as(endpoint, arguments or {}),
                )
                try:
                    body = b"".join(_capped(response, max_bytes))
                    if call.is_over:
                        raise TimeoutError("deadline")  # a cut body may look like one that ended
                except _TooLong:
                    raise UnexpectedReply(endpoint.path, detail=f"over {max_bytes} bytes") from None
                finally:
                    response.close() if call.is_over else response.raw.release_conn()
        except (requests.RequestException, OSError, ValueError) as problem:
            cause = "deadline" if call.is_over else type(problem).__name__
            unsent = OutOfResources if _is_out_of_resources(problem) else NotSent
        else:
            return Answer(response.status_code, response.headers, body)
        # Out here, for an error raised within the block carries the other one, and with it the request's credentials.
        raise (NoAnswer if call.has_left else unsent)(endpoint.path, detail=cause)

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


def _sent_as(endpoint: Endpoint, arguments: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """The arguments as `requests` takes them: JSON, a form, or a query where there is no body."""
    if isinstance(arguments, Sequence):
        return {"json": list(arguments)}
    given = {key: value for key, value in arguments.items() if value is not None}
    if endpoint.http_method == "GET":
        return {"params": _flat(given)}
    if endpoint.is_form:
        return {"data": _flat(given)}
    return {"json": given}


def _flat(arguments: Mapping[str, Any]) -> dict[str, str]:
    """As a query or form writes them: booleans as words, what is inside something in brackets."""
    flat: dict[str, str] = {}
    for key, value in arguments.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = dict(enumerate(value))
        if isinstance(value, Mapping):
            flat |= {f"{key}[{inner}]": text for inner, text in _flat(value).items()}
        elif value is not None:
            flat[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


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


def _is_out_of_resources(problem: BaseException | None) -> bool:
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in OUT_OF_RESOURCES:
            return True
        problem = problem.__cause__ or problem.__context__
    return False
