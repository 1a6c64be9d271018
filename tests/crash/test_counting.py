"""The harness counts what it is to count: a wish that vanishes is lost, and a worker dies once."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from accounts import jobs, provisioning
from accounts.models import Agency, Subaccount
from coupontools_api.sandbox import Sandbox
from tests.conftest import NORTH_KEYS
from tests.crash import oracle
from tests.crash.nursery import Report
from tests.crash.oracle import Verdict
from tests.crash.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(sandbox: Sandbox, north: Agency, tmp_path: Path, settings: Any) -> Stage:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "tests.crash.outbox.Outbox", str(tmp_path / "outbox")

    def created() -> list[dict[str, Any]]:
        return [{"client_id": NORTH_KEYS[0], **effect} for effect in sandbox.effects("subaccount_created")]

    process: Any = SimpleNamespace(created=created)
    found = Stage(process, tmp_path, agencies=[north])
    found.wish(3)
    return found


def judged(stage: Stage) -> Verdict:
    while provisioning.attempt() or jobs.run():
        pass
    return oracle.judge(stage, may_double=False)


def test_what_is_made_is_clean(stage: Stage):
    verdict = judged(stage)

    assert (verdict.intents, verdict.effects, verdict.is_clean()) == (3, 3, True), verdict


def test_a_wish_that_is_gone_is_lost(stage: Stage):
    Subaccount.objects.for_agency(stage.agencies[0]).filter(pk=stage.subaccounts.first().pk).delete()

    verdict = judged(stage)

    assert (verdict.intents, verdict.lost, verdict.is_clean()) == (3, 1, False)


def test_who_is_told_of_twice_died_once(stage: Stage):
    held = {"lease_owner": "w1.0", "lease_until": timezone.now() + timedelta(seconds=100)}
    Subaccount.objects.for_agency(stage.agencies[0]).update(**held)

    for _ in range(2):
        stage.note([Report("w1", "killed", "before the look")])

    assert (stage.kills.total(), stage.idle_kills.total()) == (1, 0)
