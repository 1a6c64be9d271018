"""Plants every fault of isolation, one at a time, and runs the tests that run the faulty place until one fails.

A fault that no test notices is a survivor, and the proof fails with its name. Prints how many there were, of which
kind, and how many were caught.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.run import ROOT, environment_for
from tests.seeds.faults import Fault, faults

SUITE = ("tests/access", "tests/portal", "tests/accounts", "tests/flows")
AT_ONCE = 2
LONGEST = 900.0  # seconds; a fault may make a test wait for ever
Notes = dict[str, tuple[float, list[str]]]


@dataclass(frozen=True)
class Outcome:
    fault: Fault
    caught_by: str
    tests: int
    seconds: float


def main(only: str = "") -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="portal-seeds-") as folder:
        wanted = [fault for fault in faults() if only in fault.name]
        print(f"{len(wanted)} faults; noting which tests run which places …", flush=True)
        template = _database(Path(folder))
        notes = _note(Path(folder), template)
        print(f"{len(notes)} tests noted in {time.monotonic() - started:.0f} s.", flush=True)
        with ThreadPoolExecutor(AT_ONCE) as hands:
            outcomes = list(hands.map(lambda fault: _prove(fault, notes, template, Path(folder)), wanted))
    survivors = [outcome for outcome in outcomes if not outcome.caught_by]
    kinds = Counter(outcome.fault.kind.partition("-")[0] for outcome in outcomes)
    for outcome in survivors:
        print(
            f"SURVIVED {outcome.fault.name} in {outcome.fault.function} ({outcome.tests} tests): {outcome.fault.what}"
        )
    caught = len(outcomes) - len(survivors)
    print(
        f"Seeded faults: {len(outcomes)} ({', '.join(f'{number} {kind}' for kind, number in sorted(kinds.items()))}), "
        f"{caught} caught, {len(survivors)} survived, {time.monotonic() - started:.0f} s."
    )
    return 1 if survivors else 0


def _database(folder: Path) -> Path:
    """A test database with its tables, to be copied for each run."""
    template = folder / "template.sqlite3"
    environment = environment_for(DATABASE_URL=f"sqlite:///{template}")
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return template


def _pytest(arguments: list[str], template: Path, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """One run of pytest on a copy of the database."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        copied = Path(own, "test.sqlite3")
        copied.write_bytes(template.read_bytes())
        environment = environment_for(SEEDED_FAULT_DATABASE=str(copied), PYTHONDONTWRITEBYTECODE="1", **settings)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.seeds.planting", "--reuse-db", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=LONGEST
        )


def _note(folder: Path, template: Path) -> Notes:
    """Which functions each test of the suite runs. The suite has to pass: a fault shows by a failure."""
    notes = folder / "notes"
    notes.mkdir()

    def half(paths: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        chosen = [*paths, "-m", "not browser and not prove and not postgres"]
        return _pytest(chosen, template, folder, SEEDED_FAULT_NOTES=str(notes))

    with ThreadPoolExecutor(AT_ONCE) as hands:
        for done in hands.map(half, (SUITE[:1], SUITE[1:])):
            if done.returncode:
                sys.exit(f"The suite fails without any fault:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    found: Notes = {}
    for file in notes.iterdir():
        found |= json.loads(file.read_text())
    return found


def _prove(fault: Fault, notes: Notes, template: Path, folder: Path) -> Outcome:
    started = time.monotonic()
    place = f"{fault.file}:{fault.function}"
    tests = sorted(
        (name for name, (_s, ran) in notes.items() if place in ran), key=lambda name: _order(fault, name, notes)
    )
    caught_by = ""
    try:
        done = _pytest(["-x", *tests], template, folder, SEEDED_FAULT=fault.name) if tests else None
    except subprocess.TimeoutExpired:
        caught_by = "time: it never ended"
    else:
        if done is not None and done.returncode not in (0, 5):
            failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
            caught_by = failed[0].split(" - ")[0] if failed else f"exit {done.returncode}: {done.stderr[-200:]}"
    outcome = Outcome(fault, caught_by, len(tests), time.monotonic() - started)
    print(f"{outcome.seconds:5.1f} s  {fault.name}  {caught_by or 'SURVIVED'}", flush=True)
    return outcome


def _order(fault: Fault, name: str, notes: Notes) -> tuple[int, float]:
    """What pages let through shows in the access tests first, what doors do in their own; short tests before long."""
    seconds, _ran = notes[name]
    is_access = name.startswith("tests/access")
    comes_later = is_access != fault.file.startswith("portal/")
    return (int(comes_later), seconds)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
