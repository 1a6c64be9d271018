"""Doors about staff: roles, suspending, a lost second factor, the teammate number, ownership handed over.

Managers change staff, owners are changed by owners only, nobody changes themselves or lifts anybody above themselves,
and an agency never is without an owner who can sign in. What these say of roles is read under a lock.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts import people, tasks
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.models import Agency, Event, Note, User
from accounts.people import MANAGERS, RANK, Role
from coupontools_api.ids import TeammateId


class TeammateTaken(NotAllowed):
    """Another person of the agency has this teammate id."""


@transaction.atomic
def change_role(person: User, *, role: str, acting_user: User) -> None:
    """Another role for somebody who works here; their sessions end. Raises NotAllowed."""
    row, acting = _locked(person, acting_user)
    if role not in RANK or RANK[Role(role)] > RANK[Role(acting.staff_role)]:
        raise NotAllowed("Nobody gives a role above their own.")
    if row.staff_role == role:
        return
    was, row.staff_role = row.staff_role, role
    _save_and_end_sessions(row)
    _record("staff.role_changed", row, acting, was=was, role=role)
    people.withdraw_invitations_of(row, agency=_agency_of(acting), acting_user=acting)


@transaction.atomic
def end_sessions(person: User, *, acting_user: User) -> None:
    """Signs somebody out everywhere, at their next request. Raises NotAllowed."""
    row, acting = _locked(person, acting_user)
    _save_and_end_sessions(row)
    _record("staff.sessions_ended", row, acting)


@transaction.atomic
def suspend(person: User, *, acting_user: User) -> None:
    """They can no longer sign in at this agency at all, until they are brought back. Raises NotAllowed."""
    row, acting = _locked(person, acting_user)
    if not row.is_active:
        raise NotAllowed("This person is suspended already.")
    row.is_active = False
    _save_and_end_sessions(row)
    _record("staff.suspended", row, acting)
    people.withdraw_invitations_of(row, agency=_agency_of(acting), acting_user=acting)


@transaction.atomic
def bring_back(person: User, *, acting_user: User) -> None:
    """A suspended person signs in again, with the role they had. Raises NotAllowed."""
    row, acting = _locked(person, acting_user)
    if row.is_active:
        raise NotAllowed("This person is not suspended.")
    row.is_active = True
    _save_and_end_sessions(row)
    _record("staff.brought_back", row, acting)


@transaction.atomic
def remove(person: User, *, acting_user: User) -> None:
    """They no longer work here. What they are a member of, they stay; who was suspended, too, signs in again for it.

    Raises NotAllowed.
    """
    row, acting = _locked(person, acting_user)
    was, row.staff_role, row.teammate_id = row.staff_role, Role.NONE, ""
    row.is_active = True  # no page could bring back somebody who is not staff: they would be locked out for ever
    _save_and_end_sessions(row)
    _record("staff.removed", row, acting, was=was)
    people.withdraw_invitations_of(row, agency=_agency_of(acting), acting_user=acting)


@transaction.atomic
def reset_second_factor(person: User, *, reason: str, acting_user: User) -> None:
    """Takes a lost second factor away: app, passkeys and recovery codes. They are told by mail, their sessions end,
    and the next sign-in sets up a new one. The caller has just proven who they are. Raises NotAllowed."""
    row, acting = _locked(person, acting_user, owners_only=True)
    Authenticator.objects.filter(user=row).delete()
    _save_and_end_sessions(row)
    event, agency = _record("staff.second_factor_reset", row, acting), _agency_of(acting)
    Note.objects.create(agency=agency, author_id=acting.pk, text=reason, event=event)
    put_mail("second_factor_reset", agency=agency, to=row.email, by_id=str(acting.pk))
    tasks.wake()


@transaction.atomic
def store_teammate(person: User, *, teammate_id: str, acting_user: User) -> None:
    """Stores who somebody is in the agency's own panel ("" for nobody). Owners only, for themselves as well.

    Raises NotAllowed, TeammateTaken, ValueError for what is no teammate id.
    """
    row, acting = _locked(person, acting_user, owners_only=True, allows_self=True)
    wanted = str(TeammateId(teammate_id)) if teammate_id else ""
    if wanted and User.objects.filter(agency=acting.agency, teammate_id=wanted).exclude(pk=row.pk).exists():
        raise TeammateTaken("Somebody else here has this teammate id.")
    if row.teammate_id == wanted:
        return
    row.teammate_id = wanted
    row.save(update_fields=["teammate_id"])
    _record("staff.teammate_stored", row, acting, is_set=bool(wanted))


@transaction.atomic
def hand_over(person: User, *, acting_user: User) -> None:
    """Makes somebody who works here an owner, and the acting owner an admin. Both sign in again.

    The caller has just proven who they are. Raises NotAllowed.
    """
    row, acting = _locked(person, acting_user, owners_only=True)
    if not row.is_active:
        raise NotAllowed("A suspended person cannot own the agency.")
    was, row.staff_role, acting.staff_role = row.staff_role, Role.OWNER, Role.ADMIN
    _save_and_end_sessions(row)
    _save_and_end_sessions(acting)
    _record("staff.ownership_handed_over", row, acting, was=was)
    people.withdraw_invitations_of(acting, agency=_agency_of(acting), acting_user=acting)


def may_change(acting: User, person: User) -> bool:
    """Whether this staff member may change that one; for pages. The doors ask again, under the lock."""
    if acting.pk == person.pk or acting.agency_id != person.agency_id or not person.staff_role:
        return False
    return acting.staff_role in MANAGERS and RANK[Role(person.staff_role)] <= RANK[Role(acting.staff_role)]


def roles_for(acting: User) -> list[str]:
    """The roles that this person may give, the least first."""
    if acting.staff_role not in MANAGERS:
        return []
    return [str(role) for role, rank in RANK.items() if rank <= RANK[Role(acting.staff_role)]]


def _locked(
    person: User, acting_user: User, *, owners_only: bool = False, allows_self: bool = False
) -> tuple[User, User]:
    """Both rows as they are now, behind the agency's lock: two owners who remove each other come one by one."""
    agency = _agency_of(acting_user)
    Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    found = {row.pk: row for row in User.objects.filter(pk__in=(person.pk, acting_user.pk))}
    acting, row = found.get(acting_user.pk), found.get(person.pk)
    if acting is None or row is None or not acting.is_active:
        raise NotAllowed("They are not here any more.")
    if owners_only and acting.staff_role != Role.OWNER:
        raise NotAllowed("Only an owner may do this.")
    if allows_self and acting.pk == row.pk:
        return acting, acting
    if not may_change(acting, row):
        raise NotAllowed("Not with this role, or not for oneself.")
    return row, acting


def _save_and_end_sessions(row: User) -> None:
    row.session_generation += 1
    row.save(update_fields=["staff_role", "is_active", "teammate_id", "session_generation"])


def _agency_of(acting: User) -> Agency:
    if acting.agency is None:
        raise NotAllowed("An operator works for no agency.")
    return acting.agency


def _record(kind: str, row: User, acting: User, **facts: Any) -> Event:
    return Event.objects.record(kind, agency=acting.agency, acting_user=acting, about=row, **facts)
