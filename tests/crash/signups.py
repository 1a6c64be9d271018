"""Sign-ups through the doors while 10 % of answers are lost, 5 % are 500s and 3 % of the workers are killed.

With the attempts that production has: all end active, and nobody has to do anything.
"""

import random
import time
from pathlib import Path

from django.conf import settings

from tests import factories
from tests.crash import oracle
from tests.crash.kills import AGENCIES, Outcome, drain, kill_plans
from tests.crash.nursery import STEPS
from tests.crash.profiles import Profile
from tests.crash.stage import Stage, warm_up
from tests.crash.vendor import sandbox_process

ATTEMPTS = 8  # production's
# Of workers, which take so many steps each; about half of those that are sent to a fail-point come there.
KILLED_SHARE = 2 * 0.03 * STEPS


def run(number: int, *, seed: int, folder: Path, port: int) -> Outcome:
    started, profile = time.monotonic(), Profile("per_account", "prompt")
    many, settings.PROVISIONING_ATTEMPTS = settings.PROVISIONING_ATTEMPTS, ATTEMPTS
    try:
        with sandbox_process(port) as sandbox:
            stage = Stage(sandbox, folder)
            stage.open_agencies(AGENCIES)
            sandbox.faults(profile.faults(random.Random(f"{seed}:sign-ups"), 2 * number))
            for n in range(number):
                agency = stage.agencies[n % AGENCIES]
                factories.customer(agency, factories.person(agency, f"s{n}@shop.example"))
            stage.wished = number
            warm_up()
            drain(stage, "s", kill_plans(f"{seed}:sign-ups", deadly=KILLED_SHARE))
            verdict = oracle.judge(stage, may_double=False)
    finally:
        settings.PROVISIONING_ATTEMPTS = many
    title = f"{number} sign-ups, 10 % answers lost, 5 % 500s, 3 % kills"
    return Outcome(title, stage, verdict, seconds=time.monotonic() - started)
