"""A closed customer that is erased: of it and its people the binding is left, and what is to be done by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import erasure, people, provisioning
from accounts.erasure import Why
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Customer, Membership, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts import canaries
from tests.accounts.canaries import SECRETS, everything, plant
from tests.accounts.closing import close, reloaded, tasks

pytestmark = pytest.mark.django_db


def test_after_a_closed_customer_is_erased_nothing_of_it_or_its_people_is_left_but_the_binding(
    north: Agency, ada: User, bo: User, active: Subaccount
):
    plant(bo, active.customer)
    ed = factories.member(active.customer, "viewer", "canary-ed@canary.example")
    people.invite_member(customer=active.customer, email="canary-new@canary.example", role="viewer", acting_user=ada)
    company = close(Customer.objects.for_agency(north).select_related("subaccount").get(pk=active.customer_id), ada)

    erasure.erase_customer(company, why=Why.CUSTOMER_CLOSED, acting_user=ada)

    assert [line[:200] for line in everything().splitlines() if "canary" in line] == []
    assert [secret for secret in SECRETS if secret in everything()] == []
    after = Subaccount.objects.for_agency(north).select_related("customer").get(pk=active.pk)
    assert (after.vendor_id, after.state, after.sealed_keys) == (active.vendor_id, State.CLOSED, "")
    assert after.customer.company_name == after.customer.reference
    assert after.customer.erased_at is not None
    assert tasks(after.customer) == [("erase", {})]
    assert not User.objects.filter(pk__in=[bo.pk, ed.pk]).exists()


@pytest.mark.parametrize(
    ("candidates", "closed", "erased"),
    [
        (["sub_1001"], [], [("erase", {"date": "2026-03-01"})]),
        (
            ["sub_1001", "sub_71002"],
            [("delete", {"unproven": ["sub_71002"]})],
            [("erase", {"unproven": ["sub_71002"]})],
        ),
    ],
    ids=["another customer's", "another customer's and nobody's"],
)
def test_nobody_is_told_to_delete_what_another_customer_has(
    north: Agency, ada: User, active: Subaccount, candidates: list[str], closed: list[Any], erased: list[Any]
):
    assert active.vendor_id == "sub_1001"
    second = factories.customer(north, factories.person(north), company_name="Second")
    Subaccount.objects.for_agency(north).filter(customer=second).update(
        state=State.NEEDS_REVIEW,
        cause=Cause.BOUND_ELSEWHERE,
        candidates=candidates,
        had_unknown_outcome=True,
        create_started_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        run_at=None,
    )

    second = close(second, ada)
    assert tasks(second) == closed
    erasure.erase_customer(second, why=Why.CUSTOMER_CLOSED, acting_user=ada)

    assert tasks(second) == erased


def test_people_who_have_other_business_here_stay(north: Agency, ada: User, bo: User, bos_company: Customer):
    other = factories.customer(north, bo, company_name="Second shop")
    worker = factories.staff(north, "dee@north.example", "support")
    Membership.objects.create(person=worker, customer=bos_company, role="editor")

    erasure.erase_customer(close(bos_company, ada), why=Why.CUSTOMER_CLOSED, acting_user=ada)

    assert [membership.customer_id for membership in reloaded(bo).memberships.all()] == [other.pk]
    assert reloaded(worker).staff_role == "support"


def test_an_open_customer_is_not_erased_nor_one_twice_nor_by_others_than_owners(
    north: Agency, ada: User, bos_company: Customer
):
    admin = factories.staff(north, "admin@north.example", "admin")
    with pytest.raises(NotAllowed):
        erasure.erase_customer(bos_company, why=Why.CUSTOMER_CLOSED, acting_user=ada)
    company = close(bos_company, ada)
    with pytest.raises(NotAllowed):
        erasure.erase_customer(company, why=Why.CUSTOMER_CLOSED, acting_user=admin)

    erasure.erase_customer(company, why=Why.CUSTOMER_CLOSED, acting_user=ada)

    with pytest.raises(NotAllowed):
        erasure.erase_customer(company, why=Why.CUSTOMER_CLOSED, acting_user=ada)


def test_an_account_that_may_have_been_made_is_looked_for_by_hand(north: Agency, ada: User, bos_company: Customer):
    asked_at = canaries.moment(9)
    Subaccount.objects.for_agency(north).filter(customer=bos_company).update(
        state=State.NEEDS_REVIEW, had_unknown_outcome=True, create_started_at=asked_at
    )

    company = close(bos_company, ada)
    erasure.erase_customer(company, why=Why.CUSTOMER_CLOSED, acting_user=ada)

    assert tasks(company) == [("erase", {"date": "2001-02-03"})]


def test_who_comes_back_with_the_same_address_gets_no_second_account_by_itself(
    north: Agency, sandbox: Sandbox, ada: User, bo: User, active: Subaccount
):
    erasure.erase_customer(close(active.customer, ada), why=Why.CUSTOMER_CLOSED, acting_user=ada)

    again = factories.customer(north, factories.person(north, "bo@shop.example", first_name="Bo"))
    while provisioning.attempt():
        pass

    again.subaccount.refresh_from_db()
    assert (again.subaccount.state, again.subaccount.vendor_id) == (State.NEEDS_REVIEW, "")
    assert sandbox.effects("subaccount_created") == []


def test_who_was_alone_in_a_closed_customer_takes_it_along(north: Agency, ada: User, bo: User, active: Subaccount):
    company = close(active.customer, ada)

    erasure.erase_person(reloaded(bo), why=Why.OWN_WISH, acting_user=bo)

    after = Customer.objects.for_agency(north).get(pk=company.pk)
    assert (after.email, after.company_name) == ("", company.reference)
    assert tasks(after) == [("erase", {})]
