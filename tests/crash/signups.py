"""Sign-ups through the doors while 10 % of answers are lost, 5 % are 500s and 3 % of the workers are killed.

With the attempts that production has: all end active, and nobody has to do anything.
"""

import random
import time
from pathlib import Path

from django.conf import settings

from tests import factories
from tests.crash.kills import AGENCIES, DUE, Outcome, drain, kill_plans, work_off, workers
from tests.crash.nursery import STEPS, Nursery
from tests.crash.profiles import Profile
from tests.crash.stage import Stage, warm_up
from tests.crash.vendor import sandbox_process

ATTEMPTS = 8  # production's
# Of workers, which take so many steps each; about half of those that are sent to a fail-point come there.
KILLED_SHARE = 2 * 0.03 * STEPS


def run(profile: Profile, *, number: int, seed: int, folder: Path, port: int) -> Outcome:
    started, seeded = time.monotonic(), f"{seed}:sign-ups"
    profile.times.put_in_force()
    many, settings.PROVISIONING_ATTEMPTS = settings.PROVISIONING_ATTEMPTS, ATTEMPTS
    try:
        with sandbox_process(port) as sandbox:
            stage = Stage(sandbox, folder)
            sandbox.settings(email_unique=profile.unique)
            stage.open_agencies(AGENCIES)
            sandbox.faults(profile.faults(random.Random(seeded), 2 * number))
            plans = kill_plans(seeded, profile.times.longest_stop, deadly=KILLED_SHARE)
            _sign_up(stage, 1)
            warm_up()
            with workers(stage, plans, "s") as nursery:
                _all_sign_up(stage, nursery, number)
            drain(stage, "t", plans)
            verdict = work_off(stage, profile, lambda: None)
    finally:
        settings.PROVISIONING_ATTEMPTS = many
    title = f"{number} sign-ups, 10 % answers lost, 5 % 500s, 40 % late, 3 % kills"
    return Outcome(title, stage, verdict, seconds=time.monotonic() - started)


def _all_sign_up(stage: Stage, nursery: Nursery, number: int) -> None:
    """As workers have room for them: what is in the making is not to wait for its turn longer than for an effect."""
    while stage.wished < number:
        stage.note(nursery.reports(0.1))
        _sign_up(stage, min(number - stage.wished, DUE - stage.due_work()))
        stage.hurry()


def _sign_up(stage: Stage, number: int) -> None:
    for n in range(stage.wished, stage.wished + number):
        agency = stage.agencies[n % AGENCIES]
        factories.customer(agency, factories.person(agency, f"s{n}@shop.example"))
        stage.wished += 1
