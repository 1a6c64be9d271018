"""Work that is not a subaccount's own making: mails, refreshes, comparisons. Written by doors, done by the worker."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import import_string

from accounts import clock, reconcile, vendor
from accounts.claimed import MISSING_LOOK, is_new
from accounts.claims import backoff, claim
from accounts.crypto import seal, unseal
from accounts.errors import NotAllowed
from accounts.models import DONE, FAILED, Agency, Campaign, Customer, Event, Job, State, Subaccount, User
from accounts.reviews import GONE
from accounts.states import move
from coupontools_api.errors import CoupontoolsError, NotFound
from coupontools_api.ids import SubaccountId
from coupontools_api.subaccounts import KeyPair, SubaccountDetails

log = structlog.get_logger(__name__)
REFRESH_STEP = timedelta(seconds=0.25)  # between two readings that the clock asks of one vendor account
MAILS_GIVE_UP_AFTER = timedelta(days=7)  # then the job stays, with its last error, for the operator to see
MISSING_MAILS_AN_HOUR = 5  # of one agency; what is more has one cause, and one mail


KEPT_OF_PAYLOADS = frozenset({"mail", "customer", "subaccount"})


def put_mail(
    mail: str,
    *,
    agency: Agency | None,
    to: str = "",
    secret: str = "",
    customer: Customer | None = None,
    once: str | None = None,
    **facts: Any,
) -> Job:
    """Writes a mail to be sent after the commit. `secret` (a code, a token) is sealed and blanked once sent.

    With a `customer` it stands in their timeline; without `to` it goes to the address that they have then.
    Raises IntegrityError if a mail of the name `once` was written before.
    """
    about = {"customer": customer.pk} if customer and not to else {}
    return Job.objects.create(
        kind=Job.Kind.MAIL,
        agency=agency,
        customer_id=customer.pk if customer else None,
        once=once,
        payload={"mail": mail, **({"to": to} if to else {}), **about, **facts},
        sealed_secret=seal(secret),
    )


def run(pk: int | None = None) -> bool:
    """Claims one job (`pk`, or the one due longest) and does it. False if nothing was due."""
    job = claim(Job, pk=pk, related=("agency",))
    if job is None:
        return False
    with structlog.contextvars.bound_contextvars(claim=job.lease_owner):
        do(job)
    return True


def do(job: Job) -> None:
    """Does a job that the caller has claimed, and ends the claim."""
    was_sent = False
    try:
        if job.kind == Job.Kind.MAIL:
            was_sent = _send(job)
        elif job.kind == Job.Kind.RECONCILE:
            _reconcile(job)
        elif job.kind == Job.Kind.REFRESH:
            _refresh(job)
        else:  # a newer version is being brought in: its workers know it
            raise _TryLater("unknown kind")
    except _TryLater as problem:
        log.info("job.later", job=job.pk, kind=job.kind, problem=str(problem))
        _fail(job, str(problem))
    except Exception as problem:  # whatever went wrong, the job is tried again or shows why it was not
        # Where, and not with which words: a mail server's name the address.
        log.error("job.failed", job=job.pk, kind=job.kind, problem=type(problem).__name__, where=_where(problem))
        _fail(job, type(problem).__name__)
    else:
        _finish(job, was_sent=was_sent)


def _where(problem: Exception) -> str:
    """The lines that it came by, without its words."""
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(problem.__traceback__)))


def _finish(job: Job, *, was_sent: bool) -> None:
    if was_sent:
        with transaction.atomic():
            _mark_done(job)
            _record_mail(job, DONE)
    else:
        _mark_done(job)


def _mark_done(job: Job) -> None:
    done = Job.objects.across_agencies().filter(pk=job.pk, lease_owner=job.lease_owner)
    done.update(
        done_at=clock.now(),
        run_at=None,
        lease_owner="",
        lease_until=None,
        last_error="",
        sealed_secret="",
        payload=_kept_of(job.payload),
    )


def _kept_of(payload: dict[str, Any]) -> dict[str, Any]:
    """What a mail that is sent or given up said of people, to whom and from where, is nobody's business any more."""
    return {name: value for name, value in payload.items() if name in KEPT_OF_PAYLOADS}


def _record_mail(job: Job, outcome: str) -> None:
    """What became of a mail; the job itself is forgotten after a while."""
    customer = Customer(pk=job.customer_id) if job.customer_id else None
    Event.objects.record(
        "mail.sent", agency=job.agency, customer=customer, about=job, outcome=outcome, mail=job.payload["mail"]
    )


@transaction.atomic
def _fail(job: Job, problem: str) -> None:
    """Later; a mail that nobody takes for a week is given up, and its secret is blanked."""
    now, attempts = clock.now(), min(job.attempts + 1, 1000)
    gives_up = job.kind == Job.Kind.MAIL and now - job.created_at > MAILS_GIVE_UP_AFTER
    failed = Job.objects.across_agencies().filter(pk=job.pk, lease_owner=job.lease_owner)
    is_ours = failed.update(
        run_at=None if gives_up else now + backoff(attempts),
        attempts=attempts,
        lease_owner="",
        lease_until=None,
        last_error=problem,
        **({"sealed_secret": "", "payload": _kept_of(job.payload)} if gives_up else {}),
    )
    if gives_up and is_ours:
        _record_mail(job, FAILED)


def _send(job: Job) -> bool:
    """False where there is nobody to write to, or nothing that is still so."""
    render = import_string(settings.MAIL_RENDERER)
    message: EmailMultiAlternatives | None = render(job.payload, agency=job.agency, secret=unseal(job.sealed_secret))
    if message is None:
        _drop(job, render)
        return False
    if len(message.to) > 1:
        _one_each(job, message.to)
        return False
    message.extra_headers["Message-ID"] = f"<job-{job.pk}@{settings.PLATFORM_HOST}>"
    message.send()
    return True


@transaction.atomic
def _drop(job: Job, render: Callable[..., EmailMultiAlternatives | None]) -> None:
    """Ends a mail that is about nothing that is still so.

    Looked at again behind the lock of the wish it is about: who resumes it, or finds it again, meanwhile counts on
    the mail's coming.
    """
    if job.customer_id and job.agency:
        with suppress(Subaccount.DoesNotExist):  # it was purged meanwhile
            wishes = Subaccount.objects.for_agency(job.agency).select_for_update().only("pk")
            wishes.get(customer=job.customer_id)
        if render(job.payload, agency=job.agency, secret=unseal(job.sealed_secret)) is not None:
            raise _TryLater("it holds again")
    _mark_done(job)


@transaction.atomic
def _one_each(job: Job, addresses: list[str]) -> None:
    """A mail of its own for each: a mail server that refuses one of them today takes it tomorrow."""
    ours = Job.objects.across_agencies().filter(pk=job.pk, lease_owner=job.lease_owner)
    if not ours.delete()[0]:
        return
    for address in addresses:
        Job.objects.create(
            kind=Job.Kind.MAIL,
            agency=job.agency,
            customer_id=job.customer_id,
            once=job.once if address == addresses[0] else None,  # its name stands for all of them
            payload={**job.payload, "to": address},
            sealed_secret=job.sealed_secret,
        )


def _reconcile(job: Job) -> None:
    assert job.agency is not None
    if job.agency.stopped_at:
        raise _TryLater("stopped")
    try:
        reconcile.run(job.agency)
    except (CoupontoolsError, vendor.Waiting) as problem:
        raise _TryLater(type(problem).__name__) from None


def _refresh(job: Job) -> None:
    """Reads a subaccount's campaigns, and learns there if the vendor no longer knows it."""
    subaccount = (
        Subaccount.objects.across_agencies()
        .select_related("agency", "customer", "vendor_account__active_credential")
        .get(pk=job.payload["subaccount"])
    )
    if subaccount.agency.stopped_at:
        raise _TryLater("stopped")
    if launched_at := parse_datetime(job.payload.get("launched_at", "")):
        # Told by the launch, written here: the click itself has no statement to spare.
        row = Customer.objects.for_agency(subaccount.agency).filter(pk=subaccount.customer_id)
        row.update(last_launch_at=launched_at, first_launch_at=Coalesce("first_launch_at", launched_at))
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
            raise _TryLater(str(problem.codes)) from None
        with suppress(NotAllowed):  # too late: what is bound now has a reading of its own
            missing(subaccount)
        return
    except (CoupontoolsError, vendor.Waiting) as problem:
        raise _TryLater(type(problem).__name__) from None
    now, facts = clock.now(), _facts(details)
    with transaction.atomic():
        if not _is_bound_still(subaccount):
            return  # closed, erased, or bound to another account while the vendor was asked
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
            refreshed_at=now, facts=facts, sealed_keys=_sealed(details.key_pair)
        )
        was, had_keys = subaccount.facts, bool(subaccount.sealed_keys)
        if (set(map(_shown, campaigns)), facts, bool(details.key_pair)) != (before, was, had_keys):
            Event.objects.record(
                "campaigns.changed",
                agency=subaccount.agency,
                customer=subaccount.customer,
                about=subaccount,
                campaigns=len(details.campaigns),
                has_keys=bool(details.key_pair),
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
    return rows.select_for_update().only("pk").first() is not None


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


class _TryLater(Exception):
    """The vendor cannot be asked now."""


def missing(subaccount: Subaccount, *, acting_user: User | None = None) -> None:
    """The vendor no longer knows this subaccount: no button any more, and staff are told. Never made anew by itself.

    `acting_user` is whose launch found it out; nobody where the worker did. Raises NotAllowed if it is not active any
    more, or with another account than the one that was asked about.
    """
    with transaction.atomic():
        if not _is_bound_still(subaccount):
            raise NotAllowed(f"Subaccount {subaccount.public_id} is not bound to {subaccount.vendor_id} any more.")
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
        mail = Job(
            kind=Job.Kind.MAIL,
            agency=agency,
            once=f"many_missing:{agency.pk}:{now:%Y%m%d%H}",
            payload={"mail": "many_missing", "number": MISSING_MAILS_AN_HOUR},
        )
        Job.objects.bulk_create([mail], ignore_conflicts=True)


def put_refresh(subaccount: Subaccount, *, after: timedelta = timedelta(), launched_at: datetime | None = None) -> None:
    """Asks the worker to read the campaigns again; at most once per subaccount and minute.

    With `launched_at`, by the database's clock, the worker also notes that the customer was in the panel.
    """
    when = (launched_at or clock.now()) + after
    what = "launch" if launched_at else "refresh"
    job = _refresh_job(subaccount, once=f"{what}:{subaccount.pk}:{when:%Y%m%d%H%M}", run_at=when if after else None)
    if launched_at:
        job.payload["launched_at"] = launched_at.isoformat()
    Job.objects.bulk_create([job], ignore_conflicts=True)


def schedule_refreshes() -> int:
    """Writes a refresh for every active subaccount whose campaigns are older than REFRESH_SECONDS. Returns how many."""
    now = clock.now()
    old = now - timedelta(seconds=settings.REFRESH_SECONDS)
    stale = (
        Subaccount.objects.across_agencies()
        .filter(Q(refreshed_at__lt=old) | Q(refreshed_at=None, bound_at__lt=old))
        .filter(state=State.ACTIVE, agency__stopped_at=None, vendor_account__trouble="")
        .select_related("agency")[:500]
    )
    turns: dict[int, datetime] = {}
    jobs = []
    for subaccount in stale:
        # After an outage all are stale at once: each gets a turn, and the vendor is not run over.
        turn = turns.get(subaccount.vendor_account_id, now)
        turns[subaccount.vendor_account_id] = turn + REFRESH_STEP
        # Named after the last reading: one job per subaccount, however often this runs before it is done.
        once = f"refresh:{subaccount.pk}:since:{subaccount.refreshed_at or 'never'}"
        jobs.append(_refresh_job(subaccount, once=once, run_at=turn))
    Job.objects.bulk_create(jobs, ignore_conflicts=True)
    return len(jobs)


def _refresh_job(subaccount: Subaccount, *, once: str, run_at: datetime | None = None) -> Job:
    job = Job(once=once, kind=Job.Kind.REFRESH, agency=subaccount.agency, payload={"subaccount": subaccount.pk})
    if run_at is not None:
        job.run_at = run_at
    return job
