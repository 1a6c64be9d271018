"""A customer's people as staff see them: invitations that wait, and help for a customer whose owner is gone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import people
from accounts.models import Agency, Customer, Event, Invitation, Membership, User
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]


@pytest.fixture
def sams(client_for: Browse, north: Agency) -> Client:
    return client_for(north, factories.staff(north, "sam@north.example", "support"))


@pytest.fixture
def path(bos_company: Customer) -> str:
    return f"/console/customers/{bos_company.public_id}/people/"


@pytest.fixture
def invitation(bos_company: Customer, bo: User) -> Invitation:
    return people.invite_member(customer=bos_company, email="lotte@shop.example", role="viewer", acting_user=bo)


def last(agency: Agency) -> str:
    return Event.objects.for_agency(agency).latest("pk").kind


def test_staff_find_the_people_and_the_open_invitations_from_the_customers_page(
    sams: Client, bos_company: Customer, invitation: Invitation, path: str
):
    assert path in sams.get(f"/console/customers/{bos_company.public_id}/").content.decode()

    with CaptureQueriesContext(connection) as captured:
        page = sams.get(path).content.decode()

    assert len(captured) <= 6
    assert "bo@shop.example" in page
    assert "lotte@shop.example" in page
    assert "works until" in page
    assert "No second step" in page


def test_a_customer_whose_owner_is_gone_gets_a_new_one(sams: Client, north: Agency, bos_company: Customer, path: str):
    Membership.objects.for_agency(north).filter(customer=bos_company).delete()

    page = sams.post(f"{path}invite/", {"email": "New@Shop.example", "role": "owner"}, follow=True)

    assert "Invitation sent to" in page.content.decode()
    made = Invitation.objects.for_agency(north).get(email="new@shop.example")
    assert (made.customer_id, made.member_role, made.staff_role) == (bos_company.pk, "owner", "")
    assert last(north) == "invitation.sent"


def test_what_cannot_be_invited_is_said_and_nothing_is_lost(sams: Client, invitation: Invitation, path: str):
    taken = sams.post(f"{path}invite/", {"email": "lotte@shop.example", "role": "viewer"}).content.decode()
    wrong = sams.post(f"{path}invite/", {"email": "not an address", "role": "staff"}).content.decode()

    assert "This person belongs here already, or has an open invitation." in taken
    assert 'value="lotte@shop.example"' in taken
    assert 'value="not an address"' in wrong
    assert "Please choose one of these roles." in wrong


def test_a_colleague_is_not_invited_and_why_is_said(sams: Client, ada: User, path: str):
    page = sams.post(f"{path}invite/", {"email": ada.email, "role": "editor"}).content.decode()

    assert "This person works for you" in page
    assert "belongs here already" not in page


def test_staff_send_again_and_withdraw(sams: Client, north: Agency, invitation: Invitation, path: str):
    sams.post(f"{path}invitations/{invitation.public_id}/resend/")
    assert last(north) == "invitation.resent"
    sams.post(f"{path}invitations/{invitation.public_id}/withdraw/")
    assert last(north) == "invitation.withdrawn"
    sams.get(path)  # what was said of both
    assert "lotte@shop.example" not in sams.get(path).content.decode()
    assert sams.post(f"{path}invitations/{invitation.public_id}/resend/").status_code == 404


def test_invitations_of_another_customer_are_404_here(sams: Client, north: Agency, invitation: Invitation):
    other = factories.customer(north, factories.person(north, "kim@kim.example"))
    for doing in ("resend", "withdraw"):
        url = f"/console/customers/{other.public_id}/people/invitations/{invitation.public_id}/{doing}/"
        assert sams.post(url).status_code == 404
    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_an_analyst_reads_and_a_closed_customer_invites_nobody(
    client_for: Browse, sams: Client, north: Agency, bos_company: Customer, invitation: Invitation, path: str
):
    reading = client_for(north, factories.staff(north, "ann@north.example", "analyst"))
    assert "Send" not in reading.get(path).content.decode()
    assert reading.post(f"{path}invite/", {"email": "x@x.example", "role": "owner"}).status_code == 403

    Customer.objects.for_agency(north).filter(pk=bos_company.pk).update(closed_at=timezone.now())
    page = sams.get(path).content.decode()
    assert "Send" not in page
    assert "Withdraw" in page
    sams.post(f"{path}invite/", {"email": "x@x.example", "role": "owner"})
    assert not Invitation.objects.for_agency(north).filter(email="x@x.example").exists()


def test_managers_switch_the_second_step_of_customers_people(client_for: Browse, north: Agency, ada: User, bo: User):
    adas, bos = client_for(north, ada), client_for(north, bo)

    assert "Require it from now on" in adas.get("/console/staff/").content.decode()
    adas.post("/console/staff/members-second-step/", {"is_on": "yes"})

    event = Event.objects.for_agency(north).latest("pk")
    assert (event.kind, event.data) == ("agency.members_second_step_switched", {"is_on": True})
    assert bos.get("/").headers["Location"].startswith("/account/2fa/")
    assert "Require it no longer" in adas.get("/console/staff/").content.decode()
    adas.post("/console/staff/members-second-step/", {"is_on": "no"})
    assert not Agency.objects.get(pk=north.pk).members_need_mfa


def test_whatever_mails_an_invitation_counts_towards_one_limit(
    sams: Client, north: Agency, bos_company: Customer, path: str, settings: Any
):
    settings.LIMIT_INVITE = "3/3600"
    package = bos_company.package.public_id
    about = {"company_name": "New", "first_name": "N", "last_name": "N", "country": "NL", "package": package}
    made = sams.post("/console/customers/new/", about | {"email": "one@new.example"})

    statuses = [
        sams.post(f"{path}invite/", {"email": "two@new.example", "role": "viewer"}).status_code,
        sams.post(f"{made.url}address/", {"email": "three@new.example"}).status_code,
        sams.post(f"{made.url}address/", {"email": "four@new.example"}).status_code,
        sams.post("/console/customers/new/", about | {"email": "five@new.example"}).status_code,
    ]

    assert made.status_code == 302
    assert statuses == [302, 302, 429, 429]
