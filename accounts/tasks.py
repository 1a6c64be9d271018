"""Wake-ups. A task holds no decision: the row says what to do, and a lost or doubled message changes nothing."""

import contextlib
from itertools import zip_longest
from typing import Any

from celery import current_app, shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from kombu.exceptions import OperationalError

from accounts import bell, claims, clock, jobs, outages, provisioning, reconcile, refreshes, vendor, workers
from accounts.models import Job, Subaccount
from accounts.probers import Probers

# Somebody waits for a mail or an account; nobody for a refresh or a comparison, of which there may be thousands.
MAILS = Q(kind=Job.Kind.MAIL)
# Of each process of the pool, of which there are several.
_probers = Probers(2)


@shared_task
def provision(pk: int) -> None:
    """The next step of a wish. Its agency's next wishes are rung for, so that a burst drains by itself.

    Their own messages may have met as many claims as the vendor account has, and were used up for nothing.
    """
    if not provisioning.attempt(pk):
        return  # whoever holds what stood in the way rings; two idle messages would keep each other alive for ever
    wake()  # for the mail and the refresh that a new subaccount brings
    _ring_after(Subaccount, pk, limit=claims.MAX_HELD)


@shared_task
def run_job(pk: int) -> None:
    """A job. Where the vendor was asked, a wish of the agency is rung for: refreshes held what it needed."""
    if jobs.run(pk):
        _ring_after(Job, pk, limit=1)


@shared_task
def probe(pk: int) -> None:
    """Asks whether a vendor account is back: in a hand of its own, so that the pool's never wait for one that hangs."""
    _probers.ask(pk)


@shared_task
def sweep() -> None:
    """Rings for everything that is due: what a lost message, a restart or a wait has left."""
    workers.beat(workers.name_of_this("celery"))
    ring_for_due(waiting=_waiting(settings.CELERY_TASK_DEFAULT_QUEUE), in_bulk=_waiting(settings.BULK_QUEUE))
    for pk in vendor.probes_due():
        # One message each, in a queue without what may be thousands: behind those it would be too old when its turn
        # came. The next sweep rings again.
        probe.apply_async((pk,), queue=settings.PROBE_QUEUE, expires=settings.BREAKER_PROBE_SECONDS)
    refreshes.schedule()
    reconcile.schedule()
    outages.report(clock.now())


def ring_for_due(*, waiting: int, in_bulk: int) -> int:
    """Rings for as many due rows as have no message in either queue: so many wait already. Returns for how many.

    Which row a waiting message is for nobody knows, but each is worked off: a slow pool's queue is never longer than
    what is due, and a lost message is missed as soon as the others are gone.
    """
    mails_due = [(run_job, pk) for pk in claims.due_keys(Job, MAILS)]
    wishes_due = [(provision, pk) for pk in claims.due_keys(Subaccount)]
    # One of each in turn: neither kind stands before the other.
    bells = [bell for pair in zip_longest(mails_due, wishes_due) for bell in pair if bell is not None]
    bells = bells[: max(0, len(bells) - waiting)]
    for task, pk in bells:
        task.apply_async((pk,))
    others = claims.due_keys(Job, ~MAILS)
    others = others[: max(0, len(others) - in_bulk)]
    for pk in others:
        run_job.apply_async((pk,), queue=settings.BULK_QUEUE)
    return len(bells) + len(others)


def _ring_after(kind: type[claims.Work], pk: int, *, limit: int) -> None:
    """Rings for wishes of the row's agency, whose claim has just ended. Without a broker hands look by themselves."""
    if not settings.BROKER_URL:
        return
    with contextlib.suppress(OperationalError):  # the step is done whatever the broker does, and the sweep comes
        for following in claims.wishes_after(kind, pk, limit=limit):
            provision.apply_async((following,), retry=False)


def _waiting(queue: str) -> int:
    """How many messages wait in that queue of the broker; 0 where it cannot say."""
    if not settings.BROKER_URL:
        return 0
    broker = current_app.connection_for_read()
    with broker, contextlib.suppress(OperationalError, *broker.connection_errors, *broker.channel_errors):
        broker.ensure_connection(max_retries=1)
        channel: Any = broker.channel()  # kombu's type says less than every transport's channel can
        found = channel.queue_declare(queue, passive=True)
        return int(found.message_count)
    return 0


def wake(subaccount: Subaccount | None = None) -> None:
    """Rings for the worker once this is committed: through the broker, or without one through PostgreSQL.

    On SQLite the worker looks by itself.
    """
    if not settings.BROKER_URL:
        bell.ring()
        return

    def ring() -> None:
        # A broker that is down must not turn a saved change into an error: the sweep finds the row.
        with contextlib.suppress(OperationalError):
            if subaccount is not None:
                provision.apply_async((subaccount.pk,), retry=False)
            for pk in claims.due_keys(Job, MAILS, limit=5):
                run_job.apply_async((pk,), retry=False)
            for pk in claims.due_keys(Job, ~MAILS, limit=5):
                run_job.apply_async((pk,), retry=False, queue=settings.BULK_QUEUE)

    transaction.on_commit(ring, robust=True)
