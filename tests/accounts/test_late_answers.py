"""Answers that come when what was asked about is something else by now: they are dropped."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts import attention, jobs, panel, provisioning, refreshes, vendor, vendor_accounts
from accounts.errors import NotAllowed
from accounts.models import Agency, Campaign, Job, State, Subaccount, User, VendorAccount
from accounts.vendor_accounts import InTheMaking
from coupontools_api.errors import CoupontoolsError
from coupontools_api.sandbox import Sandbox
from tests.accounts.reading import LIST, fresh, in_other_hands

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
        refreshes.missing(fresh(active))
        attention.link(fresh(active), vendor_id=other, reason="x", acting_user=ada)
        provisioning.attempt(active.pk)
        Job.objects.for_agency(active.agency).filter(payload__subaccount=active.pk, lease_until=None).update(
            run_at=timezone.now()
        )
        while jobs.run():
            pass

    return do


@pytest.fixture
def foreign(sandbox: Sandbox, north: Agency, ada: User) -> None:
    """The pair of another vendor account, which has an account with Bo's address, is stored and checked."""
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1"])
    sandbox.add_subaccount("foreign-id", email="bo@shop.example")
    vendor_accounts.store(north, client_id="foreign-id", client_secret="foreign-secret", acting_user=ada)
    vendor_accounts.check(north, slot=2, acting_user=ada)


def account_of(agency: Agency) -> VendorAccount:
    return VendorAccount.objects.select_related("active_credential").get(agency=agency)


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


def test_nobody_shares_a_look_that_was_made_with_the_pair_of_before(
    sandbox: Sandbox, north: Agency, ada: User, foreign: None
):
    def look(account: VendorAccount) -> list[str]:
        try:
            return [line.email for line in vendor.look(account)]
        finally:
            connections.close_all()

    before = account_of(north)
    sandbox.fault(LIST, "slow_drip", seconds=1.2, interval=0.1, client_id="north-id", times=1)
    with ThreadPoolExecutor(8) as pool:
        old = []
        for _ in range(6):  # one asks, the others wait for a later one
            old.append(pool.submit(look, before))
            time.sleep(0.05)
        vendor_accounts.switch(north, slot=2, acting_user=ada)
        new = pool.submit(look, account_of(north))

    assert [found.result() for found in old] == [[]] * 6
    assert new.result() == ["bo@shop.example"]
    assert [key[0] for key in vendor._looks].count(before.pk) == 1


def test_what_was_seen_in_another_vendor_account_is_forgotten_at_the_switch(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount, foreign: None
):
    Subaccount.objects.for_agency(north).update(first_look="absent", first_look_at=timezone.now())

    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good

    assert (fresh(bos_subaccount).first_look, fresh(bos_subaccount).first_look_at) == ("", None)
    provisioning.attempt(bos_subaccount.pk)
    assert fresh(bos_subaccount).first_look == "present"


def test_what_the_vendor_account_of_before_asked_us_to_wait_is_over_at_the_switch(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount, foreign: None
):
    VendorAccount.objects.filter(agency=north).update(throttled_until=timezone.now() + timedelta(hours=1))

    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good

    provisioning.attempt(bos_subaccount.pk)
    assert fresh(bos_subaccount).first_look == "present"


def test_a_look_that_is_under_way_at_the_switch_is_dropped(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount, foreign: None, meanwhile: Meanwhile
):
    meanwhile(lambda: vendor_accounts.switch(north, slot=2, acting_user=ada))

    provisioning.attempt(bos_subaccount.pk)
    assert fresh(bos_subaccount).first_look == ""

    provisioning.attempt(bos_subaccount.pk)
    assert fresh(bos_subaccount).first_look == "present"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
def test_nothing_is_switched_while_a_worker_claims_one_that_waits(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount, foreign: None
):
    Subaccount.objects.for_agency(north).update(first_look="absent")

    with in_other_hands(bos_subaccount), pytest.raises(InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)

    assert account_of(north).active_credential.client_id == "north-id"
    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good


def test_a_new_secret_of_the_same_vendor_account_forgets_nothing(north: Agency, bos_subaccount: Subaccount):
    Subaccount.objects.for_agency(north).update(first_look="absent", first_look_at=timezone.now())

    vendor_accounts.connect(north, client_id="north-id", client_secret="a-new-secret")

    assert fresh(bos_subaccount).first_look == "absent"


def test_what_the_pair_of_before_is_told_after_the_switch_does_not_touch_the_breaker(
    sandbox: Sandbox, north: Agency, ada: User, foreign: None
):
    before = account_of(north)
    vendor_accounts.switch(north, slot=2, acting_user=ada)

    for kind, facts in (("revoked", {}), ("throttle", {"retry_after": 60}), *[("html", {"status": 500})] * 5):
        sandbox.fault(LIST, kind, client_id="north-id", times=None, **facts)
        with pytest.raises(CoupontoolsError):
            vendor.look(before)
        sandbox.clear_faults()

    now = account_of(north)
    assert (now.trouble, now.recent_failures, now.throttled_until) == ("", 0, None)
    assert not Job.objects.for_agency(north).filter(payload__mail="vendor_trouble").exists()


def test_an_answer_to_the_pair_of_before_does_not_close_the_breaker_of_the_one_in_use(
    sandbox: Sandbox, north: Agency, ada: User, foreign: None
):
    VendorAccount.objects.filter(agency=north).update(recent_failures=1)  # else a good answer says nothing new
    before = account_of(north)
    vendor_accounts.switch(north, slot=2, acting_user=ada)
    VendorAccount.objects.filter(agency=north).update(trouble="credentials", trouble_since=timezone.now())

    vendor.look(before)

    assert account_of(north).trouble == "credentials"
