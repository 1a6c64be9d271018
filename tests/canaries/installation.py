"""A whole installation for a canary run, as processes: sandbox, web server, worker, and what they lean on."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

from tests.canaries.servers import Listener, MailServer, Wire
from tests.check import PRODUCTION
from tests.deployment import certificates, front
from tests.deployment.production import throw_away_redis
from tests.ports import free_port
from tests.run import ROOT, environment_for, postgres_bin, throw_away_postgres

PATIENCE = 60
# The exception that is stated in SECURITY.md: a session is found by its key.
SESSION_TABLES = ("django_session", "usersessions_usersession")
QUICK = {
    "LOG_LEVEL": "DEBUG",
    "PROVISIONING_BACKOFF_MIN_SECONDS": "0.2",
    "PROVISIONING_BACKOFF_MAX_SECONDS": "1",
    "LIMIT_LAUNCH_PERSON": "100/60",
}
# Processes of the run trust its own authority, as they would a public one.
TRUSTING = "import os, certifi\ncertifi.where = lambda: os.environ['AUTHORITY_OF_THE_RUN']\n"


@dataclass
class Installation:
    """Where it listens, with which settings, and what it leaves behind."""

    url: str
    north: str
    platform: str
    settings: dict[str, str]
    folder: Path
    wire: Wire
    mail: MailServer
    listeners: dict[str, Listener]
    authority: Path | None
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    commands: dict[str, bytes] = field(default_factory=dict)

    def manage(self, *arguments: str, **more: str) -> None:
        """One of Django's own commands; its words are kept like a log."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.settings | more, capture_output=True, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said.decode()
        self.commands[f"command {arguments[0]} {len(self.commands)}"] = " ".join(arguments).encode() + said

    def start(self, name: str, *command: str) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        self.processes[name] = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=self.settings, stdout=log, stderr=subprocess.STDOUT
        )
        log.close()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=60)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """The process stands still meanwhile: what it would do waits, and nobody waits for what it holds."""
        process = self.processes[name]
        process.send_signal(signal.SIGSTOP)
        try:
            deadline = time.monotonic() + PATIENCE
            while _runs(process.pid) or self._is_written_to():
                assert time.monotonic() < deadline, f"{name} never stands still with its hands empty"
                process.send_signal(signal.SIGCONT)
                time.sleep(0.05)
                process.send_signal(signal.SIGSTOP)
                time.sleep(0.01)
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def _is_written_to(self) -> bool:
        """Somebody is in the middle of a write, for which every other one has to wait: so it is with SQLite."""
        url = self.settings["DATABASE_URL"]
        if not url.startswith("sqlite"):
            return False
        database = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        finally:
            database.close()
        return False

    def logs(self) -> dict[str, bytes]:
        return {f"log of {name}": (self.folder / f"{name}.log").read_bytes() for name in self.processes}

    def command_lines(self) -> dict[str, bytes]:
        """Of every process that we started, and of theirs."""
        parents = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
        ours = {process.pid for process in self.processes.values()}
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        found = {}
        for pid in ours:
            try:
                found[f"command line of {pid}"] = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
        return found

    def execute(self, *statements: str) -> None:
        """Past the portal, in the database itself."""
        url = self.settings["DATABASE_URL"]
        if url.startswith("sqlite"):
            with sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20) as database:
                for statement in statements:
                    database.execute(statement)
            database.close()
        else:
            with psycopg.connect(url, autocommit=True) as database:
                for statement in statements:
                    database.execute(statement)

    def dump(self) -> bytes:
        """The database as plain SQL, without the rows of sessions."""
        url = self.settings["DATABASE_URL"]
        if url.startswith("sqlite"):
            database = sqlite3.connect(url.removeprefix("sqlite:///"))
            lines = [
                line for line in database.iterdump() if not any(f'INTO "{table}"' in line for table in SESSION_TABLES)
            ]
            database.close()
            return "\n".join(lines).encode()
        programs = postgres_bin()
        assert programs is not None
        left_out = [f"--exclude-table-data={table}" for table in SESSION_TABLES]
        done = subprocess.run([programs / "pg_dump", *left_out, url], capture_output=True, check=True)
        return done.stdout

    def environment_of(self, name: str) -> bytes:
        """What the process was given; the one place where settings have to stand."""
        return Path(f"/proc/{self.processes[name].pid}/environ").read_bytes()

    def sandbox(self, path: str, document: object) -> None:
        requests.post(f"{self.settings['SANDBOX']}{path}", json=document, timeout=10).raise_for_status()


def _runs(pid: int) -> bool:
    """A signal to stop is obeyed a moment later."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T"


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            requests.get(url, timeout=5)
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline, f"nothing answers at {url}"
            time.sleep(0.1)


@contextmanager
def _with_sandbox(pair: Path | None, *options: str) -> Iterator[tuple[str, Wire]]:
    port = free_port()
    command = [sys.executable, "-m", "coupontools_api.sandbox", "--port", str(port), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    wire = Wire(f"http://127.0.0.1:{port}", pair)
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/_settings")
        yield f"http://127.0.0.1:{port}", wire
    finally:
        wire.close()
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def embedded(folder: Path, keys: dict[str, str], passwords: dict[str, str]) -> Iterator[Installation]:
    """As `./run serve` and `./run work` do on one machine: SQLite, no broker, no shared cache."""
    with ExitStack() as stack:
        sandbox, wire = stack.enter_context(_with_sandbox(None))
        mail = MailServer()
        stack.callback(mail.close)
        port = free_port()
        settings = environment_for(
            **QUICK,
            **keys,
            DATABASE_URL=f"sqlite:///{folder}/portal.sqlite3",
            EMAIL_URL=f"smtp://mailer:{passwords['mail']}@127.0.0.1:{mail.port}",
            PORT=str(port),
            COUPONTOOLS_API_URL=wire.url,
            COUPONTOOLS_PANEL_HOSTS=sandbox.partition("://")[2],
            SANDBOX=sandbox,
        )
        url = f"http://127.0.0.1:{port}"
        installation = Installation(
            url, "north.localhost", "platform.localhost", settings, folder, wire, mail, {}, None
        )
        installation.manage("migrate", "-v0")
        stack.callback(installation.stop)
        installation.start("web", "-m", "portal.serve")
        installation.start("worker", "manage.py", "work")
        _wait_until_it_answers(f"{url}/healthz")
        yield installation


@contextmanager
def in_production(folder: Path, keys: dict[str, str], passwords: dict[str, str]) -> Iterator[Installation]:
    """PostgreSQL, a Redis as cache and another one as broker, Celery's worker and clock, https on both sides."""
    north, platform = "coupons.north.example", PRODUCTION["PLATFORM_HOST"]
    authority, pair = certificates.write(folder, [platform, north, "localhost"])
    (folder / "sitecustomize.py").write_text(TRUSTING)
    with ExitStack() as stack:
        sandbox, wire = stack.enter_context(_with_sandbox(pair, "--panel-url", "https://panel.vendor.example"))
        mail = MailServer()
        stack.callback(mail.close)
        database = stack.enter_context(throw_away_postgres(durable=True))
        cache = stack.enter_context(throw_away_redis(passwords["cache"]))
        broker = stack.enter_context(throw_away_redis(passwords["broker"]))
        port = free_port()
        settings = environment_for(
            **PRODUCTION
            | QUICK
            | keys
            | {
                "DATABASE_URL": database.replace("portal@", f"portal:{passwords['database']}@"),
                "CACHE_URL": cache,
                "BROKER_URL": broker.replace("rediscache://", "redis://"),
                "EMAIL_URL": f"smtp://mailer:{passwords['mail']}@127.0.0.1:{mail.port}",
                "PORT": str(port),
                "COUPONTOOLS_API_URL": wire.url,
                "COUPONTOOLS_PANEL_HOSTS": "panel.vendor.example",
                "SANDBOX": sandbox,
                "PYTHONPATH": str(folder),
                "AUTHORITY_OF_THE_RUN": str(authority),
            }
        )
        listeners = {
            "cache": Listener(cache.replace("rediscache://", "redis://")),
            "broker": Listener(settings["BROKER_URL"]),
        }
        for listener in listeners.values():
            stack.callback(listener.close)
        running = stack.enter_context(front.running(port, pair))
        url = f"https://127.0.0.1:{running.https_port}"
        installation = Installation(url, north, platform, settings, folder, wire, mail, listeners, authority)
        installation.manage("migrate", "-v0")
        stack.callback(installation.stop)
        installation.start("web", "-m", "portal.serve")
        celery = ("-m", "celery", "-A", "portal")
        installation.start("worker", *celery, "worker", "-c", "2", "-l", "DEBUG")
        installation.start("clock", *celery, "beat", "-s", str(folder / "clock"), "-l", "DEBUG")
        _wait_until_it_answers(f"http://127.0.0.1:{port}/healthz")
        yield installation
