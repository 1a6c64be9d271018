"""The number of customers that an agency may have: who takes a place, and what comes of those beyond it."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import attention, customers
from accounts.models import Agency, Customer, State, Subaccount, User
from tests import factories
from tests.accounts.reading import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(north: Agency, bos_company: Customer) -> Agency:
    """North may have one customer, and has Bo."""
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()
    return north


def unproven(agency: Agency, email: str) -> Subaccount:
    return factories.customer(agency, factories.person(agency, email, verified=False), proven=False).subaccount


def test_who_has_proven_no_mailbox_takes_no_place(north: Agency):
    Agency.objects.filter(pk=north.pk).update(customer_limit=2)
    north.refresh_from_db()

    for number in range(5):
        unproven(north, f"stranger{number}@shop.example")

    assert customers.has_room(north)


def test_who_proves_the_mailbox_when_all_places_are_taken_waits_for_staff(
    north: Agency, ada: User, client_for: Callable[..., Client]
):
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()
    waiting = [unproven(north, f"n{number}@shop.example") for number in range(2)]
    for subaccount in waiting:
        owner = User.objects.get(memberships__customer=subaccount.customer)
        customers.prove_mailbox(acting_user=owner, email=owner.email)
    first, second = map(fresh, waiting)
    assert (first.state, second.state) == (State.REQUESTED, State.AWAITING_APPROVAL)

    with pytest.raises(customers.NoRoom):
        attention.approve(second, acting_user=ada)
    said = client_for(north, ada).post(
        "/console/approvals/", {"do": "approve", "customer": [str(second.customer.public_id)]}, follow=True
    )
    assert "has reached its number of customers" in said.content.decode()
    assert fresh(second).state == State.AWAITING_APPROVAL

    Agency.objects.filter(pk=north.pk).update(customer_limit=2)
    attention.approve(fresh(second), acting_user=ada)
    assert fresh(second).state == State.REQUESTED


def test_whether_an_address_is_known_does_not_show_in_the_room_that_is_left(full: Agency):
    Agency.objects.filter(pk=full.pk).update(customer_limit=2)
    full.refresh_from_db()

    unproven(full, "unknown@shop.example")

    assert customers.has_room(full), "as after a sign-up with an address that signs in here"
