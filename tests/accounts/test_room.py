"""The number of customers that an agency may have: who takes a place, and what those beyond it wait for."""

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from accounts import attention, customer_care, customers, jobs, operators
from accounts.models import Agency, Cause, Customer, State, Subaccount, User
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


def proven(agency: Agency, number: int) -> list[Subaccount]:
    """So many sign up and then prove their mailboxes, one after the other."""
    rows = [unproven(agency, f"n{n}@shop.example") for n in range(number)]
    for subaccount in rows:
        owner = User.objects.get(memberships__customer=subaccount.customer)
        customers.prove_mailbox(acting_user=owner, email=owner.email)
    return [fresh(row) for row in rows]


def states(rows: list[Subaccount]) -> list[tuple[str, str]]:
    return [(row.state, row.cause) for row in map(fresh, rows)]


NO_ROOM, IN_THE_QUEUE = (State.AWAITING_APPROVAL, Cause.NO_ROOM), (State.REQUESTED, "")


def test_who_proves_the_mailbox_when_all_places_are_taken_waits_and_both_sides_read_for_what(
    north: Agency, ada: User, client_for: Callable[..., Client]
):
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()

    rows = proven(north, 3)

    assert states(rows) == [IN_THE_QUEUE, NO_ROOM, NO_ROOM]
    place = rows[1].customer
    page = client_for(north, place.memberships.get().person).get(f"/c/{place.public_id}/").text
    assert "You are on the waiting list" in page
    assert "looks at every new account" not in page
    attention_list = " ".join(client_for(north, ada).get("/console/attention/").text.split())
    assert "Waiting for room" in attention_list
    assert "Goes on by itself as soon as there is room" in attention_list
    assert "Approve</button>" not in attention_list
    assert "Nobody waits for approval" in client_for(north, ada).get("/console/approvals/").text
    while jobs.run():
        pass
    [told] = [message for message in mail.outbox if "no room" in message.subject]
    assert told.to == [north.support_email]
    assert "may have 1 customer, and has that many" in told.body


def test_they_go_on_as_soon_as_there_is_room_and_not_before(north: Agency, ada: User):
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()
    rows = proven(north, 4)

    customer_care.close(fresh(rows[3]).customer, message="", acting_user=ada)  # it had no place
    assert states(rows)[1:3] == [NO_ROOM, NO_ROOM]
    customer_care.close(fresh(rows[0]).customer, message="", acting_user=ada)
    assert states(rows)[1:3] == [IN_THE_QUEUE, NO_ROOM]
    assert fresh(rows[1]).run_at is not None
    operators.set_limits(north, customer_limit=2, daily_creates=None, acting_user=factories.operator())
    assert states(rows)[1:3] == [IN_THE_QUEUE, IN_THE_QUEUE]


def test_a_neighbours_room_lets_nobody_in_here(north: Agency, south: Agency):
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()
    rows = proven(north, 2)

    operators.set_limits(south, customer_limit=9, daily_creates=None, acting_user=factories.operator())

    assert states(rows) == [IN_THE_QUEUE, NO_ROOM]


def test_a_neighbour_that_is_full_keeps_nobody_waiting_here(north: Agency, south: Agency):
    for agency in (north, south):
        Agency.objects.filter(pk=agency.pk).update(customer_limit=1)
        agency.refresh_from_db()
    there, here = proven(south, 2), proven(north, 2)

    operators.set_limits(north, customer_limit=2, daily_creates=None, acting_user=factories.operator())

    assert states(here) == [IN_THE_QUEUE, IN_THE_QUEUE]
    assert states(there) == [IN_THE_QUEUE, NO_ROOM]


def test_who_waits_for_a_yes_is_told_so_by_an_agency_that_is_full_too(
    full: Agency, ada: User, client_for: Callable[..., Client]
):
    Agency.objects.filter(pk=full.pk).update(approval_required=True)
    full.refresh_from_db()
    Agency.objects.filter(pk=full.pk).update(customer_limit=2)
    full.refresh_from_db()
    [waiting] = proven(full, 1)
    assert states([waiting]) == [(State.AWAITING_APPROVAL, "")]
    Agency.objects.filter(pk=full.pk).update(customer_limit=1)

    with pytest.raises(customers.NoRoom):
        attention.approve(fresh(waiting), acting_user=ada)
    said = client_for(full, ada).post(
        "/console/approvals/", {"do": "approve", "customer": [str(waiting.customer.public_id)]}, follow=True
    )
    assert "has reached its number of customers" in said.text
    operators.set_limits(full, customer_limit=2, daily_creates=None, acting_user=factories.operator())
    assert states([waiting]) == [(State.AWAITING_APPROVAL, "")], "nobody said yes"
    attention.approve(fresh(waiting), acting_user=ada)
    assert states([waiting]) == [IN_THE_QUEUE]


def test_the_sign_up_page_says_beforehand_that_there_is_no_room(full: Agency, client_for: Callable[..., Client]):
    sentence = "We cannot take new customers at the moment"
    page = client_for(full).get("/account/signup/").text
    answers = [
        client_for(full).post("/account/signup/", factories.sign_up_form(full, email=email)).text
        for email in ("bo@shop.example", "kim@shop.example")
    ]

    assert page.count(sentence) == 1
    assert [answer.count(sentence) for answer in answers] == [1, 1], "once, and of a known address like of another"
    Agency.objects.filter(pk=full.pk).update(customer_limit=2)
    assert sentence not in client_for(full).get("/account/signup/").text


def test_whether_an_address_is_known_does_not_show_in_the_room_that_is_left(full: Agency):
    Agency.objects.filter(pk=full.pk).update(customer_limit=2)
    full.refresh_from_db()

    unproven(full, "unknown@shop.example")

    assert customers.has_room(full), "as after a sign-up with an address that signs in here"
