"""What is decided by a number of the vendor's, or by a day's number, leaves the neighbours of other agencies alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import attention, customer_care, reconcile
from accounts.models import (
    Agency,
    Cause,
    Event,
    Finding,
    Job,
    PanelTask,
    State,
    Subaccount,
    User,
    VendorAccount,
)
from accounts.provisioning import _Step
from coupontools_api.sandbox import Sandbox
from portal import wording_console
from tests import factories
from tests.accounts.reading import Work, fresh
from tests.accounts.test_left_numbers import go_over

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def theirs(south: Agency, cy: User) -> Subaccount:
    """A wish of another agency."""
    return factories.customer(south, cy, company_name="Cy's").subaccount


def put(row: Subaccount, **changes: Any) -> Subaccount:
    Subaccount.objects.for_agency(row.agency).filter(pk=row.pk).update(**changes)
    return fresh(row)


def test_a_choice_is_made_of_ones_own_agencys_row(south: Agency, bos_subaccount: Subaccount, ada: User):
    row = put(bos_subaccount, state=State.NEEDS_REVIEW, cause=Cause.REFUSED)
    row.agency = south

    with pytest.raises(Subaccount.DoesNotExist):
        attention.dismiss(row, acting_user=ada)


def test_a_task_of_another_agency_about_the_same_number_stays(
    sandbox: Sandbox, theirs: Subaccount, bos_subaccount: Subaccount, ada: User, work: Work
):
    there = sandbox.add_subaccount("north-id", email="bo@shop.example")
    task = PanelTask.objects.create(
        agency=theirs.agency, customer=theirs.customer, kind=PanelTask.Kind.DELETE, data={"unproven": [there]}
    )
    attention.link(work(bos_subaccount), vendor_id=there, reason="", acting_user=ada)

    assert work(bos_subaccount).vendor_id == there
    assert PanelTask.objects.for_agency(theirs.agency).get(pk=task.pk).data == {"unproven": [there]}


def test_a_lost_account_comes_back_whoever_has_its_number_elsewhere(
    active: Subaccount, theirs: Subaccount, ada: User, work: Work
):
    put(theirs, state=State.ACTIVE, vendor_id=active.vendor_id, bound_at=timezone.now())
    lost = put(active, state=State.MISSING)

    attention.look(lost, acting_user=ada)

    assert work(lost).state == State.ACTIVE


def test_a_create_that_is_given_back_leaves_room_at_its_own_agency(theirs: Subaccount, bos_subaccount: Subaccount):
    now = timezone.now()
    tomorrow = now + timedelta(hours=5)
    put(theirs, cause=Cause.DAILY_BUDGET, run_at=tomorrow, created_at=now - timedelta(days=1))
    VendorAccount.objects.filter(agency=bos_subaccount.agency).update(budget_reached_on=now.date())
    row = put(bos_subaccount, state=State.CREATING, attempts=1, create_started_at=now)

    _Step(row, owner=row.lease_owner).give_back(timedelta(0), Cause.VENDOR_THROTTLES)

    assert (fresh(theirs).cause, fresh(theirs).run_at) == (Cause.DAILY_BUDGET, tomorrow)


def test_what_another_agency_has_asked_for_says_nothing_of_the_first_comparison(
    sandbox: Sandbox, north: Agency, theirs: Subaccount
):
    Event.objects.record("subaccount.creating", agency=theirs.agency, customer=theirs.customer)
    sandbox.add_subaccount("north-id", email="nobody@elsewhere.example")

    reconcile.run(north)

    assert not Finding.objects.for_agency(north).to_decide().exists()


def test_a_reading_of_another_agency_is_not_taken_for_ones_own(sandbox: Sandbox, active: Subaccount, south: Agency):
    Job.objects.create(kind=Job.Kind.REFRESH, agency=south, once="absent:theirs", payload={"subaccount": active.pk})
    put(active, bound_at=timezone.now() - timedelta(days=9))
    sandbox.remove_subaccount(active.vendor_id)

    reconcile.run(active.agency)

    assert Job.objects.for_agency(active.agency).filter(once__startswith="absent:").count() == 1


def test_going_over_to_another_vendor_account_leaves_other_agencies_compared(
    sandbox: Sandbox, north: Agency, south: Agency, ada: User
):
    at = timezone.now()
    VendorAccount.objects.filter(agency__in=[north, south]).update(reconciled_at=at, compared_at=at)

    go_over(sandbox, north, ada)

    assert VendorAccount.objects.get(agency=south).compared_at == at
    assert VendorAccount.objects.get(agency=north).compared_at is None


def test_going_over_says_of_no_other_agencys_task_that_its_account_was_left(
    sandbox: Sandbox, north: Agency, active: Subaccount, theirs: Subaccount, ada: User
):
    """What is still to be deleted where the agency was is not the account that may have its number by now."""
    customer_care.close(active.customer, message="", acting_user=ada)
    sandbox.remove_subaccount(active.vendor_id)
    PanelTask.objects.create(agency=theirs.agency, customer=theirs.customer, kind=PanelTask.Kind.DELETE)

    go_over(sandbox, north, ada)

    [own] = PanelTask.objects.for_agency(north).filter(kind=PanelTask.Kind.DELETE)
    [other] = PanelTask.objects.for_agency(theirs.agency)
    assert (own.data, other.data) == ({"left": True}, {})
    sentence = wording_console.task_sentence(own.kind, active.vendor_id, own.data)
    assert sentence.endswith("in the vendor account that you left")
