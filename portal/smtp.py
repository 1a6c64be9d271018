"""Sends mails by SMTP, each within a time that bounds it in whole. EMAIL_URL leads here (portal/settings.py)."""

import contextlib
import functools
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp


class _Bound:
    """The time of one mail. When it is over the socket is shut down, in whatever phase it is.

    Time-outs of a socket bound each of its reads and not their sum: a server that drips would hold a worker's hand
    for as long as it likes.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._watchdog = threading.Timer(seconds, self._cut)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._watchdog.cancel()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def connected(self, host: str, port: int, timeout: float) -> socket.socket:
        """A socket to the first address of the host that takes it, watched from here on.

        Each address is tried for `timeout` seconds, and no longer than is left. Nothing can interrupt the look-up of
        the name, but it counts. Raises OSError, which TimeoutError is.
        """
        problem = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            left = self.left()
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(timeout, left))
                sock.connect(address)
                sock.settimeout(timeout)
                self._watch(sock)
            except OSError as refused:
                sock.close()
                problem = refused
            else:
                return sock
        raise problem

    def left(self) -> float:
        """Seconds. Raises TimeoutError where there are none."""
        seconds = self._ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("deadline")
        return seconds

    def _watch(self, sock: socket.socket) -> None:
        """By a handle of its own: TLS wraps the socket, and smtplib closes it, without a word to us."""
        with self._lock:
            if self.is_over:
                raise TimeoutError("deadline")
            self._handle = sock.dup()

    def _cut(self) -> None:
        with self._lock:
            self.is_over = True
            if self._handle is not None:
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)


class _Watched:
    """Mixed into smtplib's two classes. Their constructors connect, and read the greeting."""

    sock: Any  # smtplib's

    def __init__(self, *arguments: Any, bound: _Bound, **named: Any) -> None:
        self._bound = bound
        super().__init__(*arguments, **named)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._bound.connected(host, port, timeout)

    def data(self, msg: Any) -> tuple[int, bytes]:
        timeout = self.sock.gettimeout()
        try:
            return super().data(msg)
        finally:
            if self.sock is not None:
                self.sock.settimeout(timeout)

    def send(self, s: Any) -> None:
        """Of a whole mail the word that it is taken is waited for as long as there is time: the server may look into it
        first, and who hangs up before sends again what was taken.
        """
        super().send(s)
        if isinstance(s, bytes):  # a command is a text
            self.sock.settimeout(self._bound.left())


class _SMTP(_Watched, smtplib.SMTP):
    pass


class _SMTPOverTLS(_Watched, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)


class EmailBackend(smtp.EmailBackend):
    """Django's own, but that all of a sending ends within EMAIL_DEADLINE_SECONDS, the connecting and parting too."""

    _bound: _Bound

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Raises what Django's does, and TimeoutError where the time was over before the server had taken them."""
        with _Bound(settings.EMAIL_DEADLINE_SECONDS) as self._bound:
            try:
                return super().send_messages(email_messages)
            except OSError as problem:
                if self._bound.is_over:  # smtplib says of a socket that was cut that the server hung up
                    raise TimeoutError("deadline") from problem
                raise

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:
        return functools.partial(_SMTPOverTLS if self.use_ssl else _SMTP, bound=self._bound)
