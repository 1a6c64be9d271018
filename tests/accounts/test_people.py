"""Invitations of staff and members: sent, sent again, withdrawn, accepted once, and whom they may not touch."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts import jobs, people
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Invitation, Job, Membership, State, Subaccount, User
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "window bicycle oven"


def token_of(address: str) -> str:
    """The token in the newest mail to an address."""
    while jobs.run():
        pass
    message = next(message for message in reversed(mail.outbox) if message.to == [address])
    found = re.search(r"/invitation/([^/\s]+)/", message.body)
    assert found
    return found.group(1)


def opened(agency: Agency, address: str) -> Invitation:
    invitation = people.open_invitation(agency=agency, token=token_of(address))
    assert invitation is not None
    return invitation


def kinds(agency: Agency) -> list[str]:
    rows = Event.objects.for_agency(agency).exclude(kind="mail.sent")
    return list(rows.order_by("pk").values_list("kind", flat=True))


def test_a_member_is_invited_by_mail_and_accepts(north: Agency, bo: User, bos_company: Customer):
    people.invite_member(customer=bos_company, email="Eve@Shop.example", role="editor", acting_user=bo)

    eve = people.accept_invitation(opened(north, "eve@shop.example"), password=PASSWORD, first_name="Eve")

    membership = Membership.objects.for_agency(north).get(person=eve)
    assert (membership.customer_id, membership.role) == (bos_company.pk, "editor")
    assert eve.staff_role == ""
    assert bos_company.company_name in mail.outbox[-1].subject
    assert kinds(north)[-2:] == ["invitation.sent", "invitation.accepted"]


def test_the_first_owner_of_a_customer_proves_the_mailbox_by_accepting(north: Agency, ada: User, bos_company: Customer):
    """A customer that staff made by hand waits for the mailbox: the link that came there proves it."""
    Membership.objects.for_agency(north).filter(customer=bos_company).delete()
    subaccount = bos_company.subaccount
    type(subaccount).objects.for_agency(north).filter(pk=subaccount.pk).update(
        state=State.AWAITING_EMAIL, email="hand@shop.example", verified_at=None, run_at=None
    )
    people.invite_member(customer=bos_company, email="hand@shop.example", role="owner", acting_user=ada)

    people.accept_invitation(opened(north, "hand@shop.example"), password=PASSWORD)

    subaccount.refresh_from_db()
    assert subaccount.state == State.REQUESTED


def test_somebody_who_signs_in_here_joins_with_the_same_sign_in(north: Agency, bo: User, bos_company: Customer):
    eve = factories.person(north, "eve@shop.example")
    people.invite_member(customer=bos_company, email=eve.email, role="viewer", acting_user=bo)
    invitation = opened(north, eve.email)
    with pytest.raises(NotAllowed):
        people.accept_invitation(invitation, password=PASSWORD)

    people.join(invitation, acting_user=eve)

    assert Membership.objects.for_agency(north).get(person=eve).role == "viewer"
    with pytest.raises(NotAllowed):
        people.join(invitation, acting_user=eve)


@pytest.mark.parametrize(("where", "address"), [("north", "mallory@shop.example"), ("south", "eve@shop.example")])
def test_nobody_joins_with_the_invitation_of_somebody_else(
    north: Agency, south: Agency, bo: User, bos_company: Customer, where: str, address: str
):
    people.invite_member(customer=bos_company, email="eve@shop.example", role="owner", acting_user=bo)
    mallory = factories.person({"north": north, "south": south}[where], address)

    with pytest.raises(NotAllowed):
        people.join(opened(north, "eve@shop.example"), acting_user=mallory)

    assert not mallory.memberships.exists()


def test_an_address_that_was_never_proven_is_not_kept(north: Agency, bo: User, bos_company: Customer):
    """Somebody signed up with another person's address: who holds the mailbox gets it, the squatter's wish ends."""
    squatter = factories.person(north, "eve@shop.example", verified=False)
    wish = factories.customer(north, squatter, proven=False)
    people.invite_member(customer=bos_company, email="eve@shop.example", role="editor", acting_user=bo)

    eve = people.accept_invitation(opened(north, "eve@shop.example"), password=PASSWORD)

    assert eve.pk == squatter.pk
    assert eve.session_generation == squatter.session_generation + 1
    assert [m.customer_id for m in Membership.objects.for_agency(north).filter(person=eve)] == [bos_company.pk]
    wish.subaccount.refresh_from_db()
    assert wish.subaccount.state == State.CLOSED


def test_a_link_that_was_sent_again_replaces_the_first(north: Agency, bo: User, bos_company: Customer):
    invitation = people.invite_member(customer=bos_company, email="eve@shop.example", role="editor", acting_user=bo)
    first = token_of("eve@shop.example")

    people.resend_invitation(invitation, acting_user=bo)

    assert people.open_invitation(agency=north, token=first) is None
    assert opened(north, "eve@shop.example").pk == invitation.pk
    assert kinds(north)[-1] == "invitation.resent"


def test_a_withdrawn_invitation_opens_nothing(north: Agency, ada: User):
    invitation = people.invite_staff(agency=north, email="new@north.example", staff_role="support", acting_user=ada)
    held = opened(north, "new@north.example")

    people.withdraw_invitation(invitation, acting_user=ada)

    assert people.open_invitation(agency=north, token=token_of("new@north.example")) is None
    with pytest.raises(NotAllowed):
        people.accept_invitation(held, password=PASSWORD)
    with pytest.raises(NotAllowed):
        people.resend_invitation(invitation, acting_user=ada)
    assert kinds(north)[-1] == "invitation.withdrawn"


@pytest.mark.parametrize("role", ["support", "analyst", ""])
def test_who_manages_no_staff_invites_none(north: Agency, role: str):
    eve = factories.person(north, "eve@north.example", staff_role=role)

    with pytest.raises(NotAllowed):
        people.invite_staff(agency=north, email="new@north.example", staff_role="analyst", acting_user=eve)


def test_an_admin_neither_makes_nor_touches_an_invitation_of_an_owner(north: Agency, ada: User):
    eve = factories.staff(north, "eve@north.example", "admin")
    invitation = people.invite_staff(agency=north, email="new@north.example", staff_role="owner", acting_user=ada)

    with pytest.raises(NotAllowed):
        people.invite_staff(agency=north, email="other@north.example", staff_role="owner", acting_user=eve)
    with pytest.raises(NotAllowed):
        people.resend_invitation(invitation, acting_user=eve)
    with pytest.raises(NotAllowed):
        people.withdraw_invitation(invitation, acting_user=eve)


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_owners_of_a_customer_and_staff_invite_its_members(
    north: Agency, south: Agency, bos_company: Customer, role: str
):
    eve = factories.member(bos_company, role, "eve@shop.example")
    analyst = factories.staff(north, "ann@north.example", "analyst")
    sue = factories.staff(south, "sue@south.example", "owner")

    for acting in (eve, analyst, sue):
        with pytest.raises(NotAllowed):
            people.invite_member(customer=bos_company, email="x@shop.example", role="viewer", acting_user=acting)

    helper = factories.staff(north, "help@north.example", "support")
    people.invite_member(customer=bos_company, email="x@shop.example", role="viewer", acting_user=helper)


def test_nobody_is_invited_twice(north: Agency, ada: User, bo: User, bos_company: Customer):
    people.invite_staff(agency=north, email="new@north.example", staff_role="support", acting_user=ada)
    people.invite_member(customer=bos_company, email="new@north.example", role="viewer", acting_user=bo)

    with pytest.raises(NotAllowed):
        people.invite_staff(agency=north, email="NEW@north.example", staff_role="admin", acting_user=ada)
    with pytest.raises(NotAllowed):
        people.invite_staff(agency=north, email=ada.email, staff_role="support", acting_user=ada)
    with pytest.raises(NotAllowed):
        people.invite_member(customer=bos_company, email=bo.email, role="viewer", acting_user=bo)


def test_an_old_invitation_does_not_lower_a_role(north: Agency, bo: User, ada: User):
    people.invite_staff(agency=north, email=bo.email, staff_role="analyst", acting_user=ada)
    invitation = opened(north, bo.email)
    User.objects.filter(pk=bo.pk).update(staff_role="owner")

    with pytest.raises(NotAllowed):
        people.join(invitation, acting_user=bo)

    bo.refresh_from_db()
    assert bo.staff_role == "owner"


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_suspended_person_does_not_come_back_by_an_invitation(
    north: Agency, bos_company: Customer, bo: User, is_proven: bool
):
    eve = factories.person(north, "eve@shop.example", verified=is_proven)
    people.invite_member(customer=bos_company, email=eve.email, role="viewer", acting_user=bo)
    invitation = opened(north, eve.email)
    User.objects.filter(pk=eve.pk).update(is_active=False)
    eve.refresh_from_db()

    with pytest.raises(NotAllowed):
        people.join(invitation, acting_user=eve)
    with pytest.raises(NotAllowed):
        people.accept_invitation(invitation, password=PASSWORD)


def test_an_invitation_to_a_closed_customer_opens_nothing(north: Agency, bo: User, bos_company: Customer):
    people.invite_member(customer=bos_company, email="eve@shop.example", role="viewer", acting_user=bo)
    token = token_of("eve@shop.example")
    Customer.objects.for_agency(north).filter(pk=bos_company.pk).update(closed_at=timezone.now())

    assert people.open_invitation(agency=north, token=token) is None


def test_events_of_invitations_hold_no_address(north: Agency, bo: User, bos_company: Customer):
    people.invite_member(customer=bos_company, email="eve@shop.example", role="viewer", acting_user=bo)

    data: list[Any] = list(
        Event.objects.for_agency(north).filter(kind="invitation.sent").values_list("data", flat=True)
    )

    assert "eve" not in str(data)
    assert data[-1]["member_role"] == "viewer"


def test_an_invitation_of_somebody_who_may_no_longer_give_the_role_is_worth_nothing(north: Agency, ada: User):
    """Checked again when it is used, whatever took the role away."""
    eve = factories.staff(north, "eve@north.example", "owner")
    known = factories.person(north, "known@else.example")
    new = people.invite_staff(agency=north, email="new@else.example", staff_role="owner", acting_user=eve)
    old = people.invite_staff(agency=north, email=known.email, staff_role="owner", acting_user=eve)
    User.objects.filter(pk=eve.pk).update(staff_role="support")

    with pytest.raises(NotAllowed):
        people.accept_invitation(new, password=PASSWORD)
    with pytest.raises(NotAllowed):
        people.join(old, acting_user=known)

    known.refresh_from_db()
    assert known.staff_role == ""


def test_whoever_sends_an_invitation_again_stands_for_it(north: Agency, ada: User):
    eve = factories.staff(north, "eve@north.example", "owner")
    invitation = people.invite_staff(agency=north, email="new@else.example", staff_role="owner", acting_user=eve)
    people.resend_invitation(invitation, acting_user=ada)
    User.objects.filter(pk=eve.pk).update(staff_role="")

    assert people.accept_invitation(opened(north, "new@else.example"), password=PASSWORD).staff_role == "owner"


def test_a_link_that_no_longer_works_is_not_mailed(north: Agency, ada: User):
    invitation = people.invite_staff(agency=north, email="q@else.example", staff_role="support", acting_user=ada)
    people.resend_invitation(invitation, acting_user=ada)
    while jobs.run():
        pass
    assert len(mail.outbox) == 1, "the first link was over before its mail was sent"
    people.resend_invitation(invitation, acting_user=ada)
    people.withdraw_invitation(invitation, acting_user=ada)
    while jobs.run():
        pass
    assert len(mail.outbox) == 1


def test_a_mail_that_waited_names_the_day_on_which_its_link_ends(north: Agency, ada: User):
    invitation = people.invite_staff(agency=north, email="q@else.example", staff_role="support", acting_user=ada)
    ends = timezone.now() + timedelta(days=3)
    job = Job.objects.for_agency(north).latest("pk")
    job.payload["expires_at"] = ends.isoformat()
    job.save()

    token_of(invitation.email)

    with translation.override("en"):
        assert date_format(timezone.localtime(ends)) in mail.outbox[-1].body


def test_nobody_is_invited_again_to_a_customer_that_is_closed(north: Agency, ada: User, bo: User, active: Subaccount):
    customer = active.customer
    invitation = people.invite_member(customer=customer, email="m@shop.example", role="editor", acting_user=bo)
    Customer.objects.for_agency(north).filter(pk=customer.pk).update(closed_at=timezone.now())
    before = Job.objects.for_agency(north).count()

    with pytest.raises(NotAllowed):
        people.resend_invitation(invitation, acting_user=bo)

    assert Job.objects.for_agency(north).count() == before
