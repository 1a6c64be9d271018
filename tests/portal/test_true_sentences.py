"""What a page says of a state holds for everybody who may read it in that state."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts import attention
from accounts.models import Agency, Customer, Membership, State, Subaccount, User
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]


def test_who_has_the_old_address_reads_that_the_new_one_was_asked(bo_client: Client, bos_company: Customer, ada: User):
    Subaccount.objects.for_agency(bos_company.agency).update(state=State.NEEDS_REVIEW, cause="email_invalid")
    bos_company.subaccount.refresh_from_db()
    attention.change_address(bos_company.subaccount, email="new@shop.example", acting_user=ada)

    page = bo_client.get(f"/c/{bos_company.public_id}/").text

    assert "sent an invitation to new@shop.example" in page
    assert "the code that we sent you" not in page
    assert "waiting for you" not in page


def test_who_has_the_address_that_is_asked_reads_of_the_code(bo_client: Client, bos_company: Customer):
    Subaccount.objects.for_agency(bos_company.agency).update(state=State.AWAITING_EMAIL)

    assert "the code that we sent you" in bo_client.get(f"/c/{bos_company.public_id}/").text


@pytest.mark.parametrize(
    ("state", "seconds"), [("requested", 3), ("creating", 3), ("needs_review", 30), ("awaiting_approval", 30)]
)
def test_who_waits_for_a_person_asks_less_often_and_keeps_their_place(
    state: str, seconds: int, bo_client: Client, bos_company: Customer
):
    Subaccount.objects.for_agency(bos_company.agency).update(state=state)

    page = bo_client.get(f"/c/{bos_company.public_id}/").text

    assert f'hx-trigger="every {seconds}s"' in page
    assert ('id="write-to-us"' in page) == (seconds == 30)


def test_a_suspended_member_reads_so_and_who_can_help(client_for: Browse, north: Agency, bos_company: Customer):
    ed = factories.member(bos_company, "editor", "ed@shop.example")
    Membership.objects.for_agency(north).filter(person=ed).update(suspended_at=timezone.now())

    page = client_for(north, ed).get("/").text

    assert "Your access is suspended" in page
    assert "an owner of your company" in page
    assert "another address" not in page


def test_who_belongs_nowhere_is_not_said_to_be_suspended(client_for: Browse, north: Agency):
    page = client_for(north, factories.person(north, "kim@shop.example")).get("/").text

    assert "Did you use another address before?" in page
    assert "suspended" not in page


def test_who_was_suspended_at_a_customer_that_is_closed_is_not_sent_to_its_owner(
    client_for: Browse, north: Agency, bos_company: Customer
):
    ed = factories.member(bos_company, "editor", "ed@shop.example")
    ed.memberships.update(suspended_at=timezone.now())
    Customer.objects.for_agency(north).update(closed_at=timezone.now())

    page = client_for(north, ed).get("/").text

    assert "an owner of your company" not in page


def test_a_customer_that_was_paused_before_it_was_closed_is_shown_as_closed(
    bo_client: Client, north: Agency, bo: User, bos_company: Customer
):
    factories.customer(north, bo)
    Customer.objects.for_agency(north).update(paused_at=timezone.now(), closed_at=timezone.now())
    Subaccount.objects.for_agency(north).update(state=State.CLOSED)

    page = bo_client.get("/").text

    assert page.count("Closed") == 2
    assert "Paused" not in page


@pytest.mark.parametrize("who", ["staff", "member"])
def test_a_second_step_that_is_owed_is_not_said_to_be_optional(
    who: str, client_for: Browse, north: Agency, bo: User, ada: User, bos_company: Customer
):
    if who == "member":
        Agency.objects.filter(pk=north.pk).update(members_need_mfa=True)
        north.refresh_from_db()
    client = client_for(north, ada if who == "staff" else factories.second_factor(bo))
    client.post("/account/reauthenticate/", {"password": factories.PASSWORD})

    page = client.get("/account/2fa/totp/deactivate/").text

    assert "set up a new one right after that" in page
    assert "your password alone is enough" not in page


def test_a_second_step_of_ones_own_choice_may_go(client_for: Browse, north: Agency, bo: User, bos_company: Customer):
    client = client_for(north, factories.second_factor(bo))
    client.post("/account/reauthenticate/", {"password": factories.PASSWORD})

    assert "your password alone is enough" in client.get("/account/2fa/totp/deactivate/").text
