"""When the vendor account has to wait: breaker, credentials, 429, budget, turns; and what brings it back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import provisioning, vendor, vendor_accounts
from accounts.errors import NotAllowed
from accounts.models import Cause, Job, State, Subaccount, User, VendorAccount
from coupontools_api.errors import CoupontoolsError, NoAnswer, Throttled, Unauthorized
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import (
    CREATE,
    LIST,
    Work,
    attempt,
    calls,
    customer_reads,
    fresh,
    made,
    probe_due,
    staff_read,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("call", [1, 2], ids=["before the look", "before the create"])
def test_a_revoked_key_makes_everybody_wait_until_it_works_again(
    call: int, sandbox: Sandbox, bos_subaccount: Subaccount, quick: None, settings: Any
):
    settings.BREAKER_PROBE_SECONDS = 60.0
    sandbox.fault(LIST, "revoked", call=call, times=None)
    sandbox.fault(CREATE, "revoked", times=None)

    provisioning.attempt()
    provisioning.attempt()

    subaccount = fresh(bos_subaccount)
    assert (subaccount.state, subaccount.cause, subaccount.attempts) == (State.REQUESTED, Cause.CREDENTIALS, 0)
    assert subaccount.vendor_account.trouble == VendorAccount.Trouble.CREDENTIALS
    assert "refuses your credentials" in staff_read(subaccount)
    assert customer_reads(subaccount) == "This takes longer than usual"
    before = len(sandbox.requests())
    Subaccount.objects.for_agency(subaccount.agency).update(run_at=timezone.now())
    provisioning.attempt()
    assert len(sandbox.requests()) == before, "an open breaker asks nobody"

    sandbox.clear_faults()
    VendorAccount.objects.filter(pk=subaccount.vendor_account_id).update(probe_at=timezone.now())
    assert probe_due() == 1
    Subaccount.objects.for_agency(subaccount.agency).update(run_at=timezone.now())
    provisioning.attempt()
    subaccount.refresh_from_db()
    assert subaccount.state == State.ACTIVE
    assert made(sandbox) == 1


def test_a_429_is_honoured_and_costs_no_attempt(sandbox: Sandbox, bos_subaccount: Subaccount, quick: None):
    sandbox.fault(CREATE, "throttle", retry_after=120)

    provisioning.attempt()

    subaccount = Subaccount.objects.for_agency(bos_subaccount.agency).get()
    assert (subaccount.state, subaccount.cause, subaccount.attempts) == (State.REQUESTED, Cause.VENDOR_THROTTLES, 0)
    assert 118 < (subaccount.run_at - timezone.now()).total_seconds() < 122
    Subaccount.objects.for_agency(subaccount.agency).update(run_at=timezone.now())
    provisioning.attempt()
    assert len(sandbox.requests()) == 2, "nobody is asked before the time is over"


def test_five_failures_in_a_row_open_the_breaker_and_it_burns_no_attempt(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, settings: Any
):
    settings.BREAKER_PROBE_SECONDS = 60.0
    sandbox.fault(LIST, "html", status=500, times=None)

    subaccount = work(bos_subaccount)

    account = VendorAccount.objects.get(agency=bos_subaccount.agency)
    assert account.trouble == VendorAccount.Trouble.UNREACHABLE
    assert (subaccount.state, subaccount.attempts) == (State.REQUESTED, 0)
    assert subaccount.cause == Cause.VENDOR_UNREACHABLE


@pytest.mark.parametrize(
    ("heard", "times", "cause"),
    [
        (Unauthorized(LIST, [101]), 1, Cause.CREDENTIALS),
        (NoAnswer(LIST), 5, Cause.VENDOR_UNREACHABLE),
        (Throttled(LIST, 60), 1, Cause.VENDOR_THROTTLES),
    ],
    ids=str,
)
def test_what_another_process_heard_during_the_look_stops_the_create(
    heard: CoupontoolsError, times: int, cause: Cause, sandbox: Sandbox, bos_subaccount: Subaccount, while_looking: Any
):
    account = VendorAccount.objects.select_related("active_credential").get(agency=bos_subaccount.agency)
    while_looking(lambda: [vendor.learn(account.active_credential, heard) for _ in range(times)])

    provisioning.attempt(bos_subaccount.pk)

    waiting = fresh(bos_subaccount)
    assert (calls(sandbox, CREATE), made(sandbox)) == (0, 0)
    assert (waiting.state, waiting.attempts, waiting.cause) == (State.REQUESTED, 0, cause)


def test_the_daily_budget_stops_creates_and_says_so(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, settings: Any
):
    settings.PROVISIONING_DAILY_CREATES = 0

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.REQUESTED, Cause.DAILY_BUDGET)
    assert calls(sandbox, CREATE) == 0


def test_an_account_without_credentials_waits_visibly(
    sandbox: Sandbox, bos_subaccount: Subaccount, account: VendorAccount, quick: None
):
    VendorAccount.objects.update(active_credential=None)

    provisioning.attempt()

    subaccount = Subaccount.objects.for_agency(bos_subaccount.agency).get()
    assert (subaccount.state, subaccount.cause) == (State.REQUESTED, Cause.NO_VENDOR_ACCOUNT)
    assert sandbox.requests() == []


def test_what_the_vendor_did_not_take_is_not_counted_in_the_budget(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, settings: Any
):
    settings.PROVISIONING_DAILY_CREATES = 1
    sandbox.fault(CREATE, "throttle", retry_after=1, times=2)

    assert work(bos_subaccount).state == State.ACTIVE


@pytest.mark.parametrize("no_pause", [0, None])
def test_a_vendor_that_asks_us_to_slow_down_for_no_time_is_not_asked_again_and_again(
    no_pause: int | None, sandbox: Sandbox, bos_subaccount: Subaccount, quick: None
):
    sandbox.fault(CREATE, "throttle", retry_after=no_pause, times=None)
    before = timezone.now()

    for _ in range(5):
        attempt(bos_subaccount)

    assert calls(sandbox, CREATE) == 1
    paused_for = VendorAccount.objects.get(agency=bos_subaccount.agency).throttled_until - before
    assert paused_for >= timedelta(seconds=vendor.DEFAULT_PAUSE_SECONDS)


def test_agencies_take_turns(sandbox: Sandbox, north: Any, south: Any, quick: None):
    for agency in (north, north, north, south):
        number = User.objects.count()
        factories.customer(agency, factories.person(agency, f"n{number}@shop.example"))

    for _ in range(2):
        provisioning.attempt()

    assert {effect["client_id"] for effect in sandbox.effects("subaccount_created")} == {"north-id", "south-id"}


def test_a_new_secret_for_the_same_client_id_is_used_at_once(
    sandbox: Sandbox, north: Any, bos_subaccount: Subaccount, quick: None
):
    vendor.look(bos_subaccount.vendor_account)  # the client with the old secret is made
    sandbox.add_account("north-id", "a-new-secret", packages=["pac_1", "pac_2"])
    provisioning.attempt()
    assert fresh(bos_subaccount).cause == Cause.CREDENTIALS

    vendor_accounts.connect(north, client_id="north-id", client_secret="a-new-secret")
    probe_due()
    Subaccount.objects.for_agency(north).update(run_at=timezone.now())
    provisioning.attempt()

    assert fresh(bos_subaccount).state == State.ACTIVE
    troubles = Job.objects.for_agency(north).filter(payload__mail="vendor_trouble")
    assert troubles.count() == 1, "staff are told once"


def test_another_vendor_account_is_refused_while_customers_are_bound(sandbox: Sandbox, active: Subaccount):
    with pytest.raises(NotAllowed, match="customers are bound"):
        vendor_accounts.connect(active.agency, client_id="other-id", client_secret="x", slot=2)


def test_at_most_two_creates_of_an_agency_are_in_flight(
    sandbox: Sandbox, north: Any, bos_subaccount: Subaccount, quick: None
):
    for name in ("kim", "lee"):
        other = factories.customer(north, factories.person(north, f"{name}@shop.example")).subaccount
        Subaccount.objects.for_agency(north).filter(pk=other.pk).update(
            state=State.CREATING,
            lease_owner="another worker",
            lease_until=timezone.now() + timedelta(minutes=1),
        )

    provisioning.attempt(bos_subaccount.pk)

    assert calls(sandbox, CREATE) == 0
    bos_subaccount.refresh_from_db()
    assert bos_subaccount.state == State.REQUESTED


def test_credentials_that_do_not_open_wait_visibly(
    sandbox: Sandbox, bos_subaccount: Subaccount, quick: None, settings: Any
):
    settings.SEALING_KEYS = ["b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktMDA="]

    provisioning.attempt()

    assert (fresh(bos_subaccount).state, fresh(bos_subaccount).cause) == (State.REQUESTED, Cause.KEY_GONE)
    assert sandbox.requests() == []


def test_a_fault_of_ours_is_visible_and_tried_again(
    sandbox: Sandbox, bos_subaccount: Subaccount, quick: None, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(vendor, "look", lambda account: 1 / 0)
        assert provisioning.attempt() is True

    subaccount = fresh(bos_subaccount)
    assert (subaccount.state, subaccount.cause, subaccount.lease_owner) == (State.REQUESTED, Cause.OUR_FAULT, "")
    assert "went wrong on our side" in staff_read(subaccount)
    Subaccount.objects.for_agency(subaccount.agency).update(run_at=timezone.now())
    provisioning.attempt()
    assert fresh(bos_subaccount).state == State.ACTIVE
