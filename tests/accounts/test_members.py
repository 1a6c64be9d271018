"""A customer's members: its owners change them, nobody changes themselves, and one owner always stays."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts import members, people
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Membership, User
from tests import factories

pytestmark = pytest.mark.django_db

DOORS: dict[str, Callable[[Membership, User], None]] = {
    "role": lambda membership, by: members.change_role(membership, role="viewer", acting_user=by),
    "suspend": lambda membership, by: members.suspend(membership, acting_user=by),
    "bring back": lambda membership, by: members.bring_back(membership, acting_user=by),
    "remove": lambda membership, by: members.remove(membership, acting_user=by),
    "sessions": lambda membership, by: members.end_sessions(membership, acting_user=by),
    "hand over": lambda membership, by: members.hand_over(membership, acting_user=by),
}
EVENTS = {
    "role": "member.role_changed",
    "suspend": "member.suspended",
    "bring back": "member.brought_back",
    "remove": "member.removed",
    "sessions": "member.sessions_ended",
    "hand over": "member.ownership_handed_over",
}


def membership_of(customer: Customer, person: User) -> Membership:
    rows = Membership.objects.for_agency(customer.agency).select_related("customer__agency")
    return rows.get(customer=customer, person=person)


@pytest.fixture
def ed(bos_company: Customer) -> User:
    return factories.member(bos_company, "editor", "ed@shop.example", first_name="Ed")


@pytest.mark.parametrize("door", DOORS)
def test_the_owner_may_do_it_with_an_event_that_names_both(bo: User, ed: User, bos_company: Customer, door: str):
    membership = membership_of(bos_company, ed)
    if door == "bring back":
        membership.suspended_at = timezone.now()
        membership.save()

    DOORS[door](membership, bo)

    event = Event.objects.for_agency(bos_company.agency).latest("pk")
    assert (event.kind, event.actor_id, event.customer_id) == (EVENTS[door], bo.pk, bos_company.pk)
    assert (event.object_type, event.object_id) == ("person", str(ed.pk))
    generation = ed.session_generation
    ed.refresh_from_db()
    assert ed.session_generation == generation + 1


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ["editor", "viewer", "suspended owner", "nobody", "staff"])
def test_only_its_owners_change_a_customers_people(
    north: Agency, ada: User, ed: User, bos_company: Customer, door: str, role: str
):
    if role == "staff":
        acting = ada
    elif role == "nobody":
        acting = factories.person(north, "eve@shop.example")
        factories.customer(north, acting)  # an owner, but of another customer
    else:
        acting = factories.member(bos_company, role.split()[-1], "eve@shop.example")
        if role.startswith("suspended"):
            acting.memberships.update(suspended_at=timezone.now())

    with pytest.raises(NotAllowed):
        DOORS[door](membership_of(bos_company, ed), acting)

    membership = membership_of(bos_company, ed)
    assert (membership.role, membership.suspended_at) == ("editor", None)


@pytest.mark.parametrize("door", DOORS)
def test_nobody_changes_themselves(bo: User, bos_company: Customer, door: str):
    factories.member(bos_company, "owner", "olga@shop.example")

    with pytest.raises(NotAllowed):
        DOORS[door](membership_of(bos_company, bo), bo)


def test_an_owner_who_cannot_come_in_does_not_count(bo: User, bos_company: Customer):
    """Bo is an owner whose sign-in is suspended: the other owner may not be taken away by what is left of Bo."""
    olga = factories.member(bos_company, "owner", "olga@shop.example")
    members.suspend(membership_of(bos_company, bo), acting_user=olga)

    with pytest.raises(NotAllowed):
        members.remove(membership_of(bos_company, olga), acting_user=bo)

    assert membership_of(bos_company, olga).role == "owner"


def test_ownership_goes_from_one_to_the_other(bo: User, ed: User, bos_company: Customer):
    members.hand_over(membership_of(bos_company, ed), acting_user=bo)

    assert membership_of(bos_company, ed).role == "owner"
    assert membership_of(bos_company, bo).role == "editor"
    with pytest.raises(NotAllowed):
        members.hand_over(membership_of(bos_company, ed), acting_user=bo)


def test_there_is_no_other_role(bo: User, ed: User, bos_company: Customer):
    with pytest.raises(NotAllowed):
        members.change_role(membership_of(bos_company, ed), role="admin", acting_user=bo)


@pytest.mark.parametrize("door", ["role", "suspend", "remove"])
def test_what_a_former_owner_invited_to_is_withdrawn(bo: User, bos_company: Customer, door: str):
    new = factories.member(bos_company, "owner", "new@shop.example")
    invitation = people.invite_member(customer=bos_company, email="alt@else.example", role="owner", acting_user=bo)

    DOORS[door](membership_of(bos_company, bo), new)

    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    with pytest.raises(NotAllowed):
        people.accept_invitation(invitation, password=factories.PASSWORD, first_name="E")


def test_handing_over_withdraws_what_the_former_owner_invited_to(bo: User, ed: User, bos_company: Customer):
    invitation = people.invite_member(customer=bos_company, email="alt@else.example", role="owner", acting_user=bo)

    members.hand_over(membership_of(bos_company, ed), acting_user=bo)

    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
