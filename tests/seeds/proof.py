"""Plants every fault of isolation, one at a time, and runs the tests that run the faulty place until one fails.

A fault that no test notices is a survivor, and the proof fails with its name. Prints how many there were, of which
kind, and how many were caught.
"""

import contextlib
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.run import ROOT, environment_for
from tests.seeds.faults import Fault, faults

SUITE = ("tests/access", "tests/portal", "tests/accounts")
# Tests of many rows and of many words, which say nothing about whose they are.
LEFT_OUT = ("test_statements", "test_export_in_office", "test_hostile_mails", "test_hostile_logos", "test_long_lists")
AT_ONCE = 2
LONGEST = 300.0  # seconds; a fault may make a test wait for ever
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+)", re.M)
# What every run imports and no fault is planted in: imported once, before the processes are forked.
SHARED = (
    "argon2",
    "billiard",
    "celery",
    "celery.app.task",
    "coupontools_api.client",
    "coupontools_api.sandbox",
    "cryptography.fernet",
    "django.contrib.auth.hashers",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.db.models",
    "django.forms",
    "django.template.backends.django",
    "django.template.defaulttags",
    "django.test",
    "django.test.client",
    "django.views.debug",
    "environ",
    "fido2.server",
    "gunicorn",
    "kombu",
    "PIL.Image",
    "PIL.PngImagePlugin",
    "psycopg",
    "pydantic",
    "qrcode",
    "requests",
    "structlog",
    "urllib3",
)
Notes = dict[str, tuple[float, list[str]]]


@dataclass(frozen=True)
class Outcome:
    fault: Fault
    caught_by: str
    tests: int
    seconds: float


@dataclass
class Run:
    """A forked process with its own copy of the database."""

    pid: int
    output: Path
    started: float

    @classmethod
    def start(cls, arguments: list[str], template: Path, folder: Path, **settings: str) -> "Run":
        own = Path(tempfile.mkdtemp(dir=folder))
        output = own / "output"
        pid = os.fork()
        if pid == 0:
            database = own / "test.sqlite3"
            database.write_bytes(template.read_bytes())
            _become_pytest(arguments, output, SEEDED_FAULT_DATABASE=str(database), **settings)
        return cls(pid, output, time.monotonic())

    def ended(self) -> int | None:
        """The exit code; None while it runs. One that runs too long is killed."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - self.started > LONGEST:
            os.kill(self.pid, signal.SIGKILL)
        return None


def _become_pytest(arguments: list[str], output: Path, **settings: str) -> None:
    """In a forked process: runs pytest, and ends."""
    code = 70
    try:
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        environment = environment_for(**settings)
        os.environ.clear()
        os.environ.update(environment)
        sys.dont_write_bytecode = True
        without = ("xdist", "playwright", "cacheprovider", "randomly")
        options = [
            "-q",
            "-ptests.seeds.planting",
            "--reuse-db",
            "-Wignore::pytest.PytestAssertRewriteWarning",
            *(f"-pno:{name}" for name in without),
        ]
        code = int(pytest.main([*options, *arguments]))
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


def main(only: str = "") -> int:
    started = time.monotonic()
    os.chdir(ROOT)
    for name in SHARED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="portal-seeds-") as folder:
        wanted = [fault for fault in faults() if only in fault.name]
        print(f"{len(wanted)} faults; noting which tests run which places …", flush=True)
        template = make_database(Path(folder))
        notes = note(Path(folder), template)
        print(f"{len(notes)} tests noted in {time.monotonic() - started:.0f} s.", flush=True)
        outcomes = list(prove(wanted, notes, template, Path(folder)))
    return report(outcomes, time.monotonic() - started)


def report(outcomes: list[Outcome], seconds: float) -> int:
    survivors = [outcome for outcome in outcomes if not outcome.caught_by]
    kinds = Counter(outcome.fault.kind.partition("-")[0] for outcome in outcomes)
    for outcome in survivors:
        fault = outcome.fault
        print(f"SURVIVED {fault.name} in {fault.function} ({outcome.tests} tests run it): {fault.what}")
    print(
        f"Seeded faults: {len(outcomes)} ({', '.join(f'{number} {kind}' for kind, number in sorted(kinds.items()))}), "
        f"{len(outcomes) - len(survivors)} caught, {len(survivors)} survived, {seconds:.0f} s."
    )
    return 1 if survivors else 0


def make_database(folder: Path) -> Path:
    """A test database with its tables, to be copied for each run."""
    template = folder / "template.sqlite3"
    template.touch()
    run = Run.start(["--create-db", "tests/accounts/test_migrations.py"], template, folder)
    while (code := run.ended()) is None:
        time.sleep(0.05)
    if code:
        sys.exit(f"The database cannot be made:\n{run.output.read_text()[-2000:]}")
    template.write_bytes(run.output.with_name("test.sqlite3").read_bytes())
    return template


def note(folder: Path, template: Path) -> Notes:
    """Which functions each test of the suite runs. The suite has to pass: a fault shows by a failure."""
    notes = folder / "notes"
    notes.mkdir()
    # The matrix is shorter now: that it is long enough is no question here.
    counting = "tests/access/test_matrix.py::test_the_matrix_has_twenty_thousand_cells_or_more"
    chosen = ["-m", "not browser and not prove and not production", "--deselect", counting]
    chosen += [f"--ignore=tests/portal/{name}.py" for name in LEFT_OUT]
    runs = [
        Run.start([*paths, *chosen], template, folder, SEEDED_FAULT_NOTES=str(notes))
        for paths in (SUITE[:1], SUITE[1:])
    ]
    for run in runs:
        run.started += 3 * LONGEST
        while (code := run.ended()) is None:
            time.sleep(0.1)
        if code:
            sys.exit(f"The suite fails without any fault:\n{run.output.read_text()[-3000:]}")
    found: Notes = {}
    for file in notes.iterdir():
        found |= json.loads(file.read_text())
    return found


def prove(wanted: list[Fault], notes: Notes, template: Path, folder: Path) -> Iterator[Outcome]:
    """Two faults at a time, each in a process of its own."""
    waiting = list(reversed(wanted))
    running: list[tuple[Fault, int, Run]] = []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            fault = waiting.pop()
            tests = tests_of(fault, notes)
            run = Run.start(["-x", *tests], template, folder, SEEDED_FAULT=fault.name) if tests else None
            if run is None:
                yield Outcome(fault, "", 0, 0.0)
            else:
                running.append((fault, len(tests), run))
        for entry in running[:]:
            fault, number, run = entry
            if (code := run.ended()) is not None:
                running.remove(entry)
                outcome = Outcome(fault, _caught_by(code, run), number, time.monotonic() - run.started)
                print(f"{outcome.seconds:5.1f} s  {fault.name}  {outcome.caught_by or 'SURVIVED'}", flush=True)
                yield outcome
        time.sleep(0.02)


def _caught_by(code: int, run: Run) -> str:
    if code == 0:
        return ""
    text = run.output.read_text()
    if code == pytest.ExitCode.USAGE_ERROR:
        sys.exit(f"The tests cannot be chosen:\n{text[-2000:]}")
    found = FAILED.search(text)
    return found.group(1) if found else f"exit {code}: {text[-200:]}"


def tests_of(fault: Fault, notes: Notes) -> list[str]:
    """The tests that run the faulty place, those first that are likely to show it, and the short before the long.

    What is no longer kept apart shows where neighbours live: in the tests about them and in the access tests. A door's
    own checks show in its own tests.
    """
    place = f"{fault.file}:{fault.function}"
    homes = ("tests/accounts/test_neighbours.py", "tests/portal/test_neighbours.py", "tests/access/")
    if fault.kind == "check" and fault.file.startswith("accounts/"):
        homes = ("tests/accounts/test_neighbours.py", "tests/accounts/")

    def order(name: str) -> tuple[int, float]:
        home = next((number for number, start in enumerate(homes) if name.startswith(start)), len(homes))
        return home, notes[name][0]

    return sorted((name for name, (_seconds, ran) in notes.items() if place in ran), key=order)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
