"""The agency's customers, found and filtered, page by page, at the same price for ten and for a hundred thousand."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import IN_THE_MAKING, Agency, Customer, Event, SearchWord, State, User
from accounts.search import LONGEST, plain

WAITING_STATES = (State.NEEDS_REVIEW, State.MISSING, State.AWAITING_APPROVAL)
BEING_MADE = "being_made"
_Row = TypeVar("_Row", bound=models.Model)


class Trial(StrEnum):
    """Which trials a list shows: ending within so many days, all that run, or those that are over."""

    WEEK = "7"
    TWO_WEEKS = "14"
    MONTH = "30"
    RUNNING = "running"
    OVER = "over"


class Launch(StrEnum):
    """When a customer last opened the panel."""

    WEEK = "week"
    MONTH = "month"
    LONG_AGO = "long_ago"
    NEVER = "never"


class Step(StrEnum):
    """Where active customers got stuck on the way to the first coupon."""

    NO_SIGN_IN = "no_sign_in"
    NO_LAUNCH = "no_launch"
    NO_CAMPAIGN = "no_campaign"


@dataclass(frozen=True)
class Filters:
    """What a list of customers is narrowed to. Empty values narrow nothing."""

    q: str = ""
    state: str = ""
    package: UUID | None = None
    trial: Trial | None = None
    expiry: Trial | None = None
    launch: Launch | None = None
    step: Step | None = None
    attention: bool = False


@dataclass(frozen=True)
class CustomerPage:
    """One page; `next` leads to the following one, empty at the end."""

    customers: list[Customer]
    next: str = ""


class BadCursor(ValueError):
    """The place in the list that was asked for makes no sense."""


def stalled(step: Step, prefix: str = "") -> Q:
    """Active customers that did not take this step, and took the one before."""
    active = Q(**{f"{prefix}subaccount__state": State.ACTIVE, f"{prefix}paused_at": None})
    done = {
        Step.NO_SIGN_IN: Q(**{f"{prefix}first_sign_in_at": None, f"{prefix}first_launch_at": None}),
        Step.NO_LAUNCH: Q(**{f"{prefix}first_sign_in_at__isnull": False, f"{prefix}first_launch_at": None}),
        Step.NO_CAMPAIGN: Q(**{f"{prefix}first_launch_at__isnull": False, f"{prefix}first_campaign_at": None}),
    }
    return active & done[step]


def _ending(field: str, when: Trial, today: date) -> Q:
    if when is Trial.OVER:
        return Q(**{f"{field}__lte": today})
    runs = Q(**{f"{field}__gt": today})
    return runs if when is Trial.RUNNING else runs & Q(**{f"{field}__lte": today + timedelta(days=int(when))})


def _launched(when: Launch, now: datetime, prefix: str) -> Q:
    field = f"{prefix}last_launch_at"
    week, month = now - timedelta(days=7), now - timedelta(days=30)
    return {
        Launch.WEEK: Q(**{f"{field}__gte": week}),
        Launch.MONTH: Q(**{f"{field}__gte": month}),
        Launch.LONG_AGO: Q(**{f"{field}__lt": month}),
        Launch.NEVER: Q(**{f"{field}__isnull": True}),
    }[when]


def _narrow(rows: models.QuerySet[_Row], filters: Filters, now: datetime, prefix: str) -> models.QuerySet[_Row]:
    today = timezone.localdate(now)
    if filters.state == "paused":
        rows = rows.filter(**{f"{prefix}paused_at__isnull": False, f"{prefix}closed_at": None})
    elif filters.state == BEING_MADE:
        rows = rows.filter(**{f"{prefix}subaccount__state__in": IN_THE_MAKING})
    elif filters.state:
        rows = rows.filter(**{f"{prefix}subaccount__state": filters.state})
    if filters.state not in ("", "paused", BEING_MADE, State.CLOSED):
        rows = rows.filter(**{f"{prefix}paused_at": None})
    if filters.package:
        rows = rows.filter(**{f"{prefix}package__public_id": filters.package})
    if filters.trial:
        rows = rows.filter(_ending(f"{prefix}trial_ends_on", filters.trial, today), **{f"{prefix}closed_at": None})
    if filters.expiry:
        expiry = _ending(f"{prefix}subaccount__expiry_date", filters.expiry, today)
        rows = rows.filter(expiry, **{f"{prefix}closed_at": None})
    if filters.launch:
        rows = rows.filter(_launched(filters.launch, now, prefix), **{f"{prefix}subaccount__state": State.ACTIVE})
    if filters.step:
        rows = rows.filter(stalled(filters.step, prefix))
    if filters.attention:
        waiting = {f"{prefix}subaccount__state__in": WAITING_STATES, f"{prefix}subaccount__dismissed_at": None}
        rows = rows.filter(**waiting)
    return rows


def page(agency: Agency, filters: Filters, *, now: datetime, after: str = "", size: int = 50) -> CustomerPage:
    """One page of customers in one statement: newest first, or in the order of the words that a search found.

    Raises BadCursor if `after` is not what an earlier page gave.
    """
    if plain(filters.q).split():
        return _found(agency, filters, now=now, after=after, size=size)
    rows = Customer.objects.for_agency(agency).select_related("subaccount", "package").order_by("-pk")
    if after:
        if not (after.isascii() and after.isdigit() and len(after) <= 18):
            raise BadCursor(after)
        rows = rows.filter(pk__lt=int(after))
    found = list(_narrow(rows, filters, now, "")[: size + 1])
    return CustomerPage(found[:size], str(found[size - 1].pk) if len(found) > size else "")


def _found(agency: Agency, filters: Filters, *, now: datetime, after: str, size: int) -> CustomerPage:
    """By the index of words: the longest word of the question is looked up, the others are checked for each match."""
    asked = {word[:LONGEST] for word in plain(filters.q).split()}
    longest, *others = sorted(asked, key=len, reverse=True)
    words = SearchWord.objects.for_agency(agency)
    rows = (
        words.starting(longest)
        .select_related("customer__subaccount", "customer__package")
        .order_by("word", "customer_id")
    )
    # A customer stands where the first of its words that fit stands, and nowhere else.
    rows = rows.exclude(
        Exists(words.starting(longest).filter(customer=OuterRef("customer"), word__lt=OuterRef("word")))
    )
    for other in others[:5]:
        same_customer = words.starting(other).filter(customer=OuterRef("customer"))
        rows = rows.filter(Exists(same_customer))
    if after:
        word, customer = _place(after)
        rows = rows.filter(Q(word__gt=word) | Q(word=word, customer_id__gt=customer))
    found = list(_narrow(rows, filters, now, "customer__")[: size + 1])
    return CustomerPage([row.customer for row in found[:size]], _cursor(found[size - 1]) if len(found) > size else "")


def _cursor(row: SearchWord) -> str:
    return f"{base64.urlsafe_b64encode(bytes(row.word)).decode()}.{row.customer_id}"


def _place(cursor: str) -> tuple[bytes, int]:
    word, _, customer = cursor.partition(".")
    try:
        if not (customer.isascii() and customer.isdigit() and len(customer) <= 18):
            raise ValueError(customer)
        return base64.urlsafe_b64decode(word.encode()), int(customer)
    except (ValueError, binascii.Error):
        raise BadCursor(cursor) from None


def export(agency: Agency, filters: Filters, *, now: datetime, acting_user: User) -> Iterator[Customer]:
    """All customers that the filters leave, in pages, with an event that says who took them."""
    with transaction.atomic():
        Event.objects.record("customers.exported", agency=agency, acting_user=acting_user)
    return _all(agency, filters, now)


def _all(agency: Agency, filters: Filters, now: datetime) -> Iterator[Customer]:
    after = ""
    while True:
        part = page(agency, filters, now=now, after=after, size=500)
        yield from part.customers
        after = part.next
        if not after:
            return
