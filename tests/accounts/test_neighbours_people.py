"""Erasing, inviting, purging and handing out data leave the neighbours alone, and are not stopped by them."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts import customer_care, data_export, erasure, people, retention, staff, timeline
from accounts.erasure import Why
from accounts.errors import NotAllowed
from accounts.models import (
    Agency,
    Campaign,
    Customer,
    Invitation,
    Job,
    Membership,
    Note,
    Subaccount,
    User,
    VendorCall,
)
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def kims_company(north: Agency) -> Customer:
    """Another customer of the same agency, with all that a customer has."""
    kim = factories.person(north, "kim@kims.example")
    customer = factories.customer(north, kim, company_name="Kim's")
    factories.activate(customer, None)
    customer.notes.create(agency=north, author_id=kim.pk, text="Kim's note")
    people.invite_member(customer=customer, email="helper@kims.example", role="editor", acting_user=kim)
    Campaign.objects.create(subaccount=customer.subaccount, vendor_id="cam_1", seen_at=timezone.now())
    return customer


def left_of(customer: Customer) -> dict[str, int]:
    agency = customer.agency
    return {
        "notes": Note.objects.for_agency(agency).filter(customer=customer).count(),
        "invitations": Invitation.objects.for_agency(agency).filter(customer=customer).count(),
        "campaigns": Campaign.objects.for_agency(agency).filter(subaccount__customer=customer).count(),
        "jobs": Job.objects.for_agency(agency).filter(customer_id=customer.pk).count(),
        "people": Membership.objects.for_agency(agency).filter(customer=customer).count(),
    }


def closed(customer: Customer, ada: User) -> Customer:
    customer_care.close(customer, message="", acting_user=ada)
    return Customer.objects.for_agency(customer.agency).select_related("agency", "subaccount").get(pk=customer.pk)


def test_a_customer_that_is_erased_takes_nothing_of_another(bos_company: Customer, kims_company: Customer, ada: User):
    before = left_of(kims_company)

    erasure.erase_customer(closed(bos_company, ada), why=Why.ASKED, acting_user=ada)

    assert left_of(kims_company) == before
    assert Subaccount.objects.for_agency(ada.agency).get(customer=kims_company).email == "kim@kims.example"


def test_an_owner_of_another_agency_erases_nobody(north: Agency, south: Agency, bos_company: Customer, ada: User):
    sue = factories.staff(south, "sue@south.example", "owner")

    with pytest.raises(NotAllowed):
        erasure.erase_customer(closed(bos_company, ada), why=Why.ASKED, acting_user=sue)


def test_only_the_persons_own_customers_are_held_while_they_are_erased(
    bos_company: Customer, kims_company: Customer, bo: User
):
    unproven = factories.person(bo.agency, "late@new.example", verified=False)

    assert [erasure.customers_of(person) for person in (bo, unproven)] == [[bos_company.pk], []]
    assert erasure.wishes_of([bos_company.pk], bo.agency) == [bos_company.subaccount.pk]


def test_a_purged_sign_up_goes_alone(north: Agency, kims_company: Customer):
    late = factories.person(north, "late@new.example", verified=False)
    theirs = factories.customer(north, late, proven=False)
    User.objects.filter(pk=late.pk).update(date_joined=timezone.now() - timedelta(days=400))

    retention.enforce(timezone.now())

    assert not User.objects.filter(pk=late.pk).exists()
    assert not Customer.objects.for_agency(north).filter(pk=theirs.pk).exists()
    assert [row.customer_id for row in Subaccount.objects.for_agency(north)] == [kims_company.pk]


def test_a_teammate_number_of_another_agency_is_free_here(north: Agency, south: Agency, ada: User):
    factories.staff(south, "sue@south.example", "owner", teammate_id="77")

    staff.store_teammate(ada, teammate_id="77", acting_user=ada)

    ada.refresh_from_db()
    assert ada.teammate_id == "77"


def invited(agency: Agency, email: str, ada: User) -> Invitation:
    return people.invite_staff(agency=agency, email=email, staff_role="support", acting_user=ada)


def test_who_signs_in_elsewhere_is_somebody_new_here(north: Agency, south: Agency, ada: User):
    elsewhere = factories.person(south, "both@shop.example", first_name="Elsewhere")
    invitation = invited(north, "both@shop.example", ada)

    person = people.accept_invitation(invitation, password=factories.PASSWORD, first_name="Here")

    elsewhere.refresh_from_db()
    assert person.agency == north
    assert (elsewhere.agency, elsewhere.first_name, elsewhere.staff_role) == (south, "Elsewhere", "")
    assert EmailAddress.objects.filter(user=elsewhere, verified=True).exists()


def test_who_is_invited_before_the_address_was_proven_takes_no_other_address_along(north: Agency, ada: User, bo: User):
    factories.person(north, "half@shop.example", verified=False)

    person = people.accept_invitation(invited(north, "half@shop.example", ada), password=factories.PASSWORD)

    assert EmailAddress.objects.get(user=person).verified
    assert EmailAddress.objects.filter(user=bo, verified=True).exists()


def test_data_that_is_handed_out_is_of_this_agency_alone(north: Agency, south: Agency, ada: User):
    here, there = (factories.person(agency, "both@shop.example") for agency in (north, south))
    customers = {agency.name: factories.customer(agency, person) for agency, person in ((north, here), (south, there))}
    sue = factories.staff(south, "sue@south.example", "owner")
    for customer, by in ((customers["North"], ada), (customers["South"], sue)):
        customer.notes.create(agency=customer.agency, author_id=by.pk, text=f"a note at {customer.agency.name}")
        invited(customer.agency, "both@shop.example", by)

    text = str(data_export.export_person(here, acting_user=ada))

    assert "a note at North" in text
    assert "South" not in text
    for row in people.open_invitations(south):
        assert str(row.public_id) not in text


def test_a_timeline_holds_the_notes_of_its_customer_only(bos_company: Customer, kims_company: Customer, ada: User):
    customer_care.add_note(bos_company, text="Bo's note", acting_user=ada)

    texts = str(timeline.page(bos_company))

    assert "Bo's note" in texts
    assert "Kim's note" not in texts


def test_a_timeline_says_nothing_of_what_happens_at_another_customer(bos_company: Customer, kims_company: Customer):
    before = timeline.page(bos_company)

    kim = User.objects.get(email="kim@kims.example")
    people.invite_member(customer=kims_company, email="second@kims.example", role="viewer", acting_user=kim)
    VendorCall.objects.create(
        agency=kims_company.agency, customer_id=kims_company.pk, endpoint="/v3/subaccount/info", milliseconds=1
    )

    assert timeline.page(bos_company) == before
    assert len(timeline.page(kims_company).entries) > 3
