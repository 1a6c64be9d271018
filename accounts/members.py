"""Doors about a customer's members: roles, suspending, removing, ownership handed over. For the customer's owners.

Nobody changes themselves, and a customer never is without an owner who can come in.
"""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import people
from accounts.errors import NotAllowed
from accounts.models import Customer, Event, Membership, User

Role = Membership.Role


@transaction.atomic
def change_role(membership: Membership, *, role: str, acting_user: User) -> None:
    """Another role for a member; their sessions end. Raises NotAllowed."""
    row, _ = _locked(membership, acting_user)
    if role not in Role.values:
        raise NotAllowed("There is no such role.")
    if row.role == role:
        return
    was, row.role = row.role, role
    _save(row, "member.role_changed", acting_user, was=was, role=role)


@transaction.atomic
def suspend(membership: Membership, *, acting_user: User) -> None:
    """They can no longer open this customer, until they are brought back. Raises NotAllowed."""
    row, _ = _locked(membership, acting_user)
    if row.suspended_at:
        raise NotAllowed("This member is suspended already.")
    row.suspended_at = timezone.now()
    _save(row, "member.suspended", acting_user)


@transaction.atomic
def bring_back(membership: Membership, *, acting_user: User) -> None:
    """A suspended member comes in again, with the role they had. Raises NotAllowed."""
    row, _ = _locked(membership, acting_user)
    if not row.suspended_at:
        raise NotAllowed("This member is not suspended.")
    row.suspended_at = None
    _save(row, "member.brought_back", acting_user)


@transaction.atomic
def remove(membership: Membership, *, acting_user: User) -> None:
    """They no longer belong to this customer; their sign-in stays. Raises NotAllowed."""
    row, _ = _locked(membership, acting_user)
    _record("member.removed", row, acting_user, was=row.role)
    _end_sessions(row)
    row.delete()
    _withdraw_invitations(row.person, row, acting_user)


@transaction.atomic
def end_sessions(membership: Membership, *, acting_user: User) -> None:
    """Signs a member out everywhere, at their next request. Raises NotAllowed.

    Whatever else they do here: a refusal would tell this owner that there is something.
    """
    row, _ = _locked(membership, acting_user)
    _end_sessions(row)
    _record("member.sessions_ended", row, acting_user)


@transaction.atomic
def hand_over(membership: Membership, *, acting_user: User) -> None:
    """Makes a member the owner, and the acting owner an editor. Both sign in again. Raises NotAllowed."""
    row, own = _locked(membership, acting_user)
    if row.suspended_at or not row.person.is_active:
        raise NotAllowed("A suspended member cannot be the owner.")
    was, row.role, own.role = row.role, Role.OWNER, Role.EDITOR
    own.save(update_fields=["role"])
    _end_sessions(own)
    _save(row, "member.ownership_handed_over", acting_user, was=was)
    _withdraw_invitations(own.person, row, acting_user)


def _locked(membership: Membership, acting_user: User) -> tuple[Membership, Membership]:
    """The member's row and the acting owner's, as they are now, behind the customer's lock."""
    customer = membership.customer
    Customer.objects.for_agency(customer.agency).select_for_update(no_key=True).get(pk=customer.pk)
    rows = Membership.objects.for_agency(customer.agency).filter(customer=customer).select_related("person", "customer")
    row = rows.filter(pk=membership.pk).first()
    own = rows.filter(person=acting_user, role=Role.OWNER, suspended_at=None, person__is_active=True).first()
    if row is None or own is None:
        raise NotAllowed("Only an owner of this customer may do this.")
    if row.pk == own.pk:
        raise NotAllowed("Nobody changes themselves.")
    return row, own


def _save(row: Membership, kind: str, acting_user: User, **facts: Any) -> None:
    row.save(update_fields=["role", "suspended_at"])
    _end_sessions(row)
    _record(kind, row, acting_user, **facts)
    _withdraw_invitations(row.person, row, acting_user)


def _withdraw_invitations(person: User, row: Membership, acting_user: User) -> None:
    people.withdraw_invitations_of(person, agency=row.customer.agency, acting_user=acting_user)


def _end_sessions(row: Membership) -> None:
    User.objects.filter(pk=row.person_id).update(session_generation=F("session_generation") + 1)


def _record(kind: str, row: Membership, acting_user: User, **facts: Any) -> None:
    Event.objects.record(
        kind,
        agency=row.customer.agency,
        customer=row.customer,
        acting_user=acting_user,
        about=row.person,
        **facts,
    )
