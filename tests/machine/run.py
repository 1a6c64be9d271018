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
from tests.machine.rules import names
from tests.machine.stage import Stage

MOST = 330
HISTORIES = int(os.environ.get("MACHINE_HISTORIES", MOST))  # of each profile
STEPS = 100
LEAST_OF_A_RULE = 250  # of each profile: 500 in all
LEAST = 30_000  # steps that came to their effect, of each profile


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
    assert len(Profiled.steps) == len(names()), "a rule that never came to its effect"
    assert sum(Profiled.steps.values()) >= LEAST * HISTORIES // MOST
    assert min(Profiled.steps.values()) >= LEAST_OF_A_RULE * HISTORIES // MOST
