"""What happened with one customer: events, notes, mails and vendor calls in one list, in one statement."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject, NullIf, Trim

from accounts.models import Customer, Event, Job, Note, User, VendorCall

ERASED = "(erased)"
SHOWN_AS_THEMSELVES = ("customer.noted", "mail.sent")  # the note and the mail are lines of their own


class Source(StrEnum):
    """Where an entry comes from."""

    EVENT = "event"
    NOTE = "note"
    MAIL = "mail"
    CALL = "call"


@dataclass(frozen=True)
class Entry:
    """One line of a timeline. `kind` is the event's, the mail's or the endpoint's name; `actor` a person's name.

    `outcome` says how an event or a call ended, `request` in which request (or claim of the worker) it happened.
    """

    source: Source
    at: datetime
    kind: str
    actor: str
    data: dict[str, Any]
    reason: str = ""
    outcome: str = ""
    request: str = ""


@dataclass(frozen=True)
class TimelinePage:
    """One page, newest first. The following one begins at the moment `next`, after `shown` entries of that moment."""

    entries: list[Entry]
    next: datetime | None
    shown: int = 0


def _text(value: str) -> Value:
    return Value(value, output_field=CharField())


def _name_of(field: str) -> Coalesce:
    """The name of the person whose id stands in `field`, or their address; ERASED if they are; empty for the worker."""
    name = NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value(""))
    person = (
        User.objects.filter(pk=OuterRef(field))
        .annotate(shown=Coalesce(name, "email", output_field=CharField()))
        .values("shown")
    )
    is_gone = Case(When(**{f"{field}__isnull": False}, then=_text(ERASED)), default=_text(""))
    return Coalesce(Subquery(person, output_field=CharField()), is_gone)


def _events(customer: Customer) -> QuerySet[Any, Any]:
    rows = (
        Event.objects.for_agency(customer.agency).filter(customer_id=customer.pk).exclude(kind__in=SHOWN_AS_THEMSELVES)
    )
    return rows.annotate(row=Cast("pk", CharField())).values_list(
        _text(Source.EVENT),
        "at",
        Cast("kind", CharField()),
        _name_of("actor_id"),
        F("data"),
        Coalesce(Cast("reason__text", CharField()), _text("")),
        Cast("outcome", CharField()),
        Cast("request", CharField()),
        "row",
    )


def _notes(customer: Customer) -> QuerySet[Any, Any]:
    rows = Note.objects.for_agency(customer.agency).filter(customer=customer, event=None)
    return rows.annotate(row=Cast("pk", CharField())).values_list(
        _text(Source.NOTE),
        "at",
        _text("note"),
        _name_of("author_id"),
        JSONObject(note=Cast("public_id", CharField())),
        Cast("text", CharField()),
        _text(""),
        _text(""),
        "row",
    )


def _mails(customer: Customer) -> QuerySet[Any, Any]:
    rows = Job.objects.for_agency(customer.agency).filter(customer_id=customer.pk, kind=Job.Kind.MAIL)
    fate = Case(
        When(done_at__isnull=False, then=_text("sent")),
        When(run_at=None, then=_text("given_up")),
        When(attempts__gt=0, then=_text("trying")),
        default=_text("waiting"),
    )
    return rows.annotate(row=Cast("pk", CharField())).values_list(
        _text(Source.MAIL),
        "created_at",
        Cast("payload__mail", CharField()),
        _text(""),
        JSONObject(fate=fate, attempts=F("attempts")),
        _text(""),
        _text(""),
        _text(""),
        "row",
    )


def _calls(customer: Customer) -> QuerySet[Any, Any]:
    rows = VendorCall.objects.for_agency(customer.agency).filter(customer_id=customer.pk)
    return rows.annotate(row=Cast("pk", CharField())).values_list(
        _text(Source.CALL),
        "at",
        Cast("endpoint", CharField()),
        _text(""),
        JSONObject(ms=F("milliseconds"), codes=Cast("codes", CharField())),
        _text(""),
        Cast("outcome", CharField()),
        _text(""),
        "row",
    )


_SOURCES = {Source.EVENT: _events, Source.NOTE: _notes, Source.MAIL: _mails, Source.CALL: _calls}


def page(
    customer: Customer,
    *,
    only: Collection[Source] = (),
    kinds: Collection[str] = (),
    without: Collection[str] = (),
    before: datetime | None = None,
    shown: int = 0,
    size: int = 30,
) -> TimelinePage:
    """One page of the timeline in one statement: of all sources or of `only` some; of all kinds of events, of
    some `kinds`, or `without` some.
    """
    moments = {Source.MAIL: "created_at"}
    parts = []
    for source in Source:
        if only and source not in only:
            continue
        part = _SOURCES[source](customer)
        if source is Source.EVENT and kinds:
            part = part.filter(kind__in=kinds)
        if source is Source.EVENT and without:
            part = part.exclude(kind__in=without)
        if before is not None:
            part = part.filter(**{f"{moments.get(source, 'at')}__lte": before})
        parts.append(part.order_by())
    first, *others = parts
    moment = "at" if others else _moment(only)
    rows = (first.union(*others, all=True) if others else first).order_by(f"-{moment}", "-row")
    entries = [
        Entry(Source(source), at, kind.strip('"'), actor, data or {}, reason, outcome, request)
        for source, at, kind, actor, data, reason, outcome, request, _row in rows[shown : shown + size + 1]
    ]
    if len(entries) <= size:
        return TimelinePage(entries, None)
    last = entries[size - 1].at
    of_that_moment = sum(entry.at == last for entry in entries[:size])
    return TimelinePage(entries[:size], last, of_that_moment + (shown if last == before else 0))


def _moment(only: Collection[Source]) -> str:
    return "created_at" if Source.MAIL in only else "at"
