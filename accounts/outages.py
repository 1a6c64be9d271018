"""When a vendor account stops being asked, and when it is asked again: who is told, and how what waited goes on.

What waited is taken up at PROVISIONING_DRAIN_PER_MINUTE, so that a vendor that is just back is not run over. Once the
last of it is settled, staff read how many were late, and how long.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils.dateparse import parse_datetime

from accounts.errors import DROPPED
from accounts.mails import put_mail
from accounts.models import IN_THE_MAKING, Cause, Event, Job, State, Subaccount, VendorAccount

log = structlog.get_logger(__name__)

NOT_THE_VENDORS = (Cause.DAILY_BUDGET, Cause.CREATES_PAUSED)  # what waits for these waits on
# What nobody waits for any more once the vendor is asked again.
OVER = (Cause.VENDOR_UNREACHABLE, Cause.CREDENTIALS, Cause.KEY_GONE)
# A vendor that comes and goes, or fails now in this way and now in that, is one mail for each cause, not fifty.
QUIET = timedelta(hours=1)


def begin(account: VendorAccount, trouble: VendorAccount.Trouble, *, now: datetime, probe_at: datetime) -> None:
    """The breaker opens, or stays open for another cause. Staff are told once for each."""
    row = VendorAccount.objects.filter(pk=account.pk)
    with transaction.atomic():
        is_new = row.filter(trouble="").update(trouble=trouble, trouble_since=now, probe_at=probe_at)
        is_other = not is_new and row.exclude(trouble=trouble).update(trouble=trouble, probe_at=probe_at)
        if is_new or is_other:
            log.warning("vendor.breaker_opened", vendor_account=account.pk, trouble=trouble.value)
            Event.objects.record("vendor_account.troubled", agency=account.agency, about=account, trouble=trouble.value)
        else:
            row.update(probe_at=probe_at)
        # Looked at again with every probe that fails: an outage that began in the quiet after another may last.
        name = f"vendor_trouble:{account.pk}:{trouble.value}:"
        begun = now if is_new else row.values_list("trouble_since", flat=True).get() or now
        told = Job.objects.for_agency(account.agency).filter(once__startswith=name).exclude(last_error=DROPPED)
        if not told.filter(created_at__gte=min(begun - timedelta(seconds=1), now - QUIET)).exists():
            put_mail("vendor_trouble", agency=account.agency, once=f"{name}{now.isoformat()}", trouble=trouble.value)


@transaction.atomic
def end(account: VendorAccount, *, now: datetime) -> bool:
    """The breaker closes, and what waited goes on, one after the other. False if it was closed already."""
    row = VendorAccount.objects.select_for_update().filter(pk=account.pk).exclude(trouble="").first()
    if row is None:
        return False
    since, trouble = row.trouble_since or now, row.trouble
    waited = _spread(row, since=since, now=now)
    if row.last_outage and "finished" not in row.last_outage:
        since = _begun(row)  # what waited for the last one's end is still late: to whoever reads of it, it is one
    row.trouble, row.trouble_since, row.probe_at, row.recent_failures = "", None, None, 0
    row.last_outage = {"trouble": trouble, "since": since.isoformat(), "until": now.isoformat(), "waited": waited}
    row.save(update_fields=["trouble", "trouble_since", "probe_at", "recent_failures", "last_outage"])
    row.agency = account.agency
    Event.objects.record("vendor_account.recovered", agency=account.agency, about=account, waited=waited)
    log.info("vendor.breaker_closed", vendor_account=account.pk, waited=waited)
    if not waited:
        _finish(row, now)
    return True


def _spread(account: VendorAccount, *, since: datetime, now: datetime) -> int:
    """Gives everything that waited a turn of its own, and notes that it is late. Returns how much waited.

    Rows that a worker has in hand are at their turn already.
    """
    waiting = (
        Subaccount.objects.for_agency(account.agency)
        .filter(state__in=(State.REQUESTED, State.UNCERTAIN), run_at__isnull=False)
        .exclude(cause__in=NOT_THE_VENDORS)
    )
    # Skipped, not waited for: whoever claims one of them holds it and waits for the lock that we have. Nobody comes
    # back for them: they are being taken up, or were put off until the next probe. How long they waited nobody reads.
    rows = list(waiting.select_for_update(skip_locked=True, no_key=True).order_by("created_at", "pk"))
    free = [row for row in rows if row.lease_until is None or row.lease_until <= now]
    step = timedelta(minutes=1) / max(settings.PROVISIONING_DRAIN_PER_MINUTE, 1)
    for number, row in enumerate(free):
        turn = now + step * number
        # Looks after a lost answer have times of their own, which are never brought forward.
        is_early = row.state == State.UNCERTAIN and row.run_at is not None and row.run_at > turn
        row.run_at = row.run_at if is_early else turn
        row.cause = Cause.NONE if row.state == State.REQUESTED and row.cause in OVER else row.cause
    ours = Subaccount.objects.for_agency(account.agency)
    ours.bulk_update(free, ["run_at", "cause"], batch_size=500)
    late_since = Coalesce("late_since", Greatest(F("changed_at"), since))
    for start in range(0, len(rows), 500):
        waiting.filter(pk__in=[row.pk for row in rows[start : start + 500]]).order_by().update(late_since=late_since)
    return waiting.count()


def report(now: datetime) -> int:
    """Says of every outage that is over and caught up with what was late. Returns of how many."""
    over = VendorAccount.objects.filter(trouble="", last_outage__has_key="until")
    late = Subaccount.objects.across_agencies().filter(agency=OuterRef("agency"), state__in=IN_THE_MAKING)
    over = over.exclude(last_outage__has_key="finished").exclude(Exists(late.exclude(late_since=None)))
    return sum(_report(pk, now) for pk in over.values_list("pk", flat=True)[:200])


@transaction.atomic
def _report(pk: int, now: datetime) -> bool:
    account = VendorAccount.objects.select_for_update(of=("self",)).select_related("agency").get(pk=pk)
    if account.trouble or "finished" in account.last_outage:
        return False
    late = Subaccount.objects.for_agency(account.agency).exclude(late_since=None)
    if late.filter(state__in=IN_THE_MAKING).exists():
        return False
    return _finish(account, now)


def _finish(account: VendorAccount, now: datetime) -> bool:
    """Tells staff that all of it is settled. False while somebody has one of the late rows locked: report() comes back.

    As in _spread, a claim that holds such a row (a person's choice is looked into, say) may wait for the lock we have.
    """
    late = Subaccount.objects.for_agency(account.agency).exclude(late_since=None)
    if len(late.select_for_update(skip_locked=True, no_key=True).values_list("pk")) < late.count():
        return False
    waits = [settled - since for settled, since in late.values_list("changed_at", "late_since") if since]
    to_decide = late.filter(state=State.NEEDS_REVIEW).count()
    late.update(late_since=None)
    numbers = {
        "waited": account.last_outage["waited"],
        "longest": round(max(waits, default=timedelta()).total_seconds()),
        "to_decide": to_decide,
    }
    told = Job.objects.for_agency(account.agency).filter(once__startswith=f"vendor_trouble:{account.pk}:")
    begun = _begun(account)
    # Also one of an outage before, that was sent in this one.
    told = told.filter(Q(created_at__gte=begun - timedelta(seconds=1)) | Q(done_at__gte=begun))
    if not numbers["waited"]:  # nobody has anything to read of it but its end, where its beginning was read
        told = told.exclude(last_error=DROPPED).filter(Q(run_at=None) | Q(lease_until__gt=now))
    facts = {name: account.last_outage[name] for name in ("trouble", "since", "until")}
    if told.exists():
        put_mail("vendor_recovered", agency=account.agency, **numbers, **facts)
    account.last_outage = facts | numbers | {"finished": now.isoformat()}
    account.save(update_fields=["last_outage"])
    Event.objects.record("vendor_account.caught_up", agency=account.agency, about=account, **numbers)
    return True


def _begun(account: VendorAccount) -> datetime:
    begun = parse_datetime(account.last_outage["since"])
    assert begun is not None  # written by end()
    return begun
