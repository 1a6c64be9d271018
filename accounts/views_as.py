"""Doors of "view as": an operator looks at an agency's console as one of its staff, read-only, for a short while.

The token opens once and within a minute; the view ends by itself after fifteen. Only a hash of the token is kept.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import NotAllowed
from accounts.models import Agency, Event, Note, User, ViewAs

OPENS_WITHIN = timedelta(seconds=60)
LASTS = timedelta(minutes=15)


@transaction.atomic
def ask(agency: Agency, *, person: User, reason: str, acting_user: User) -> str:
    """Writes the view with its reason; answers the token that opens it on the agency's host. Raises NotAllowed."""
    if not acting_user.is_operator:
        raise NotAllowed("Only an operator may do this.")
    if person.agency_id != agency.pk or not (person.staff_role and person.is_active):
        raise NotAllowed("Not staff of this agency who can sign in.")
    if agency.stopped_at:
        raise NotAllowed("The agency is stopped: its hosts answer nothing.")
    token = secrets.token_urlsafe(32)
    view = ViewAs.objects.create(
        agency=agency,
        operator=acting_user,
        person=person,
        token_hash=_hash(token),
        expires_at=timezone.now() + LASTS,
    )
    event = _record("view_as.asked", view)
    Note.objects.create(agency=agency, author_id=acting_user.pk, text=reason, event=event)
    return token


@transaction.atomic
def open_view(agency: Agency, *, token: str) -> ViewAs | None:
    """The view that the token opens at this agency; None if it is unknown, was opened before, or a minute old."""
    now = timezone.now()
    rows = ViewAs.objects.for_agency(agency).filter(token_hash=_hash(token), opened_at=None)
    found = _of_two_who_may(rows).filter(created_at__gt=now - OPENS_WITHIN).first()
    if found is None or not rows.filter(pk=found.pk).update(opened_at=now):  # of two clicks at once, one opens
        return None
    found.opened_at = now
    _record("view_as.opened", found)
    return found


def running(agency: Agency, public_id: UUID | str) -> ViewAs | None:
    """The view with its two people, as long as it runs and both are still who they were."""
    rows = ViewAs.objects.for_agency(agency).filter(public_id=public_id, opened_at__isnull=False)
    return _of_two_who_may(rows).first()


def _of_two_who_may(views: QuerySet[ViewAs]) -> QuerySet[ViewAs]:
    return (
        views.select_related("operator", "person")
        .filter(
            ended_at=None,
            expires_at__gt=timezone.now(),
            operator__is_active=True,
            operator__is_staff=True,
            operator__agency=None,
            person__is_active=True,
        )
        .exclude(person__staff_role="")
    )


@transaction.atomic
def end(view: ViewAs) -> None:
    """Ends a view before its time. Ending it twice is once."""
    if ViewAs.objects.for_agency(view.agency).filter(pk=view.pk, ended_at=None).update(ended_at=timezone.now()):
        _record("view_as.ended", view)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _record(kind: str, view: ViewAs) -> Event:
    """Both people stand in the event: who looked, and with whose rights."""
    return Event.objects.record(
        kind,
        agency=view.agency,
        acting_user=view.operator,
        on_behalf_of=view.person,
        about=view,
    )
