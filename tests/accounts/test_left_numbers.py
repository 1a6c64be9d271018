"""An agency goes over to another vendor account, which may come to the numbers of the one that was left."""

import pytest
from django.db.models import F

from accounts import attention, customer_care, pausing, reviews, vendor_accounts
from accounts.claimed import Claimed
from accounts.claims import claim
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Finding, PanelTask, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import Work, fresh
from tests.accounts.test_reconcile import compare_now, open_findings

pytestmark = pytest.mark.django_db(transaction=True)


def go_over(sandbox: Sandbox, north: Agency, ada: User) -> None:
    sandbox.add_account("foreign-id", "foreign-secret", packages=["pac_1", "pac_2"])
    vendor_accounts.store(north, client_id="foreign-id", client_secret="foreign-secret", acting_user=ada)
    vendor_accounts.check(north, slot=2, acting_user=ada)
    assert vendor_accounts.switch(north, slot=2, acting_user=ada).is_good


@pytest.fixture
def left(sandbox: Sandbox, north: Agency, active: Subaccount, ada: User) -> Subaccount:
    """A closed customer's; its number is what the vendor account that is in use now comes to next."""
    customer_care.close(active.customer, message="", acting_user=ada)
    sandbox.remove_subaccount(active.vendor_id)
    go_over(sandbox, north, ada)
    before = sandbox.add_subaccount("foreign-id", email="somebody@elsewhere.example")
    row = Subaccount.objects.for_agency(north).filter(pk=active.pk)
    row.update(vendor_id=f"sub_{int(before.removeprefix('sub_')) + 1}")
    compare_now(north)
    return fresh(active)


@pytest.fixture
def di(north: Agency, left: Subaccount) -> Subaccount:
    return factories.customer(north, factories.person(north, "di@shop.example")).subaccount


def test_it_stands_in_nobodys_way(sandbox: Sandbox, left: Subaccount, di: Subaccount, work: Work):
    after = work(di)

    assert [effect["subaccount"] for effect in sandbox.effects("subaccount_created")] == [left.vendor_id]
    assert (after.state, after.vendor_id) == (State.ACTIVE, left.vendor_id)
    assert fresh(left).vendor_id == left.vendor_id, "what the customer had is still to be read"


def test_an_account_of_that_number_may_be_linked(
    sandbox: Sandbox, north: Agency, left: Subaccount, di: Subaccount, ada: User, work: Work
):
    there = sandbox.add_subaccount("foreign-id", email="di@shop.example")
    assert there == left.vendor_id
    review = work(di)
    assert (review.state, review.cause) == (State.NEEDS_REVIEW, Cause.EXISTED_BEFORE)

    attention.link(review, vendor_id=there, reason="", acting_user=ada)

    assert (work(review).state, fresh(review).vendor_id) == (State.ACTIVE, there)


def test_an_account_of_that_number_that_is_nobodys_is_listed(sandbox: Sandbox, north: Agency, left: Subaccount):
    sandbox.add_subaccount("foreign-id", email="nobody@elsewhere.example")

    compare_now(north)

    assert (Finding.Kind.UNBOUND, left.vendor_id) in open_findings(north)


def test_a_lost_account_does_not_come_back_as_somebody_elses(
    sandbox: Sandbox, north: Agency, left: Subaccount, di: Subaccount, work: Work
):
    """The lost one was bound under another client id; whoever has its number now keeps it."""
    work(di)
    cy = factories.customer(north, factories.person(north, "cy@shop.example")).subaccount
    row = Subaccount.objects.for_agency(north).filter(pk=cy.pk)
    row.update(state=State.MISSING, vendor_id=left.vendor_id, bound_at=None, email="di@shop.example", cause="")
    taken = claim(Subaccount, pk=cy.pk, related=("agency", "customer__package", "vendor_account__active_credential"))
    assert taken is not None

    reviews.take(Claimed(taken, owner=taken.lease_owner))

    assert (fresh(cy).state, fresh(cy).cause) == (State.MISSING, Cause.OTHER_ACCOUNT)
    assert fresh(di).vendor_id == left.vendor_id


def test_a_pause_ends_only_when_the_list_of_the_account_in_use_was_read(sandbox: Sandbox, north: Agency, ada: User):
    """The differences were read, and then the agency went over: what an operator saw is of what was left."""
    pausing.pause(why=pausing.RESTORED, agency=north)
    compare_now(north)
    seen = VendorAccount.objects.get(agency=north).reconciled_at
    go_over(sandbox, north, ada)
    sandbox.add_subaccount("foreign-id", email="forgotten@shop.example")

    with pytest.raises(NotAllowed):
        pausing.acknowledge(north, seen=seen, acting_user=factories.operator())

    compare_now(north)
    assert len(open_findings(north)) == 1


def test_nobody_is_told_to_delete_what_a_customer_has_by_now(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, bo: User, ada: User, work: Work
):
    """A wish is closed whose address the vendor lists; the same person signs up again, and the account is linked."""
    there = sandbox.add_subaccount("north-id", email="bo@shop.example")
    review = work(bos_subaccount)
    assert (review.state, review.candidates) == (State.NEEDS_REVIEW, [there])
    customer_care.close(review.customer, message="", acting_user=ada)
    tasks = PanelTask.objects.for_agency(north).filter(done_at=None)
    assert [task.data for task in tasks] == [{"unproven": [there]}]
    tasks.update(data={"unproven": [there, "sub_7"]})
    again = work(factories.customer(north, bo).subaccount)

    attention.link(again, vendor_id=there, reason="", acting_user=ada)

    assert work(again).vendor_id == there
    assert [task.data for task in tasks.all()] == [{"unproven": ["sub_7"]}]


def test_what_was_made_and_not_bound_is_to_be_decided_also_at_the_first_comparison(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, work: Work
):
    """Else an agency's own double would be taken for what was there before it came."""
    work(bos_subaccount)
    assert VendorAccount.objects.filter(agency=north, compared_at=None).exists()
    sandbox.add_subaccount("north-id", email="nobody@elsewhere.example")

    compare_now(north)

    assert Finding.objects.for_agency(north).to_decide().count() == 1


def test_what_was_there_before_the_agency_came_is_nobodys_to_decide(sandbox: Sandbox, north: Agency):
    sandbox.add_subaccount("north-id", email="nobody@elsewhere.example")

    compare_now(north)

    assert Finding.objects.for_agency(north).filter(dismissed_at=F("found_at")).count() == 1
