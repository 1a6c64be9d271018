"""An agency in numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import overview
from accounts.models import Agency, Customer, Event, State, Subaccount
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday


def shop(agency: Agency, number: int, state: State = State.ACTIVE, **changes: Any) -> Customer:
    made = factories.customer(agency, factories.person(agency, f"n{number}@shop.example"))
    Subaccount.objects.for_agency(agency).filter(customer=made).update(
        state=state, vendor_id=f"sub_{number}", bound_at=NOW - timedelta(days=10), changed_at=NOW
    )
    Customer.objects.for_agency(agency).filter(pk=made.pk).update(**{"created_at": NOW} | changes)
    return made


def launch(agency: Agency, at: datetime, *, outcome: str = "opened", ms: int = 500) -> None:
    Event.objects.record("launch", agency=agency, at=at, outcome=outcome, ms=ms)


def test_customers_are_counted_where_they_are(north: Agency, south: Agency):
    today = timezone.localdate(NOW)
    for number, days in enumerate((5, 12, 25, 60), start=1):
        shop(north, number, trial_ends_on=today + timedelta(days=days))
    shop(north, 5, trial_ends_on=today)
    shop(north, 6, paused_at=NOW)
    shop(north, 7, State.NEEDS_REVIEW)
    shop(north, 8, State.UNCERTAIN)
    shop(south, 9)

    numbers = overview.overview(north, now=NOW).numbers

    assert (numbers.active, numbers.paused, numbers.needs_review, numbers.being_made) == (5, 1, 1, 1)
    assert (numbers.trials, numbers.trials_7, numbers.trials_14, numbers.trials_30) == (4, 1, 2, 3)
    assert (numbers.trials_over, numbers.attention, numbers.active_a_week_ago) == (1, 1, 5)


def test_weeks_begin_on_monday_where_the_agency_is(north: Agency):
    shop(north, 1, created_at=datetime(2026, 11, 22, 22, 59, tzinfo=UTC))  # Sunday, 23:59 in Amsterdam
    shop(north, 2, created_at=datetime(2026, 11, 22, 23, 1, tzinfo=UTC))  # Monday, 0:01
    launch(north, NOW)
    launch(north, NOW, outcome="limit")
    launch(north, NOW - timedelta(weeks=20))

    weeks = overview.overview(north, now=NOW).weeks

    assert len(weeks) == 12
    assert [week.sign_ups for week in weeks[-2:]] == [1, 1]
    assert [week.launches for week in weeks] == [0] * 11 + [1]
    assert weeks[-1].monday.isoformat() == "2026-11-23"


def test_health_is_what_our_own_launches_saw(north: Agency):
    for number in range(30):
        launch(north, NOW - timedelta(minutes=number), ms=100 * (number + 1))
    launch(north, NOW, outcome="NoAnswer")
    launch(north, NOW, outcome="limit")

    health = overview.overview(north, now=NOW).health

    assert (health.tries, health.failures, health.p50, health.last_good) == (31, 1, 1550, NOW)
    assert health.p95 is not None
    assert 2800 <= health.p95 <= 3000


def test_nothing_is_made_up_where_nothing_was_launched(north: Agency):
    health = overview.overview(north, now=NOW).health

    assert (health.tries, health.p50, health.p95, health.last_good) == (0, None, None, None)


def test_who_got_stuck_and_where(north: Agency):
    never = shop(north, 1)
    looked = shop(north, 2, first_sign_in_at=NOW)
    opened = shop(north, 3, first_sign_in_at=NOW, first_launch_at=NOW)
    shop(north, 4, first_sign_in_at=NOW, first_launch_at=NOW, first_campaign_at=NOW)

    found = overview.overview(north, now=NOW)

    assert {customer.pk for customer in found.stuck} == {never.pk, looked.pk, opened.pk}
    assert (found.numbers.no_sign_in, found.numbers.no_launch, found.numbers.no_campaign) == (1, 1, 1)
