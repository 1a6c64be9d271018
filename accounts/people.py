"""Doors about people: invitations, suspending, ending sessions."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import jobs, tasks
from accounts.errors import NotAllowed
from accounts.models import Agency, Event, Invitation, Membership, User

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


@transaction.atomic
def accept_invitation(invitation: Invitation, *, password: str, first_name: str = "", last_name: str = "") -> User:
    """Makes the person with a proven mailbox (the token came by mail) and the role that the invitation names.

    Raises NotAllowed if it was accepted meanwhile or the address already has a sign-in at this agency.
    """
    taken = Invitation.objects.for_agency(invitation.agency).filter(pk=invitation.pk, accepted_at=None)
    if not taken.update(accepted_at=timezone.now()):
        raise NotAllowed("This invitation was already used.")
    person = User(
        agency=invitation.agency,
        email=invitation.email,
        first_name=first_name,
        last_name=last_name,
        staff_role=invitation.staff_role,
    )
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError:
        raise NotAllowed("This address already signs in here.") from None
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    Event.objects.record(
        "invitation.accepted",
        agency=invitation.agency,
        acting_user=person,
        invitation=str(invitation.public_id),
        staff_role=invitation.staff_role,
    )
    return person


@transaction.atomic
def end_sessions(person: User) -> None:
    """Ends every session of a person at the next request."""
    User.objects.filter(pk=person.pk).update(session_generation=F("session_generation") + 1)


@transaction.atomic
def suspend_member(membership: Membership, *, acting_user: User) -> None:
    """Takes a member's access to one customer away, until it is given back, and ends their sessions."""
    membership.suspended_at = timezone.now()
    membership.save(update_fields=["suspended_at"])
    end_sessions(membership.person)
    Event.objects.record(
        "membership.suspended",
        agency=membership.customer.agency,
        customer=membership.customer,
        acting_user=acting_user,
        person=str(membership.person_id),
    )
