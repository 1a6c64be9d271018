"""So many accounts are gone at once that the vendor is to be doubted, and not the accounts."""

from collections import Counter
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import clock, provisioning, reconcile, refreshes
from accounts.models import Agency, Event, Job, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import LIST, fresh
from tests.accounts.test_reconcile import NORTH, compare_now, open_findings, settle, several

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_that_are_missing_have_one_cause_and_not_a_mail_each(
    sandbox: Sandbox, north: Agency, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconcile, "MASS_ABSENT_SHARE", 1.0)  # they are few of the agency's
    *rows, _is_there = several(north, sandbox, refreshes.MISSING_MAILS_AN_HOUR + 5)
    for row in rows:
        sandbox.remove_subaccount(row.vendor_id)
        refreshes.put(row, launched_at=clock.now())
    mail.outbox.clear()

    settle()

    assert {fresh(row).state for row in rows} == {State.MISSING}
    told = [message.subject for message in mail.outbox if "missing" in message.subject]
    assert len(told) == refreshes.MISSING_MAILS_AN_HOUR + 1
    assert told[-1] == "North: many accounts are missing at the vendor"
    assert "said of more than 5 accounts" in mail.outbox[-1].body
    assert "/console/attention/" in mail.outbox[-1].body


def test_more_than_can_be_true_are_missing_neither_by_a_list_nor_one_by_one(sandbox: Sandbox, north: Agency):
    """The vendor forgets all accounts of an agency, and is asked for them one by one before the list is compared."""
    rows = several(north, sandbox, 9)
    for row in rows:
        sandbox.remove_subaccount(row.vendor_id)
        refreshes.put(row, launched_at=clock.now())

    settle()

    states = Counter(fresh(row).state for row in rows)
    assert states == {State.MISSING: reconcile.MASS_ABSENT_NUMBER, State.ACTIVE: 4}
    result = VendorAccount.objects.get(agency=north).reconcile_result
    assert (result["outcome"], result["absent"], result["bound"]) == ("too_many_absent", 9, 9)
    for _ in range(2):  # neither the next readings nor the next comparison take more away
        Job.objects.for_agency(north).filter(done_at=None).update(run_at=timezone.now())
        compare_now(north)
    assert Counter(fresh(row).state for row in rows) == states

    for row in rows:
        sandbox.add_subaccount(NORTH, email=row.email, ID=row.vendor_id)
    compare_now(north)
    Job.objects.for_agency(north).filter(done_at=None).update(run_at=timezone.now())
    Subaccount.objects.for_agency(north).filter(state=State.MISSING).update(run_at=timezone.now())
    while provisioning.attempt():
        pass
    settle()

    assert {fresh(row).state for row in rows} == {State.ACTIVE}
    assert not Job.objects.for_agency(north).filter(done_at=None).exists()


def test_a_list_that_lacks_too_much_changes_nothing_and_says_so_once(
    sandbox: Sandbox, north: Agency, ada: User, client_for: Any
):
    rows = several(north, sandbox, 8)
    extra = sandbox.add_subaccount(NORTH, email="x@elsewhere.example")
    for row in rows[:6]:
        sandbox.remove_subaccount(row.vendor_id)
    gets = len(sandbox.requests())

    account = compare_now(north)
    compare_now(north)

    assert open_findings(north) == []
    assert {fresh(row).state for row in rows} == {State.ACTIVE}
    assert {request.path for request in sandbox.requests()[gets:]} == {LIST}
    assert account.reconcile_result == {"outcome": "too_many_absent", "listed": 3, "bound": 8, "absent": 6}
    told = [message for message in mail.outbox if "lacks many accounts" in message.subject]
    assert len(told) == 1
    assert "lacks 6 of 8 linked accounts" in told[0].body
    assert Event.objects.for_agency(north).filter(kind="reconcile.stopped").count() == 1
    page = client_for(north, ada).get("/console/differences/").content.decode()
    assert "lacks 6 of 8 linked accounts" in page
    assert extra not in page


def test_five_that_are_absent_are_looked_for_one_by_one(sandbox: Sandbox, north: Agency):
    rows = several(north, sandbox, 6)
    for row in rows[:5]:
        sandbox.remove_subaccount(row.vendor_id)

    compare_now(north)

    assert [fresh(row).state for row in rows] == [State.MISSING] * 5 + [State.ACTIVE]


def test_a_neighbours_losses_cast_no_doubt_on_one_here(sandbox: Sandbox, active: Subaccount, south: Agency):
    for _ in range(2 * reconcile.MASS_ABSENT_NUMBER):
        customer = factories.customer(south, factories.person(south))
        refreshes.missing(factories.activate(customer, None))
    sandbox.remove_subaccount(active.vendor_id)
    Job.objects.for_agency(active.agency).delete()
    refreshes.put(active)

    settle()

    assert fresh(active).state == State.MISSING


@pytest.mark.parametrize(("number", "state"), [(2, State.MISSING), (3, State.ACTIVE), (5, State.ACTIVE)])
def test_all_of_three_or_more_are_too_many_for_a_small_agency(
    number: int, state: State, sandbox: Sandbox, north: Agency
):
    """Five customers, and the vendor knows none of them: its word is doubted, as for an agency of a hundred."""
    rows = several(north, sandbox, number)
    for row in rows:
        sandbox.remove_subaccount(row.vendor_id)

    compare_now(north)

    assert {fresh(row).state for row in rows} == {state}
