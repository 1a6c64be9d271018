"""What is going on at one agency: customers by state, what needs a person, weeks in numbers, the vendor's health."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Value
from django.utils import timezone

from accounts.customer_list import WAITING_STATES, Step, stalled
from accounts.models import IN_THE_MAKING, Agency, Customer, Event, State, Subaccount

WEEKS = 12
STUCK_AFTER = timedelta(days=3)
HEALTH_DAYS = 7
HEALTH_LAUNCHES = 500
LAUNCHES = ("launch", "staff_launch")
# Refused by ourselves, before or without asking the vendor: says nothing about its health.
NOT_THE_VENDORS = frozenset(
    {"limit", "not_active", "already_under_way", "campaign_gone", "missing", "too_new", "paused"}
)


@dataclass(frozen=True)
class Numbers:
    """How many customers are where. Trials count days from today; "being made" covers queue, making and checking."""

    active: int
    active_a_week_ago: int
    trials: int
    trials_7: int
    trials_14: int
    trials_30: int
    trials_over: int
    awaiting_email: int
    awaiting_approval: int
    being_made: int
    being_made_since: datetime | None
    requested: int
    creating: int
    uncertain: int
    needs_review: int
    missing: int
    paused: int
    closed: int
    attention: int
    attention_since: datetime | None
    no_sign_in: int
    no_launch: int
    no_campaign: int


@dataclass(frozen=True)
class Week:
    """One week by its Monday, with what happened in it."""

    monday: date
    sign_ups: int
    launches: int


@dataclass(frozen=True)
class Health:
    """The vendor as our own launches of the last HEALTH_DAYS days saw it (the newest HEALTH_LAUNCHES of them).

    `p50` and `p95` are milliseconds to mint a sign-on, None where there were too few (under 2, under 20).
    """

    tries: int
    failures: int
    p50: int | None
    p95: int | None
    last_good: datetime | None


@dataclass(frozen=True)
class Overview:
    """All that the overview shows."""

    numbers: Numbers
    weeks: list[Week]
    health: Health
    waiting: list[Subaccount]
    stuck: list[Customer]


def overview(agency: Agency, *, now: datetime) -> Overview:
    """The agency in numbers, in five statements however many customers there are."""
    return Overview(
        _numbers(agency, now), _weeks(agency, now), _health(agency, now), _waiting(agency), _stuck(agency, now)
    )


def _numbers(agency: Agency, now: datetime) -> Numbers:
    today = timezone.localdate(now)
    running = Q(closed_at=None, trial_ends_on__gt=today)
    is_active = Q(subaccount__state=State.ACTIVE, paused_at=None)
    waits = Q(subaccount__state__in=WAITING_STATES, subaccount__dismissed_at=None)
    being_made = Q(subaccount__state__in=IN_THE_MAKING)

    def ending(days: int) -> Count:
        return Count("pk", filter=running & Q(trial_ends_on__lte=today + timedelta(days=days)))

    def in_state(state: State) -> Count:
        is_shown_so = Q(subaccount__state=state)
        return Count("pk", filter=is_shown_so if state == State.CLOSED else is_shown_so & Q(paused_at=None))

    counted = Customer.objects.for_agency(agency).aggregate(
        active=Count("pk", filter=is_active),
        active_a_week_ago=Count("pk", filter=is_active & Q(subaccount__bound_at__lt=now - timedelta(days=7))),
        trials=Count("pk", filter=running),
        trials_7=ending(7),
        trials_14=ending(14),
        trials_30=ending(30),
        trials_over=Count("pk", filter=Q(closed_at=None, trial_ends_on__lte=today)),
        awaiting_email=in_state(State.AWAITING_EMAIL),
        awaiting_approval=in_state(State.AWAITING_APPROVAL),
        being_made=Count("pk", filter=being_made),
        requested=in_state(State.REQUESTED),
        creating=in_state(State.CREATING),
        uncertain=in_state(State.UNCERTAIN),
        being_made_since=Min("subaccount__changed_at", filter=being_made),
        needs_review=in_state(State.NEEDS_REVIEW),
        missing=in_state(State.MISSING),
        paused=Count("pk", filter=Q(paused_at__isnull=False, closed_at=None)),
        closed=in_state(State.CLOSED),
        attention=Count("pk", filter=waits),
        attention_since=Min("subaccount__changed_at", filter=waits),
        no_sign_in=Count("pk", filter=stalled(Step.NO_SIGN_IN)),
        no_launch=Count("pk", filter=stalled(Step.NO_LAUNCH)),
        no_campaign=Count("pk", filter=stalled(Step.NO_CAMPAIGN)),
    )
    return Numbers(**counted)


def _weeks(agency: Agency, now: datetime) -> list[Week]:
    this_monday = timezone.localdate(now) - timedelta(days=timezone.localdate(now).weekday())
    mondays = [this_monday - timedelta(weeks=number) for number in reversed(range(WEEKS))]
    starts = [timezone.make_aware(datetime.combine(monday, datetime.min.time())) for monday in mondays]
    tables: dict[str, tuple[QuerySet[Any], str]] = {
        "sign_ups": (Customer.objects.for_agency(agency).filter(created_at__gte=starts[0]), "created_at"),
        "launches": (
            Event.objects.for_agency(agency).filter(kind="launch", at__gte=starts[0], outcome="opened"),
            "at",
        ),
    }
    # One count per week and table, by ranges: cutting every moment down to its week would be slower by far.
    counted = [
        rows.order_by()
        .values(table=Value(name))
        .annotate(**{f"week_{n}": Count("pk", filter=_in_week(moment, starts, n)) for n in range(WEEKS)})
        .values_list("table", *(f"week_{n}" for n in range(WEEKS)))
        for name, (rows, moment) in tables.items()
    ]
    found = {name: numbers for name, *numbers in counted[0].union(counted[1], all=True)}
    nothing = [0] * WEEKS
    return [
        Week(monday, found.get("sign_ups", nothing)[n], found.get("launches", nothing)[n])
        for n, monday in enumerate(mondays)
    ]


def _in_week(moment: str, starts: list[datetime], number: int) -> Q:
    begins = Q(**{f"{moment}__gte": starts[number]})
    return begins & Q(**{f"{moment}__lt": starts[number + 1]}) if number + 1 < len(starts) else begins


def _health(agency: Agency, now: datetime) -> Health:
    newest = (
        Event.objects.for_agency(agency)
        .filter(kind__in=LAUNCHES, at__gte=now - timedelta(days=HEALTH_DAYS))
        .order_by("-at")
        .values_list("at", "outcome", "data")[:HEALTH_LAUNCHES]
    )
    tried = [row for row in newest if row[1] not in NOT_THE_VENDORS]
    good = [at for at, outcome, _ in tried if outcome == "opened"]
    times = [data["ms"] for _, outcome, data in tried if outcome == "opened" and "ms" in data]
    return Health(
        tries=len(tried),
        failures=len(tried) - len(good),
        p50=round(statistics.median(times)) if len(times) >= 2 else None,
        p95=_percentile_95(times) if len(times) >= 20 else None,
        last_good=max(good, default=None),
    )


def _percentile_95(times: Sequence[int]) -> int:
    return round(statistics.quantiles(times, n=20)[-1])


def _waiting(agency: Agency) -> list[Subaccount]:
    return list(
        Subaccount.objects.for_agency(agency)
        .filter(state__in=WAITING_STATES, dismissed_at=None)
        .select_related("customer")
        .order_by("changed_at")[:5]
    )


def _stuck(agency: Agency, now: datetime) -> list[Customer]:
    """Whose account is there for a while, and who did not take the next step. Longest first."""
    a_while_ago = now - STUCK_AFTER
    anywhere = stalled(Step.NO_SIGN_IN) | stalled(Step.NO_LAUNCH) | stalled(Step.NO_CAMPAIGN)
    return list(
        Customer.objects.for_agency(agency)
        .filter(anywhere, subaccount__bound_at__lt=a_while_ago)
        .select_related("subaccount")
        .order_by("subaccount__bound_at")[:5]
    )
