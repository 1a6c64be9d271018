"""From wish to subaccount, over real sockets, with the sandbox's ledger as the judge of what really happened."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import adoption, provisioning, refreshes, vendor, vendor_accounts
from accounts.models import Campaign, Cause, Event, State, Subaccount, VendorAccount
from coupontools_api.sandbox import Sandbox
from coupontools_api.subaccounts import ListedSubaccount
from tests import factories
from tests.accounts.reading import CREATE, LIST, Work, calls, customer_reads, fresh, made, staff_read

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_makes_one_subaccount_with_all_that_was_asked(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    subaccount = work(bos_subaccount)

    assert subaccount.state == State.ACTIVE
    [created] = sandbox.effects("subaccount_created")
    assert subaccount.vendor_id == created["subaccount"]
    customer = subaccount.customer
    expiry = timezone.now().date() + timedelta(days=14)
    assert {name: created[name] for name in ("email", "package", "status", "first_name", "last_name")} == {
        "email": "bo@shop.example",
        "package": "pac_1",
        "status": "trial",
        "first_name": "Bo",
        "last_name": customer.last_name,
    }
    assert (created["country"], created["company_name"]) == ("NL", "Bo's Bakery")
    assert created["expiry_date"] == expiry.isoformat()
    assert customer.trial_ends_on == expiry
    assert sandbox.requests(CREATE)[0].arguments["password_given"] is True
    assert sandbox.effects("password_mail") == []
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (1, 1)


def test_it_sends_no_expiry_date_where_the_package_sets_none(sandbox: Sandbox, north: Any, bo: Any, work: Work):
    plus = north.packages.get(name="Plus")
    subaccount = work(factories.customer(north, bo, package=plus).subaccount)

    [created] = sandbox.effects("subaccount_created")
    assert not created.get("expiry_date")
    assert created["status"] == "customer"
    assert subaccount.customer.trial_ends_on is None


def test_it_mails_the_customer_and_reads_the_campaigns_afterwards(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work
):
    work(bos_subaccount)

    assert [message.to for message in mail.outbox] == [["bo@shop.example"]]
    assert Campaign.objects.for_agency(bos_subaccount.agency).count() == 0
    assert Subaccount.objects.for_agency(bos_subaccount.agency).get().refreshed_at is not None


def test_a_wrong_id_in_the_answer_that_was_listed_before_is_never_bound(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work
):
    other = sandbox.add_subaccount("north-id", email="other@shop.example")
    sandbox.fault(CREATE, "wrong_id", id=other)

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause, subaccount.vendor_id) == (State.NEEDS_REVIEW, Cause.CONTRADICTION, "")
    assert customer_reads(subaccount) == "We need a moment with a person"
    assert "not known to be theirs" in staff_read(subaccount)


def test_an_id_without_an_address_is_read_before_it_is_bound(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.settings(saved_address=False)

    subaccount = work(bos_subaccount)

    [created] = sandbox.effects("subaccount_created")
    assert (subaccount.state, subaccount.vendor_id) == (State.ACTIVE, created["subaccount"])
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (1, 1)


@pytest.mark.parametrize("whose", ["nobody's", "somebody else's"])
def test_an_id_that_is_not_of_our_address_is_not_bound(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, whose: str
):
    sandbox.settings(saved_address=False)
    sandbox.fault(LIST, "stale_list", times=1, seconds=3600)
    told = "sub_424242" if whose == "nobody's" else sandbox.add_subaccount("north-id", email="other@shop.example")
    sandbox.fault(CREATE, "wrong_id", id=told)

    subaccount = work(bos_subaccount)

    [created] = sandbox.effects("subaccount_created")
    assert (subaccount.state, subaccount.vendor_id) == (State.ACTIVE, created["subaccount"])
    assert calls(sandbox, CREATE) == 1


def test_what_a_create_told_and_no_list_shows_waits_for_a_person(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work
):
    """It may be ours under another spelling: another create could double it."""
    sandbox.settings(saved_address=False)
    sandbox.fault(LIST, "stale_list", times=50, seconds=3600)
    sandbox.fault(CREATE, "wrong_id", id="sub_424242")

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.CONTRADICTION)
    assert subaccount.candidates == ["sub_424242"]
    assert calls(sandbox, CREATE) == 1


def test_a_look_counts_only_for_the_pair_that_it_was_made_with(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, monkeypatch: pytest.MonkeyPatch
):
    """Another vendor account's keys are stored in the same place between look and create."""
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1", "pac_2"])
    look, looked = vendor.look, []

    def look_and_store(account: VendorAccount) -> Any:
        listing = look(account)
        if not looked:
            vendor_accounts.connect(bos_subaccount.agency, client_id="north-id-2", client_secret="another-secret")
        looked.append(account.active_credential.client_id)
        return listing

    monkeypatch.setattr(vendor, "look", look_and_store)

    subaccount = work(bos_subaccount)

    assert looked == ["north-id", "north-id-2"]
    assert subaccount.state == State.ACTIVE
    assert [effect["client_id"] for effect in sandbox.effects("subaccount_created")] == ["north-id-2"]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("bo@straße.example", "bo@strasse.example"), ("boſs@shop.example", "boss@shop.example")]
)
def test_addresses_are_the_same_but_for_case_and_no_letter_is_folded(ours: str, theirs: str):
    listing = [ListedSubaccount("sub_1", theirs)]
    asked = {"had_unknown_outcome": True, "was_present_at_first": False, "bound_elsewhere": set()}

    assert adoption.judge(email=ours, listing=listing, **asked).cause == Cause.LISTED_ALMOST
    assert adoption.judge(email=theirs.upper(), listing=listing, **asked).bind == "sub_1"


def test_a_list_that_is_not_whole_proves_no_absence(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    """Should the vendor have pages after all: nothing is made as long as the answer itself counts more."""
    sandbox.settings(subaccount_page_size=2)
    for number in range(5):
        sandbox.add_subaccount("north-id", email=f"n{number}@shop.example")

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.REQUESTED, Cause.VENDOR_UNREACHABLE)
    assert calls(sandbox, CREATE) == 0


def test_an_address_that_was_there_before_waits_for_a_person(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.add_subaccount("north-id", email="BO@shop.example")

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.EXISTED_BEFORE)
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (1, 0)
    assert customer_reads(subaccount) == "We need a moment with a person"
    assert "there before the sign-up" in staff_read(subaccount)
    assert [message.to for message in mail.outbox] == [["owner@north.example"]]


def test_an_address_taken_outside_our_list_waits_for_a_person(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.fault(CREATE, "email_taken", times=None)

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.EMAIL_TAKEN_ELSEWHERE)
    assert subaccount.cause_codes == [304]
    assert (calls(sandbox, LIST), calls(sandbox, CREATE)) == (2, 1)
    assert staff_read(subaccount).endswith("(304)")
    assert "304" not in customer_reads(subaccount)


def test_an_account_that_somebody_made_meanwhile_is_not_taken(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.add_subaccount("north-id", email="bo@shop.example")
    sandbox.fault(LIST, "stale_list", seconds=3600)

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.APPEARED_MEANWHILE)
    assert made(sandbox) <= 1
    assert subaccount.vendor_id == ""


def test_304_after_our_own_unknown_attempt_is_ours(sandbox: Sandbox, bos_subaccount: Subaccount, quick: None):
    """The first attempt takes effect only after both looks: the second hears 304, and the next look finds it."""
    sandbox.fault(CREATE, "reset_before")
    for _ in range(3):
        provisioning.attempt()  # the attempt, and two looks that find nothing
    assert fresh(bos_subaccount).state == State.REQUESTED
    sandbox.fault(CREATE, "email_taken")
    provisioning.attempt()
    assert (fresh(bos_subaccount).state, fresh(bos_subaccount).cause) == (State.UNCERTAIN, Cause.EMAIL_TAKEN)
    late = sandbox.add_subaccount("north-id", email="bo@shop.example")

    provisioning.attempt()

    assert (fresh(bos_subaccount).state, fresh(bos_subaccount).vendor_id) == (State.ACTIVE, late)
    assert calls(sandbox, CREATE) == 2


def test_a_late_effect_within_the_quarantine_is_adopted(
    sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, settings: Any
):
    settings.PROVISIONING_QUARANTINE_SECONDS = 1.5
    sandbox.settings(email_unique="none")
    sandbox.fault(CREATE, "late_effect", seconds=1, then="reset")

    subaccount = work(bos_subaccount)

    assert subaccount.state == State.ACTIVE
    assert (made(sandbox), calls(sandbox, CREATE)) == (1, 1)


def test_absence_needs_the_quarantine_and_two_looks(sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any):
    settings.VENDOR_DEADLINE_SECONDS = 1.0
    sandbox.fault(CREATE, "reset_before")
    provisioning.attempt()
    subaccount = Subaccount.objects.for_agency(bos_subaccount.agency).get()

    looks = []
    while subaccount.state == State.UNCERTAIN and len(looks) < 10:
        since = subaccount.uncertain_since
        looks.append(round((subaccount.run_at - since).total_seconds()))
        # The clock moves on by moving the row back.
        back = subaccount.run_at - timezone.now()
        shifted = {
            name: getattr(subaccount, name) - back
            for name in ("uncertain_since", "run_at", "looked_at")
            if getattr(subaccount, name)
        }
        Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk).update(**shifted)
        provisioning.attempt()
        subaccount.refresh_from_db()

    assert looks == [5, 30, 120, 180]
    assert subaccount.state == State.REQUESTED
    assert calls(sandbox, CREATE) == 1


def test_an_invalid_address_is_said_at_once(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.fault(CREATE, "status", status=422, codes=[305])

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.EMAIL_INVALID)
    assert calls(sandbox, CREATE) == 1


def test_a_refused_package_is_held_and_other_packages_go_on(
    sandbox: Sandbox, north: Any, bos_subaccount: Subaccount, work: Work
):
    sandbox.fault(CREATE, "status", status=422, codes=[302])
    refused = work(bos_subaccount)
    kim = factories.person(north, "kim@shop.example")
    other = work(factories.customer(north, kim).subaccount)

    assert (refused.state, refused.cause, refused.cause_codes) == (State.NEEDS_REVIEW, Cause.PACKAGE_REFUSED, [302])
    assert refused.customer.package.refused_at is not None
    assert other.state == State.ACTIVE


def test_an_unknown_code_is_held_and_never_taken_for_success(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    sandbox.fault(CREATE, "status", status=200, codes=[999])

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause_codes) == (State.NEEDS_REVIEW, [999])
    assert calls(sandbox, CREATE) == 1


def test_attempts_end_with_a_person(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work, settings: Any):
    settings.PROVISIONING_ATTEMPTS = 2
    sandbox.fault(CREATE, "reset_before", times=None)

    subaccount = work(bos_subaccount)

    assert (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.ATTEMPTS_USED_UP)
    assert (calls(sandbox, CREATE), made(sandbox)) == (2, 0)


def test_a_second_wish_for_the_same_address_waits_for_the_first(
    sandbox: Sandbox, north: Any, bo: Any, bos_subaccount: Subaccount, quick: None
):
    second = factories.customer(north, bo).subaccount
    Subaccount.objects.for_agency(north).filter(pk=bos_subaccount.pk).update(state=State.UNCERTAIN, run_at=None)

    provisioning.attempt(second.pk)

    assert calls(sandbox, CREATE) == 0


def test_what_is_bound_to_one_customer_is_never_bound_to_another(
    sandbox: Sandbox, north: Any, bo: Any, bos_subaccount: Subaccount, work: Work
):
    work(bos_subaccount)
    second = work(factories.customer(north, bo).subaccount)

    assert (second.state, second.cause) == (State.NEEDS_REVIEW, Cause.BOUND_ELSEWHERE)
    assert made(sandbox) == 1


def test_nothing_is_asked_before_the_mailbox_is_proven(sandbox: Sandbox, north: Any, bo: Any, work: Work):
    subaccount = work(factories.customer(north, bo, proven=False).subaccount)

    assert subaccount.state == State.AWAITING_EMAIL
    assert sandbox.requests() == []


def test_an_agency_that_approves_is_asked_first(sandbox: Sandbox, north: Any, bo: Any, work: Work):
    north.approval_required = True
    north.save()
    subaccount = work(factories.customer(north, bo).subaccount)

    assert subaccount.state == State.AWAITING_APPROVAL
    assert sandbox.requests() == []
    assert customer_reads(subaccount) == "We look at your sign-up"


def test_a_subaccount_that_the_vendor_lost_is_missing_and_not_made_again(
    sandbox: Sandbox, active: Subaccount, work: Work
):
    sandbox.remove_subaccount(active.vendor_id)
    refreshes.put(active, after=timedelta(seconds=-120))

    subaccount = work(active)

    assert subaccount.state == State.MISSING
    assert made(sandbox) == 0
    assert mail.outbox[-1].to == ["owner@north.example"]


def test_the_campaigns_are_kept_as_the_vendor_last_listed_them(sandbox: Sandbox, active: Subaccount, work: Work):
    first = Campaign.objects.for_agency(active.agency).count()
    sandbox.add_campaign(active.vendor_id, name="Autumn", status="active")
    refreshes.put(active, after=timedelta(seconds=-120))

    work(active)

    assert first == 2
    assert Campaign.objects.for_agency(active.agency).count() == 3


def test_every_move_is_an_event_with_ids_only(sandbox: Sandbox, bos_subaccount: Subaccount, work: Work):
    work(bos_subaccount)

    events = Event.objects.for_agency(bos_subaccount.agency).filter(kind__startswith="subaccount.").order_by("pk")
    assert [event.kind for event in events] == [
        "subaccount.requested",
        "subaccount.creating",
        "subaccount.active",
    ]
    assert "bo@shop.example" not in str([event.data for event in events])


def test_the_database_is_asked_to_be_durable():
    opened = connection.get_new_connection(connection.get_connection_params())  # before the tests have their say
    is_sqlite = connection.vendor == "sqlite"
    with contextlib.closing(opened):
        asked = opened.execute("PRAGMA synchronous" if is_sqlite else "SHOW synchronous_commit")

        assert asked.fetchone()[0] == (2 if is_sqlite else "on")
