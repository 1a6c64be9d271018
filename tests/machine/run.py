"""Runs the machine often enough, and says how often each rule was executed."""

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from coupontools_api.sandbox import Sandbox
from tests.figures import RecordFigure
from tests.machine.machine import Machine
from tests.machine.stage import Stage

MOST = 345
HISTORIES = int(os.environ.get("MACHINE_HISTORIES", MOST))  # of each profile
STEPS = 100
LEAST_OF_A_RULE = 250  # of each profile: 500 in all


def run_machine(sandbox: Sandbox, settings: Any, record_figure: RecordFigure, *, email_unique: str) -> None:
    settings.PROVISIONING_DAILY_CREATES = 100_000
    settings.PROVISIONING_QUARANTINE_SECONDS = 120.0
    settings.VENDOR_DEADLINE_SECONDS = 2.0
    settings.LIMIT_LAUNCH_PERSON = settings.LIMIT_LAUNCH_CUSTOMER = "100000/60"

    class Profiled(Machine):
        steps = Counter()

    Profiled.sandbox, Profiled.stage = sandbox, Stage(sandbox, email_unique=email_unique)
    run_state_machine_as_test(
        Profiled,
        settings=hypothesis_settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if os.environ.get("MACHINE_SHRINK") else (Phase.generate,),
            print_blob=True,
        ),
    )
    title = f"Steps of the state machine, addresses {email_unique}"
    record_figure(title, {"histories": HISTORIES, "steps": sum(Profiled.steps.values()), **Profiled.steps})
    assert min(Profiled.steps.values()) >= LEAST_OF_A_RULE * HISTORIES // MOST
