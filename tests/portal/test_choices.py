"""A choice that a form does not offer is refused with a sentence: another agency's package, a made-up word."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Agency, Customer, Invitation, Membership, Package, User, ViewAs
from portal.forms.team import ReasonForm
from tests import factories
from tests.access.making import session_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def adas(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def operators_client() -> Client:
    client = Client(headers={"host": "platform.localhost"})
    olu = factories.operator()
    client.cookies["session"] = session_of(olu)
    return client


def test_a_new_customer_gets_a_package_of_its_own_agency(adas: Client, north: Agency, south: Agency):
    about = {"company_name": "New", "first_name": "N", "last_name": "N", "email": "n@new.example", "country": "NL"}
    for package in (str(Package.objects.for_agency(south).on_offer()[0].public_id), str(uuid4()), "x"):
        answer = adas.post("/console/customers/new/", about | {"package": package})

        assert answer.status_code == 200
        assert "This package is no longer offered" in answer.text
    assert not Customer.objects.for_agency(north).exists()


def test_a_filter_for_another_agencys_package_finds_nothing_of_it(
    adas: Client, north: Agency, south: Agency, bos_company: Customer
):
    foreign = Package.objects.for_agency(south).on_offer()[0]
    answer = adas.get("/console/customers/", {"package": str(foreign.public_id)})

    assert answer.status_code == 200
    assert "Bakery" in answer.text  # a filter that is not understood filters nothing
    assert "Select a valid choice" in answer.text


def test_an_operator_looks_on_as_nobody_of_another_agency(north: Agency, south: Agency, ada: User):
    sue = factories.staff(south, "sue@south.example", "owner")
    client = operators_client()

    for person in (str(sue.pk), str(uuid4())):
        answer = client.post(f"/operator/agencies/{north.pk}/view-as/", {"person": person, "reason": "To look."})
        assert answer.status_code == 200
        assert "This person does not work here any more" in answer.text
    assert not ViewAs.objects.for_agency(north).exists()


@pytest.mark.parametrize("query", [{"agency": str(uuid4())}, {"kind": "made.up"}])
def test_a_search_for_what_is_not_offered_is_refused(query: dict[str, str], north: Agency):
    answer = operators_client().get("/operator/events/", query)

    assert answer.status_code == 200
    assert "Select a valid choice" in answer.text


def test_nobody_is_given_a_role_that_does_not_exist(
    client_for: Callable[..., Client], adas: Client, north: Agency, bos_company: Customer, bo: User
):
    ben = factories.staff(north, "ben@north.example", "support")
    kim = factories.person(north)
    Membership.objects.create(customer=bos_company, person=kim, role="viewer")
    doors = (
        (adas, f"/console/staff/{ben.pk}/"),
        (client_for(north, bo), f"/c/{bos_company.public_id}/people/{kim.pk}/"),
    )
    for client, path in doors:
        for role in ("emperor", ""):
            answer = client.post(path, {"do": "role", "role": role})

            assert answer.status_code == 200, path
            assert "Please choose one of these roles." in answer.text

    ben.refresh_from_db()
    assert (ben.staff_role, Membership.objects.for_agency(north).get(person=kim).role) == ("support", "viewer")


def test_staff_are_offered_no_second_owner_of_a_customer(adas: Client, bos_company: Customer, bo: User):
    people_page = f"/console/customers/{bos_company.public_id}/people/"

    assert 'value="owner"' not in adas.get(people_page).text
    answer = adas.post(f"{people_page}invite/", {"email": "new@shop.example", "role": "owner"})
    assert "Please choose one of these roles." in answer.text

    Membership.objects.for_agency(bos_company.agency).filter(person=bo).update(suspended_at=timezone.now())
    assert 'value="owner"' in adas.get(people_page).text
    adas.post(f"{people_page}invite/", {"email": "new@shop.example", "role": "owner"})
    assert Invitation.objects.for_agency(bos_company.agency).get(email="new@shop.example").member_role == "owner"


def test_a_reason_of_several_lines_is_counted_as_the_browser_counts_it():
    typed = "a" * 148 + "\n" + "b" * 149 + "\nc"

    form = ReasonForm({"reason": typed.replace("\n", "\r\n")})

    assert len(typed) == 300
    assert form.is_valid(), form.errors


@pytest.mark.parametrize("country", ["XX", "Belgium"])
def test_a_country_that_is_none_is_named_so_in_our_words(
    country: str, adas: Client, client_for: Callable[..., Client], north: Agency
):
    sentence = "Please choose a country from the list."
    package = str(Package.objects.for_agency(north).on_offer()[0].public_id)
    about = {"company_name": "New", "first_name": "N", "last_name": "N", "email": "n@new.example", "country": country}

    assert sentence in adas.post("/console/customers/new/", about | {"package": package}).text
    form = factories.sign_up_form(north, country=country)
    assert sentence in client_for(north).post("/account/signup/", form).text
