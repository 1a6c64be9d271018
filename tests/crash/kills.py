"""Kills at every fail-point and at random moments, in one vendor profile, on the database of this process."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import oracle
from tests.crash.failpoints import NOWHERE, POINTS, SELDOM, Plan, unreached
from tests.crash.nursery import Nursery
from tests.crash.oracle import Verdict
from tests.crash.profiles import Profile
from tests.crash.stage import Stage, forget_connections, warm_up
from tests.crash.vendor import sandbox_process

HANDS = 4
AGENCIES = 16  # at most two creates of one agency are in flight
# Rows that are due at a time: all hands have something to do, and a row's turn comes before an effect that is late. How
# many wait out a quarantine meanwhile is all the same.
DUE = 16
DRAIN_SECONDS = 90.0
SEEK_SECONDS = 90.0
RANDOM_SHARE, STOP_SHARE = 0.15, 0.03
Disturb = Callable[[Stage], None]


@dataclass
class Outcome:
    """One profile's run."""

    title: str
    stage: Stage
    verdict: Verdict
    may_double: bool = False
    seconds: float = 0.0
    notes: dict[str, int] = field(default_factory=dict)


def kill_plans(
    seed: str, longest_stop: float, deadly: float = 1.0, sought: Sequence[str] = ()
) -> Callable[[int], Plan]:
    """The plan of the n-th worker: the same for the same seed, whatever the workers before it did.

    `deadly` is the share of workers that are ended; the others take their steps in peace. Where points are `sought`,
    every second worker is sent there. The others are ended anywhere: if none were, nothing would be left behind for the
    next to take up, and a point that comes early would be in the way of those after it.
    """

    def plan_for(serial: int) -> Plan:
        chance = random.Random(f"{seed}:{serial}")
        if sought and chance.random() < 0.5:
            return Plan("kill", chance.choice(sought))
        if chance.random() >= deadly:
            return Plan("kill", NOWHERE)
        drawn = chance.random()
        if drawn < RANDOM_SHARE:
            return Plan("kill", seconds=chance.uniform(0.02, 0.12))
        point = chance.choice(POINTS)
        if point in SELDOM and chance.random() < 0.5:
            point = chance.choice(POINTS)
        passing = 2 if chance.random() < 0.1 else 1
        if drawn < RANDOM_SHARE + STOP_SHARE:
            return Plan("stop", point, passing, seconds=chance.uniform(0.1, longest_stop))
        return Plan("kill", point, passing)

    return plan_for


@contextmanager
def workers(stage: Stage, plan_for: Callable[[int], Plan], name: str) -> Iterator[Nursery]:
    forget_connections()
    nursery = Nursery(plan_for, name=name, hands=HANDS, log=stage.log)
    nursery.start()
    try:
        yield nursery
    finally:
        stage.note(nursery.stop())


def run(
    profile: Profile,
    *,
    kills: int,
    seed: int,
    folder: Path,
    port: int,
    disturb: Disturb | None = None,
    sought: Sequence[str] = (),
) -> Outcome:
    """At least so many kills of workers that held a claim; then everything is worked off and judged.

    Where points are `sought`, it goes on until a worker came to each, or SEEK_SECONDS are over.
    """
    started, seeded = time.monotonic(), f"{seed}:{profile.name}"
    profile.times.put_in_force()
    with sandbox_process(port) as sandbox:
        stage = Stage(sandbox, folder)
        sandbox.settings(email_unique=profile.unique)
        stage.open_agencies(AGENCIES)
        sandbox.faults(profile.faults(random.Random(seeded), max(200, 2 * kills)))
        stage.wish(DUE)
        warm_up()
        plans = kill_plans(seeded, profile.times.longest_stop, sought=sought)
        with workers(stage, plans, f"{profile.letters}{'s' if sought else 'k'}") as nursery:
            _kill(stage, nursery, kills, disturb, sought)
        verdict = work_off(stage, profile, lambda: drain(stage, f"{profile.letters}d"))
    return Outcome(profile.name, stage, verdict, profile.may_double, time.monotonic() - started)


def _kill(
    stage: Stage, nursery: Nursery, kills: int, disturb: Disturb | None = None, sought: Sequence[str] = ()
) -> None:
    next_look, until = time.monotonic() + 0.3, time.monotonic() + SEEK_SECONDS
    while stage.kills.total() < kills or (
        unreached(sought, stage.kills, stage.idle_kills) and time.monotonic() < until
    ):
        stage.note(nursery.reports(0.1))
        if disturb is not None:
            disturb(stage)
        if time.monotonic() > next_look:
            missing = DUE - stage.due_work()
            if missing > DUE // 4:
                stage.wish(missing)
            next_look = time.monotonic() + 0.3


def work_off(stage: Stage, profile: Profile, work: Callable[[], None]) -> Verdict:
    """The faults end, `work` does what is left, the last late effect comes: what is so now is judged."""
    stage.sandbox.clear_faults()
    last_effect = time.monotonic() + profile.late_seconds + 0.5
    work()
    time.sleep(max(0.0, last_effect - time.monotonic()))
    return oracle.judge(stage, may_double=profile.may_double)


def drain(stage: Stage, name: str, plan_for: Callable[[int], Plan] = lambda serial: Plan("")) -> None:
    """Workers that nobody ends, until nothing is open any more, or nothing has become of it for DRAIN_SECONDS."""
    fewest, until = stage.open_work(), time.monotonic() + DRAIN_SECONDS
    with workers(stage, plan_for, name) as nursery:
        while (still_open := stage.open_work()) and time.monotonic() < until:
            if still_open < fewest:  # a busy machine takes its time
                fewest, until = still_open, time.monotonic() + DRAIN_SECONDS
            stage.note(nursery.reports(0.1))
            stage.hurry()
