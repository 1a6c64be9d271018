"""A customer's people: the owner changes, others read, and an invitation leads to the customer."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import jobs
from accounts.models import Agency, Customer, Event, Membership, Note, User
from portal import access_people
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]
NEW_PASSWORD = "window bicycle oven"


@pytest.fixture
def ed(bos_company: Customer) -> User:
    return factories.member(bos_company, "editor", "ed@shop.example", first_name="Ed", last_name="Bakker")


@pytest.fixture
def path(bos_company: Customer) -> str:
    return f"/c/{bos_company.public_id}/people/"


def link_for(address: str) -> str:
    while jobs.run():
        pass
    message = next(message for message in reversed(mail.outbox) if message.to == [address])
    found = re.search(r"/invitation/\S+", message.body)
    assert found
    return found.group(0)


def role_of(person: User) -> str:
    return str(person.memberships.get().role)


def test_everybody_who_belongs_reads_the_list_and_only_owners_change(
    client_for: Browse, bo_client: Client, north: Agency, bos_company: Customer, ed: User, path: str
):
    bo_client.post(f"{path}invite/", {"email": "lotte@shop.example", "role": "viewer"})
    owners = bo_client.get(path).content.decode()
    editors = client_for(north, ed).get(path).content.decode()

    assert "lotte@shop.example" in owners
    assert f"{path}{ed.pk}/" in owners
    assert "Ed Bakker" in editors
    assert "lotte@shop.example" not in editors
    assert "Send invitation" not in editors
    assert f"{path}{ed.pk}/" not in editors


def test_an_invited_colleague_accepts_and_lands_at_the_customer(
    client_for: Browse, bo_client: Client, north: Agency, bos_company: Customer, path: str
):
    response = bo_client.post(f"{path}invite/", {"email": "lotte@shop.example", "role": "editor"}, follow=True)
    assert "Invitation sent to lotte@shop.example." in response.content.decode()
    visitor = client_for(north)
    link = link_for("lotte@shop.example")
    page = visitor.get(link).content.decode()
    assert f"Join {bos_company.company_name}".replace("'", "&#x27;") in page
    assert "authenticator app" not in page

    response = visitor.post(link, {"first_name": "Lotte", "last_name": "", "password": NEW_PASSWORD})
    assert response.status_code == 200, "a last name is asked for"
    response = visitor.post(link, {"first_name": "Lotte", "last_name": "L", "password": NEW_PASSWORD})

    assert response.url == f"/c/{bos_company.public_id}/"
    lotte = User.objects.get(agency=north, email="lotte@shop.example")
    assert role_of(lotte) == "editor"
    assert visitor.get(link).status_code == 404


def test_somebody_with_a_sign_in_joins_with_one_button_and_gets_a_chooser(
    client_for: Browse, bo_client: Client, north: Agency, bos_company: Customer, path: str
):
    kim = factories.person(north, "kim@shop.example")
    factories.customer(north, kim, company_name="Kim's")
    bo_client.post(f"{path}invite/", {"email": kim.email, "role": "viewer"})
    client = client_for(north, kim)

    response = client.post(link_for(kim.email))

    assert response.url == f"/c/{bos_company.public_id}/"
    chooser = client.get("/").content.decode()
    assert "Kim&#x27;s" in chooser
    assert "Bo&#x27;s Bakery" in chooser
    assert "Switch account" in client.get(path).content.decode()


def test_who_has_one_account_is_offered_no_switch(bo_client: Client, path: str):
    assert "Switch account" not in bo_client.get(path).content.decode()


def test_a_new_role_counts_at_once(client_for: Browse, bo_client: Client, north: Agency, ed: User, path: str):
    his = client_for(north, ed)
    assert his.get(path).status_code == 200

    response = bo_client.post(f"{path}{ed.pk}/", {"do": "role", "role": "viewer", "person": "1"}, follow=True)

    assert "Ed Bakker has a new role" in response.content.decode()
    assert role_of(ed) == "viewer"
    assert his.get(path).status_code == 302


def test_suspended_brought_back_removed(client_for: Browse, bo_client: Client, north: Agency, ed: User, path: str):
    bo_client.post(f"{path}{ed.pk}/", {"do": "suspend"})
    ed.refresh_from_db()
    assert client_for(north, ed).get(path).status_code == 404
    bo_client.post(f"{path}{ed.pk}/", {"do": "bring_back"})
    ed.refresh_from_db()
    assert client_for(north, ed).get(path).status_code == 200

    bo_client.post(f"{path}{ed.pk}/", {"do": "remove"})

    ed.refresh_from_db()
    assert not ed.memberships.exists()
    assert client_for(north, ed).get(path).status_code == 404


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_others_read_that_they_may_not(
    client_for: Browse, north: Agency, bos_company: Customer, ed: User, path: str, role: str
):
    eve = client_for(north, factories.member(bos_company, role, "eve@shop.example"))

    assert eve.post(f"{path}{ed.pk}/", {"do": "remove"}).status_code == 403
    assert eve.post(f"{path}invite/", {"email": "x@x.example", "role": "owner"}).status_code == 403
    assert role_of(ed) == "editor"


def test_people_of_elsewhere_are_not_there(bo_client: Client, cy: User, ada: User, path: str):
    for person in (cy, ada):
        assert bo_client.get(f"{path}{person.pk}/").status_code == 404
        assert bo_client.post(f"{path}{person.pk}/", {"do": "remove"}).status_code == 404


def test_nobody_changes_themselves(bo_client: Client, bo: User, path: str):
    assert "Nobody changes themselves" in bo_client.get(f"{path}{bo.pk}/").content.decode()
    assert bo_client.post(f"{path}{bo.pk}/", {"do": "remove"}).status_code == 403


def test_ownership_is_handed_over_after_the_password_is_asked_again(bo_client: Client, bo: User, ed: User, path: str):
    assert bo_client.post(f"{path}{ed.pk}/hand-over/").url.startswith("/account/reauthenticate/")
    bo_client.post("/account/reauthenticate/", {"password": factories.PASSWORD})

    response = bo_client.post(f"{path}{ed.pk}/hand-over/")

    assert response.status_code == 302
    assert (role_of(ed), role_of(bo)) == ("owner", "editor")


def test_people_read_what_staff_did_for_them_and_why(
    bo_client: Client, north: Agency, ada: User, bo: User, ed: User, bos_company: Customer
):
    event = Event.objects.record(
        "staff_launch", agency=north, acting_user=ada, customer=bos_company, outcome="opened", page="campaigns"
    )
    Note.objects.create(
        agency=north, customer=bos_company, author_id=ada.pk, text="You asked on the phone", event=event
    )
    inside = Event.objects.record("customer.noted", agency=north, acting_user=ada, customer=bos_company)
    Event.objects.record("customer.paused", agency=north, acting_user=ed, customer=bos_company)
    Note.objects.create(agency=north, customer=bos_company, author_id=ada.pk, text="Complains a lot", event=inside)

    text = bo_client.get("/account/activity/").content.decode()

    assert "Opened your editor (coupons)" in text
    assert ada.get_full_name() in text
    assert "You asked on the phone" in text
    assert "Complains a lot" not in text
    assert "Paused your account" not in text, "a fellow member is not staff"


def test_nobody_reads_what_staff_did_for_others(client_for: Browse, north: Agency, ada: User, bos_company: Customer):
    Event.objects.record("customer.paused", agency=north, acting_user=ada, customer=bos_company)
    kim = factories.person(north, "kim@shop.example")
    factories.customer(north, kim)

    assert "Nothing yet" in client_for(north, kim).get("/account/activity/").content.decode()


def test_who_is_suspended_reads_no_more_what_staff_did(
    client_for: Browse, north: Agency, ada: User, ed: User, bos_company: Customer
):
    Event.objects.record("customer.paused", agency=north, acting_user=ada, customer=bos_company)
    eds = client_for(north, ed)
    assert "Paused your account" in eds.get("/account/activity/").content.decode()

    ed.memberships.update(suspended_at=timezone.now())

    assert "Nothing yet" in eds.get("/account/activity/").content.decode()


def test_what_staff_did_is_read_whatever_they_belong_to_themselves(
    bo_client: Client, north: Agency, ada: User, bos_company: Customer
):
    former = factories.person(north, "former@north.example")
    factories.customer(north, former)
    Membership.objects.create(person=ada, customer=bos_company, role="editor")
    for staff in (ada, former):
        Event.objects.record("customer.paused", agency=north, acting_user=staff, customer=bos_company)

    text = bo_client.get("/account/activity/").content.decode()

    assert text.count("Paused your account") == 2


def test_what_staff_did_comes_in_pages(bo_client: Client, north: Agency, ada: User, bos_company: Customer):
    for _ in range(35):
        Event.objects.record("customer.paused", agency=north, acting_user=ada, customer=bos_company)

    first = bo_client.get("/account/activity/").content.decode()
    assert first.count("Paused your account") == 30
    after = re.search(r"\?before=(\d+)", first)
    assert after
    assert bo_client.get(f"/account/activity/?before={after.group(1)}").content.decode().count("Paused your") == 5
    assert bo_client.get("/account/activity/?before=x").status_code == 200


def test_a_profile_takes_name_and_language_and_nothing_else(bo_client: Client, bo: User):
    wanted = {"first_name": "Bob", "last_name": "B", "language": "nl", "staff_role": "owner", "email": "x@x.example"}
    response = bo_client.post("/account/profile/", wanted, follow=True)

    bo.refresh_from_db()
    assert (bo.first_name, bo.language, bo.staff_role, bo.email) == ("Bob", "nl", "", "bo@shop.example")
    assert response.headers["Content-Language"] == "nl"
    assert Event.objects.for_agency(bo.agency).latest("pk").kind == "person.profile_changed"
    assert bo_client.post("/account/profile/", {"first_name": "Bob", "language": "xx"}).status_code == 200
    assert Membership.objects.for_agency(bo.agency).filter(person=bo).count() == 0


def test_an_owner_reads_who_has_a_second_step_and_signs_somebody_out(
    client_for: Browse, bo_client: Client, north: Agency, ed: User, path: str
):
    eds = client_for(north, ed)
    before = bo_client.get(path).content.decode()
    factories.second_factor(ed)

    assert before.count("No second step") == 2
    assert bo_client.get(path).content.decode().count("No second step") == 1
    assert eds.get(path).content.decode().count("second step") == 0

    said = bo_client.post(f"{path}{ed.pk}/", {"do": "end_sessions"}, follow=True).content.decode()
    assert "Ed Bakker is signed out everywhere." in said
    assert eds.get(path).status_code == 302


@pytest.mark.parametrize("business", ["another customer", "staff", "owner of another customer"])
def test_an_owner_learns_nothing_of_what_else_a_member_does_here(
    bo_client: Client, north: Agency, ed: User, path: str, business: str
):
    def pages() -> list[str]:
        texts = [bo_client.get(at).content.decode() for at in (path, f"{path}{ed.pk}/", f"{path}{ed.pk}/hand-over/")]
        return [re.sub(r'(csrfmiddlewaretoken" value="|nonce[-="]+)[^"]+', "", text) for text in texts]

    before = pages()
    if business == "staff":
        User.objects.filter(pk=ed.pk).update(staff_role="support")
    elif business == "another customer":
        other = factories.customer(north, factories.person(north, "kim@kim.example"))
        Membership.objects.create(person=ed, customer=other, role="viewer")
    else:
        factories.customer(north, ed)

    assert pages() == before
    said = bo_client.post(f"{path}{ed.pk}/", {"do": "end_sessions"}, follow=True).content.decode()
    assert "Ed Bakker is signed out everywhere." in said


def test_nobody_of_another_agency_has_a_name_here(north: Agency, bo: User, cy: User):
    olu = factories.operator()

    names = access_people.names_of(north, {bo.pk, cy.pk, olu.pk})

    assert names.keys() == {bo.pk, olu.pk}


def test_an_invitation_that_somebody_else_opens_says_whose_it_is_and_leads_back(
    client_for: Browse, bo_client: Client, north: Agency, bos_company: Customer, path: str
):
    kim = factories.person(north, "kim@shop.example")
    bo_client.post(f"{path}invite/", {"email": kim.email, "role": "viewer"})
    link = link_for(kim.email)

    page = bo_client.get(link).text
    assert "It is for <strong" in page
    assert "kim@shop.example" in page
    assert "you are signed in as <strong" in page
    assert "Accept the invitation" not in page

    out = bo_client.post("/account/logout/", {"next": link})
    assert out.url == link
    assert bo_client.get(link).url.startswith("/account/login/?next=/invitation/")
    assert "Accept the invitation" in client_for(north, kim).get(link).text


def test_who_is_not_signed_in_learns_nothing_of_an_invitation_to_somebody_who_is_known(
    client_for: Browse, bo_client: Client, north: Agency, bos_company: Customer, path: str
):
    kim = factories.person(north, "kim@shop.example")
    bo_client.post(f"{path}invite/", {"email": kim.email, "role": "viewer"})

    answer = client_for(north).get(link_for(kim.email))

    assert answer.status_code == 302
    assert "kim" not in answer.url
    assert client_for(north, kim).get("/invitation/no-such-token/").status_code == 404
