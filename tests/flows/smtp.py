"""A mail server over a real socket that takes mails, refuses them, or takes its time."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class MailServer:
    """`mood` is "takes", "refuses" (a 451 for every recipient) or "sleeps" (says nothing to a greeting)."""

    def __init__(self) -> None:
        self.mood = "takes"
        self.mails: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._accepts = threading.Thread(target=self._serve, daemon=True)
        self._accepts.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(visitor,), daemon=True).start()

    def _talk(self, visitor: socket.socket) -> None:
        with visitor, contextlib.suppress(OSError), visitor.makefile("rwb", buffering=0) as line:
            if self.mood == "sleeps":
                time.sleep(3)
                return
            line.write(b"220 here\r\n")
            while said := line.readline():
                word = said[:4].upper()
                if word == b"DATA":
                    line.write(b"354 go on\r\n")
                    body = b""
                    while (part := line.readline()) not in (b".\r\n", b""):
                        body += part
                    self.mails.append(body.decode())
                elif word == b"RCPT" and self.mood == "refuses":
                    line.write(b"451 later\r\n")
                    continue
                line.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")

    def close(self) -> None:
        """Ends who accepts before the socket: its number is the next one's, for whom he would answer else."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._accepts.join()
        self._socket.close()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    try:
        yield server
    finally:
        server.close()
