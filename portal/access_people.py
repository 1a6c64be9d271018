"""What pages about people read, scoped to the agency of the request."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404

from accounts import people
from accounts.models import Agency, Customer, Invitation, Membership, User
from portal.access import PersonRequest

TOTP, WEBAUTHN = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN


def _with_factors(kind: str) -> Exists:
    return Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=kind))


def staff_of(agency: Agency) -> list[User]:
    """Who works for the agency, owners first, with `has_app` and `has_passkey`."""
    rows = User.objects.filter(agency=agency).exclude(staff_role="")
    rows = rows.annotate(has_app=_with_factors(TOTP), has_passkey=_with_factors(WEBAUTHN))
    order = {"owner": 0, "admin": 1, "support": 2, "analyst": 3}
    return sorted(rows, key=lambda person: (order[person.staff_role], person.get_full_name().lower(), person.email))


def staff_or_404(request: PersonRequest, person: UUID) -> User:
    """Somebody who works for this agency, with `has_app` and `has_passkey`."""
    rows = User.objects.filter(agency=request.agency, pk=person).exclude(staff_role="")
    row = rows.annotate(has_app=_with_factors(TOTP), has_passkey=_with_factors(WEBAUTHN)).first()
    if row is None:
        raise Http404
    row.agency = request.agency
    return row


def staff_invitations(agency: Agency) -> list[Invitation]:
    """Invitations to work here that are neither used nor withdrawn, the newest first."""
    return list(people.open_invitations(agency).filter(customer=None).order_by("-created_at", "-pk")[:100])


def staff_invitation_or_404(request: PersonRequest, invitation: UUID) -> Invitation:
    row = people.open_invitations(request.agency).filter(customer=None, public_id=invitation).first()
    if row is None:
        raise Http404
    row.agency = request.agency
    return row


def members_of(customer: Customer) -> list[Membership]:
    """Who belongs to a customer, owners first."""
    rows = Membership.objects.for_agency(customer.agency).filter(customer=customer).select_related("person")
    order = {"owner": 0, "editor": 1, "viewer": 2}
    return sorted(rows, key=lambda row: (order[row.role], row.person.get_full_name().lower(), row.person.email))


def member_or_404(customer: Customer, person: UUID) -> Membership:
    rows = Membership.objects.for_agency(customer.agency).filter(customer=customer, person=person)
    row = rows.select_related("person").first()
    if row is None:
        raise Http404
    row.customer = customer
    return row


def member_invitations(customer: Customer) -> list[Invitation]:
    """Invitations to a customer that are neither used nor withdrawn, the newest first."""
    return list(people.open_invitations(customer.agency).filter(customer=customer).order_by("-created_at", "-pk")[:100])


def member_invitation_or_404(customer: Customer, invitation: UUID) -> Invitation:
    row = people.open_invitations(customer.agency).filter(customer=customer, public_id=invitation).first()
    if row is None:
        raise Http404
    row.agency, row.customer = customer.agency, customer
    return row


def names_of(agency: Agency | None, ids: set[UUID]) -> dict[UUID, str]:
    """What people of the agency, and operators, are called: their name, else their address."""
    rows = User.objects.filter(Q(agency=agency) | Q(agency=None), pk__in=ids)
    return {person.pk: person.get_full_name() or person.email for person in rows}
