"""What the vendor says of a subaccount, read again and again; and what is done where it no longer knows it."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Window
from django.db.models.functions import Coalesce, Greatest, RowNumber
from django.utils.dateparse import parse_datetime

from accounts import clock, reconcile, vendor
from accounts.claimed import MISSING_LOOK, is_new
from accounts.crypto import seal
from accounts.errors import STOPPED, NotAllowed, TryLater
from accounts.mails import put_mail, put_mail_once
from accounts.models import Campaign, Customer, Event, Job, State, Subaccount, User, VendorAccount
from accounts.reviews import GONE
from accounts.states import move
from coupontools_api.errors import CoupontoolsError, NotFound
from coupontools_api.ids import SubaccountId
from coupontools_api.subaccounts import KeyPair, SubaccountDetails

STEP = timedelta(seconds=0.25)  # between two readings that the clock asks of one vendor account
SCHEDULED_AT_ONCE = 3_000  # in a minute, of which each has its turn
MISSING_MAILS_AN_HOUR = 5  # of one agency; what is more has one cause, and one mail


def put(subaccount: Subaccount, *, after: timedelta = timedelta(), launched_at: datetime | None = None) -> None:
    """Asks the worker to read the campaigns again; at most once per subaccount and minute.

    With `launched_at`, by the database's clock, the worker also notes that the customer was in the panel.
    """
    when = (launched_at or clock.now()) + after
    what = "launch" if launched_at else "refresh"
    job = _job(subaccount, once=f"{what}:{subaccount.pk}:{when:%Y%m%d%H%M}", run_at=when if after else None)
    if launched_at:
        job.payload["launched_at"] = launched_at.isoformat()
    Job.objects.bulk_create([job], ignore_conflicts=True)


def schedule() -> int:
    """Writes a refresh for every active subaccount whose campaigns are older than REFRESH_SECONDS. Returns how many."""
    now = clock.now()
    turns: dict[int, datetime] = {}
    jobs = []
    for once, subaccount in islice(_stale(now - timedelta(seconds=settings.REFRESH_SECONDS)), SCHEDULED_AT_ONCE):
        # After an outage all are stale at once: each gets a turn, and the vendor is not run over.
        turn = turns.get(subaccount.vendor_account_id, now)
        turns[subaccount.vendor_account_id] = turn + STEP
        jobs.append(_job(subaccount, once=once, run_at=turn))
    Job.objects.bulk_create(jobs, ignore_conflicts=True)
    return len(jobs)


def _stale(before: datetime) -> Iterator[tuple[str, Subaccount]]:
    """What was last read before that moment and has no job for it yet, with the name of such a job.

    The first of every agency, then the second ones: readings that cannot be done stand before nobody else's.
    """
    rows = Subaccount.objects.across_agencies().filter(state=State.ACTIVE)
    rows = rows.filter(agency__stopped_at=None, vendor_account__trouble="")
    rows = rows.filter(Q(refreshed_at__lt=before) | Q(refreshed_at=None, bound_at__lt=before))
    turn = Window(RowNumber(), partition_by="agency", order_by=(F("refreshed_at").asc(nulls_first=True), "pk"))
    keys = list(rows.annotate(turn=turn).order_by("turn", "pk").values_list("pk", "refreshed_at"))
    for start in range(0, len(keys), SCHEDULED_AT_ONCE):
        # Named after the last reading: one job per subaccount, however often this runs before it is done.
        part = keys[start : start + SCHEDULED_AT_ONCE]
        names = {f"refresh:{pk}:since:{refreshed_at or 'never'}": pk for pk, refreshed_at in part}
        known = set(Job.objects.across_agencies().filter(once__in=names).values_list("once", flat=True))
        fresh = {name: pk for name, pk in names.items() if name not in known}
        found = Subaccount.objects.across_agencies().select_related("agency").in_bulk(fresh.values())
        yield from ((name, found[pk]) for name, pk in fresh.items() if pk in found)


def _job(subaccount: Subaccount, *, once: str, run_at: datetime | None = None) -> Job:
    job = Job(once=once, kind=Job.Kind.REFRESH, agency=subaccount.agency, payload={"subaccount": subaccount.pk})
    if run_at is not None:
        job.run_at = run_at
    return job


def run(job: Job) -> None:
    """Reads a subaccount's campaigns, and learns there if the vendor no longer knows it."""
    subaccount = (
        Subaccount.objects.across_agencies()
        .select_related("agency", "customer", "vendor_account__active_credential")
        .get(pk=job.payload["subaccount"])
    )
    if subaccount.agency.stopped_at:
        raise TryLater(STOPPED)
    if launched_at := parse_datetime(job.payload.get("launched_at", "")):
        # Told by the launch, written here: the click itself has no statement to spare.
        row = Customer.objects.for_agency(subaccount.agency).filter(pk=subaccount.customer_id)
        # A reading that failed is tried again after the one of a later launch.
        latest = Greatest(Coalesce("last_launch_at", launched_at), launched_at)
        row.update(last_launch_at=latest, first_launch_at=Coalesce("first_launch_at", launched_at))
    if subaccount.state != State.ACTIVE:
        return
    try:
        details = vendor.ask(
            subaccount.vendor_account,
            lambda client: client.subaccounts.get(
                SubaccountId(subaccount.vendor_id), with_keys=subaccount.vendor_account.reads_statistics
            ),
            noted=vendor.Noted("subaccount", subaccount.customer_id),
        )
    except NotFound as problem:
        if GONE not in problem.codes or is_new(subaccount):
            raise TryLater(str(problem.codes)) from None
        subaccount.vendor_account.agency = subaccount.agency
        if reconcile.doubts_absence(subaccount.vendor_account):
            raise TryLater(reconcile.TOO_MANY_ABSENT) from None
        with suppress(NotAllowed):  # too late: what is bound now has a reading of its own
            missing(subaccount)
        return
    except (CoupontoolsError, vendor.Waiting) as problem:
        raise TryLater(type(problem).__name__) from None
    now, facts = clock.now(), _facts(details)
    with transaction.atomic():
        if not _is_bound_still(subaccount):
            return  # closed, erased, or bound to another account while the vendor was asked
        keys = details.key_pair if details.key_pair and _reads_statistics(subaccount) else None
        before = _seen(subaccount)
        campaigns = [
            Campaign(
                subaccount=subaccount,
                vendor_id=campaign.id,
                name=campaign.name[:200],
                code=campaign.code[:60],
                url=campaign.url[:500],
                status=campaign.status[:40],
                seen_at=now,
            )
            for campaign in details.campaigns
        ]
        Campaign.objects.bulk_create(
            campaigns,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["subaccount", "vendor_id"],
            update_fields=["name", "code", "url", "status", "seen_at"],
        )
        if before:
            subaccount.campaigns.filter(seen_at__lt=now).delete()
        Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk).update(
            refreshed_at=now, facts=facts, sealed_keys=_sealed(keys)
        )
        was, had_keys = subaccount.facts, bool(subaccount.sealed_keys)
        if (set(map(_shown, campaigns)), facts, bool(keys)) != (before, was, had_keys):
            Event.objects.record(
                "campaigns.changed",
                agency=subaccount.agency,
                customer=subaccount.customer,
                about=subaccount,
                campaigns=len(details.campaigns),
                has_keys=bool(keys),
            )
        if details.campaigns:
            Customer.objects.for_agency(subaccount.agency).filter(
                pk=subaccount.customer_id, first_campaign_at=None
            ).update(first_campaign_at=now)


def _is_bound_still(subaccount: Subaccount) -> bool:
    """Whether it is active with the vendor id that was asked about; behind the row's lock."""
    rows = Subaccount.objects.for_agency(subaccount.agency).filter(
        pk=subaccount.pk, state=State.ACTIVE, vendor_id=subaccount.vendor_id
    )
    return rows.select_for_update(no_key=True).only("pk").first() is not None


def _reads_statistics(subaccount: Subaccount) -> bool:
    """Whether the agency still lets us: it may have said no while the vendor was asked."""
    return VendorAccount.objects.filter(pk=subaccount.vendor_account_id, reads_statistics=True).exists()


def _seen(subaccount: Subaccount) -> set[tuple[str, ...]]:
    return set(map(_shown, subaccount.campaigns.all()))


def _shown(campaign: Campaign) -> tuple[str, ...]:
    """What customers and staff see of a campaign."""
    return campaign.vendor_id, campaign.name, campaign.code, campaign.url, campaign.status


def _sealed(keys: KeyPair | None) -> str:
    """The key pair as it is kept; empty for none: seal() gives a text that only our keys open."""
    return seal(f"{keys.key.get_secret_value()}:{keys.secret.get_secret_value()}") if keys else ""


def _facts(details: SubaccountDetails) -> dict[str, str | int]:
    """What staff may read of the vendor's answer: no address, no key, short texts."""
    facts: dict[str, str | int] = {
        "company_name": details.company_name[:120],
        "expiry_date": str(details.expiry_date or ""),
        "last_login": str(details.last_login or ""),
        "campaigns": len(details.campaigns),
    }
    return {name: value for name, value in facts.items() if value != ""}


def missing(subaccount: Subaccount, *, acting_user: User | None = None) -> None:
    """The vendor no longer knows this subaccount: no button any more, and staff are told. Never made anew by itself.

    `acting_user` is whose launch found it out; nobody where the worker did. Raises NotAllowed if it is not active any
    more, or with another account than the one that was asked about, or asked about with a pair that is not in use.
    """
    with transaction.atomic():
        if not _is_bound_still(subaccount):
            raise NotAllowed(f"Subaccount {subaccount.public_id} is not bound to {subaccount.vendor_id} any more.")
        account = VendorAccount.objects.select_for_update().get(pk=subaccount.vendor_account_id)
        if not vendor.has_same_pair(account, subaccount.vendor_account):
            raise NotAllowed(f"Subaccount {subaccount.public_id} was asked about with another pair.")
        move(
            subaccount,
            expecting=State.ACTIVE,
            to=State.MISSING,
            acting_user=acting_user,
            run_at=clock.now() + MISSING_LOOK,
        )
        _tell_of_missing(subaccount)


def _tell_of_missing(subaccount: Subaccount) -> None:
    agency, now = subaccount.agency, clock.now()
    lately = Job.objects.for_agency(agency).filter(payload__mail="missing", created_at__gt=now - timedelta(hours=1))
    if lately.count() < MISSING_MAILS_AN_HOUR:
        put_mail("missing", agency=agency, customer=subaccount.customer)
    else:
        once = f"many_missing:{agency.pk}:{now:%Y%m%d%H}"
        put_mail_once("many_missing", agency=agency, once=once, number=MISSING_MAILS_AN_HOUR)
