"""Sign-ups while half of all answers of the vendor are spoiled: nothing is bound by them, and nothing is lost."""

import os
from typing import Any

import pytest

from accounts import jobs, provisioning, vendor
from accounts.models import Agency, State, Subaccount, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.conftest import quick  # noqa: F401 -- the fixture
from tests.figures import RecordFigure
from tests.hostile.mutations import Mutator
from tests.hostile.spoiler import Spoiler, spoiling

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove, pytest.mark.usefixtures("quick")]

SIGN_UPS = int(os.environ.get("SPOILED_SIGN_UPS", "300"))
STEPS = 8


def test_sign_ups_at_a_vendor_whose_answers_are_spoiled(
    sandbox: Sandbox, north: Agency, settings: Any, record_figure: RecordFigure
):
    settings.PROVISIONING_DAILY_CREATES = 100_000
    settings.PROVISIONING_ATTEMPTS = 30
    spoiler = Spoiler(sandbox, Mutator(seed=11), share=0.5)
    rows = Subaccount.objects.for_agency(north)
    with spoiling(spoiler) as url:
        settings.COUPONTOOLS_API_URL = url
        for number in range(SIGN_UPS):
            factories.customer(north, factories.person(north, f"n{number}@shop.example"))
            for _ in range(STEPS):
                go_on(north)
                bound_is_true(sandbox, north)
    settings.COUPONTOOLS_API_URL = sandbox.url
    vendor.clients.forget()
    for _ in range(20):
        while go_on(north):
            pass

    bound_is_true(sandbox, north)
    states = {state: rows.filter(state=state).count() for state in rows.values_list("state", flat=True).distinct()}
    assert set(states) <= {State.ACTIVE, State.NEEDS_REVIEW, State.MISSING}
    made = sandbox.effects("subaccount_created")
    assert len({effect["email"] for effect in made}) == len(made)
    record_figure(
        "Sign-ups at a vendor with spoiled answers",
        {"sign-ups": SIGN_UPS, **spoiler.counted, **{str(state): number for state, number in states.items()}}
        | {"wrongly bound": 0, "doubled": 0},
    )


def go_on(agency: Agency) -> bool:
    """One step of the worker and one job, with nothing to wait for: the breaker is for another test."""
    VendorAccount.objects.filter(agency=agency).update(
        trouble="", recent_failures=0, probe_at=None, throttled_until=None
    )
    Subaccount.objects.for_agency(agency).exclude(run_at=None).update(run_at="2020-01-01T00:00Z")
    return provisioning.attempt() or jobs.run()


def bound_is_true(sandbox: Sandbox, agency: Agency) -> None:
    made = {effect["subaccount"]: effect["email"] for effect in sandbox.effects("subaccount_created")}
    for vendor_id, email in (
        Subaccount.objects.for_agency(agency).exclude(vendor_id="").values_list("vendor_id", "email")
    ):
        assert made[vendor_id] == email
