"""One claim for every kind of work: the row is the queue, a lease says who works on it."""

import random
import socket
import threading
import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts import clock
from accounts.models import Job, Subaccount, VendorAccount
from accounts.models.agencies import LAST_FOUR, NOT_ANSWERING
from accounts.models.jobs import JobQuerySet
from accounts.models.subaccounts import SubaccountQuerySet

Work = TypeVar("Work", Subaccount, Job)
MAX_HELD = 2  # as many as creates of one agency may be in flight


def owner_name() -> str:
    """A name that no other claim has: host and thread for people, the rest for uniqueness."""
    return f"{socket.gethostname()[:12]}-{threading.get_ident() % 10_000}-{uuid.uuid4().hex[:12]}"[:36]


def due(now: datetime) -> Q:
    return Q(run_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lte=now))


def make_due(
    rows: SubaccountQuerySet | JobQuerySet, now: datetime, *, at_most: int | None = None, **changes: Any
) -> None:
    """Who waits goes on now. Rows in other hands are skipped, not waited for: whoever claims one of them may wait for
    a lock that we have."""
    free = list(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:at_most])
    rows.filter(pk__in=free).order_by().update(run_at=now, **changes)


def _order(kind: type[Work]) -> tuple[Any, ...]:
    """Whose turn it is: of wishes the agency that waits longest since its last turn; mails before other jobs."""
    if kind is Subaccount:
        return F("vendor_account__claimed_at").asc(nulls_first=True), "run_at"
    return "kind", "run_at"


def _turn(kind: type[Subaccount] | type[Job], rows: QuerySet[Any, Any]) -> Q | None:
    """Which of the due rows are tried first: all of them, or one agency's mails; None if nothing is due.

    Whose mails is drawn, because no last turn of theirs is written down: an agency with thousands of them stands
    before nobody. What belongs to no agency, operators' mails, takes part as if it were one.
    """
    if kind is Subaccount:
        return Q() if rows.exists() else None
    mails = list(rows.filter(kind=Job.Kind.MAIL).order_by().values_list("agency", flat=True).distinct())
    if mails:
        return Q(kind=Job.Kind.MAIL, agency=random.choice(mails))  # noqa: S311 -- a turn, and no secret
    return Q() if rows.exists() else None


def claim(
    kind: type[Work], *, pk: int | None = None, now: datetime | None = None, related: tuple[str, ...] = ()
) -> Work | None:
    """Takes the row `pk`, or the one whose turn it is, for PROVISIONING_LEASE_SECONDS; read with what is `related`.

    None if there is nothing due. No lock outlives the claim: who dies gives the row back when its lease ends.
    At most MAX_HELD claims of one vendor account are held at once, the second only while two hands are free, and one
    while its calls fail; those that do not answer hold half of the hands at most. A vendor account that is dead
    never has all the workers, as long as there are two.
    """
    now = now or clock.now()
    rows = kind._default_manager.across_agencies().filter(due(now))
    if pk is not None:
        rows = rows.filter(pk=pk)
    turn = _turn(kind, rows)  # a plain read first: an idle worker takes no write lock
    if turn is None:
        return None
    full = _full(now)
    while True:
        with transaction.atomic():
            # PostgreSQL skips what others are claiming; SQLite's immediate transaction lets one in at a time.
            # No key's lock: a finding that names the row is written behind the vendor account's, which we wait for.
            free = rows.filter(turn).exclude(_asks_vendor(kind), agency__in=full) if full else rows.filter(turn)
            free = free.only(*_decides(kind)).order_by(*_order(kind))
            row: Work | None = free.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
            if row is None and not turn:
                return None
            if row is not None and _may_be_held(row, now):
                taken = kind._default_manager.across_agencies().filter(pk=row.pk)
                until = now + timedelta(seconds=settings.PROVISIONING_LEASE_SECONDS)
                taken.update(lease_owner=owner_name(), lease_until=until)
                # Read last: what a lock was waited for may be other than before.
                return taken.select_related(*related).get()
        if row is None:
            turn = Q()  # others have taken them meanwhile: whatever there is
            continue
        assert row.agency_id is not None  # else nothing would stand in its way
        full.add(row.agency_id)


def renew(row: Subaccount | Job) -> bool:
    """Begins the lease of a row that is held anew. False if it has ended: somebody else may have the row."""
    now = clock.now()
    until = now + timedelta(seconds=settings.PROVISIONING_LEASE_SECONDS)
    held = type(row)._default_manager.across_agencies().filter(pk=row.pk, lease_owner=row.lease_owner)
    return bool(held.filter(lease_until__gt=now).update(lease_until=until))


def _decides(kind: type[Work]) -> tuple[str, ...]:
    """What a claim asks of a row, of which the whole is read when it is taken."""
    return ("agency",) if kind is Subaccount else ("agency", "kind")


def _asks_vendor(kind: type[Subaccount] | type[Job]) -> Q:
    return ~Q(kind=Job.Kind.MAIL) if kind is Job else Q()


def _held(now: datetime) -> Counter[UUID]:
    """How many claims somebody holds in which the vendor is asked, by agency, in one question.

    A claim has no statement to spare: a worker makes dozens a second, and a wish waits for its first.
    """
    kinds: tuple[type[Subaccount] | type[Job], ...] = (Subaccount, Job)
    rows, others = (
        kind._default_manager.across_agencies()
        .filter(_asks_vendor(kind), lease_until__gt=now)
        .order_by()
        .values_list("agency", flat=True)
        for kind in kinds
    )
    return Counter(agency for agency in rows.union(others, all=True) if agency)


def _full(now: datetime) -> set[UUID]:
    """The agencies whose vendor accounts have as many claims as they may, or about so: who claims looks again."""
    held = _held(now)
    if not held:
        return set()
    accounts = VendorAccount.objects.filter(agency__in=held).only("agency", "recent_failures")
    failing = {account.agency_id for account in accounts if _is_failing(account)}
    silent = {account.agency_id for account in accounts if account.does_not_answer}
    full = {agency for agency, number in held.items() if number >= _may_hold(held, is_failing=agency in failing)}
    if silent and sum(held[agency] for agency in silent) >= _for_silent():
        last = VendorAccount.objects.annotate(last=F("recent_failures").bitand(LAST_FOUR))
        full.update(last.filter(last__in=NOT_ANSWERING).values_list("agency", flat=True))
    return full


def _is_failing(account: VendorAccount) -> bool:
    return account.failures_in_a_row > 0 or account.does_not_answer


def _may_hold(held: Counter[UUID], *, is_failing: bool) -> int:
    return 1 if is_failing or held.total() > settings.WORKER_THREADS - 2 else MAX_HELD


def _for_silent() -> int:
    """How many hands may be with vendor accounts that do not answer, or about so."""
    hands: int = settings.WORKER_THREADS
    return max(1, hands // 2)


def _may_be_held(row: Subaccount | Job, now: datetime) -> bool:
    """Whether the vendor account of this row has a claim to spare; counted behind its lock."""
    if row.agency_id is None or (isinstance(row, Job) and row.kind == Job.Kind.MAIL):
        return True
    accounts = VendorAccount.objects.select_for_update().filter(agency=row.agency_id)
    account = accounts.only("recent_failures").first()
    if account is None:
        return True
    held = _held(now)
    if held[row.agency_id] >= _may_hold(held, is_failing=_is_failing(account)):
        return False
    if isinstance(row, Subaccount):
        VendorAccount.objects.filter(pk=account.pk).update(claimed_at=now)
    return True


def due_keys(kind: type[Work], *which: Q, limit: int = 500) -> list[int]:
    """Keys of what is due now (of those rows that `which` describes): the first of every agency, then the second ones.

    Within a turn the longest due comes first. One agency with more than `limit` due rows hides nobody else's.
    What belongs to no agency, operators' mails, takes turns as if it were one.
    """
    rows = kind._default_manager.across_agencies().filter(due(clock.now()), *which)
    turn = Window(RowNumber(), partition_by="agency", order_by=("run_at", "pk"))
    return list(rows.annotate(turn=turn).order_by("turn", "run_at", "pk").values_list("pk", flat=True)[:limit])


def wishes_after(kind: type[Work], pk: int, *, limit: int) -> list[int]:
    """Keys of the wishes that are due at the agency of that row, now that its claim has ended and left room.

    None after a mail, which took no room, nor for what belongs to no agency.
    """
    row = kind._default_manager.across_agencies().filter(_asks_vendor(kind), pk=pk)
    return due_keys(Subaccount, Q(agency__in=row.values("agency")), limit=limit)


def backoff(attempts: int) -> timedelta:
    """Full jitter: somewhere between nothing and the exponential bound, but never under the minimum."""
    low, high = settings.PROVISIONING_BACKOFF_MIN_SECONDS, settings.PROVISIONING_BACKOFF_MAX_SECONDS
    bound = min(high, low * 2.0 ** min(attempts, 20))
    return timedelta(seconds=random.uniform(low, bound))  # noqa: S311 -- jitter
