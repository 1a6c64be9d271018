"""Doors about people: invitations, suspending, ending sessions."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import customers, jobs, tasks
from accounts.errors import NotAllowed
from accounts.models import Agency, Event, Invitation, User

INVITATION_DAYS = timedelta(days=7)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invite_staff(*, agency: Agency, email: str, staff_role: str, acting_user: User | None) -> Invitation:
    """Mails an invitation to work for the agency. It is good for INVITATION_DAYS and for one use."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        agency=agency,
        email=email.lower(),
        staff_role=staff_role,
        token_hash=_hash(token),
        expires_at=timezone.now() + INVITATION_DAYS,
    )
    jobs.put_mail("invitation", agency=agency, to=invitation.email, secret=token, staff_role=staff_role)
    Event.objects.record(
        "invitation.sent", agency=agency, acting_user=acting_user, invitation=str(invitation.public_id)
    )
    tasks.wake()
    return invitation


def open_invitation(*, agency: Agency, token: str) -> Invitation | None:
    """The invitation that the token opens at this agency, None if it is unknown, used or too old."""
    return (
        Invitation.objects.for_agency(agency)
        .filter(token_hash=_hash(token), accepted_at=None, expires_at__gt=timezone.now())
        .first()
    )


def has_sign_in(invitation: Invitation) -> bool:
    """Whether the invited address already has a proven sign-in at this agency: its owner signs in to accept."""
    proven = EmailAddress.objects.filter(user__agency=invitation.agency, user__email=invitation.email, verified=True)
    return bool(proven.exists())


@transaction.atomic
def join(invitation: Invitation, *, acting_user: User) -> None:
    """Gives somebody who signs in here already the role that the invitation names. Raises NotAllowed."""
    if acting_user.agency_id != invitation.agency_id or acting_user.email != invitation.email:
        raise NotAllowed("This invitation is for somebody else.")
    _use(invitation)
    User.objects.filter(pk=acting_user.pk).update(staff_role=invitation.staff_role)
    _record_acceptance(invitation, acting_user)


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
    else:
        person.session_generation += 1
        customers.withdraw(person)
        EmailAddress.objects.filter(user=person).delete()
    person.first_name, person.last_name, person.staff_role = first_name, last_name, invitation.staff_role
    person.set_password(password)
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    _record_acceptance(invitation, person)
    return person


def _use(invitation: Invitation) -> None:
    unused = Invitation.objects.for_agency(invitation.agency).filter(pk=invitation.pk, accepted_at=None)
    if not unused.update(accepted_at=timezone.now()):
        raise NotAllowed("This invitation was already used.")


def _record_acceptance(invitation: Invitation, person: User) -> None:
    Event.objects.record(
        "invitation.accepted",
        agency=invitation.agency,
        acting_user=person,
        invitation=str(invitation.public_id),
        staff_role=invitation.staff_role,
    )


@transaction.atomic
def end_sessions(person: User) -> None:
    """Ends every session of a person at the next request."""
    User.objects.filter(pk=person.pk).update(session_generation=F("session_generation") + 1)
