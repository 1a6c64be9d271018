"""A production installation for the tests: PostgreSQL, Redis, `portal.serve` with four processes, and data."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.check import PRODUCTION
from tests.deployment.world import NORTH
from tests.ports import free_port
from tests.run import ROOT, environment_for, throw_away_postgres

START_SECONDS = 40
PROCESSES = 4
GUESSES = 20
VISITORS = 400  # tries a day of anything by somebody who is not signed in


@contextmanager
def throw_away_redis(password: str = "") -> Iterator[str]:
    """A Redis on a free loopback port that keeps nothing; yields its URL."""
    folder, port = tempfile.mkdtemp(prefix="portal-redis-"), free_port()
    program = shutil.which("redis-server")
    assert program is not None
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]
    if password:
        options += ["--requirepass", password]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"rediscache://{f':{password}@' if password else ''}127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """All values of a header, joined."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def cookies(self) -> list[str]:
        return [value for key, value in self.headers if key.lower() == "set-cookie"]


@dataclass
class Production:
    """A running installation. `facts` says, by host, who is signed in with which session, and where things are."""

    port: int
    settings: dict[str, str]
    facts: dict[str, dict[str, str]] = field(default_factory=dict)

    def ask(
        self,
        path: str,
        *,
        host: str = NORTH,
        method: str = "GET",
        session: str = "",
        form: str | None = None,
        came_from: str = "203.0.113.7",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request as the https proxy would pass it on."""
        sent = {"Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-For": came_from}
        if session:
            sent["Cookie"] = f"__Host-session={session}"
        if form is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"https://{host}/"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=form, headers=sent | (headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def send(
        self,
        path: str,
        *,
        standing_on: str,
        session: str = "",
        host: str = NORTH,
        came_from: str = "203.0.113.7",
        spoofed: dict[str, str] | None = None,
        **values: str,
    ) -> Answer:
        """Sends a form as a browser would: with the token and the cookie of the page it stands on.

        `spoofed` are further headers of the form, which no browser sends.
        """
        shown = self.ask(standing_on, host=host, session=session)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.body.decode())
        assert token is not None, f"{standing_on}: {shown.status}, no form"
        cookies = [cookie.partition(";")[0] for cookie in shown.cookies]
        if session and not any(cookie.startswith("__Host-session=") for cookie in cookies):
            cookies.append(f"__Host-session={session}")
        form = urlencode({"csrfmiddlewaretoken": token.group(1), **values})
        headers = {"Cookie": "; ".join(cookies), **(spoofed or {})}
        return self.ask(path, host=host, method="POST", form=form, came_from=came_from, headers=headers)

    @contextmanager
    def database(self) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """A connection of the tests' own to the database of the installation."""
        with psycopg.connect(self.settings["DATABASE_URL"], autocommit=True) as connection:
            yield connection


@contextmanager
def production(**changes: str) -> Iterator[Production]:
    """Starts everything, fills the database, and stops it all again."""
    with throw_away_postgres(durable=True) as database, throw_away_redis() as cache:
        port = free_port()
        settings = environment_for(
            **PRODUCTION
            | {
                "DATABASE_URL": database,
                "CACHE_URL": cache,
                "BROKER_URL": "",
                "EMAIL_URL": "smtp://127.0.0.1:9",  # nobody works the mail jobs off
                "PORT": str(port),
                "WEB_WORKERS": str(PROCESSES),
                "WEB_THREADS": "4",
                "DATABASE_POOL_SIZE": "6",
                "LIMIT_VISITOR": f"{VISITORS}/86400",
                "LIMIT_INVITATION": f"{GUESSES}/86400",
                "COUPONTOOLS_API_URL": "https://127.0.0.1:9",  # nobody answers there
            }
            | changes
        )
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=settings, check=True)
        filled = subprocess.run(
            [sys.executable, "-m", "tests.deployment.world"],
            cwd=ROOT,
            env=settings,
            check=True,
            capture_output=True,
            text=True,
        )
        server = subprocess.Popen([sys.executable, "-m", "portal.serve"], cwd=ROOT, env=settings)
        try:
            _wait_for(port, server)
            yield Production(port, settings, json.loads(filled.stdout.splitlines()[-1]))
        finally:
            server.terminate()
            server.wait(timeout=40)
