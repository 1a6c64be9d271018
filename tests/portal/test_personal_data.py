"""The pages about personal data: one's own, a member's, a staff member's, a closed customer's."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import customer_care
from accounts.models import Agency, Customer, Event, PanelTask, Subaccount, User
from tests import factories
from tests.accounts.canaries import SECRETS, plant

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]
PLATFORM = "platform.localhost"


def proven(client: Client) -> Client:
    client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    return client


@pytest.fixture
def bos(bo_client: Client) -> Client:
    """Bo's browser, right after the password was typed."""
    return proven(bo_client)


@pytest.fixture
def adas(client_for: Browse, north: Agency, ada: User) -> Client:
    return proven(client_for(north, ada))


@pytest.fixture
def eve(bos_company: Customer) -> User:
    factories.activate(bos_company, None)
    return factories.member(bos_company, "owner", "eve@shop.example", first_name="Eve", last_name="Other")


def kinds(agency: Agency | None) -> list[str]:
    return list(Event.objects.across_agencies().filter(agency=agency).order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("path", ["/account/data/", "/account/data/erase/"])
def test_it_asks_for_the_password_first(bo_client: Client, bo: User, path: str):
    assert bo_client.get(path).url.startswith("/account/reauthenticate/")
    assert bo_client.post(path, {"confirm": bo.email}).url.startswith("/account/reauthenticate/")
    assert User.objects.filter(pk=bo.pk).exists()


def test_a_person_downloads_everything_that_is_kept_of_them(
    north: Agency, bo: User, bos_company: Customer, bos: Client
):
    page = bos.get("/account/data/").content.decode()
    answer = bos.post("/account/data/")

    data = json.loads(answer.content)
    assert "Download my data" in page
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert "no-store" in answer["Cache-Control"]
    assert data["data"]["accounts.User"][0]["email"] == bo.email
    assert data["data"]["accounts.Customer"][0]["company_name"] == bos_company.company_name
    assert "password" not in data["data"]["accounts.User"][0]
    assert kinds(north)[-1] == "person.data_exported"


def test_looking_at_the_page_writes_nothing(north: Agency, bos: Client):
    before = kinds(north)

    bos.get("/account/data/")
    bos.get("/account/data/erase/")

    assert kinds(north) == before


def test_an_operator_downloads_their_own_and_the_last_one_stays(client_for: Browse, db: None):
    olu = factories.operator()
    client = proven(client_for(PLATFORM, olu))

    data = json.loads(client.post("/account/data/").content)
    page = client.get("/account/data/erase/").content.decode()

    assert data["data"]["accounts.User"][0]["email"] == olu.email
    assert "You are the last operator" in page
    assert "Erase my data for ever" not in page


def test_a_person_erases_themselves_and_is_nobody_any_more(
    north: Agency, bo: User, eve: User, bos: Client, bos_company: Customer
):
    answer = bos.post("/account/data/erase/", {"confirm": f"  {bo.email.upper()} "})

    assert answer.status_code == 200
    assert "Your data is erased" in answer.content.decode()
    assert answer.cookies["session"].value == ""
    assert not User.objects.filter(pk=bo.pk).exists()
    assert bos.get("/account/profile/").status_code == 302
    assert Customer.objects.for_agency(north).get(pk=bos_company.pk).email == eve.email
    assert bos.post("/account/login/", {"login": bo.email, "password": factories.PASSWORD}).status_code == 200


def test_who_was_taken_out_of_an_account_downloads_and_erases_what_is_in_their_name(
    north: Agency, bo: User, eve: User, bos_company: Customer, client_for: Browse, adas: Client
):
    Customer.objects.for_agency(north).filter(pk=bos_company.pk).update(last_name="Zkanari")
    client_for(north, eve).post(f"/c/{bos_company.public_id}/people/{bo.pk}/", {"do": "remove"})
    assert not bo.memberships.exists()
    bo.refresh_from_db()
    again = proven(client_for(north, bo))

    data = json.loads(again.post("/account/data/").content)["data"]
    again.post("/account/data/erase/", {"confirm": bo.email})

    assert [row["last_name"] for row in data["accounts.Customer"]] == ["Zkanari"]
    assert not User.objects.filter(pk=bo.pk).exists()
    page = adas.get(f"/console/customers/{bos_company.public_id}/").content.decode()
    found = adas.get(f"/console/customers/?q={bo.email}").content.decode()
    assert "Zkanari" not in page
    assert bo.email not in page
    assert str(bos_company.public_id) not in found
    assert [task.kind for task in PanelTask.objects.for_agency(north).filter(done_at=None)] == ["erase_contact"]


def test_another_address_typed_erases_nobody(bo: User, eve: User, bos: Client):
    page = bos.post("/account/data/erase/", {"confirm": "bo@other.example"}).content.decode()

    assert "is-invalid" in page
    assert 'value="bo@other.example"' in page
    assert User.objects.filter(pk=bo.pk).exists()


def test_the_only_owner_reads_what_has_to_be_settled_first(bo: User, bos_company: Customer, bos: Client):
    page = bos.get("/account/data/erase/").content.decode()
    answer = bos.post("/account/data/erase/", {"confirm": bo.email})

    assert "An account that is open is in your name alone." in page
    assert "Erase my data for ever" not in page
    assert answer.url == "/account/data/erase/"
    assert User.objects.filter(pk=bo.pk).exists()


def test_a_manager_hands_out_a_members_data_without_secrets(
    north: Agency, bo: User, bos_company: Customer, adas: Client
):
    plant(bo, bos_company)
    path = f"/console/customers/{bos_company.public_id}/people/{bo.pk}/data/"

    assert path in adas.get(f"/console/customers/{bos_company.public_id}/people/").content.decode()
    written = adas.post(path).content.decode()

    assert "canary-note" in written
    assert "canary-passkey" in written
    assert [secret for secret in SECRETS if secret in written] == []


def test_an_admin_hands_out_but_does_not_erase(client_for: Browse, north: Agency, bo: User, bos_company: Customer):
    admin = proven(client_for(north, factories.staff(north, "admin@north.example", "admin")))
    path = f"/console/customers/{bos_company.public_id}/people/{bo.pk}/"

    page = admin.get(f"{path}data/").content.decode()

    assert "Download their data" in page
    assert "Erase their data" not in page
    assert admin.get(f"{path}erase/").status_code == 403
    assert admin.post(f"{path}erase/", {"confirm": bo.email}).status_code == 403


def test_an_admin_does_not_hand_out_the_data_of_staff_who_are_members(
    client_for: Browse, north: Agency, ada: User, bos_company: Customer
):
    bos_company.memberships.create(person=ada, role="editor")
    admin = proven(client_for(north, factories.staff(north, "admin@north.example", "admin")))

    path = f"/console/customers/{bos_company.public_id}/people/{ada.pk}/data/"

    assert "an owner hands out or erases their data" in admin.get(path).content.decode()
    assert admin.post(path).status_code == 403


def test_an_owner_erases_a_member_after_typing_the_address(
    north: Agency, bo: User, eve: User, bos_company: Customer, adas: Client
):
    path = f"/console/customers/{bos_company.public_id}/people/{bo.pk}/erase/"
    assert "is-invalid" in adas.post(path, {"confirm": "x"}).content.decode()

    answer = adas.post(path, {"confirm": bo.email}, follow=True)

    assert "Erased. What is left to do" in answer.content.decode()
    assert not User.objects.filter(pk=bo.pk).exists()
    [task] = PanelTask.objects.for_agency(north).filter(done_at=None)
    attention = adas.get("/console/attention/").content.decode()
    assert task.kind == "erase_contact"
    assert "Put the name and e-mail address of today" in attention


def test_an_owner_reads_why_a_member_cannot_be_erased(bo: User, bos_company: Customer, adas: Client):
    path = f"/console/customers/{bos_company.public_id}/people/{bo.pk}/erase/"

    page = adas.get(path).content.decode()

    assert "A customer that is open is in their name alone." in page
    assert adas.post(path, {"confirm": bo.email}).url == path
    assert User.objects.filter(pk=bo.pk).exists()


def test_an_owner_hands_out_and_erases_the_data_of_staff(north: Agency, ada: User, adas: Client):
    ben = factories.staff(north, "ben@north.example", "support", first_name="Ben")
    path = f"/console/staff/{ben.pk}/"
    assert f"{path}data/" in adas.get(path).content.decode()

    written = json.loads(adas.post(f"{path}data/").content)
    assert written["data"]["accounts.User"][0]["email"] == ben.email
    assert adas.post(f"{path}erase/", {"confirm": ben.email}).url == "/console/staff/"

    assert not User.objects.filter(pk=ben.pk).exists()
    assert adas.get("/console/staff/").status_code == 200
    event = Event.objects.for_agency(north).get(kind="person.erased")
    assert (event.actor_id, event.object_id, event.data) == (ada.pk, str(ben.pk), {"why": "asked"})
    assert event.request


@pytest.mark.parametrize("what", ["data", "erase"])
def test_ones_own_is_on_ones_own_page(ada: User, adas: Client, what: str):
    own = {"data": "/account/data/", "erase": "/account/data/erase/"}[what]

    assert adas.get(f"/console/staff/{ada.pk}/{what}/").url == own


def test_an_owner_erases_a_closed_customer_after_typing_its_name(
    north: Agency, ada: User, active: Subaccount, adas: Client
):
    company = active.customer
    path = f"/console/customers/{company.public_id}/erase/"
    assert adas.get(path).url == f"/console/customers/{company.public_id}/", "it is open"
    customer_care.close(company, message="", acting_user=ada)
    assert path in adas.get(f"/console/customers/{company.public_id}/").content.decode()
    assert "is-invalid" in adas.post(path, {"confirm": "Another"}).content.decode()

    adas.post(path, {"confirm": company.company_name})

    page = adas.get(f"/console/customers/{company.public_id}/").content.decode()
    assert company.reference in page
    assert company.company_name not in page.replace("&#x27;", "'")
    assert "Erased on" in page
    assert path not in page
    assert f"Delete {active.vendor_id} with everything in it" in page
    assert adas.get(path).status_code == 302
    assert "Save note" not in page
    text = adas.post(f"/console/customers/{company.public_id}/note/", {"text": "Bo again"}, follow=True)
    assert "nothing is noted any more" in text.content.decode()
    for show in ("", "?show=notes", "?show=mails"):
        assert adas.get(f"/console/customers/{company.public_id}/{show}").status_code == 200
    assert adas.get("/console/customers/").status_code == 200
    assert adas.get(f"/console/customers/{company.public_id}/people/").status_code == 200


def test_who_was_erased_has_no_name_where_they_acted_and_is_not_the_worker(
    north: Agency, ada: User, bos_company: Customer, adas: Client
):
    ben = factories.staff(north, "ben@north.example", "support", first_name="Ben", last_name="Okafor")
    customer_care.pause(bos_company, message="", acting_user=ben)
    adas.post(f"/console/staff/{ben.pk}/erase/", {"confirm": ben.email})

    page = adas.get(f"/console/customers/{bos_company.public_id}/").content.decode()

    assert "Okafor" not in page
    assert "Paused, by somebody who was erased" in page


@pytest.mark.parametrize("query", ["", "?kind=person.erased"])
def test_operators_read_events_of_people_who_were_erased(client_for: Browse, north: Agency, adas: Client, query: str):
    ben = factories.staff(north, "ben@north.example", "support")
    adas.post(f"/console/staff/{ben.pk}/erase/", {"confirm": ben.email})

    page = client_for(PLATFORM, factories.operator()).get(f"/operator/events/{query}").content.decode()

    assert str(ben.pk) in page
    assert ben.email not in page
