"""Work that is not a subaccount's own making: mails, refreshes, comparisons. Written by doors, done by the worker."""

import traceback
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from accounts import clock, mails, reconcile, refreshes, vendor
from accounts.claims import backoff, claim
from accounts.errors import DROPPED, STOPPED, TryLater
from accounts.models import DONE, FAILED, Agency, Job, Subaccount
from coupontools_api.errors import CoupontoolsError

log = structlog.get_logger(__name__)
MAILS_GIVE_UP_AFTER = timedelta(days=7)  # then the job stays, with its last error, for the operator to see
MAILS_GIVE_UP_TRIES = 100  # about two days of them: to this worker a mail of a restored copy is new, however old


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
            refreshes.run(job)
        else:  # a newer version is being brought in: its workers know it
            raise TryLater("unknown kind")
    except TryLater as problem:
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
            mails.record(job, DONE)
    else:
        _mark_done(job)


def _mark_done(job: Job, **changes: Any) -> None:
    done = Job.objects.across_agencies().filter(pk=job.pk, lease_owner=job.lease_owner)
    done.update(
        done_at=clock.now(),
        run_at=None,
        lease_owner="",
        lease_until=None,
        sealed_secret="",
        payload=mails.kept_of(job.payload),
        **({"last_error": ""} | changes),
    )


@transaction.atomic
def _fail(job: Job, problem: str) -> None:
    """Later; a mail that nobody takes for a week is given up, and its secret is blanked."""
    now, attempts = clock.now(), min(job.attempts + 1, 1000)
    is_old = now - job.created_at > MAILS_GIVE_UP_AFTER
    waits_for_agency = problem == STOPPED and not job.sealed_secret  # what has a secret is over by then
    gives_up = job.kind == Job.Kind.MAIL and is_old and attempts >= MAILS_GIVE_UP_TRIES and not waits_for_agency
    goes_on = problem == STOPPED and _is_resumed(job)
    failed = Job.objects.across_agencies().filter(pk=job.pk, lease_owner=job.lease_owner)
    is_ours = failed.update(
        run_at=None if gives_up else now if goes_on else now + backoff(attempts),
        attempts=attempts,
        lease_owner="",
        lease_until=None,
        last_error=problem,
        **({"sealed_secret": "", "payload": mails.kept_of(job.payload)} if gives_up else {}),
    )
    if gives_up and is_ours:
        mails.record(job, FAILED)


def _is_resumed(job: Job) -> bool:
    """Whether the agency goes on by now: who resumes it looks for what was put off, and would miss what is being so."""
    assert job.agency is not None  # what belongs to none waits for none
    return Agency.objects.select_for_update(no_key=True).get(pk=job.agency.pk).stopped_at is None


def _send(job: Job) -> bool:
    """False where there is nobody to write to, or nothing that is still so."""
    message = mails.render(job)
    if message is None:
        _drop(job)
        return False
    if len(message.to) > 1:
        mails.one_each(job, message.to)
        return False
    message.extra_headers["Message-ID"] = f"<job-{job.pk}@{settings.PLATFORM_HOST}>"
    message.send()
    return True


@transaction.atomic
def _drop(job: Job) -> None:
    """Ends a mail that is about nothing that is still so.

    Looked at again behind the lock of the wish it is about: who resumes it, or finds it again, meanwhile counts on
    the mail's coming.
    """
    if job.customer_id and job.agency:
        with suppress(Subaccount.DoesNotExist):  # it was purged meanwhile
            wishes = Subaccount.objects.for_agency(job.agency).select_for_update(no_key=True).only("pk")
            wishes.get(customer=job.customer_id)
        if mails.render(job) is not None:
            raise TryLater("it holds again")
    _mark_done(job, last_error=DROPPED)


def _reconcile(job: Job) -> None:
    assert job.agency is not None
    if job.agency.stopped_at:
        raise TryLater(STOPPED)
    try:
        reconcile.run(job.agency)
    except (CoupontoolsError, vendor.Waiting) as problem:
        raise TryLater(type(problem).__name__) from None
