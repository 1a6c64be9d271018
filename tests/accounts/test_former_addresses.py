"""Erasure and export of somebody who is called otherwise by now, and reads their mail elsewhere."""

import json

import pytest
from allauth.account.models import EmailAddress

from accounts import data_export, erasure, operators, people, personal_data, views_as
from accounts.erasure import Why
from accounts.models import Agency, Customer, Invitation, Membership, User
from tests import factories
from tests.accounts.canaries import everything

pytestmark = pytest.mark.django_db
FORMER, FORMER_NAME = "canary-former@former.example", "Canaryformername"


def moves_on(person: User) -> User:
    """Another name and another address, of which the customer and the vendor hear nothing."""
    EmailAddress.objects.filter(user=person).delete()
    person.email, person.first_name, person.last_name = "today@now.example", "To", "Day"
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return User.objects.select_related("agency").get(pk=person.pk)


@pytest.fixture
def former(north: Agency) -> User:
    return factories.person(north, FORMER, first_name="Canary", last_name=FORMER_NAME)


@pytest.fixture
def company(north: Agency, former: User) -> Customer:
    """Theirs once; they handed it over to Lotte, and are an editor of it."""
    made = factories.customer(north, former)
    factories.activate(made, None)
    factories.member(made, "owner", "lotte@shop.example", first_name="Lotte", last_name="Smit")
    Membership.objects.for_agency(north).filter(person=former).update(role="editor")
    return made


def test_a_former_contact_is_erased_under_every_name(ada: User, former: User, company: Customer):
    assert FORMER in everything()
    person = moves_on(former)

    erasure.erase_person(person, why=Why.ASKED, acting_user=ada)

    left = everything().lower()
    assert FORMER not in left
    assert FORMER_NAME.lower() not in left
    company.refresh_from_db()
    assert (company.email, company.contact.email) == ("lotte@shop.example", "lotte@shop.example")


def test_an_invitation_that_went_to_a_former_address_is_erased(ada: User, bo: User, bos_company: Customer):
    people.invite_member(customer=bos_company, email=FORMER, role="viewer", acting_user=bo)
    invitation = Invitation.objects.for_agency(bo.agency).select_related("agency", "customer__agency").get(email=FORMER)
    person = moves_on(people.accept_invitation(invitation, password=factories.PASSWORD))

    erasure.erase_person(person, why=Why.ASKED, acting_user=ada)

    assert FORMER not in everything()


def test_who_accepts_the_invitation_to_its_address_is_a_customers_contact(
    north: Agency, bo: User, bos_company: Customer
):
    Customer.objects.for_agency(north).update(contact=None, email=FORMER)
    people.invite_member(customer=bos_company, email=FORMER, role="owner", acting_user=bo)
    invitation = Invitation.objects.for_agency(north).select_related("agency", "customer__agency").get(email=FORMER)

    person = people.accept_invitation(invitation, password=factories.PASSWORD)

    assert Customer.objects.for_agency(north).get().contact == person


@pytest.mark.parametrize("how", ["signs in elsewhere", "typed it here and proved nothing", "proved it here"])
def test_a_former_address_is_theirs_until_somebody_here_has_proven_it(
    north: Agency, south: Agency, former: User, company: Customer, how: str
):
    person = moves_on(former)
    if how == "signs in elsewhere":
        factories.person(south, FORMER)
    else:
        eve = factories.person(north, "eve@shop.example")
        EmailAddress.objects.create(user=eve, email=FORMER, verified=how == "proved it here")

    assert (FORMER in personal_data.addresses_of(person)) == (how != "proved it here")
    assert FORMER not in personal_data.addresses_of(factories.person(north, "kim@shop.example"))


def test_a_former_contact_gets_the_customer_in_the_export(ada: User, former: User, company: Customer):
    person = moves_on(former)

    data = data_export.export_person(person, acting_user=person)["data"]

    assert [row["email"] for row in data["accounts.Customer"]] == [FORMER]


def test_an_operators_export_holds_what_they_did_to_agencies(north: Agency, ada: User):
    olu = factories.operator()
    operators.stop(north, reason="Canary reason of a stop.", acting_user=olu)
    operators.resume(north, reason="It is over.", acting_user=olu)
    views_as.ask(north, person=ada, reason="To look at the list.", acting_user=olu)

    data = data_export.export_person(olu, acting_user=olu)["data"]

    assert len(data["accounts.ViewAs"]) == 1
    assert "Canary reason of a stop." in json.dumps(data["accounts.Note"])
    assert {"agency.stopped", "agency.resumed"} <= {row["kind"] for row in data["accounts.Event"]}
