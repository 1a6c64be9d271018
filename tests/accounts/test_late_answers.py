"""Answers that come when what was asked about is something else by now: they are dropped."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts import attention, jobs, panel, provisioning, vendor
from accounts.errors import NotAllowed
from accounts.models import Campaign, Job, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests.accounts.reading import fresh

pytestmark = pytest.mark.django_db(transaction=True)
Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Does something while the next answer of the vendor is on its way, a refusal too."""

    def arrange(act: Callable[[], Any]) -> None:
        real = vendor.ask

        def ask(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(vendor, "ask", real)
            try:
                return real(*args, **kwargs)
            finally:
                act()

        monkeypatch.setattr(vendor, "ask", ask)

    return arrange


@pytest.fixture
def other(sandbox: Sandbox, active: Subaccount) -> str:
    """Another account, which the customer is going to be bound to."""
    return sandbox.add_subaccount("north-id", email="b@shop.example")


@pytest.fixture
def link(sandbox: Sandbox, active: Subaccount, ada: User, other: str) -> Callable[[], None]:
    """The account of before is gone, somebody found that out, and Ada linked the other one."""

    def do() -> None:
        sandbox.remove_subaccount(active.vendor_id)
        jobs.missing(fresh(active))
        attention.link(fresh(active), vendor_id=other, reason="x", acting_user=ada)
        provisioning.attempt(active.pk)
        Job.objects.for_agency(active.agency).filter(payload__subaccount=active.pk, lease_until=None).update(
            run_at=timezone.now()
        )
        while jobs.run():
            pass

    return do


def refresh(subaccount: Subaccount) -> Job:
    Job.objects.for_agency(subaccount.agency).delete()
    return Job.objects.create(kind=Job.Kind.REFRESH, agency=subaccount.agency, payload={"subaccount": subaccount.pk})


def test_a_late_reading_of_the_account_of_before_is_not_written_over_the_one_of_now(
    sandbox: Sandbox, active: Subaccount, other: str, link: Callable[[], None], meanwhile: Meanwhile
):
    VendorAccount.objects.filter(agency=active.agency).update(reads_statistics=True)
    campaign = sandbox.add_campaign(other, name="Of B")
    job, kept = refresh(active), []

    def link_and_keep() -> None:
        link()
        kept.append(fresh(active).sealed_keys)

    meanwhile(link_and_keep)
    jobs.run(job.pk)

    after = fresh(active)
    assert (after.state, after.vendor_id) == (State.ACTIVE, other)
    assert [found.vendor_id for found in Campaign.objects.for_agency(active.agency)] == [campaign]
    assert [after.sealed_keys] == kept


def test_a_late_word_that_the_account_of_before_is_gone_leaves_the_one_of_now(
    sandbox: Sandbox, active: Subaccount, other: str, link: Callable[[], None], meanwhile: Meanwhile
):
    job = refresh(active)
    sandbox.fault("/v4/subaccount", "status", status=400, codes=[510], times=1)
    meanwhile(link)

    jobs.run(job.pk)

    job.refresh_from_db()
    assert (fresh(active).state, fresh(active).vendor_id) == (State.ACTIVE, other)
    assert job.done_at is not None
    assert Job.objects.for_agency(active.agency).filter(payload__mail="missing").count() == 1, "of the first time"


def test_a_launch_that_comes_too_late_leaves_the_account_of_now(
    sandbox: Sandbox, active: Subaccount, bo: User, other: str, link: Callable[[], None], meanwhile: Meanwhile
):
    sandbox.fault("/v3/subaccount/sso", "status", status=400, codes=[510], times=1)
    meanwhile(link)

    with pytest.raises(NotAllowed):
        panel.open_panel(fresh(active), acting_user=bo)

    assert (fresh(active).state, fresh(active).vendor_id) == (State.ACTIVE, other)
