"""Doors that nobody goes through for somebody, or something, that is over: suspended, closed, stopped."""

import pytest
from django.utils import timezone

from accounts import customers, erasure, members, people, staff, vendor_accounts, views_as
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Membership, State, Subaccount, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("over", ["suspended here", "may not sign in"])
def test_no_customer_is_handed_to_somebody_who_cannot_come_in(over: str, bo: User, bos_company: Customer):
    other = factories.member(bos_company, "editor", "kim@shop.example")
    membership = Membership.objects.for_agency(bos_company.agency).get(person=other)
    if over == "suspended here":
        membership.suspended_at = timezone.now()
        membership.save(update_fields=["suspended_at"])
    else:
        User.objects.filter(pk=other.pk).update(is_active=False)

    with pytest.raises(NotAllowed):
        members.hand_over(membership, acting_user=bo)
    assert Membership.objects.for_agency(bos_company.agency).get(person=bo).role == Membership.Role.OWNER


def test_no_agency_is_handed_to_somebody_who_cannot_come_in(north: Agency, ada: User):
    ben = factories.staff(north, "ben@north.example", "admin", is_active=False)

    with pytest.raises(NotAllowed):
        staff.hand_over(ben, acting_user=ada)
    assert User.objects.get(pk=ada.pk).staff_role == "owner"


def test_nobody_is_invited_to_a_closed_customer(ada: User, bo: User, bos_company: Customer):
    bos_company.closed_at = timezone.now()
    bos_company.save(update_fields=["closed_at"])

    with pytest.raises(NotAllowed):
        people.invite_member(customer=bos_company, email="kim@shop.example", role="editor", acting_user=bo)


def test_nobody_looks_at_the_console_of_a_stopped_agency(north: Agency, ada: User):
    north.stopped_at = timezone.now()
    north.save(update_fields=["stopped_at"])

    with pytest.raises(NotAllowed):
        views_as.ask(north, person=ada, reason="Their list looks empty", acting_user=factories.operator())


def test_a_neighbours_customers_take_no_place_and_its_wishes_hold_up_no_keys(north: Agency, south: Agency):
    factories.customer(south, factories.person(south))
    Subaccount.objects.for_agency(south).update(state=State.UNCERTAIN)
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    north.refresh_from_db()

    assert customers.has_room(north)
    vendor_accounts.connect(north, client_id="north-id-2", client_secret="another-secret")


def test_nobody_is_suspended_twice_or_brought_back_who_is_here(ada: User, bo: User, bos_company: Customer):
    factories.member(bos_company, "editor", "kim@shop.example")
    ben = factories.staff(bos_company.agency, "ben@north.example", "admin")

    def kims() -> Membership:
        return Membership.objects.for_agency(bos_company.agency).get(person__email="kim@shop.example")

    for door, who, by in ((members, kims, bo), (staff, lambda: User.objects.get(pk=ben.pk), ada)):
        with pytest.raises(NotAllowed):
            door.bring_back(who(), acting_user=by)
        door.suspend(who(), acting_user=by)
        with pytest.raises(NotAllowed):
            door.suspend(who(), acting_user=by)
        door.bring_back(who(), acting_user=by)


def test_what_somebody_was_is_written_down_at_their_erasure_and_not_what_others_are(bo: User, bos_company: Customer):
    kim = factories.member(bos_company, "viewer", "kim@shop.example")
    factories.member(bos_company, "editor", "lee@shop.example")

    erasure.erase_person(kim, why=erasure.Why.OWN_WISH, acting_user=kim)

    event = Event.objects.for_agency(bos_company.agency).get(kind="member.erased")
    assert (event.object_id, event.data["was"]) == (str(kim.pk), "viewer")
