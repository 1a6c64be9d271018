"""What waits while the agency goes over to another client id: numbers of before may be somebody else's there."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import attention, customer_care, jobs, provisioning, reconcile, refreshes, vendor, vendor_accounts
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Finding, Job, State, Subaccount, User, VendorAccount
from accounts.vendor_accounts import InTheMaking
from coupontools_api.sandbox import Sandbox
from portal import wording_console
from tests import factories
from tests.accounts.reading import attempt, fresh
from tests.accounts.test_vendor_accounts import NEW, account_of, in_use, same_account

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


def test_another_vendor_account_with_the_same_numbers_is_not_taken_for_this_one(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    """Each counts from one: a launch would open a stranger's panel."""
    same_account(sandbox, active, email="stranger@elsewhere.example")
    vendor_accounts.store(north, acting_user=ada, **NEW)

    found = vendor_accounts.check(north, slot=2, acting_user=ada)

    assert (found.outcome, found.missing) == ("misses_customers", 1)
    with pytest.raises(NotAllowed):
        vendor_accounts.switch(north, slot=2, acting_user=ada)
    assert in_use(north) == 1


def test_an_address_that_was_changed_in_the_panel_stops_no_switch(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    same_account(sandbox, active, email="bo@renamed.example")
    other = factories.activate(factories.customer(north, factories.person(north)), None)
    sandbox.add_subaccount("north-id-2", email=other.email, ID=other.vendor_id)
    vendor_accounts.store(north, acting_user=ada, **NEW)

    assert vendor_accounts.check(north, slot=2, acting_user=ada).is_good


def test_one_address_of_three_does_not_show_that_it_is_the_same_account(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    same_account(sandbox, active)
    for _ in range(2):
        other = factories.activate(factories.customer(north, factories.person(north)), None)
        sandbox.add_subaccount("north-id-2", email="stranger@elsewhere.example", ID=other.vendor_id)
    vendor_accounts.store(north, acting_user=ada, **NEW)

    found = vendor_accounts.check(north, slot=2, acting_user=ada)

    assert (found.outcome, found.missing) == ("misses_customers", 2)


def test_a_lost_account_that_is_found_again_while_the_switch_asks_keeps_it_back(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    """Its number is of the present vendor account, and was not looked for in the other one."""
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1"])
    refreshes.missing(fresh(active))
    vendor_accounts.store(north, client_id="foreign-id", client_secret="foreign-secret", acting_user=ada)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    absent = vendor_accounts._absent

    def absent_then_found(*asked: Any) -> list[int]:
        found = absent(*asked)
        assert attempt(active).state == State.ACTIVE
        return found

    monkeypatch.setattr(vendor_accounts, "_absent", absent_then_found)

    with pytest.raises(InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)

    assert in_use(north) == 1


def test_what_the_pair_of_before_was_told_takes_no_account_away(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    same_account(sandbox, active)  # the vendor has moved it there
    vendor_accounts.store(north, acting_user=ada, **NEW)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    ask = vendor.ask

    def ask_and_switch(*asked: Any, **how: Any) -> Any:
        try:
            return ask(*asked, **how)
        finally:
            assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good

    monkeypatch.setattr(vendor, "ask", ask_and_switch)
    Job.objects.for_agency(north).delete()
    refreshes.put(active)

    assert jobs.run()

    assert fresh(active).state == State.ACTIVE


def test_the_list_of_the_pair_of_before_is_compared_with_nothing(
    sandbox: Sandbox, north: Agency, ada: User, while_looking: Any
):
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1"])
    sandbox.add_subaccount("north-id", email="nobodys@shop.example")
    while_looking(lambda: switch(north, ada))
    reconcile.put(account_of(north))

    assert jobs.run()

    assert not Finding.objects.for_agency(north).exists()
    assert Job.objects.for_agency(north).get(kind=Job.Kind.RECONCILE).run_at is not None
    while_looking(lambda: None)
    reconcile.run(north)
    assert account_of(north).reconciled_at is not None


def refused(account: VendorAccount) -> None:
    """Its pair was revoked: what is in the making cannot be looked for."""
    VendorAccount.objects.filter(pk=account.pk).update(trouble="credentials", trouble_since=timezone.now())


def test_a_pair_that_was_revoked_is_replaced_though_an_account_is_in_the_making(
    sandbox: Sandbox, north: Agency, ada: User, active: Subaccount
):
    """The new pair lists the customer that the old one made: it is the same vendor account."""
    kim = factories.customer(north, factories.person(north, "kim@shop.example")).subaccount
    sandbox.fault("/v4/subaccount/create", "reset_after")
    provisioning.attempt(kim.pk)
    (made,) = [row["ID"] for row in sandbox.subaccounts("north-id") if row["email"] == "kim@shop.example"]
    same_account(sandbox, active)
    sandbox.remove_subaccount(made)
    sandbox.add_subaccount("north-id-2", email="kim@shop.example", ID=made)
    vendor_accounts.store(north, acting_user=ada, **NEW)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    with pytest.raises(InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)
    refused(account_of(north))

    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good

    VendorAccount.objects.update(trouble="")
    Subaccount.objects.for_agency(north).filter(pk=kim.pk).update(run_at=timezone.now())
    provisioning.attempt(kim.pk)
    kim.refresh_from_db()
    assert (kim.state, kim.vendor_id) == (State.ACTIVE, made), "what was seen of it before the switch holds"


def test_a_pair_that_was_revoked_before_the_first_customer_is_replaced_once_the_wish_is_given_up(
    sandbox: Sandbox, north: Agency, ada: User, bos_subaccount: Subaccount, settings: Any
):
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    sandbox.fault("/v4/subaccount/create", "reset_after")
    provisioning.attempt(bos_subaccount.pk)
    refused(account_of(north))
    vendor_accounts.store(north, acting_user=ada, **NEW)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    with pytest.raises(InTheMaking):
        vendor_accounts.switch(north, slot=2, acting_user=ada)
    with pytest.raises(NotAllowed, match="being made"):
        customer_care.close(bos_subaccount.customer, message="Sorry", acting_user=ada)

    long_ago = timezone.now() - timedelta(seconds=settings.PROVISIONING_QUARANTINE_SECONDS + 1)
    Subaccount.objects.for_agency(north).update(uncertain_since=long_ago)
    customer_care.close(bos_subaccount.customer, message="Sorry", acting_user=ada)

    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good


@pytest.mark.parametrize(
    ("state", "trouble"), [(State.CREATING, "credentials"), (State.UNCERTAIN, ""), (State.UNCERTAIN, "unreachable")]
)
def test_a_wish_that_will_be_looked_for_is_not_given_up(
    state: State, trouble: str, north: Agency, ada: User, bos_subaccount: Subaccount
):
    long_ago = timezone.now() - timedelta(days=30)
    Subaccount.objects.for_agency(north).update(state=state, uncertain_since=long_ago)
    VendorAccount.objects.filter(agency=north).update(trouble=trouble)

    with pytest.raises(NotAllowed, match="being made"):
        customer_care.close(bos_subaccount.customer, message="Sorry", acting_user=ada)
