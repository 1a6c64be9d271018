"""A door leaves the rows of the neighbours alone: of another agency, and of another customer of the same one."""

from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts import attention, customer_care, customers, people
from accounts.models import Agency, Cause, Customer, PanelTask, State, Subaccount, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def kims_company(north: Agency) -> Customer:
    """Another customer of the same agency."""
    return factories.customer(north, factories.person(north, "kim@kims.example"), company_name="Kim's")


@pytest.fixture
def cys_company(south: Agency, cy: User) -> Customer:
    """A customer of another agency."""
    return factories.customer(south, cy, company_name="Cy's")


@pytest.fixture
def sam(north: Agency) -> User:
    return factories.staff(north, "sam@north.example", "support")


def review(customer: Customer, **changes: Any) -> Subaccount:
    rows = Subaccount.objects.for_agency(customer.agency).filter(customer=customer)
    rows.update(
        state=State.NEEDS_REVIEW, cause=Cause.EMAIL_TAKEN_ELSEWHERE, run_at=None, first_look="absent", **changes
    )
    return rows.select_related("agency", "customer").get()


def invitations(customer: Customer) -> list[str]:
    rows = people.open_invitations(customer.agency).filter(customer=customer)
    return sorted(rows.values_list("email", flat=True))


def test_another_address_that_a_neighbours_owner_has_is_invited_all_the_same(
    bos_company: Customer, kims_company: Customer, sam: User
):
    attention.change_address(review(bos_company), email="kim@kims.example", acting_user=sam)

    assert invitations(bos_company) == ["kim@kims.example"]


def test_an_address_proven_at_another_agency_is_not_proven_here(
    bos_company: Customer, bo: User, south: Agency, sam: User
):
    factories.person(south, "bo@shop.example")
    EmailAddress.objects.filter(user=bo).update(verified=False)

    attention.change_address(review(bos_company, email="old@shop.example"), email="bo@shop.example", acting_user=sam)

    assert Subaccount.objects.for_agency(bos_company.agency).get(customer=bos_company).state == State.AWAITING_EMAIL


def test_a_changed_address_leaves_the_neighbours_invitations_open(
    north: Agency, kims_company: Customer, ada: User, sam: User
):
    added = customer_care.add(
        agency=north,
        package=kims_company.package,
        company_name="New",
        first_name="N",
        last_name="N",
        country="NL",
        email="first@new.example",
        acting_user=ada,
    )
    people.invite_member(customer=kims_company, email="helper@kims.example", role="editor", acting_user=ada)

    attention.change_address(added.subaccount, email="second@new.example", acting_user=sam)

    assert invitations(added) == ["second@new.example"]
    assert invitations(kims_company) == ["helper@kims.example"]


@pytest.mark.parametrize("kind", ["change_expiry", "make_customer"])
def test_a_ticked_task_says_nothing_of_the_neighbours_end(
    bos_company: Customer, kims_company: Customer, ada: User, kind: str
):
    ends = date(2027, 5, 1)
    rows = Subaccount.objects.for_agency(bos_company.agency)
    rows.update(expiry_date=ends)
    data = {"date": "2027-09-09"} if kind == "change_expiry" else {"removes_expiry": True}
    task = PanelTask.objects.create(agency=bos_company.agency, customer=bos_company, kind=kind, data=data)

    customer_care.tick(task, acting_user=ada)

    assert rows.get(customer=bos_company).expiry_date != ends
    assert rows.get(customer=kims_company).expiry_date == ends


def test_a_sign_up_that_is_withdrawn_takes_no_other_with_it(north: Agency):
    first, second = (factories.person(north, f"{name}@new.example", verified=False) for name in ("first", "second"))
    theirs, others = (factories.customer(north, person, proven=False) for person in (first, second))

    customers.withdraw(first, acting_user=first)

    states = {row.customer_id: row.state for row in Subaccount.objects.for_agency(north)}
    assert states == {theirs.pk: State.CLOSED, others.pk: State.AWAITING_EMAIL}


def test_customers_of_another_agency_take_no_room(north: Agency, bos_company: Customer, cys_company: Customer):
    Agency.objects.filter(pk=north.pk).update(customer_limit=2)
    north.refresh_from_db()

    assert customers.has_room(north)
