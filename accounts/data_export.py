"""All that is kept of one person, as one document: built from the classification, so that nothing is forgotten."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.errors import NotAllowed
from accounts.models import Event, Membership, User
from accounts.people import MANAGERS, Role
from accounts.personal_data import TABLES, Table

FORMAT = 1


@transaction.atomic
def export_person(person: User, *, acting_user: User) -> dict[str, Any]:
    """Every row of the person, by table, without secrets. Themselves; or owners and admins of the agency for a member,
    owners for staff, because the person asked them. Raises NotAllowed.

    What staff write for each other is in it only where staff hand it out; operators get what they wrote themselves.
    """
    if not may_export(acting_user, person):
        raise NotAllowed("Not this person's data.")
    is_own = acting_user.pk == person.pk
    Event.objects.record("person.data_exported", agency=person.agency, acting_user=acting_user, about=person)
    tables = {
        label: _rows(table, person)
        for label, table in TABLES.items()
        if table.rows and not (table.of_staff and is_own and person.agency)
    }
    return {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(),
        "person": str(person.pk),
        "agency": person.agency.name if person.agency else "",
        "data": {label: rows for label, rows in tables.items() if rows},
    }


def may_export(acting: User, person: User) -> bool:
    """Whether somebody may have this person's data, or hand it out."""
    if acting.pk == person.pk:
        return True
    if acting.agency_id is None or acting.agency_id != person.agency_id or not acting.is_active:
        return False
    if person.staff_role:
        return acting.staff_role == Role.OWNER
    is_member = Membership.objects.for_agency(acting.agency).filter(person=person).exists()
    return acting.staff_role in MANAGERS and is_member


def _rows(table: Table, person: User) -> list[dict[str, Any]]:
    assert table.rows is not None
    shown = [*table.plain.split(), *table.personal]
    return [
        {name: _plain(getattr(row, name)) for name in shown}
        | {name: part(getattr(row, name)) for name, part in table.shows.items()}
        for row in table.rows(person).order_by("pk")
    ]


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, bool | int | dict | list):
        return value
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    return value.isoformat() if isinstance(value, datetime) else str(value)
