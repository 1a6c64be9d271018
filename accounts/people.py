"""Doors about people: invitations of staff and members, what a person says of themselves, ending sessions."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import customers, tasks
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.models import Agency, Customer, Event, Invitation, Job, Membership, User

INVITATION_DAYS = timedelta(days=7)
Role = User.StaffRole
RANK = {Role.ANALYST: 0, Role.SUPPORT: 1, Role.ADMIN: 2, Role.OWNER: 3}
MANAGERS = (Role.OWNER, Role.ADMIN)
SUPPORTERS = (*MANAGERS, Role.SUPPORT)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class WorksHere(NotAllowed):
    """Who works for the agency is not made a customer's member by staff."""


@transaction.atomic
def invite_staff(*, agency: Agency, email: str, staff_role: str, acting_user: User | None) -> Invitation:
    """Mails an invitation to work for the agency. It is good for INVITATION_DAYS and for one use.

    Raises NotAllowed if the address works here already or has an open invitation to, or the role is not this
    person's to give. Operators, and the command line without a person, give every role.
    """
    _may_invite(acting_user, agency=agency, staff_role=staff_role)
    email = email.lower()
    open_ones = open_invitations(agency).filter(email=email, customer=None)
    if open_ones.exists() or User.objects.filter(agency=agency, email=email).exclude(staff_role="").exists():
        raise NotAllowed("This address works here already, or is invited to.")
    return _send(Invitation(agency=agency, email=email, staff_role=staff_role), acting_user)


@transaction.atomic
def invite_member(
    *, customer: Customer, email: str, role: str, acting_user: User | None, has_its_address: bool = False
) -> Invitation:
    """Mails an invitation to belong to a customer, as its `owner`, `editor` or `viewer`.

    `has_its_address`: the account is to be made for this address, and who has it owns the customer.

    Raises WorksHere if staff invite staff. Raises NotAllowed if the address belongs to it already, has an open
    invitation to, or the customer is closed; or if who acts is neither an owner of the customer nor staff who look
    after customers.
    """
    _may_invite(acting_user, agency=customer.agency, customer=customer)
    email = email.lower()
    open_ones = open_invitations(customer.agency).filter(email=email, customer=customer)
    if open_ones.exists() or customer.memberships.filter(person__email=email).exists():
        raise NotAllowed("This address belongs to the customer already, or is invited to.")
    if customer.closed_at:
        raise NotAllowed("The customer is closed.")
    if acting_user is not None and acting_user.staff_role and not has_its_address:
        _refuse_staff_inside(customer, email=email, role=role, acting_user=acting_user)
    invitation = Invitation(agency=customer.agency, email=email, customer=customer, member_role=role)
    return _send(invitation, acting_user)


def _refuse_staff_inside(customer: Customer, *, email: str, role: str, acting_user: User) -> None:
    """Staff bring no staff into a customer, and make nobody its owner beside one who can sign in.

    They have a way into the panel of their own, with a reason that the customer reads.
    """
    members = Membership.objects.for_agency(customer.agency).filter(customer=customer)
    owners = _owners_who_sign_in(members.select_related("person"))
    if acting_user.pk in owners:
        return
    if User.objects.filter(agency=customer.agency, email=email).exclude(staff_role="").exists():
        raise WorksHere("Staff open a customer's panel by their own way, with a reason.")
    if role == Membership.Role.OWNER and owners:
        raise NotAllowed("Only an owner of the customer makes another one.")


def _owners_who_sign_in(members: Iterable[Membership]) -> set[UUID]:
    owners = (row for row in members if row.role == Membership.Role.OWNER and row.suspended_at is None)
    return {row.person_id for row in owners if row.person.is_active}


def roles_to_invite_as(members: Iterable[Membership], *, by: User) -> list[str]:
    """The roles that staff may invite somebody to a customer with: as its owner only where none can sign in, or where
    they are one themselves.
    """
    owners = _owners_who_sign_in(members)
    may_name_owner = not owners or by.pk in owners
    return [role.value for role in Membership.Role if may_name_owner or role != Membership.Role.OWNER]


@transaction.atomic
def resend_invitation(invitation: Invitation, *, acting_user: User) -> None:
    """Mails a new link; the old one no longer works, and who sends it stands for it from now on.

    Raises NotAllowed, also if it was used or withdrawn, or the customer is closed.
    """
    _may_touch(invitation, acting_user)
    _still_open(invitation)
    customer = invitation.customer
    if (
        customer
        and Customer.objects.for_agency(invitation.agency).filter(pk=customer.pk, closed_at=None).first() is None
    ):
        raise NotAllowed("The customer is closed.")
    _drop_mail(invitation)
    _send(invitation, acting_user, kind="invitation.resent")


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, acting_user: User) -> None:
    """The link no longer works. Raises NotAllowed, also if it was used or withdrawn meanwhile."""
    _may_touch(invitation, acting_user)
    _still_open(invitation)
    _withdraw(invitation, acting_user)


def withdraw_invitations_of(person: User, *, agency: Agency, acting_user: User | None) -> None:
    """Withdraws what somebody invited to and, as they are now, no longer may. For the doors that change rights."""
    for invitation in open_invitations(agency).filter(invited_by_id=person.pk).select_related("agency", "customer"):
        if not _is_vouched_for(invitation):
            _withdraw(invitation, acting_user)


def open_invitations(agency: Agency) -> QuerySet[Invitation]:
    """The invitations of an agency that were neither used nor withdrawn, those that grew too old among them."""
    return Invitation.objects.for_agency(agency).filter(accepted_at=None, revoked_at=None)


def open_invitation(*, agency: Agency, token: str) -> Invitation | None:
    """The invitation that the token opens at this agency, None if it is unknown, used, withdrawn or too old."""
    return (
        open_invitations(agency)
        .select_related("customer__agency")
        .filter(token_hash=_hash(token), expires_at__gt=timezone.now(), customer__closed_at=None)
        .first()
    )


def has_sign_in(invitation: Invitation) -> bool:
    """Whether the invited address already has a proven sign-in at this agency: its owner signs in to accept."""
    proven = EmailAddress.objects.filter(user__agency=invitation.agency, user__email=invitation.email, verified=True)
    return bool(proven.exists())


@transaction.atomic
def join(invitation: Invitation, *, acting_user: User) -> None:
    """Gives somebody who signs in here already the role that the invitation names. Raises NotAllowed.

    Who works here from now on starts with a new session: those of before were not asked for what staff are asked for.
    """
    if acting_user.agency_id != invitation.agency_id or acting_user.email != invitation.email:
        raise NotAllowed("This invitation is for somebody else.")
    if not acting_user.is_active:
        raise NotAllowed("This person is suspended.")
    _use(invitation)
    nobody_yet = User.objects.filter(pk=acting_user.pk, staff_role="")
    if invitation.customer is None:
        if not nobody_yet.update(staff_role=invitation.staff_role):
            raise NotAllowed("This person works here already.")  # an old invitation must not lower a role
        end_sessions(acting_user)
    _arrive(invitation, acting_user)


@transaction.atomic
def accept_invitation(invitation: Invitation, *, password: str, first_name: str = "", last_name: str = "") -> User:
    """Makes the person with a proven mailbox (the token came by mail) and the role that the invitation names.

    Somebody who signed up with the address and never proved it does not keep it: their password, sessions and
    wishes are over. Raises NotAllowed if the invitation was used meanwhile, or the address has a proven sign-in.
    """
    if has_sign_in(invitation):
        raise NotAllowed("This address already signs in here.")
    _use(invitation)
    person = User.objects.filter(agency=invitation.agency, email=invitation.email).first()
    if person is None:
        person = User(agency=invitation.agency, email=invitation.email)
    elif not person.is_active:
        raise NotAllowed("This person is suspended.")
    else:
        person.session_generation += 1
        # The addresses first, as whoever erases this person takes them.
        EmailAddress.objects.filter(user=person).delete()
        customers.hold_places(invitation.agency)
        customers.withdraw(person, acting_user=person)
    person.first_name, person.last_name = first_name, last_name
    if invitation.customer is None:
        person.staff_role = invitation.staff_role
    person.set_password(password)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    _arrive(invitation, person)
    return person


def _is_vouched_for(invitation: Invitation) -> bool:
    """Whether who sent it still may give that role. Those of operators and of the command line stand."""
    if invitation.invited_by_id is None:
        return True
    inviter = User.objects.filter(pk=invitation.invited_by_id).first()
    if inviter is None or not inviter.is_active:
        return False
    try:
        _may_touch(invitation, None if inviter.agency_id is None else inviter)
    except NotAllowed:
        return False
    return True


def _may_touch(invitation: Invitation, acting_user: User | None) -> None:
    _may_invite(acting_user, agency=invitation.agency, staff_role=invitation.staff_role, customer=invitation.customer)


def _may_invite(
    acting_user: User | None, *, agency: Agency, staff_role: str = "", customer: Customer | None = None
) -> None:
    """Managers invite staff up to their own role; staff who look after customers, and its owners, invite members."""
    if acting_user is None or acting_user.is_operator:
        return
    if acting_user.agency_id != agency.pk:
        raise NotAllowed("Of another agency.")
    role = acting_user.staff_role
    if customer is None and (role not in MANAGERS or RANK[Role(staff_role)] > RANK[Role(role)]):
        raise NotAllowed("Nobody gives a role above their own.")
    own = Membership.objects.for_agency(agency).filter(
        customer=customer, person=acting_user, role=Membership.Role.OWNER, suspended_at=None
    )
    if customer is not None and role not in SUPPORTERS and not own.exists():
        raise NotAllowed("Only owners of the customer and staff invite its members.")


def _send(invitation: Invitation, acting_user: User | None, kind: str = "invitation.sent") -> Invitation:
    token, now = secrets.token_urlsafe(32), timezone.now()
    invitation.token_hash, invitation.created_at, invitation.expires_at = _hash(token), now, now + INVITATION_DAYS
    invitation.invited_by_id = acting_user.pk if acting_user else None
    invitation.save()
    put_mail(
        "invitation",
        agency=invitation.agency,
        to=invitation.email,
        secret=token,
        customer=invitation.customer,
        invited_to=invitation.customer.company_name if invitation.customer else "",
        invitation=str(invitation.public_id),
        expires_at=invitation.expires_at.isoformat(),
    )
    _record(kind, invitation, acting_user)
    tasks.wake()
    return invitation


def _still_open(invitation: Invitation) -> QuerySet[Invitation]:
    """The row, locked, if nobody used or withdrew it. Raises NotAllowed."""
    row = open_invitations(invitation.agency).filter(pk=invitation.pk)
    if not row.select_for_update(of=("self",)).exists():
        raise NotAllowed("This invitation was used or withdrawn.")
    return row


def _withdraw(invitation: Invitation, acting_user: User | None) -> None:
    if open_invitations(invitation.agency).filter(pk=invitation.pk).update(revoked_at=timezone.now()):
        _drop_mail(invitation)
        _record("invitation.withdrawn", invitation, acting_user)


def _drop_mail(invitation: Invitation) -> None:
    """The mail with the present link is not sent any more, if it is not yet."""
    mails = Job.objects.for_agency(invitation.agency).filter(kind=Job.Kind.MAIL, done_at=None)
    mails.filter(payload__mail="invitation", payload__invitation=str(invitation.public_id)).delete()


def _use(invitation: Invitation) -> None:
    if not _is_vouched_for(invitation):
        raise NotAllowed("Who sent this invitation may no longer give that role.")
    if not open_invitations(invitation.agency).filter(pk=invitation.pk).update(accepted_at=timezone.now()):
        raise NotAllowed("This invitation was already used.")


def _arrive(invitation: Invitation, person: User) -> None:
    """What both ways of accepting end with: the membership, the event, and the wishes that waited for the mailbox."""
    Invitation.objects.for_agency(invitation.agency).filter(pk=invitation.pk).update(accepted_by=person)
    if invitation.customer is not None:
        # Somebody who belongs to it already (suspended, perhaps) stays as they are.
        Membership.objects.for_agency(invitation.agency).get_or_create(
            person=person, customer=invitation.customer, defaults={"role": invitation.member_role}
        )
    _record("invitation.accepted", invitation, person)
    customers.prove_mailbox(acting_user=person, email=person.email)
    if invitation.customer is not None:  # after its wish, as the worker takes them
        rows = Customer.objects.for_agency(invitation.agency).filter(pk=invitation.customer.pk, contact=None)
        rows.filter(email=person.email).update(contact=person)
    customers.note_sign_in(person)


def _record(kind: str, invitation: Invitation, acting_user: User | None) -> None:
    role: dict[str, Any] = (
        {"member_role": invitation.member_role} if invitation.customer else {"staff_role": invitation.staff_role}
    )
    Event.objects.record(
        kind,
        agency=invitation.agency,
        acting_user=acting_user,
        customer=invitation.customer,
        about=invitation,
        **role,
    )


@transaction.atomic
def save_profile(*, first_name: str, last_name: str, language: str, acting_user: User) -> None:
    """What somebody says of themselves: their name, and the language they read ("" for the agency's)."""
    acting_user.first_name, acting_user.last_name, acting_user.language = first_name, last_name, language
    acting_user.save(update_fields=["first_name", "last_name", "language"])
    Event.objects.record(
        "person.profile_changed", agency=acting_user.agency, acting_user=acting_user, about=acting_user
    )


def language_for(agency: Agency | None, email: str, *, otherwise: str = "") -> str:
    """The language of a mail: what its receiver chose, else `otherwise` (what the page that asked for it was in),
    else the agency's."""
    chosen = User.objects.filter(agency=agency, email=email.lower()).values_list("language", flat=True).first()
    return chosen or otherwise or (agency.language if agency else settings.LANGUAGE_CODE)


@transaction.atomic
def end_sessions(person: User) -> None:
    """Ends every session of a person at the next request."""
    User.objects.filter(pk=person.pk).update(session_generation=F("session_generation") + 1)
