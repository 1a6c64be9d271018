"""One claim for every kind of work: the row is the queue, a lease says who works on it."""

import random
import socket
import threading
import uuid
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Job, Subaccount, VendorAccount

Work = TypeVar("Work", Subaccount, Job)


def owner_name() -> str:
    """A name that no other claim has: host and thread for people, the rest for uniqueness."""
    return f"{socket.gethostname()[:12]}-{threading.get_ident() % 10_000}-{uuid.uuid4().hex[:12]}"[:36]


def due(now: datetime) -> Q:
    return Q(run_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lte=now))


def _order(kind: type[Work]) -> tuple[Any, ...]:
    """Whose turn it is: the agency that waits longest since its last turn; mails before refreshes."""
    if kind is Subaccount:
        return F("vendor_account__claimed_at").asc(nulls_first=True), "run_at"
    return "kind", "run_at"


def claim(kind: type[Work], *, pk: int | None = None, now: datetime | None = None) -> Work | None:
    """Takes the row `pk`, or the one whose turn it is, for PROVISIONING_LEASE_SECONDS.

    None if there is nothing due. No lock outlives the claim: who dies gives the row back when its lease ends.
    """
    now = now or timezone.now()
    rows = kind._default_manager.across_agencies().filter(due(now))
    if pk is not None:
        rows = rows.filter(pk=pk)
    if not rows.exists():  # a plain read first: an idle worker takes no write lock
        return None
    with transaction.atomic():
        # PostgreSQL skips what others are claiming; SQLite's immediate transaction lets one in at a time.
        row: Work | None = rows.order_by(*_order(kind)).select_for_update(skip_locked=True, of=("self",)).first()
        if row is None:
            return None
        if isinstance(row, Subaccount):
            VendorAccount.objects.filter(pk=row.vendor_account_id).update(claimed_at=now)
        row.lease_owner = owner_name()
        row.lease_until = now + timedelta(seconds=settings.PROVISIONING_LEASE_SECONDS)
        row.save(update_fields=["lease_owner", "lease_until"])
    return row


def due_keys(kind: type[Work], limit: int = 500) -> list[int]:
    """Keys of what is due now, longest first."""
    rows = kind._default_manager.across_agencies().filter(due(timezone.now()))
    return list(rows.order_by("run_at").values_list("pk", flat=True)[:limit])


def backoff(attempts: int) -> timedelta:
    """Full jitter: somewhere between nothing and the exponential bound, but never under the minimum."""
    low, high = settings.PROVISIONING_BACKOFF_MIN_SECONDS, settings.PROVISIONING_BACKOFF_MAX_SECONDS
    bound = min(high, low * 2.0 ** min(attempts, 20))
    return timedelta(seconds=random.uniform(low, bound))  # noqa: S311 -- jitter
