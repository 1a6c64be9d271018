"""Staff: who may change whom, what it ends, and that an agency keeps an owner."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail

from accounts import jobs, people, staff
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Membership, Note, User
from tests import factories

pytestmark = pytest.mark.django_db

DOORS: dict[str, Callable[[User, User], None]] = {
    "role": lambda person, by: staff.change_role(person, role="analyst", acting_user=by),
    "sessions": lambda person, by: staff.end_sessions(person, acting_user=by),
    "suspend": lambda person, by: staff.suspend(person, acting_user=by),
    "bring back": lambda person, by: staff.bring_back(person, acting_user=by),
    "remove": lambda person, by: staff.remove(person, acting_user=by),
    "second factor": lambda person, by: staff.reset_second_factor(person, reason="Lost phone", acting_user=by),
    "teammate": lambda person, by: staff.store_teammate(person, teammate_id="77", acting_user=by),
    "hand over": lambda person, by: staff.hand_over(person, acting_user=by),
}
FOR_OWNERS = ("second factor", "teammate", "hand over")
EVENTS = {
    "role": "staff.role_changed",
    "sessions": "staff.sessions_ended",
    "suspend": "staff.suspended",
    "bring back": "staff.brought_back",
    "remove": "staff.removed",
    "second factor": "staff.second_factor_reset",
    "teammate": "staff.teammate_stored",
    "hand over": "staff.ownership_handed_over",
}


@pytest.fixture
def ben(north: Agency) -> User:
    return factories.staff(north, "ben@north.example", "support", first_name="Ben")


def stamp(person: User) -> tuple[str, bool, int]:
    person.refresh_from_db()
    return person.staff_role, person.is_active, person.session_generation


@pytest.mark.parametrize("door", DOORS)
def test_an_owner_may_do_it_with_an_event_that_names_both(ada: User, ben: User, door: str):
    if door == "bring back":
        User.objects.filter(pk=ben.pk).update(is_active=False)
    before = ben.session_generation

    DOORS[door](ben, ada)

    event = Event.objects.for_agency(ada.agency).latest("pk")
    assert (event.kind, event.actor_id, event.object_id) == (EVENTS[door], ada.pk, str(ben.pk))
    ben.refresh_from_db()
    assert ben.session_generation == before + (door != "teammate"), "sessions end with every change of rights"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ["support", "analyst", ""])
def test_who_manages_nothing_changes_nobody(north: Agency, ben: User, door: str, role: str):
    eve = factories.person(north, "eve@north.example", staff_role=role)
    before = stamp(ben)

    with pytest.raises(NotAllowed):
        DOORS[door](ben, eve)

    assert stamp(ben) == before


@pytest.mark.parametrize("door", DOORS)
def test_who_only_belongs_to_a_customer_is_out_of_reach(ada: User, bo: User, bos_company: Customer, door: str):
    before = stamp(bo)

    with pytest.raises(NotAllowed):
        DOORS[door](bo, ada)

    assert stamp(bo) == before


@pytest.mark.parametrize("role", ["", "king"])
def test_a_role_that_there_is_not_is_given_to_nobody(ada: User, ben: User, role: str):
    with pytest.raises(NotAllowed):
        staff.change_role(ben, role=role, acting_user=ada)

    assert stamp(ben)[0] == "support"


@pytest.mark.parametrize("door", DOORS)
def test_an_admin_changes_no_owner(north: Agency, ada: User, door: str):
    eve = factories.staff(north, "eve@north.example", "admin")
    factories.staff(north, "olga@north.example", "owner")
    before = stamp(ada)

    with pytest.raises(NotAllowed):
        DOORS[door](ada, eve)

    assert stamp(ada) == before


@pytest.mark.parametrize("door", FOR_OWNERS)
def test_some_things_only_owners_do(north: Agency, ben: User, door: str):
    eve = factories.staff(north, "eve@north.example", "admin")

    with pytest.raises(NotAllowed):
        DOORS[door](ben, eve)


@pytest.mark.parametrize("door", [door for door in DOORS if door != "teammate"])
def test_nobody_changes_themselves(north: Agency, ada: User, door: str):
    factories.staff(north, "olga@north.example", "owner")

    with pytest.raises(NotAllowed):
        DOORS[door](ada, ada)


@pytest.mark.parametrize("door", DOORS)
def test_people_of_another_agency_are_out_of_reach(ada: User, south: Agency, door: str):
    sue = factories.staff(south, "sue@south.example", "support")
    before = stamp(sue)

    with pytest.raises(NotAllowed):
        DOORS[door](sue, ada)

    assert stamp(sue) == before


def test_nobody_lifts_anybody_above_themselves(north: Agency, ben: User):
    eve = factories.staff(north, "eve@north.example", "admin")

    with pytest.raises(NotAllowed):
        staff.change_role(ben, role="owner", acting_user=eve)
    staff.change_role(ben, role="admin", acting_user=eve)

    assert stamp(ben)[0] == "admin"


def test_a_role_that_was_taken_away_meanwhile_changes_nobody(north: Agency, ada: User, ben: User):
    """Two tabs: the page was opened as an owner, the button pressed as nobody."""
    User.objects.filter(pk=ada.pk).update(staff_role="")

    with pytest.raises(NotAllowed):
        staff.remove(ben, acting_user=ada)


def test_the_last_owner_who_can_sign_in_stays(north: Agency, ada: User):
    olga = factories.staff(north, "olga@north.example", "owner")
    staff.remove(olga, acting_user=ada)
    again = factories.staff(north, "ola@north.example", "owner", is_active=False)

    # A suspended owner may be changed: there is another one.
    staff.change_role(again, role="support", acting_user=ada)

    owners = User.objects.filter(agency=north, staff_role="owner", is_active=True)
    assert list(owners) == [ada]


def test_ownership_goes_from_one_to_the_other(ada: User, ben: User):
    before = ada.session_generation

    staff.hand_over(ben, acting_user=ada)

    assert stamp(ben)[0] == "owner"
    assert stamp(ada) == ("admin", True, before + 1)
    with pytest.raises(NotAllowed):
        staff.hand_over(ben, acting_user=ada)


def test_a_reset_takes_every_factor_tells_the_person_and_keeps_the_reason_out_of_the_event(ada: User, ben: User):
    staff.reset_second_factor(ben, reason="Phone lost on the train", acting_user=ada)
    while jobs.run():
        pass

    assert not Authenticator.objects.filter(user=ben).exists()
    assert Authenticator.objects.filter(user=ada).exists()
    event = Event.objects.for_agency(ada.agency).get(kind="staff.second_factor_reset")
    assert "train" not in str(event.data)
    note = Note.objects.for_agency(ada.agency).get(event=event)
    assert (note.text, note.author_id) == ("Phone lost on the train", ada.pk)
    message = mail.outbox[-1]
    assert message.to == [ben.email]
    assert "second step" in message.subject


def test_a_teammate_number_is_checked_and_belongs_to_one_person(ada: User, ben: User):
    staff.store_teammate(ada, teammate_id="4711", acting_user=ada)

    with pytest.raises(staff.TeammateTaken):
        staff.store_teammate(ben, teammate_id="4711", acting_user=ada)
    with pytest.raises(ValueError, match="TeammateId"):
        staff.store_teammate(ben, teammate_id="sub_4711", acting_user=ada)

    staff.store_teammate(ada, teammate_id="", acting_user=ada)
    ada.refresh_from_db()
    assert ada.teammate_id == ""


def test_who_is_removed_stays_a_member_and_loses_the_teammate_number(north: Agency, ada: User, ben: User):
    factories.customer(north, ben)
    staff.store_teammate(ben, teammate_id="4711", acting_user=ada)

    staff.remove(ben, acting_user=ada)

    ben.refresh_from_db()
    assert (ben.staff_role, ben.teammate_id, ben.is_active) == ("", "", True)
    assert ben.memberships.count() == 1


ENDS_THE_RIGHT: dict[str, Callable[[User, User], None]] = {
    "role": lambda person, by: staff.change_role(person, role="support", acting_user=by),
    "suspend": lambda person, by: staff.suspend(person, acting_user=by),
    "remove": lambda person, by: staff.remove(person, acting_user=by),
}


@pytest.mark.parametrize("door", ENDS_THE_RIGHT)
def test_what_somebody_invited_to_and_no_longer_may_is_withdrawn(north: Agency, ada: User, door: str):
    eve = factories.staff(north, "eve@north.example", "owner")
    invitation = people.invite_staff(agency=north, email="friend@else.example", staff_role="owner", acting_user=eve)

    ENDS_THE_RIGHT[door](eve, ada)

    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    event = Event.objects.for_agency(north).latest("pk")
    assert (event.kind, event.actor_id) == ("invitation.withdrawn", ada.pk)
    with pytest.raises(NotAllowed):
        people.accept_invitation(invitation, password=factories.PASSWORD, first_name="E")
    assert not User.objects.filter(email="friend@else.example").exists()


def test_handing_the_agency_over_withdraws_what_only_owners_give(north: Agency, ada: User, ben: User):
    owner = people.invite_staff(agency=north, email="one@else.example", staff_role="owner", acting_user=ada)
    support = people.invite_staff(agency=north, email="two@else.example", staff_role="support", acting_user=ada)

    staff.hand_over(ben, acting_user=ada)

    owner.refresh_from_db()
    support.refresh_from_db()
    assert owner.revoked_at is not None
    assert support.revoked_at is None, "an admin still may give that"


def test_who_is_suspended_and_then_removed_still_signs_in_as_the_member_they_are(
    north: Agency, ada: User, ben: User, bos_company: Customer
):
    Membership.objects.create(person=ben, customer=bos_company, role="owner")
    staff.suspend(ben, acting_user=ada)

    staff.remove(ben, acting_user=ada)

    role, is_active, _generation = stamp(ben)
    assert (role, is_active) == ("", True)
    people.invite_staff(agency=north, email=ben.email, staff_role="support", acting_user=ada)  # and may come again
