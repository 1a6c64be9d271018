"""The number of accounts a day: what counts, and who goes on when there is room again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import operators, provisioning, vendor
from accounts.claimed import GIVEN_BACK
from accounts.models import Agency, Cause, Event, Job, State, Subaccount, VendorAccount
from accounts.provisioning import _Step
from coupontools_api.errors import NotSent
from coupontools_api.sandbox import Sandbox
from coupontools_api.subaccounts import Subaccounts
from tests import factories
from tests.accounts.reading import CREATE, attempt, fresh

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_create_that_is_given_back_leaves_room_for_one(sandbox: Sandbox, north: Agency, settings: Any):
    """The only one of a day is under way when the next wish is put off till tomorrow; then the vendor throttles."""
    settings.PROVISIONING_DAILY_CREATES = 1
    people = [factories.person(north, f"shop{number}@trade.example") for number in range(3)]
    first, second, third = (factories.customer(north, person).subaccount for person in people)
    ask = vendor.ask

    def asked_meanwhile(account: VendorAccount, call: Callable[..., Any], **given: Any) -> Any:
        if given.get("noted") and given["noted"].endpoint == vendor.CREATE:
            for other in (second, third):
                provisioning.attempt(other.pk)
                assert fresh(other).cause == Cause.DAILY_BUDGET
        return ask(account, call, **given)

    sandbox.fault(CREATE, "throttle", retry_after=1, times=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vendor, "ask", asked_meanwhile)
        provisioning.attempt(first.pk)

    assert provisioning.creates_today(north, now=timezone.now()) == (0, 1)
    assert [fresh(wish).cause for wish in (first, second, third)] == [Cause.VENDOR_THROTTLES, "", Cause.DAILY_BUDGET]
    VendorAccount.objects.update(throttled_until=None)
    assert attempt(first).state == State.ACTIVE
    assert attempt(second).cause == Cause.DAILY_BUDGET
    assert Job.objects.for_agency(north).filter(payload__mail="daily_budget").count() == 1, "told once of one number"


def test_a_create_of_which_nothing_left_is_no_create_of_the_day(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, settings: Any
):
    settings.PROVISIONING_DAILY_CREATES = 1
    other = factories.customer(north, factories.person(north, "shop@trade.example")).subaccount
    send, meanwhile = Subaccounts.create, []

    def not_sent(*_: Any, **__: Any) -> Any:
        meanwhile.append(attempt(other).cause)
        raise NotSent(CREATE, detail="refused")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subaccounts, "create", not_sent)
        tried = attempt(bos_subaccount)
        patch.setattr(Subaccounts, "create", send)

    assert meanwhile == [Cause.DAILY_BUDGET]
    assert (tried.state, tried.cause, tried.attempts) == (State.REQUESTED, Cause.VENDOR_UNREACHABLE, 1)
    assert provisioning.creates_today(north, now=timezone.now()) == (0, 1)
    assert fresh(other).run_at <= timezone.now(), "there is room for one"
    assert [attempt(wish).state for wish in (other, bos_subaccount)] == [State.ACTIVE, State.REQUESTED]


def test_what_was_started_before_midnight_and_given_back_after_it_makes_no_room(
    north: Agency, bos_subaccount: Subaccount
):
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    started, about = midnight - timedelta(seconds=1), {"agency": north, "about": bos_subaccount}
    Event.objects.record("subaccount.creating", at=started, **about)
    Subaccount.objects.for_agency(north).update(state=State.CREATING, attempts=1, create_started_at=started)
    row = fresh(bos_subaccount)

    _Step(row, owner=row.lease_owner).give_back(timedelta(0), Cause.VENDOR_THROTTLES)

    assert Event.objects.for_agency(north).filter(kind=GIVEN_BACK).count() == 1
    assert provisioning.creates_today(north, now=timezone.now())[0] == 0


def test_who_is_being_put_off_till_tomorrow_goes_on_as_soon_as_the_limit_is_raised(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    """The worker has read that the number is reached; then the operator raises it."""
    VendorAccount.objects.filter(agency=north).update(budget_reached_on=timezone.now().date())
    waits, operator = _Step._waits_for_tomorrow, factories.operator()

    def raised(step: _Step) -> bool:
        operators.set_limits(north, customer_limit=None, daily_creates=50, acting_user=operator)
        return waits(step)

    monkeypatch.setattr(_Step, "_waits_for_tomorrow", raised)

    assert attempt(bos_subaccount).state == State.ACTIVE
