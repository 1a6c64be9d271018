"""How long rows are kept, enforced: the worker calls this every minute, and it deletes batch by batch."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import clock, erasure, personal_data
from accounts.models import Event, Finding, Invitation, Job, Note, User, VendorCall, ViewAs, Worker

log = structlog.get_logger(__name__)
BATCH = 500  # rows of one kind in one go: nobody waits for a long deletion
BUSY_SECONDS = 20.0  # of a minute
PEOPLE_AT_ONCE = 50  # each is a transaction of its own, with many tables


@dataclass(frozen=True)
class Rule:
    """Of one table: which rows are over at a moment. `setting` is how many days they are kept, empty for none."""

    table: str
    over: Callable[[datetime], QuerySet[Any]]
    setting: str = ""

    def due(self, now: datetime) -> QuerySet[Any]:
        return self.over(now - timedelta(days=getattr(settings, self.setting)) if self.setting else now)


def _sessions(moment: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=moment)


def _listed_sessions(moment: datetime) -> QuerySet[UserSession]:
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    rows: QuerySet[UserSession] = UserSession.objects.filter(~Exists(alive), created_at__lt=moment)
    return rows


def _jobs(moment: datetime) -> QuerySet[Job]:
    is_given_up = Q(done_at=None, run_at=None, created_at__lt=moment)
    return Job.objects.across_agencies().filter(Q(done_at__lt=moment) | is_given_up)


def _vendor_calls(moment: datetime) -> QuerySet[VendorCall]:
    return VendorCall.objects.across_agencies().filter(at__lt=moment)


def _findings(moment: datetime) -> QuerySet[Finding]:
    return Finding.objects.across_agencies().filter(ended_at__lt=moment)


def _views_as(moment: datetime) -> QuerySet[ViewAs]:
    return ViewAs.objects.across_agencies().filter(expires_at__lt=moment)


def _workers(moment: datetime) -> QuerySet[Worker]:
    return Worker.objects.filter(seen_at__lt=moment)


def _invitations(moment: datetime) -> QuerySet[Invitation]:
    is_over = Q(accepted_at__lt=moment) | Q(revoked_at__lt=moment) | Q(expires_at__lt=moment)
    return Invitation.objects.across_agencies().filter(is_over)


def _reasons(moment: datetime) -> QuerySet[Note]:
    """Of what was done to an agency or to its people; a customer's notes go with the customer."""
    return Note.objects.across_agencies().filter(customer=None, at__lt=moment)


def _never_proven(moment: datetime) -> QuerySet[User]:
    """But for those of an agency that is stopped: nobody can prove anything on a host that does not answer."""
    return personal_data.never_proven().filter(date_joined__lt=moment, agency__stopped_at=None)


RULES = (
    Rule("sessions.Session", _sessions),
    Rule("usersessions.UserSession", _listed_sessions),
    Rule("accounts.Job", _jobs, "RETENTION_JOBS_DAYS"),
    Rule("accounts.VendorCall", _vendor_calls, "RETENTION_VENDOR_CALLS_DAYS"),
    Rule("accounts.Finding", _findings, "RETENTION_FINDINGS_DAYS"),
    Rule("accounts.ViewAs", _views_as, "RETENTION_VIEWS_AS_DAYS"),
    Rule("accounts.Worker", _workers, "RETENTION_WORKERS_DAYS"),
    Rule("accounts.Invitation", _invitations, "RETENTION_INVITATIONS_DAYS"),
    Rule("accounts.Note", _reasons, "RETENTION_REASONS_DAYS"),
    Rule("accounts.User", _never_proven, "RETENTION_UNVERIFIED_DAYS"),
)


def enforce(now: datetime, *, batch: int = BATCH) -> int:
    """Deletes what is over at that moment, at most `batch` rows of each kind. Returns how many went."""
    return sum(_enforce(rule, now, batch) for rule in RULES)


def catch_up() -> int:
    """Enforces again and again until nothing is over, or it has taken long enough for once. Returns how many went.

    A hundred thousand customers whose accounts are read every hour leave some fifty rows a second behind.
    """
    until, now = time.monotonic() + BUSY_SECONDS, clock.now()
    gone = more = enforce(now)
    while more and time.monotonic() < until:
        more = enforce(now)
        gone += more
    return gone


def _enforce(rule: Rule, now: datetime, batch: int) -> int:
    rows = rule.due(now).order_by("pk")
    if rule.table == "accounts.User":
        return sum(_erase(person) for person in rows.select_related("agency")[: min(batch, PEOPLE_AT_ONCE)])
    if rule.table == "accounts.Invitation":
        return _forget_invitations(rows[:batch])
    return _forget(rule, rows, batch)


@transaction.atomic
def _forget(rule: Rule, rows: QuerySet[Any], batch: int) -> int:
    """Rows that are nobody's address: written down is how many of which table went."""
    keys = list(rows.values_list("pk", flat=True)[:batch])
    number = rows.filter(pk__in=keys).delete()[0] if keys else 0
    if number:
        Event.objects.record("rows.forgotten", agency=None, table=rule.table, number=number)
    return number


@transaction.atomic
def _forget_invitations(rows: QuerySet[Invitation]) -> int:
    """Somebody's address goes, so it is written down."""
    found = list(rows.select_related("agency", "customer"))
    for row in found:
        Event.objects.record("invitation.forgotten", agency=row.agency, customer=row.customer, about=row)
    Invitation.objects.across_agencies().filter(pk__in=[row.pk for row in found]).delete()
    return len(found)


def _erase(person: User) -> int:
    try:
        return int(erasure.erase_never_proven(person))
    except Exception:  # one that cannot be erased must not keep the others
        log.exception("retention.fault", person=str(person.pk))
        return 0


@shared_task
def forget() -> None:
    """The clock's wake-up, where there is a broker."""
    catch_up()
