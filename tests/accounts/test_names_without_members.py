"""Erasure and export of somebody in whose name a customer stands, and who does not belong to it (any more, or yet)."""

import json
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts import customer_care, data_export, erasure, members, people
from accounts.erasure import CannotErase, Obstacle, Why
from accounts.mails import put_mail
from accounts.models import Agency, Campaign, Customer, Job, Membership, Note, Package, State, Subaccount, User
from tests import factories
from tests.accounts.canaries import everything
from tests.accounts.closing import close, reloaded, tasks

pytestmark = pytest.mark.django_db
ADDRESS, NAME = "canary-zoe@canary.example", "Canaryzoe"


@pytest.fixture
def zoe(north: Agency) -> User:
    return factories.person(north, ADDRESS, first_name="Zoe", last_name=NAME)


def fresh(customer: Customer) -> Customer:
    return Customer.objects.for_agency(customer.agency).select_related("agency", "subaccount").get(pk=customer.pk)


def membership_of(customer: Customer, person: User) -> Membership:
    rows = Membership.objects.for_agency(customer.agency).select_related("person", "customer__agency")
    return rows.get(customer=customer, person=person)


def removed(north: Agency, zoe: User) -> Customer:
    """Zoe's, until a co-owner took her out of it. The vendor has her address."""
    company = factories.customer(north, zoe)
    factories.activate(company, None)
    al = factories.member(company, "owner", "al@shop.example", first_name="Al", last_name="Older")
    members.remove(membership_of(company, zoe), acting_user=al)
    return fresh(company)


def added(ada: User, package: Package) -> Customer:
    """Made by staff for Zoe's address, and never joined by her."""
    made = customer_care.add(
        agency=ada.agency,
        package=package,
        company_name="Zuid",
        first_name="Zoe",
        last_name=NAME,
        country="NL",
        email=ADDRESS,
        acting_user=ada,
    )
    return fresh(made)


def left() -> list[str]:
    return [line[:200] for line in everything().splitlines() if "canary" in line.lower()]


def erase(person: User, ada: User) -> None:
    erasure.erase_person(reloaded(person), why=Why.ASKED, acting_user=ada)


# -- erasing -------------------------------------------------------------------------------------------------------


def test_who_was_taken_out_of_a_customer_is_erased_from_it(north: Agency, ada: User, zoe: User):
    company = removed(north, zoe)

    erase(zoe, ada)

    assert left() == []
    after = fresh(company)
    assert (after.email, after.last_name, after.subaccount.email) == ("al@shop.example", "Older", "al@shop.example")
    assert after.contact is not None
    assert after.contact.email == "al@shop.example"
    assert tasks(after) == [("erase_contact", {})]


def test_a_closed_customer_whose_contact_was_taken_out_is_in_the_name_of_who_is_left(
    north: Agency, ada: User, zoe: User
):
    company = close(removed(north, zoe), ada)

    erase(zoe, ada)

    assert left() == []
    assert fresh(company).email == "al@shop.example"


def test_a_closed_customer_that_nobody_belongs_to_is_erased_with_its_contact(north: Agency, ada: User, zoe: User):
    company = removed(north, zoe)
    company.memberships.all().delete()
    company = close(company, ada)

    erase(zoe, ada)

    assert left() == []
    after = fresh(company)
    assert after.erased_at is not None
    assert tasks(after) == [("erase", {})]


def test_a_sign_up_that_was_withdrawn_is_erased_with_who_made_it(north: Agency, ada: User):
    late = factories.person(north, ADDRESS, verified=False)
    company = factories.customer(north, late, proven=False, company_name="canary-shop", last_name=NAME)
    invitation = people.invite_staff(agency=north, email=ADDRESS, staff_role="support", acting_user=ada)
    person = people.accept_invitation(invitation, password=factories.PASSWORD, first_name="Zoe", last_name=NAME)

    erase(person, ada)

    assert left() == []
    after = fresh(company)
    assert after.erased_at is not None
    assert tasks(after) == []


def test_what_staff_made_for_somebodys_address_is_settled_and_erased(ada: User, package: Package, zoe: User):
    company = added(ada, package)
    assert erasure.obstacles(zoe) == [Obstacle.ONLY_OWNER_OF_CUSTOMER]
    with pytest.raises(CannotErase):
        erase(zoe, ada)

    close(company, ada)
    erase(zoe, ada)

    assert left() == []
    assert fresh(company).erased_at is not None


def test_what_staff_made_for_somebodys_address_goes_on_with_another_owner(ada: User, package: Package, zoe: User):
    company = added(ada, package)
    factories.activate(company, None)
    factories.member(company, "owner", "eve@shop.example", first_name="Eve", last_name="Other")

    erase(zoe, ada)

    assert left() == []
    assert fresh(company).email == "eve@shop.example"
    assert tasks(company) == [("erase_contact", {})]


def test_an_address_that_only_the_vendor_was_told_is_erased(north: Agency, ada: User, bo: User, zoe: User):
    company = factories.customer(north, bo)
    factories.activate(company, None)
    Subaccount.objects.for_agency(north).filter(customer=company).update(email=ADDRESS)

    erase(zoe, ada)

    assert left() == []
    assert fresh(company).subaccount.email == bo.email


def _suspended_owner(company: Customer) -> None:
    company.memberships.update(suspended_at=timezone.now())


def _only_an_editor(company: Customer) -> None:
    company.memberships.update(role="editor")


def _asked_of_the_vendor(company: Customer) -> None:
    Subaccount.objects.for_agency(company.agency).filter(customer=company).update(state=State.UNCERTAIN)


@pytest.mark.parametrize(
    ("prepare", "obstacle"),
    [
        (_suspended_owner, Obstacle.ONLY_OWNER_OF_CUSTOMER),
        (_only_an_editor, Obstacle.ONLY_OWNER_OF_CUSTOMER),
        (_asked_of_the_vendor, Obstacle.IN_THE_MAKING),
    ],
)
def test_who_was_taken_out_is_not_erased_before_this_is_settled(
    north: Agency, ada: User, zoe: User, prepare: Callable[[Customer], None], obstacle: Obstacle
):
    prepare(removed(north, zoe))

    with pytest.raises(CannotErase) as refused:
        erase(zoe, ada)

    assert refused.value.obstacle is obstacle


def test_customers_in_a_persons_name_are_held_while_they_are_erased(
    north: Agency, ada: User, bos_company: Customer, package: Package, zoe: User
):
    assert erasure.customers_of(zoe) == []

    company, by_hand = removed(north, zoe), added(ada, package)

    assert erasure.customers_of(zoe) == [company.pk, by_hand.pk]


def test_a_customer_that_is_erased_leaves_who_is_another_ones_contact(north: Agency, ada: User, zoe: User):
    """It is open, and would go with them."""
    other, company = removed(north, zoe), factories.customer(north, zoe)

    erasure.erase_customer(close(company, ada), why=Why.ASKED, acting_user=ada)

    assert User.objects.filter(pk=zoe.pk).exists()
    assert fresh(other).email == ADDRESS
    assert fresh(company).contact is None


def test_a_customer_at_an_address_that_was_handed_on_goes_to_its_own_contact(
    north: Agency, ada: User, bo: User, zoe: User
):
    """Bo read mail at info@ once; Zoe does now. She is erased: the customer is Bo's, where Bo is today."""
    company = factories.customer(north, factories.person(north, "eve@shop.example"))
    factories.activate(company, None)
    Membership.objects.create(person=bo, customer=company, role="owner")
    Customer.objects.for_agency(north).filter(pk=company.pk).update(email=ADDRESS, contact=bo)

    assert "accounts.Customer" not in data_export.export_person(zoe, acting_user=zoe)["data"]
    erase(zoe, ada)

    assert (fresh(company).email, fresh(company).contact) == (bo.email, bo)


# -- addresses that nobody proved ------------------------------------------------------------------------------------


def test_an_address_that_somebody_only_typed_takes_no_customer_along(ada: User, package: Package, bo: User):
    company = added(ada, package)
    factories.activate(company, None)
    factories.member(company, "owner", "eve@shop.example")
    Membership.objects.create(person=bo, customer=company, role="viewer")
    EmailAddress.objects.create(user=bo, email=ADDRESS, verified=False)

    assert "accounts.Customer" not in data_export.export_person(bo, acting_user=bo)["data"]
    erase(bo, ada)

    assert (fresh(company).email, fresh(company).last_name, tasks(company)) == (ADDRESS, NAME, [])


@pytest.mark.parametrize("door", ["purge", "owner"])
def test_a_sign_up_with_a_strangers_address_leaves_the_strangers_customer(
    north: Agency, ada: User, package: Package, door: str
):
    company = added(ada, package)
    late = factories.person(north, ADDRESS, verified=False)
    spam = factories.customer(north, late, proven=False, company_name="Spam")

    if door == "purge":
        assert erasure.erase_never_proven(reloaded(late))
    else:
        close(spam, ada)
        erase(late, ada)

    assert not User.objects.filter(pk=late.pk).exists()
    after = fresh(company)
    assert (after.email, after.last_name, after.subaccount.email) == (ADDRESS, NAME, ADDRESS)
    assert after.subaccount.state == State.AWAITING_EMAIL


def test_a_sign_up_with_a_strangers_address_that_is_purged_leaves_the_strangers_invitation(
    north: Agency, ada: User, package: Package
):
    company = added(ada, package)
    late = factories.person(north, ADDRESS, verified=False)
    put_mail("code", agency=north, to=ADDRESS)

    assert erasure.erase_never_proven(reloaded(late))

    invitation = people.open_invitations(north).select_related("agency", "customer__agency").get(email=ADDRESS)
    mails = Job.objects.for_agency(north).filter(payload__to=ADDRESS)
    assert [mail.payload["mail"] for mail in mails] == ["invitation"]
    person = people.accept_invitation(invitation, password=factories.PASSWORD)
    assert fresh(company).contact == person


# -- the export ----------------------------------------------------------------------------------------------------


def _suspended(north: Agency, ada: User, package: Package, zoe: User) -> Customer:
    company = factories.customer(north, zoe)
    company.memberships.update(suspended_at=timezone.now())
    return company


@pytest.mark.parametrize(
    "make",
    [
        lambda north, ada, package, zoe: removed(north, zoe),
        lambda north, ada, package, zoe: added(ada, package),
        _suspended,
    ],
    ids=["taken out", "made by staff", "suspended"],
)
def test_an_export_holds_the_customer_in_ones_name_and_nothing_of_its_business(
    north: Agency, ada: User, package: Package, zoe: User, make: Callable[..., Customer]
):
    company = make(north, ada, package, zoe)
    Campaign.objects.create(subaccount=company.subaccount, vendor_id="cam_1", name="Secret", seen_at=timezone.now())
    Note.objects.create(agency=north, customer=company, text="Of the owners' business.")

    data = data_export.export_person(zoe, acting_user=zoe)["data"]

    assert [(row["email"], row["last_name"]) for row in data["accounts.Customer"]] == [(ADDRESS, NAME)]
    assert [row["email"] for row in data["accounts.Subaccount"]] == [ADDRESS]
    assert data.keys().isdisjoint({"accounts.Campaign", "accounts.Note", "accounts.SearchWord"})
    assert "al@shop.example" not in json.dumps(data)
