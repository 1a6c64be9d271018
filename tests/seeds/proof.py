"""Throws the switch of every fault of isolation, one at a time, and runs the tests of the faulty place until one fails.

A fault that no test notices is a survivor, and the proof fails with its name. Prints how many there were, of which
kind, and how many were caught.

The suite is imported and collected once, with the switches of all faults in place (`switches.py`). From then on each
fault is a forked process with a copy of the database: it throws its switch and runs its tests. First the one that
caught it when it was last proved (`caught.txt`, which `--keep` writes anew); only for faults that this one lets pass
is it noted what every test runs, and are all tests tried that run the place. The access tests, which leave nothing
behind in a world that takes longer to make than most of them, are tried for several faults by one process.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection

from tests.run import ROOT, environment_for
from tests.seeds.faults import Fault, faults
from tests.seeds.forks import Fork
from tests.seeds.matrix import asked_by_few, judged_at_once

SUITE = ("tests/access", "tests/portal", "tests/accounts")
# Long ones, of many rows, words or addresses, which say nothing about whose they are.
LEFT_OUT = (
    *(
        "portal/test_statements",
        "portal/test_export_in_office",
        "portal/test_hostile_mails",
        "portal/test_hostile_logos",
    ),
    *("portal/test_long_lists", "portal/test_visitor_limits", "access/test_pollution", "accounts/test_migrations"),
)
# The matrix is shorter while it is noted what runs: that it is long enough is no question here.
COUNTING = "tests/access/test_matrix.py::test_the_matrix_has_twenty_thousand_cells_or_more"
AT_ONCE = 2
ONE_WORLD = 12  # faults that are tried by one process where the test is one of the access tests
LONGEST = 150.0  # seconds; a fault may make a test wait for ever
CAUGHT = Path(__file__).parent / "caught.txt"


@dataclass(frozen=True)
class Noted:
    """How long a test takes, and the numbers of the faults whose places it runs."""

    seconds: float
    ran: frozenset[int]


@dataclass(frozen=True)
class Outcome:
    fault: Fault
    caught_by: str
    tests: int
    seconds: float


def remembered() -> dict[str, str]:
    """By which test each fault was caught when it was last proved."""
    lines = CAUGHT.read_text().splitlines() if CAUGHT.exists() else []
    return dict(line.split("\t") for line in lines)


def keep(outcomes: list[Outcome], planted: list[Fault]) -> None:
    """Remembers what caught these; what was caught of others before, if they are still there."""
    caught = remembered() | {outcome.fault.lasting_name: outcome.caught_by for outcome in outcomes}
    there = {fault.lasting_name for fault in planted}
    lines = sorted(f"{name}\t{test}\n" for name, test in caught.items() if name in there and test)
    CAUGHT.write_text("".join(lines))


class Prover:
    """The plugin of pytest that proves instead of running the suite once."""

    def __init__(self, only: str, *, keeps: bool) -> None:
        self.only, self.keeps = only, keeps
        self.folder = Path(tempfile.mkdtemp(prefix="portal-seeds-"))
        self.outcomes: list[Outcome] = []
        self.failed = ""  # the first test that failed, in the process that ran it
        self.seconds: dict[str, float] = {}

    def pytest_configure(self) -> None:
        connection.settings_dict["TEST"]["NAME"] = str(self.folder / "template.sqlite3")

    # -- in the process that ran a test ------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid
            print(report.longreprtext[-3000:])

    # -- in the process that forks -----------------------------------------------------------------------------------

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        started = time.monotonic()
        items = {item.nodeid: item for item in session.items}
        planted = faults()
        wanted = [(number, fault) for number, fault in enumerate(planted) if self.only in fault.name]
        # One test makes the database; what is set up for the session stays, and is there after each fork.
        first = next(item for item in session.items if "test_neighbours" in item.nodeid)
        _run(first, session)
        assert not self.failed, f"{self.failed} fails without any fault"
        connection.close()
        _write_statements_anew()
        passed, known = self._try_remembered(wanted, items), len(self.outcomes)
        print(f"{len(wanted)} faults, {known} caught as before, in {time.monotonic() - started:.0f} s.", flush=True)
        if passed:
            begun = time.monotonic()
            notes = self._note(list(items), items)
            print(f"What {len(notes)} tests run is noted in {time.monotonic() - begun:.0f} s.", flush=True)
            self.outcomes += self._prove([(*fault, tests_of(*fault, notes)) for fault in passed], items)
        self.report(time.monotonic() - started)
        if self.keeps:
            keep(self.outcomes, planted)
        return True

    def _try_remembered(
        self, wanted: list[tuple[int, Fault]], items: dict[str, pytest.Item]
    ) -> list[tuple[int, Fault]]:
        """The faults that are not caught by what caught them before. These tests have to pass without a fault."""
        before = {name: test for name, test in remembered().items() if test in items}
        known = sorted(
            ((number, fault, before[fault.lasting_name]) for number, fault in wanted if fault.lasting_name in before),
            key=lambda entry: entry[2],
        )
        in_a_world = [entry for entry in known if entry[2].startswith("tests/access/")]
        alone = [entry for entry in known if entry not in in_a_world]
        self.outcomes += self._prove_together(in_a_world, items)
        if alone:
            self._note(list(dict.fromkeys(test for _number, _fault, test in alone)), items)
        tried = [(number, fault, [test]) for number, fault, test in alone]
        self.outcomes += [outcome for outcome in self._prove(tried, items) if outcome.caught_by]
        caught = {outcome.fault for outcome in self.outcomes}
        return [(number, fault) for number, fault in wanted if fault not in caught]

    def _note(self, names: list[str], items: dict[str, pytest.Item]) -> dict[str, Noted]:
        """Which places each test runs, and how long it takes. They have to pass: a fault shows by a failure."""
        parts = [part for part in (names[0::2], names[1::2]) if part]
        runs = [Fork.start(self.folder, lambda fork, part=part: self._note_part(fork, part, items)) for part in parts]
        found: dict[str, Noted] = {}
        for run in runs:
            while (code := run.ended(longest=20 * LONGEST)) is None:
                time.sleep(0.05)
            if code or not run.result.exists():
                sys.exit(f"The suite fails without any fault:\n{run.output.read_text()[-4000:]}")
            for name, (seconds, ran) in json.loads(run.result.read_text()).items():
                found[name] = Noted(seconds, frozenset(ran))
        return found

    def _note_part(self, fork: Fork, names: list[str], items: dict[str, pytest.Item]) -> None:
        from tests.seeds.switches import switches

        ran = {}
        with asked_by_few():
            for name, following in zip(names, [*names[1:], None], strict=True):
                switches.ran.clear()
                _run(items[name], items[following] if following else None)
                assert not self.failed, self.failed
                ran[name] = sorted(switches.ran)
        fork.result.write_text(json.dumps({name: (self.seconds[name], ran[name]) for name in names}))

    def _prove(self, wanted: list[tuple[int, Fault, list[str]]], items: dict[str, pytest.Item]) -> Iterator[Outcome]:
        """Each fault with its tests, in this order; two faults at a time.

        A test that fails after others may fail by what they left behind: it counts once it has failed as the first.
        """
        waiting = list(reversed(wanted))
        running: list[tuple[int, Fault, list[str], Fork]] = []
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                number, fault, tests = waiting.pop()
                run = Fork.start(
                    self.folder, lambda fork, n=number, t=tests: self._throw(fork, n, [items[name] for name in t])
                )
                running.append((number, fault, tests, run))
            for entry in running[:]:
                number, fault, tests, run = entry
                if run.ended(longest=LONGEST) is not None:
                    running.remove(entry)
                    # One that was killed says nothing.
                    caught_by = run.result.read_text() if run.result.exists() else ""
                    if caught_by and caught_by != tests[0]:
                        waiting.append((number, fault, tests[tests.index(caught_by) :]))
                        continue
                    outcome = Outcome(fault, caught_by, len(tests), time.monotonic() - run.started)
                    print(f"{outcome.seconds:5.1f} s  {fault.name}  {caught_by or 'not caught'}", flush=True)
                    yield outcome
            time.sleep(0.01)

    def _throw(self, fork: Fork, number: int, tests: list[pytest.Item]) -> None:
        from tests.seeds.switches import switches

        switches.on = number
        with judged_at_once():
            for test, following in zip(tests, [*tests[1:], None], strict=True):
                _run(test, following)
                if self.failed:
                    break
        fork.result.write_text(self.failed)

    def _prove_together(self, wanted: list[tuple[int, Fault, str]], items: dict[str, pytest.Item]) -> list[Outcome]:
        """Each fault with its one test, in processes that each make one world for several. Returns those caught.

        Once their faults are off again, all tests of a process have to pass, those of the matrix by its shorter way:
        else what one fault left behind may be what caught the next, and none of them counts.
        """
        waiting = [wanted[at : at + ONE_WORLD] for at in range(0, len(wanted), ONE_WORLD)]
        running: list[tuple[list[tuple[int, Fault, str]], Fork]] = []
        outcomes = []
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                part = waiting.pop(0)
                running.append(
                    (part, Fork.start(self.folder, lambda fork, part=part: self._throw_each(fork, part, items)))
                )
            for part, run in running[:]:
                if run.ended(longest=LONGEST) is None:
                    continue
                running.remove((part, run))
                found = json.loads(run.result.read_text()) if run.result.exists() else {}
                if not found:
                    print(f"Of these none counts:\n{run.output.read_text()[-2000:]}")
                for number, fault, test in part:
                    caught_by, seconds = found.get(str(number), ("", 0.0))
                    print(f"{seconds:5.1f} s  {fault.name}  {caught_by or 'not caught by what caught it before'}")
                    if caught_by == test:
                        outcomes.append(Outcome(fault, caught_by, 1, seconds))
            time.sleep(0.01)
        return outcomes

    def _throw_each(self, fork: Fork, part: list[tuple[int, Fault, str]], items: dict[str, pytest.Item]) -> None:
        from tests.seeds.switches import switches

        found, tests = {}, [items[test] for _number, _fault, test in part]
        around = tests[0].parent
        with asked_by_few():
            self._run_all(tests[:1], around)  # the world is made without a fault
        with judged_at_once():
            for (number, _fault, _test), test, following in zip(part, tests, [*tests[1:], around], strict=True):
                begun, self.failed, switches.on = time.monotonic(), "", number
                # Of a test that followed itself nothing would be set up anew: only what is around it stays.
                _run(test, test.parent if following is test else following)
                found[number] = self.failed, time.monotonic() - begun
                fork.sign.touch()
        self.failed, switches.on = "", None
        with asked_by_few():
            self._run_all(list(dict.fromkeys(tests)), None)
        fork.result.write_text(json.dumps(found))

    def _run_all(self, tests: list[pytest.Item], following: pytest.Collector | None) -> None:
        for test, then in zip(tests, [*tests[1:], following], strict=True):
            _run(test, then)
            assert not self.failed, f"{self.failed} fails without any fault, or by what one has left behind"

    def report(self, seconds: float) -> None:
        survivors = [outcome for outcome in self.outcomes if not outcome.caught_by]
        kinds = Counter(outcome.fault.kind.partition("-")[0] for outcome in self.outcomes)
        for outcome in survivors:
            fault = outcome.fault
            print(f"SURVIVED {fault.name} in {fault.function} ({outcome.tests} tests run it): {fault.what}")
        of_kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        print(
            f"Seeded faults: {len(self.outcomes)} ({of_kinds}), {len(self.outcomes) - len(survivors)} caught, "
            f"{len(survivors)} survived, {seconds:.0f} s."
        )


def _run(test: pytest.Item, following: pytest.Item | pytest.Collector | None) -> None:
    test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)


def _write_statements_anew() -> None:
    """A statement that is kept was written before any switch was thrown."""
    access = sys.modules["portal.access"]
    access._statement_about_person = access._statement_about_person.__wrapped__


def tests_of(number: int, fault: Fault, notes: dict[str, Noted]) -> list[str]:
    """The tests that run the faulty place, those first that are likely to show it, and the short before the long.

    A door that stands open shows where everybody knocks: in the matrix. What is no longer kept apart shows where
    neighbours live: in the tests about them, and on pages in the access tests. A choice that offers too much, and
    what the worker does, show in their own tests.
    """
    found = sorted((name for name, noted in notes.items() if number in noted.ran), key=lambda name: notes[name].seconds)
    cells = [name for name in found if "test_matrix.py::test_cells_of" in name]
    asked = [name for name in found if name.startswith("tests/access/") and name not in cells[4:]]
    neighbours = [name for name in found if "/test_neighbours" in name or "/test_unseen_crowds" in name]
    if fault.kind in ("decorator", "role"):
        first = [*cells[:3], *neighbours, *asked]
    elif fault.kind == "choice":
        first = neighbours
    elif fault.file.startswith("accounts/"):
        first = [*neighbours, *asked[: 0 if fault.kind == "check" else 3]]
    else:
        first = [*neighbours, *asked]
    # The cells are short only while it is noted what runs.
    return list(dict.fromkeys([*first, *(name for name in found if name not in cells), *cells]))


def main(only: str = "", *, keeps: bool = False) -> int:
    """In a process of its own, which forks: nothing of the project may be imported before its switches are in place."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 70
    try:
        os.chdir(ROOT)
        environment = environment_for()
        os.environ.clear()
        os.environ.update(environment)
        sys.dont_write_bytecode = True
        prover = Prover(only, keeps=keeps)
        arguments = [
            *SUITE,
            "-q",
            "-s",
            "-ptests.seeds.switches",
            "-Wignore::pytest.PytestAssertRewriteWarning",
            *(f"-pno:{name}" for name in ("xdist", "playwright", "randomly")),
            *("-m", "not browser and not prove and not production", "--deselect", COUNTING),
            *(f"--ignore=tests/{name}.py" for name in LEFT_OUT),
        ]
        ended = pytest.main(arguments, plugins=[prover])
        is_proved = ended == 0 and prover.outcomes and all(outcome.caught_by for outcome in prover.outcomes)
        code = 0 if is_proved else 1
        shutil.rmtree(prover.folder, ignore_errors=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.seeds.proof", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a part of the faults' names, as they are printed")
    parser.add_argument("--keep", action="store_true", help="remember which test caught each")
    options = parser.parse_args()
    sys.exit(main(options.only, keeps=options.keep))
