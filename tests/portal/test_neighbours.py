"""What a page knows of its reader is the reader's own: not a colleague's, and not that of another agency."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from accounts.models import Agency, Cause, Customer, Membership, State, Subaccount, User
from portal import access
from tests import factories

pytestmark = pytest.mark.django_db


def read(person: User) -> User:
    found = access.person_of_session(person.pk)
    assert found is not None
    return found


def test_only_ones_own_customers_are_counted(north: Agency, south: Agency, bos_company: Customer, bo: User, cy: User):
    factories.customer(north, factories.person(north), company_name="Kim's")
    factories.customer(south, cy)

    assert read(bo).customer_count == 1
    assert read(factories.person(north)).customer_count == 0


def test_only_ones_own_second_step_counts(north: Agency, ada: User, bo: User):
    assert read(ada).has_second_factor
    assert not read(bo).has_second_factor


def test_what_waits_is_counted_for_ones_own_agency(north: Agency, south: Agency, ada: User, cy: User):
    for number in range(2):
        factories.customer(south, factories.person(south), company_name=f"South {number}")
    Subaccount.objects.for_agency(south).update(state=State.NEEDS_REVIEW, cause=Cause.EMAIL_TAKEN_ELSEWHERE)

    assert not read(ada).open_attention
    assert read(factories.staff(south, "sue@south.example", "owner")).open_attention == 2


def test_an_address_proven_elsewhere_lets_no_wish_go_on_here(north: Agency, south: Agency):
    factories.person(south, "both@shop.example")
    person = factories.person(north, "both@shop.example", verified=False)
    customer = factories.customer(north, person, proven=False)
    other = factories.person(north, "other@shop.example")
    EmailAddress.objects.create(user=other, email="both@shop.example", verified=True)
    client = Client(headers={"host": north.canonical_host})

    client.force_login(person)

    assert Subaccount.objects.for_agency(north).get(customer=customer).state == State.AWAITING_EMAIL


def test_somebody_elses_second_step_does_not_ask_who_sets_up_their_own(north: Agency):
    old = factories.staff(north, "old@north.example", "admin")
    Authenticator.objects.filter(user=old).update(created_at=timezone.now() - timedelta(days=9))
    new = factories.person(north, "new@north.example", staff_role="support")
    client = Client(headers={"host": north.canonical_host})
    client.force_login(new)

    page = client.get("/account/2fa/totp/activate/")

    assert page.status_code == 200


def test_a_membership_at_another_agency_opens_nothing(north: Agency, south: Agency, bo: User, bo_client: Client):
    """No door ever writes one; if one came from elsewhere, nothing of the other agency would be read by it."""
    stray = factories.customer(south, factories.person(south), company_name="Strayed Bakery")
    Membership.objects.create(person=bo, customer=stray, role="owner")
    factories.customer(north, bo, company_name="Bo's own")

    assert read(bo).customer_count == 1
    assert bo_client.get(f"/c/{stray.public_id}/").status_code == 404
    assert "Strayed" not in bo_client.get("/", follow=True).text


def test_a_customer_that_somebody_was_suspended_from_is_not_counted(north: Agency, bo: User, bos_company: Customer):
    factories.customer(north, bo)
    Membership.objects.for_agency(north).filter(person=bo, customer=bos_company).update(suspended_at=timezone.now())

    assert read(bo).customer_count == 1


def test_a_customer_that_is_closed_is_not_counted(north: Agency, bo: User, bos_company: Customer):
    factories.customer(north, bo)
    Customer.objects.for_agency(north).filter(pk=bos_company.pk).update(closed_at=timezone.now())

    assert read(bo).customer_count == 1


def test_who_belongs_to_no_agency_and_is_no_operator_runs_nothing(db: None):
    client = Client(headers={"host": "platform.localhost"})
    client.force_login(factories.second_factor(factories.person(None, "former@platform.example")))

    assert client.get("/operator/").status_code == 404
    assert "operator/all/" not in client.get("/operator/all/user/").text


@pytest.mark.parametrize("who", ["a neighbour's owner", "who only helps", "who was suspended", "who may not sign in"])
def test_mails_about_a_customer_go_to_its_owners_of_today(who: str, north: Agency, bo: User, bos_company: Customer):
    other = factories.person(north, "other@shop.example")
    if who == "a neighbour's owner":
        factories.customer(north, other)
    else:
        role = "viewer" if who == "who only helps" else "owner"
        suspended_at = timezone.now() if who == "who was suspended" else None
        Membership.objects.create(person=other, customer=bos_company, role=role, suspended_at=suspended_at)
        User.objects.filter(pk=other.pk).update(is_active=who != "who may not sign in")

    assert access.owner_addresses(bos_company) == [bo.email]
