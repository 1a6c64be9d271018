"""Celery's own worker with its prefork pool, whose children end at fail-points: `python -m tests.crash.pool_worker`.

`calm` as a second argument: nobody is ended.
"""

import os
import random
import sys
import time
from pathlib import Path

import django
from celery.signals import worker_process_init

CONCURRENCY = 3


def deaths_in(folder: Path) -> Path:
    """The file into which a child writes its name and the fail-point before it ends itself."""
    return folder / "deaths"


def _arm(folder: Path, is_calm: bool) -> None:
    from tests.crash import failpoints
    from tests.crash.failpoints import POINTS, SELDOM, Plan

    name = f"c{os.getpid()}t{time.monotonic_ns()}"
    chance = random.Random(name)
    point = chance.choice([point for point in POINTS if point not in SELDOM])

    def say(reached: str) -> None:
        file = os.open(deaths_in(folder), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, f"{name}|killed|{reached}\n".encode())
        os.close(file)

    plan = Plan("") if is_calm else Plan("kill", point, chance.choice((1, 1, 2)))
    failpoints.arm(plan, name=name, before_kill=say)


def main() -> None:
    folder, is_calm = Path(sys.argv[1]), "calm" in sys.argv
    django.setup()
    from portal.celery import app
    from tests.crash import failpoints, stage

    stage.ready(folder)
    failpoints.install()
    worker_process_init.connect(lambda **_: _arm(folder, is_calm), weak=False)
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=CRITICAL"]
    app.worker_main(["worker", "--pool=prefork", f"--concurrency={CONCURRENCY}", *options])


if __name__ == "__main__":
    main()
