"""The number of customers that an agency may have: who takes a place, and what those beyond it wait for."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client

from accounts import attention, customer_care, customers, jobs, operators
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Customer, Package, State, Subaccount, User
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


def test_who_has_to_prove_another_address_gives_the_place_to_who_waits(north: Agency, ada: User):
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()
    rows = proven(north, 2)
    Subaccount.objects.for_agency(north).filter(pk=rows[0].pk).update(
        state=State.NEEDS_REVIEW, cause=Cause.EMAIL_INVALID, run_at=None
    )

    attention.change_address(fresh(rows[0]), email="other@shop.example", acting_user=ada)

    assert states(rows) == [(State.AWAITING_EMAIL, ""), IN_THE_QUEUE]


@pytest.mark.django_db(transaction=True)
def test_who_is_told_that_there_is_no_place_while_one_is_given_up_has_it(
    north: Agency, ada: User, monkeypatch: pytest.MonkeyPatch
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one in at a time")
    [first] = proven(north, 1)
    second = unproven(north, "late@shop.example")
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    owner = User.objects.select_related("agency").get(memberships__customer=second.customer)
    has_room, counted = customers.has_room, threading.Event()

    def has_room_slowly(agency: Agency) -> bool:
        found = has_room(agency)
        if threading.current_thread().name == "late":
            counted.set()
            time.sleep(0.5)  # the other one waits for the places meanwhile, or has closed by then
        return found

    def prove() -> None:
        customers.prove_mailbox(acting_user=owner, email=owner.email)
        connections.close_all()

    monkeypatch.setattr(customers, "has_room", has_room_slowly)
    late = threading.Thread(target=prove, name="late")
    late.start()
    assert counted.wait(10)
    customer_care.close(fresh(first).customer, message="", acting_user=ada)
    late.join()

    assert states([second]) == [IN_THE_QUEUE]


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_written_while_another_one_is_proven_is_asked_for_by_nobody(
    north: Agency, ada: User, package: Package, monkeypatch: pytest.MonkeyPatch
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one in at a time")
    by_hand = customer_care.add(
        agency=north,
        package=package,
        company_name="By Hand",
        first_name="A",
        last_name="B",
        country="NL",
        email="info@hand.example",
        acting_user=ada,
    )
    ann = factories.member(by_hand, "owner", "ann@hand.example")
    row = Subaccount.objects.for_agency(north).select_related("agency", "customer").get(customer=by_hand)
    needs_approval, read = customers._needs_approval, threading.Event()

    def needs_approval_slowly(*about: Any) -> bool:
        read.set()
        time.sleep(0.5)
        return needs_approval(*about)

    def prove() -> None:
        customers.prove_mailbox(acting_user=ann, email="info@hand.example")
        connections.close_all()

    monkeypatch.setattr(customers, "_needs_approval", needs_approval_slowly)
    proving = threading.Thread(target=prove)
    proving.start()
    assert read.wait(10)
    with suppress(NotAllowed):  # too late
        attention.change_address(row, email="director@elsewhere.example", acting_user=ada)
    proving.join()

    after = fresh(row)
    assert (after.state, after.email) == (State.REQUESTED, "info@hand.example")


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
