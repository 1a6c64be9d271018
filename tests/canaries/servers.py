"""What stands around the portal in a canary run: the wire to the vendor, a mail server, and a listener on Redis."""

import base64
import http.client
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import redis


class Wire:
    """Passes every call on to the sandbox and keeps both sides of it as they were."""

    def __init__(self, sandbox: str, pair: Path | None) -> None:
        self.calls: list[tuple[str, bytes, bytes]] = []
        wire, upstream = self, urlsplit(sandbox).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection(upstream, timeout=20)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request(self.command, self.path, body=body, headers=headers)
                answer = connection.getresponse()
                length = answer.getheader("Content-Length")
                try:
                    content = answer.read()
                except http.client.IncompleteRead as cut:  # a fault of the sandbox, to be passed on
                    content, self.close_connection = cut.partial, True
                connection.close()
                wire.calls.append((self.path, bytes(self.headers) + body, content))
                self.send_response_only(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type", ""))
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"localhost:{self._server.server_address[1]}"
        self.url = f"{'https' if pair else 'http'}://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class MailServer:
    """Takes mails after a sign-in. The first one to an address that begins with `refused` is refused."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.sign_ins: list[bytes] = []
        refused: set[str] = set()
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def handle(self) -> None:
                self.say("220 mail")
                to = ""
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"EHLO":
                        self.say("250-mail\r\n250 AUTH PLAIN")
                    elif word == b"AUTH":
                        server.sign_ins.append(base64.b64decode(line.split()[2]))
                        self.say("235 welcome")
                    elif word == b"RCPT":
                        to = line.decode().partition("<")[2].partition(">")[0]
                        self.say("250 ok")
                    elif word == b"DATA":
                        self.say("354 go on")
                        content = b"".join(iter(self.rfile.readline, b".\r\n"))
                        if to.startswith("refused") and to not in refused:
                            refused.add(to)
                            self.say("451 not now")
                        else:
                            server.mails.append((to, content))
                            self.say("250 ok")
                    elif word == b"QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Listener:
    """Keeps every command that a Redis got, so also what was taken out again at once."""

    def __init__(self, url: str) -> None:
        self.heard: list[bytes] = []
        self.client = redis.Redis.from_url(url, socket_timeout=None)
        self._is_over = False
        self._monitor = self.client.monitor()
        self._monitor.__enter__()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            while not self._is_over:
                self.heard.append(bytes(self._monitor.connection.read_response()))
        except (redis.RedisError, OSError, ValueError):
            assert self._is_over, "the listener went deaf"

    def everything(self) -> bytes:
        """All that went in and out, and what is there now."""
        now = [key + b"\n" + (self.client.dump(key) or b"") for key in self.client.scan_iter()]
        return b"\n".join([*self.heard, *now])

    def close(self) -> None:
        self._is_over = True
        self._monitor.connection.disconnect()
        self.client.close()
