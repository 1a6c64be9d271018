"""Forked workers that are ended, stopped, or given too little of the machine."""

import contextlib
import os
import signal
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, connections

from accounts import clock, jobs, provisioning, vendor
from accounts.models import Agency, Job, Subaccount
from tests.crash import failpoints
from tests.crash.failpoints import Plan


def forked(work: Callable[[], object]) -> int:
    """A child that does this and nothing else; its process number."""
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()
    vendor.clients.forget()
    child = os.fork()
    if child == 0:
        try:
            with contextlib.suppress(BaseException):
                work()
        finally:
            os._exit(0)
    return child


def worker(plan: Plan) -> int:
    """A worker that is killed or stopped where the plan says; one step and all its jobs."""

    def work() -> None:
        failpoints.install()
        failpoints.arm(plan, name="child")
        provisioning.attempt()
        while jobs.run():
            pass

    return forked(work)


def how_it_ended(child: int) -> str:
    """Waits until the child is gone or stopped."""
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return "stopped"
    return "killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else "ended"


def leases_end(agency: Agency) -> None:
    """Time passes: who held a row has lost it, and what waits is due."""
    past = clock.now() - timedelta(seconds=1)
    for kind in (Subaccount, Job):
        kind.objects.for_agency(agency).exclude(lease_until=None).update(lease_until=past)
        kind.objects.for_agency(agency).exclude(run_at=None).update(run_at=past)


def settle(agency: Agency, *, after_each: Callable[[Subaccount], object] = lambda subaccount: None) -> Subaccount:
    """Calm workers, until nothing is left to do; the only subaccount as it stands then, and before and after each."""
    rows = Subaccount.objects.for_agency(agency).select_related("customer__package", "agency", "vendor_account")
    after_each(rows.get())
    for _ in range(60):
        leases_end(agency)
        if not any([*map(vendor.probe, vendor.probes_due()), provisioning.attempt(), jobs.run()]):
            break
        after_each(rows.get())
    return rows.get()
