"""A mail server over a real socket that takes mails, refuses them, or takes its time."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRIPS_FOR = 8  # seconds; then it has had enough, so that a client without a bound fails its test and does not hang it
SCANS_FOR = 1.0
RECORD = b"\x16\x03\x03\x40\x00"  # how TLS announces 16 KB of a handshake


class MailServer:
    """`mood` is "takes", "refuses" (a 451 for every recipient), "sleeps" (says nothing to a greeting) or "drips at …".

    Then its answer to that command never ends: CONN is the greeting, TLS the handshake, SENT the end of a mail.
    If it is "silent at …" it says nothing to that command. If it "scans" it looks into each mail before it says that
    it has taken it.
    With a `certificate` it speaks TLS after STARTTLS, or from the first byte if `is_tls_only`.
    """

    def __init__(self, certificate: Path | None = None, *, is_tls_only: bool = False) -> None:
        self.mood = "takes"
        self.mails: list[str] = []
        self._certificate, self._is_tls_only = certificate, is_tls_only
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._accepts = threading.Thread(target=self._serve, daemon=True)
        self._accepts.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._socket.accept()
                threading.Thread(target=self._welcome, args=(visitor,), daemon=True).start()

    def _welcome(self, visitor: socket.socket) -> None:
        with visitor, contextlib.suppress(OSError):
            if self.mood == "sleeps":
                time.sleep(3)
                return
            line = self._over_tls(visitor) if self._is_tls_only else visitor
            self._say(line, "CONN", b"220 here")
            self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as words:
            while said := words.readline():
                word = said[:4].strip().upper().decode()
                if word == "STAR":
                    self._say(line, word, b"220 go on")
                    self._talk(self._over_tls(line))
                    return
                if word == "DATA":
                    self._say(line, word, b"354 go on")
                    body = b""
                    while (part := words.readline()) not in (b".\r\n", b""):
                        body += part
                    self.mails.append(body.decode())
                    word = "SENT"
                self._say(line, word, self._answer(word))

    def _answer(self, word: str) -> bytes:
        if word == "RCPT" and self.mood == "refuses":
            return b"451 later"
        if word == "EHLO" and self._certificate and not self._is_tls_only:
            return b"250-fine\r\n250 STARTTLS"
        return b"221 bye" if word == "QUIT" else b"250 fine"

    def _say(self, line: socket.socket, word: str, answer: bytes) -> None:
        if self.mood == f"drips at {word}":
            _drip(line, answer[:3] + b"-and more\r\n")
        if self.mood == f"silent at {word}":
            time.sleep(DRIPS_FOR)
        if self.mood == "scans" and word == "SENT":
            time.sleep(SCANS_FOR)
        line.sendall(answer + b"\r\n")

    def _over_tls(self, line: socket.socket) -> socket.socket:
        if self.mood == "drips at TLS":
            line.sendall(RECORD)
            _drip(line, b"\0")
        assert self._certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self._certificate))
        return context.wrap_socket(line, server_side=True)

    def close(self) -> None:
        """Ends who accepts before the socket: its number is the next one's, for whom he would answer else."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._accepts.join()
        self._socket.close()


def _drip(line: socket.socket, piece: bytes) -> None:
    ends_at = time.monotonic() + DRIPS_FOR
    while time.monotonic() < ends_at:
        line.sendall(piece)
        time.sleep(0.02)


@contextmanager
def mail_server(certificate: Path | None = None, *, is_tls_only: bool = False) -> Iterator[MailServer]:
    server = MailServer(certificate, is_tls_only=is_tls_only)
    try:
        yield server
    finally:
        server.close()
