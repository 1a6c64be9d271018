"""What pages about people read, scoped to the agency of the request."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts import people
from accounts.models import Agency, Customer, Event, Invitation, Membership, User
from portal.access import PersonRequest
from portal.wording_events import FOR_MEMBERS, REASONS_FOR_MEMBERS, member_sentence

TOTP, WEBAUTHN = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN


def _with_factors(kind: str, *, of: str = "pk") -> Exists:
    return Exists(Authenticator.objects.filter(user=OuterRef(of), type=kind))


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
    """Who belongs to a customer, owners first, each person with `has_app` and `has_passkey`."""
    rows = _with_people(Membership.objects.for_agency(customer.agency).filter(customer=customer))
    order = {"owner": 0, "editor": 1, "viewer": 2}
    found = [_with_columns(row) for row in rows]
    return sorted(found, key=lambda row: (order[row.role], row.person.get_full_name().lower(), row.person.email))


def _with_people(rows: QuerySet[Membership]) -> QuerySet[Membership]:
    factors = {"has_app": _with_factors(TOTP, of="person"), "has_passkey": _with_factors(WEBAUTHN, of="person")}
    return rows.select_related("person").annotate(**factors)


def _with_columns(row: Membership) -> Membership:
    row.person.has_app, row.person.has_passkey = row.has_app, row.has_passkey
    return row


def member_or_404(customer: Customer, person: UUID) -> Membership:
    rows = Membership.objects.for_agency(customer.agency).filter(customer=customer, person=person)
    row = _with_people(rows).first()
    if row is None:
        raise Http404
    row.customer = customer
    return _with_columns(row)


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


@dataclass(frozen=True)
class Deed:
    """Something that staff did with a customer of the reader: when, who, what and why."""

    at: datetime
    who: str
    what: str
    customer: str
    reason: str


@dataclass(frozen=True)
class Deeds:
    """One page of them; `next_before` is where the next page starts, 0 if there is none."""

    deeds: list[Deed]
    is_first: bool
    next_before: int


def staff_activity(request: PersonRequest, *, before: str, size: int = 30) -> Deeds:
    """What staff did with the customers that this person belongs to, newest first."""
    agency, person = request.agency, request.user
    own = Customer.objects.for_agency(agency).filter(memberships__person=person, memberships__suspended_at=None)
    customers = {customer.pk: customer.company_name for customer in own}
    fellows = Membership.objects.for_agency(agency).filter(customer__in=customers, person__staff_role="")
    rows = (
        Event.objects.for_agency(agency)
        .filter(customer_id__in=customers, kind__in=FOR_MEMBERS, actor_id__isnull=False)
        .exclude(actor_id__in=fellows.values("person"))
        .select_related("reason")
        .order_by("-pk")
    )
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(pk__lt=int(before))
    events = list(rows[: size + 1])
    names = names_of(agency, {event.actor_id for event in events if event.actor_id})
    deeds = [
        Deed(
            event.at,
            names.get(event.actor_id, "") if event.actor_id else "",
            member_sentence(event.kind, event.data, event.outcome),
            customers[event.customer_id] if event.customer_id else "",
            _reason(event),
        )
        for event in events[:size]
    ]
    return Deeds(deeds, is_first=not before, next_before=events[size - 1].pk if len(events) > size else 0)


def _reason(event: Event) -> str:
    note = getattr(event, "reason", None)
    return note.text if note and event.kind in REASONS_FOR_MEMBERS else ""
