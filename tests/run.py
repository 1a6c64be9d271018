"""`./run test`: the suite on SQLite, what a database has a say in on a throw-away PostgreSQL too, and a real browser.

What is missing is installed (as root on Debian) or named; what is left out must be named by --without.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("browser", "postgres", "brokers", "observatory", "office", "php", "gettext")
NOTHING_RAN = 5
# One more than there are processors, for a test often waits: for a server to come up, or for a browser.
PROCESSES = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]
# Seen once, with SQLite: what touches no database, starts its own, or is about what stands in a page, file or mail,
# and who may do what, which is decided above either database.
ONCE = (
    "tests/access",
    "tests/accounts/test_logos.py",
    "tests/architecture",
    "tests/coupontools_api",
    "tests/sandbox",
    "tests/flows/test_commands.py",
    "tests/portal/test_enumeration.py",
    "tests/portal/test_export_in_office.py",
    "tests/portal/test_hostile_logos.py",
    "tests/portal/test_hostile_mails.py",
    "tests/portal/test_languages.py",
    "tests/portal/test_logs.py",
    "tests/portal/test_statements.py::test_pages_take_few_statements_and_no_more_with_many_customers[20,000 customers]",
)
# Where those tests are that are run apart from the others, which those runs need not read.
PLACES = {"browser": ("tests/browser",), "production": ("tests/deployment", "tests/canaries")}
APT = ["apt-get", "-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=400"]


def chromium() -> str | None:
    """The browser: CHROMIUM, or the one without windows, which draws the same pages with two thirds of the work."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else ["chromium-headless-shell", "chromium", "chromium-browser"]
    return next((found for name in names if (found := shutil.which(name))), None)


def postgres_bin() -> Path | None:
    """The folder of the newest PostgreSQL server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def php() -> str | None:
    program = shutil.which("php")
    has_curl = program and "curl" in subprocess.run([program, "-m"], capture_output=True, text=True, check=False).stdout
    return program if has_curl else None


def rabbitmq() -> Path | None:
    """RabbitMQ's own start script; what Debian puts before it insists on a user and a folder of its own."""
    program = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    on_path = shutil.which("rabbitmq-server")
    return program if program.exists() else Path(on_path) if on_path else None


@contextmanager
def no_services(policy: Path = Path("/usr/sbin/policy-rc.d")) -> Iterator[None]:
    """What Debian installs meanwhile starts no server: the tests start their own, and end them."""
    if policy.exists():  # a container says so already
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


NEEDS = {
    "browser": (chromium, ["chromium-headless-shell", "fonts-liberation"]),
    "postgres": (postgres_bin, ["postgresql"]),
    "brokers": (
        lambda: shutil.which("redis-server") and rabbitmq() and shutil.which("epmd"),
        ["redis-server", "rabbitmq-server"],
    ),
    "observatory": (lambda: shutil.which("node") and shutil.which("npm"), ["nodejs", "npm"]),
    "office": (lambda: shutil.which("soffice"), ["libreoffice-calc-nogui"]),
    "php": (php, ["php-cli", "php-curl"]),
    "gettext": (lambda: shutil.which("xgettext"), ["gettext"]),
}


def provide(parts: list[str]) -> list[str]:
    """Installs what the parts need, where that is possible. Returns the parts that cannot be run."""
    lacking = [part for part in parts if not NEEDS[part][0]()]
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*APT, "update"], env=environment, check=False, stdout=subprocess.DEVNULL)
        for part in lacking:  # one by one, so that one that cannot be had leaves the others
            packages = NEEDS[part][1]
            print(f"Installing {' '.join(packages)} …", flush=True)
            with no_services():
                subprocess.run([*APT, "install", *packages], env=environment, check=False, stdout=subprocess.DEVNULL)
    return [part for part in parts if not NEEDS[part][0]()]


@dataclass(frozen=True)
class Postgres:
    """A running server of our own that can be stopped as hard as its machine would be, and started again."""

    url: str
    _control: Callable[..., None]

    def stop(self) -> None:
        """At once, in the middle of whatever it does."""
        self._control("-m", "immediate", "-s", "stop")

    def start(self) -> None:
        self._control("-w", "-s", "start")


@contextmanager
def own_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A PostgreSQL on a free loopback port with its data in a temporary folder.

    `durable` keeps what production refuses to start without.
    """
    programs = postgres_bin()
    assert programs is not None
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="portal-postgres-"))
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]

    def pg(program: str, *arguments: str) -> None:
        command = [*prefix, str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    fast = "" if durable else "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    options = ["-l", str(folder / "log"), "-o", f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} {fast}"]
    server = Postgres(
        f"postgres://portal@127.0.0.1:{port}/postgres", lambda *arguments: pg("pg_ctl", *options, *arguments)
    )
    try:
        pg("initdb", "-A", "trust", "-U", "portal", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throw_away_postgres(*, durable: bool = False) -> Iterator[str]:
    """The same, for who needs no more than its DATABASE_URL."""
    with own_postgres(durable=durable) as server:
        yield server.url


def environment_for(**settings: str) -> dict[str, str]:
    """The environment of a run: only the settings that are named, whatever the machine's own .env says."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": "/nonexistent",
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    # Every test process, and every server that a test starts, would compile all of it again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "DEPLOYMENT"):
        if name not in settings:
            environment.pop(name, None)
    return environment


def marks_without(lacking: set[str]) -> str:
    """The end of a choice of tests that leaves out those whose programs are lacking."""
    return "".join(f" and not {part}" for part in ("observatory", "office") if part in lacking)


def pytest(title: str, arguments: list[str], **settings: str) -> int:
    """One run of pytest; its exit code."""
    print(f"\n=== {title}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment_for(**settings), check=False
    ).returncode


@contextmanager
def beside(title: str, arguments: list[str], codes: list[int]) -> Iterator[None]:
    """A run of pytest that goes on while others do. What it prints comes when they, and it, have ended."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment_for(), stdout=output, stderr=output)
        yield
        codes.append(process.wait())
        output.seek(0)
        print(f"\n=== {title}\n{output.read().decode()}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__)
    parser.add_argument("--without", default="", help=f"comma-separated: {', '.join(PARTS)}")
    options, given = parser.parse_known_args()
    without = [part for part in options.without.split(",") if part]
    if unknown := set(without) - set(PARTS):
        parser.error(f"--without knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}.")
    started = time.monotonic()
    missing = provide([part for part in PARTS if part not in without])
    for part in missing:
        print(
            f"Missing: {' and '.join(NEEDS[part][1])}, so the {part} tests cannot run"
            f" (--without {part} leaves them out)."
        )
    processes = [] if any(argument.startswith(("-n", "--pdb", "-s")) for argument in given) else PROCESSES
    lacking = {part for part in PARTS if part in without or part in missing}
    in_both = "not browser and not prove and not production" + marks_without(lacking)
    names_places = any((ROOT / argument.partition("::")[0]).exists() for argument in given)
    places = {kind: () if names_places else where for kind, where in PLACES.items()}
    codes = [pytest("SQLite", [*processes, "-m", in_both, *given])]
    with ExitStack() as others:
        if not lacking & {"postgres", "brokers"}:
            # A file stays with one process, which starts an installation for its tests. It waits more than it works:
            # for servers to come up, leases to end, brokers to come back.
            whole_files = ["-n", "2", "--dist", "loadfile"] if processes else []
            chosen = ["-m", f"production and not prove{marks_without(lacking)}", *places["production"]]
            others.enter_context(beside("Production", [*whole_files, *chosen, *given], codes))
        if "postgres" not in lacking:
            url = others.enter_context(throw_away_postgres())
            apart = [f"--{'deselect' if '::' in place else 'ignore'}={place}" for place in ONCE]
            codes.append(pytest("PostgreSQL", [*processes, "-m", in_both, *apart, *given], DATABASE_URL=url))
        if "browser" not in lacking:
            codes.append(pytest("Chromium", [*processes, "-m", "browser and not prove", *places["browser"], *given]))
    print(f"\nWhole suite: {time.monotonic() - started:.0f} seconds, left out: {', '.join(without) or 'nothing'}.")
    if missing:
        print(f"FAILED: could not run {', '.join(missing)}.")
    # A selection may leave one of the runs without a test (5), but not all of them.
    is_fine = set(codes) <= {0, NOTHING_RAN} and set(codes) != {NOTHING_RAN}
    return 0 if is_fine and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
