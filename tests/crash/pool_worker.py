"""Celery's own worker with its prefork pool, whose children end at fail-points: `python -m tests.crash.pool_worker`.

Its arguments: the folder, the seed, and `calm` where nobody is to be ended.
"""

import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django
from celery.signals import worker_process_init

if TYPE_CHECKING:
    from tests.crash.failpoints import Plan

CONCURRENCY = 3


def deaths_in(folder: Path) -> Path:
    """The file into which a child writes its name and the fail-point before it ends itself."""
    return folder / "deaths"


def serial_in(folder: Path) -> int:
    """Children are numbered as they begin, also those of a worker that was started again."""
    file = os.open(folder / "children", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(file, b".")
        return os.lseek(file, 0, os.SEEK_CUR)  # behind one's own, whoever else writes
    finally:
        os.close(file)


def plan_for(seed: str, serial: int) -> "Plan":
    """How the n-th child ends: the same for the same seed, whatever its process id."""
    from tests.crash.failpoints import POINTS, SELDOM, Plan

    chance = random.Random(f"{seed}:pool:{serial}")
    point = chance.choice([point for point in POINTS if point not in SELDOM])
    return Plan("kill", point, chance.choice((1, 1, 2)))


def _arm(folder: Path, seed: str, is_calm: bool) -> None:
    from tests.crash import failpoints
    from tests.crash.failpoints import Plan

    name = f"c{os.getpid()}t{time.monotonic_ns()}"
    plan = Plan("") if is_calm else plan_for(seed, serial_in(folder))

    def say(reached: str) -> None:
        file = os.open(deaths_in(folder), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, f"{name}|killed|{reached}\n".encode())
        os.close(file)

    failpoints.arm(plan, name=name, before_kill=say)


def main() -> None:
    folder, seed, is_calm = Path(sys.argv[1]), sys.argv[2], "calm" in sys.argv
    django.setup()
    from portal.celery import app
    from tests.crash import failpoints, stage

    stage.ready(folder)
    failpoints.install()
    worker_process_init.connect(lambda **_: _arm(folder, seed, is_calm), weak=False)
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=CRITICAL"]
    app.worker_main(["worker", "--pool=prefork", f"--concurrency={CONCURRENCY}", *options])


if __name__ == "__main__":
    main()
