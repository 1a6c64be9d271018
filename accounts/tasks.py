"""Wake-ups. A task holds no decision: the row says what to do, and a lost or doubled message changes nothing."""

import contextlib

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts import bell, claims, jobs, outages, provisioning, reconcile, vendor, workers
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
    vendor.probe_due()
    jobs.schedule_refreshes()
    reconcile.schedule()
    outages.report(timezone.now())
    for pk in claims.due_keys(Subaccount):
        provision.delay(pk)
    for pk in claims.due_keys(Job):
        run_job.delay(pk)


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
            for pk in claims.due_keys(Job, limit=5):
                run_job.apply_async((pk,), retry=False)

    transaction.on_commit(ring, robust=True)
