"""A worker killed with SIGKILL before or after any commit of the state machine: exactly one subaccount all the same."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from accounts import claimed, jobs, provisioning, vendor
from accounts.models import Job, State, Subaccount
from coupontools_api.sandbox import Sandbox
from portal.wording import cause_sentence

pytestmark = pytest.mark.django_db(transaction=True)


def killed_in_a_child(at_commit: int, when: str) -> bool:
    """Takes one step in a forked worker that kills itself at its n-th commit. Whether it came that far."""
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()
    vendor.clients.forget()
    child = os.fork()
    if child == 0:
        commit, seen = BaseDatabaseWrapper.commit, 0

        def deadly(self: BaseDatabaseWrapper) -> None:
            nonlocal seen
            seen += 1
            if seen == at_commit and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            commit(self)
            if seen == at_commit:
                os.kill(os.getpid(), signal.SIGKILL)

        BaseDatabaseWrapper.commit = deadly
        try:
            provisioning.attempt()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at_commit", [1, 2, 3, 4, 5, 6])
def test_a_killed_worker_loses_and_doubles_nothing(
    at_commit: int, when: str, sandbox: Sandbox, bos_subaccount: Subaccount, work: Callable[..., Subaccount]
):
    assert killed_in_a_child(at_commit, when), "the worker took its step in fewer commits than that"
    ended = timezone.now() - timedelta(seconds=1)
    for kind in (Subaccount, Job):
        kind.objects.for_agency(bos_subaccount.agency).exclude(lease_until=None).update(lease_until=ended)

    subaccount = work(bos_subaccount)
    while jobs.run():
        pass

    assert subaccount.state == State.ACTIVE
    assert len(sandbox.effects("subaccount_created")) == 1
    assert subaccount.vendor_id == sandbox.effects("subaccount_created")[0]["subaccount"]
    assert len(sandbox.requests("/v4/subaccount/create")) == 1 if at_commit > 2 else True
    mails = Job.objects.for_agency(bos_subaccount.agency).filter(payload__mail="account_ready")
    assert [row.done_at is None for row in mails] == [False]
    assert len(mail.outbox) == (0 if (at_commit, when) == (6, "after") else 1), "the dead worker's own is not seen here"


def test_a_worker_that_died_in_a_create_is_named_as_the_cause(
    sandbox: Sandbox, bos_subaccount: Subaccount, settings: object
):
    assert killed_in_a_child(3, "after")
    ours = Subaccount.objects.for_agency(bos_subaccount.agency)
    assert ours.get().state == State.CREATING
    ours.update(lease_until=timezone.now() - timedelta(seconds=1))

    provisioning.attempt()

    subaccount = ours.get()
    assert subaccount.state == State.UNCERTAIN
    assert "worker stopped" in cause_sentence(subaccount.cause)


def test_a_worker_that_woke_after_its_lease_cannot_write(sandbox: Sandbox, bos_subaccount: Subaccount):
    """SIGSTOP in the vendor call: another worker has the row by the time the answer is in."""
    step = claimed.Claimed(bos_subaccount, owner="the sleeper")

    with pytest.raises(provisioning.LostClaim):
        step.bind("sub_4711")

    assert Subaccount.objects.for_agency(bos_subaccount.agency).get().vendor_id == ""
