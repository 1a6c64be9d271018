"""Wake-ups. A task holds no decision: the row says what to do, and a lost or doubled message changes nothing."""

import contextlib
from itertools import zip_longest
from typing import Any

from celery import current_app, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts import claims, clock, jobs, outages, provisioning, reconcile, vendor, workers
from accounts.models import Job, Subaccount


@shared_task
def provision(pk: int) -> None:
    provisioning.attempt(pk)
    wake()  # for the mail and the refresh that a new subaccount brings


@shared_task
def run_job(pk: int) -> None:
    jobs.run(pk)


@shared_task
def sweep() -> None:
    """Rings for everything that is due: what a lost message, a restart or a wait has left."""
    workers.beat(workers.name_of_this("celery"))
    ring_for_due(waiting=_waiting())  # first: a vendor that does not answer a probe takes its time
    vendor.probe_due()
    jobs.schedule_refreshes()
    reconcile.schedule()
    outages.report(clock.now())


def ring_for_due(*, waiting: int) -> int:
    """Rings for as many due rows as have no message that waits. Returns for how many.

    Which row a waiting message is for nobody knows, but each is worked off: a slow pool's queue is never longer than
    what is due, and a lost message is missed as soon as the others are gone.
    """
    jobs_due = [(run_job, pk) for pk in claims.due_keys(Job)]
    wishes_due = [(provision, pk) for pk in claims.due_keys(Subaccount)]
    # One of each in turn: neither kind stands before the other.
    bells = [bell for pair in zip_longest(jobs_due, wishes_due) for bell in pair if bell is not None]
    bells = bells[: max(0, len(bells) - waiting)]
    for task, pk in bells:
        task.delay(pk)
    return len(bells)


def _waiting() -> int:
    """How many messages wait in the broker; 0 where it cannot say."""
    if not settings.BROKER_URL:
        return 0
    broker = current_app.connection_for_read()
    with broker, contextlib.suppress(OperationalError, *broker.connection_errors, *broker.channel_errors):
        broker.ensure_connection(max_retries=1)
        channel: Any = broker.channel()
        found = channel.queue_declare(current_app.conf.task_default_queue, passive=True)
        return int(found.message_count)
    return 0


def wake(subaccount: Subaccount | None = None) -> None:
    """Rings the bell after the commit, where there is a broker. Embedded, the worker looks by itself."""
    if not settings.BROKER_URL:
        return

    def ring() -> None:
        # A broker that is down must not turn a saved change into an error: the sweep finds the row.
        with contextlib.suppress(OperationalError):
            if subaccount is not None:
                provision.apply_async((subaccount.pk,), retry=False)
            for pk in claims.due_keys(Job, limit=5):
                run_job.apply_async((pk,), retry=False)

    transaction.on_commit(ring, robust=True)
