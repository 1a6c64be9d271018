"""The console's staff pages: who sees what, what a form may say, and what is asked again first."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import jobs, people
from accounts.models import Agency, Customer, Event, Invitation, User
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]


@pytest.fixture
def ben(north: Agency) -> User:
    return factories.staff(north, "ben@north.example", "support", first_name="Ben", last_name="Okafor")


@pytest.fixture
def ada_client(client_for: Browse, north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def just_signed_in(client: Client, person: User) -> Client:
    """As after the sign-in page: the password was typed a moment ago."""
    response = client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    assert response.status_code == 302
    return client


def test_the_list_names_everybody_with_role_second_step_and_invitations(
    ada_client: Client, north: Agency, ada: User, ben: User
):
    factories.person(north, "new@north.example", staff_role="analyst", first_name="Nia", last_name="")
    people.invite_staff(agency=north, email="dries@north.example", staff_role="analyst", acting_user=ada)

    text = ada_client.get("/console/staff/").content.decode()

    for words in ("Ada", "(you)", "Ben Okafor", "Nia", "Not set up", "dries@north.example", "Send again", "Withdraw"):
        assert words in text
    assert f"/console/staff/{ben.pk}/" in text
    assert "bo@shop.example" not in text
    named = re.findall(r'<span class="fw-medium">(\w+)', text)
    assert named == ["Ada", "Ben", "Nia"]  # and nobody of the agency next door


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_who_manages_no_staff_reads_the_list_without_a_single_button(
    client_for: Browse, north: Agency, ada: User, ben: User, role: str
):
    people.invite_staff(agency=north, email="dries@north.example", staff_role="analyst", acting_user=ada)
    eve = factories.staff(north, "eve@north.example", role)

    text = client_for(north, eve).get("/console/staff/").content.decode()

    assert "Ben Okafor" in text
    assert "Send invitation" not in text
    assert "Withdraw" not in text
    assert ">Change<" not in text


def test_an_invitation_goes_out_and_can_be_withdrawn(ada_client: Client, north: Agency):
    response = ada_client.post(
        "/console/staff/invite/", {"email": "dries@north.example", "role": "analyst"}, follow=True
    )
    while jobs.run():
        pass

    assert "Invitation sent to dries@north.example." in response.content.decode()
    assert mail.outbox[-1].to == ["dries@north.example"]
    invitation = Invitation.objects.for_agency(north).get(email="dries@north.example")
    ada_client.post(f"/console/staff/invitations/{invitation.public_id}/resend/")
    ada_client.post(f"/console/staff/invitations/{invitation.public_id}/withdraw/")
    assert ada_client.post(f"/console/staff/invitations/{invitation.public_id}/resend/").status_code == 404


def test_a_bad_invitation_keeps_what_was_typed_and_says_what_is_wrong(ada_client: Client, ben: User):
    text = ada_client.post("/console/staff/invite/", {"email": ben.email, "role": "admin"}).content.decode()
    assert f'value="{ben.email}"' in text
    assert "works here already" in text

    text = ada_client.post("/console/staff/invite/", {"email": "not-an-address", "role": "king"}).content.decode()
    assert "Please choose one of these roles." in text
    assert 'value="not-an-address"' in text


def test_an_admin_is_not_offered_the_role_of_an_owner(client_for: Browse, north: Agency):
    eve = factories.staff(north, "eve@north.example", "admin")
    client = client_for(north, eve)

    assert 'value="owner"' not in client.get("/console/staff/").content.decode()
    response = client.post("/console/staff/invite/", {"email": "x@north.example", "role": "owner"})

    assert response.status_code == 200
    assert not Invitation.objects.for_agency(north).filter(email="x@north.example").exists()


def test_a_form_sets_nothing_that_it_does_not_ask_for(ada_client: Client, north: Agency, ben: User):
    south_like = {"is_superuser": "1", "is_staff": "1", "agency": "", "teammate_id": "9", "email": "x@x.example"}
    ada_client.post(f"/console/staff/{ben.pk}/", {"do": "role", "role": "analyst", **south_like})
    ada_client.post(
        "/console/staff/invite/",
        {"email": "y@y.example", "role": "support", "customer": "1", "member_role": "owner"},
    )

    ben.refresh_from_db()
    assert (ben.staff_role, ben.email, ben.teammate_id) == ("analyst", "ben@north.example", "")
    assert (ben.is_superuser, ben.is_staff) == (False, False)
    assert Invitation.objects.for_agency(north).get(email="y@y.example").customer is None


def test_a_new_role_ends_the_sessions_of_who_has_it(client_for: Browse, ada_client: Client, north: Agency, ben: User):
    his = client_for(north, ben)
    assert his.get("/console/staff/").status_code == 200

    response = ada_client.post(f"/console/staff/{ben.pk}/", {"do": "role", "role": "analyst"}, follow=True)

    assert "Ben Okafor has a new role" in response.content.decode()
    assert his.get("/console/staff/").status_code == 302


def test_suspended_and_brought_back(client_for: Browse, ada_client: Client, north: Agency, ben: User):
    his = client_for(north, ben)
    text = ada_client.post(f"/console/staff/{ben.pk}/", {"do": "suspend"}, follow=True).content.decode()
    assert "Bring back" in text
    assert his.get("/console/").status_code == 302
    assert (
        client_for(north)
        .post("/account/login/", {"login": ben.email, "password": factories.PASSWORD})
        .url.startswith("/account/inactive/")
    )

    ada_client.post(f"/console/staff/{ben.pk}/", {"do": "bring_back"})

    ben.refresh_from_db()
    assert ben.is_active


def test_an_unknown_doing_changes_nothing(ada_client: Client, ben: User):
    response = ada_client.post(f"/console/staff/{ben.pk}/", {"do": "promote", "role": "owner"})

    assert response.status_code == 200
    ben.refresh_from_db()
    assert ben.staff_role == "support"


def test_an_admin_reads_an_owner_and_changes_none(client_for: Browse, north: Agency, ada: User):
    own = factories.staff(north, "eve@north.example", "admin")
    eve = client_for(north, own)

    assert "Only an owner changes an owner." in eve.get(f"/console/staff/{ada.pk}/").content.decode()
    assert "Nobody changes their own role." in eve.get(f"/console/staff/{own.pk}/").content.decode()
    assert eve.post(f"/console/staff/{ada.pk}/", {"do": "remove"}).status_code == 403
    assert eve.get(f"/console/staff/{ada.pk}/second-factor/").status_code == 403


@pytest.mark.parametrize("path", ["", "second-factor/", "hand-over/", "teammate/"])
def test_staff_of_another_agency_and_customers_are_not_there(
    ada_client: Client, ada: User, south: Agency, bo: User, path: str
):
    just_signed_in(ada_client, ada)
    sue = factories.staff(south, "sue@south.example", "support")

    assert ada_client.get(f"/console/staff/{sue.pk}/{path}").status_code == 404
    assert ada_client.get(f"/console/staff/{bo.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["second-factor/", "hand-over/"])
def test_what_cannot_be_undone_asks_for_the_password_again(ada_client: Client, ada: User, ben: User, path: str):
    response = ada_client.post(f"/console/staff/{ben.pk}/{path}", {"reason": "Lost phone"})
    assert response.url.startswith("/account/reauthenticate/")

    just_signed_in(ada_client, ada)
    assert ada_client.get(f"/console/staff/{ben.pk}/{path}").status_code == 200


def test_a_lost_second_step_is_reset_with_a_reason(ada_client: Client, ada: User, ben: User):
    just_signed_in(ada_client, ada)
    path = f"/console/staff/{ben.pk}/second-factor/"
    text = ada_client.post(path, {"reason": "."}).content.decode()
    assert "Please say it in a few more words." in text

    response = ada_client.post(path, {"reason": "Phone lost on the train"}, follow=True)

    assert "is reset. We mailed them." in response.content.decode()
    assert Event.objects.for_agency(ada.agency).latest("pk").kind == "staff.second_factor_reset"


def test_the_agency_is_handed_over_and_both_sign_in_again(ada_client: Client, ada: User, ben: User):
    just_signed_in(ada_client, ada)

    response = ada_client.post(f"/console/staff/{ben.pk}/hand-over/")

    assert response.url == "/console/staff/"
    ben.refresh_from_db()
    ada.refresh_from_db()
    assert (ben.staff_role, ada.staff_role) == ("owner", "admin")
    assert ada_client.get("/console/staff/").status_code == 302


def test_a_teammate_number_has_digits_only(ada_client: Client, ada: User, ben: User):
    path = f"/console/staff/{ben.pk}/teammate/"
    assert "digits only" in ada_client.post(path, {"teammate_id": "sub_12"}).content.decode()
    ada_client.post(path, {"teammate_id": " 4711 "})
    ben.refresh_from_db()
    assert ben.teammate_id == "4711"

    text = ada_client.post(f"/console/staff/{ada.pk}/teammate/", {"teammate_id": "4711"}).content.decode()
    assert "Somebody else here has this number." in text


def test_one_list_costs_the_same_whoever_works_here(
    ada_client: Client, north: Agency, django_assert_num_queries: Any, bos_company: Customer
):
    ada_client.get("/console/staff/")
    for number in range(20):
        factories.staff(north, f"s{number}@north.example", "support")

    with django_assert_num_queries(5):  # host, session, person, staff, invitations
        ada_client.get("/console/staff/")
