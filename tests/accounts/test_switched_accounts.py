"""What waits while the agency goes over to another client id: numbers of before may be somebody else's there."""

import pytest
from django.utils import timezone

from accounts import attention, refreshes, vendor_accounts
from accounts.models import Agency, Cause, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from portal import wording_console
from tests.accounts.reading import attempt, fresh

pytestmark = pytest.mark.django_db(transaction=True)


def switch(agency: Agency, ada: User) -> None:
    """To the pair of another vendor account."""
    vendor_accounts.store(agency, client_id="foreign-id", client_secret="foreign-secret", acting_user=ada)
    vendor_accounts.check(agency, slot=2, acting_user=ada)
    assert vendor_accounts.switch(agency, slot=2, acting_user=ada).is_good


@pytest.fixture
def lost(sandbox: Sandbox, active: Subaccount) -> Subaccount:
    """Bo's account is gone at the vendor, and somebody found that out."""
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1"])
    sandbox.remove_subaccount(active.vendor_id)
    refreshes.missing(fresh(active))
    return fresh(active)


def number_there(sandbox: Sandbox, lost: Subaccount, *, email: str) -> str:
    """The other vendor account has an account of the very number that was lost here."""
    number = sandbox.add_subaccount("foreign-id", email=email)
    Subaccount.objects.for_agency(lost.agency).filter(pk=lost.pk).update(vendor_id=number)
    return number


def test_a_lost_account_does_not_come_back_as_somebody_elses_of_its_number(
    sandbox: Sandbox, north: Agency, ada: User, lost: Subaccount
):
    number = number_there(sandbox, lost, email="stranger@elsewhere.example")
    switch(north, ada)

    after = attempt(lost)

    assert (after.state, after.cause) == (State.MISSING, Cause.OTHER_ACCOUNT)
    assert "does not exist" not in wording_console.what_happened(after)
    assert "another e-mail address" in wording_console.what_happened(after)
    attention.dismiss(after, acting_user=ada)
    assert attempt(lost).dismissed_at is not None, "nothing has changed since"
    sandbox.remove_subaccount(number)
    assert "does not exist" in wording_console.what_happened(attempt(lost))


def test_a_lost_account_comes_back_in_another_vendor_account_if_its_address_is_the_same(
    sandbox: Sandbox, north: Agency, ada: User, lost: Subaccount
):
    number_there(sandbox, lost, email="Bo@Shop.example")
    switch(north, ada)
    before = timezone.now()

    after = attempt(lost)

    assert after.state == State.ACTIVE
    assert after.bound_at >= before


def test_an_owner_may_say_that_it_is_theirs_all_the_same(sandbox: Sandbox, north: Agency, ada: User, lost: Subaccount):
    number = number_there(sandbox, lost, email="new-owner@shop.example")
    switch(north, ada)
    assert attempt(lost).state == State.MISSING

    attention.link(fresh(lost), vendor_id=number, reason="They told us", acting_user=ada)

    assert attempt(lost).state == State.ACTIVE


def test_a_link_that_was_chosen_under_the_client_id_of_before_is_not_made_under_another_one(
    sandbox: Sandbox, north: Agency, ada: User, lost: Subaccount
):
    number = number_there(sandbox, lost, email="stranger@elsewhere.example")
    attention.link(fresh(lost), vendor_id=number, reason="Seen in the list of before", acting_user=ada)
    switch(north, ada)

    after = attempt(lost)

    assert (after.state, after.wanted_vendor_id, after.wanted_in_spite) == (State.MISSING, "", False)


def test_a_wish_that_was_to_be_linked_is_looked_for_under_the_other_client_id(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount
):
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1"])
    theirs = sandbox.add_subaccount("foreign-id", email="stranger@elsewhere.example")
    Subaccount.objects.for_agency(north).update(state=State.NEEDS_REVIEW, cause=Cause.NOTHING_LISTED, run_at=None)
    attention.link(fresh(bos_subaccount), vendor_id=theirs, reason="Seen before", acting_user=ada)
    switch(north, ada)

    after = attempt(bos_subaccount)

    assert (after.state, after.vendor_id, after.cause) == (State.NEEDS_REVIEW, "", Cause.NOTHING_LISTED)


def test_without_a_switch_the_number_is_enough(sandbox: Sandbox, north: Agency, active: Subaccount):
    """The vendor's people may change an address; what is bound goes by its number."""
    sandbox.fault("/v4/subaccount", "status", status=400, codes=[510], times=1)
    refreshes.missing(fresh(active))
    Subaccount.objects.for_agency(north).filter(pk=active.pk).update(email="before@shop.example")

    assert attempt(active).state == State.MISSING
    assert attempt(active).state == State.ACTIVE
