"""The states of a subaccount, the moves between them, and the one function that makes a move."""

from typing import Any

from django.db import transaction

from accounts import clock
from accounts.errors import NotAllowed
from accounts.models import Cause, Event, State, Subaccount, User

ALLOWED: dict[State, frozenset[State]] = {
    State.AWAITING_EMAIL: frozenset({State.AWAITING_APPROVAL, State.REQUESTED, State.CLOSED}),
    State.AWAITING_APPROVAL: frozenset({State.REQUESTED, State.CLOSED}),
    State.REQUESTED: frozenset({State.REQUESTED, State.CREATING, State.ACTIVE, State.NEEDS_REVIEW, State.CLOSED}),
    State.CREATING: frozenset({State.REQUESTED, State.UNCERTAIN, State.ACTIVE, State.NEEDS_REVIEW, State.CLOSED}),
    State.UNCERTAIN: frozenset({State.UNCERTAIN, State.REQUESTED, State.ACTIVE, State.NEEDS_REVIEW, State.CLOSED}),
    State.NEEDS_REVIEW: frozenset({State.REQUESTED, State.UNCERTAIN, State.ACTIVE, State.AWAITING_EMAIL, State.CLOSED}),
    State.ACTIVE: frozenset({State.MISSING, State.CLOSED}),
    State.MISSING: frozenset({State.ACTIVE, State.REQUESTED, State.CLOSED}),
    State.CLOSED: frozenset(),
}


FREE: dict[str, Any] = {"lease_owner": "", "lease_until": None}


class LostClaim(Exception):
    """The lease ended and somebody else has the row: this result is dropped, the other one speaks."""


def move(
    subaccount: Subaccount,
    *,
    expecting: State,
    to: State,
    owner: str | None = None,
    acting_user: User | None = None,
    **changes: Any,
) -> None:
    """Moves a subaccount from `expecting` to `to`, with further `changes`, or not at all.

    With `owner`, only as long as that claim holds; without, whatever a worker is at with the row is dropped.
    Raises NotAllowed (a door was too late) or LostClaim (a worker was). Records the event in the same transaction.
    """
    if to not in ALLOWED[expecting]:
        raise ValueError(f"{expecting} never becomes {to}")
    # A worker's step ends with the move that it could not make; a door goes on, and undoes no more than the move.
    with transaction.atomic(savepoint=owner is None):
        _move(subaccount, expecting, to, owner, acting_user, changes)


def _move(
    subaccount: Subaccount,
    expecting: State,
    to: State,
    owner: str | None,
    acting_user: User | None,
    changes: dict[str, Any],
) -> None:
    row = Subaccount.objects.across_agencies().filter(pk=subaccount.pk, state=expecting)
    if owner is not None:
        row = row.filter(lease_owner=owner)
    else:
        changes = FREE | changes
    if to != expecting:
        changes = {"state": to, "dismissed_at": None} | changes
        if "changed_at" not in changes:  # who has asked for the time already brings it
            changes["changed_at"] = clock.now()
    if row.update(**changes) != 1:
        if owner is not None:
            raise LostClaim(str(subaccount.public_id))
        raise NotAllowed(f"Subaccount {subaccount.public_id} is not {expecting}.")
    for name, value in changes.items():
        setattr(subaccount, name, value)
    if to != expecting:
        Event.objects.record(
            f"subaccount.{to.value}",
            agency=subaccount.agency,
            customer=subaccount.customer,
            about=subaccount,
            acting_user=acting_user,
            was=expecting.value,
            cause=str(subaccount.cause),
            codes=list(subaccount.cause_codes),
            attempt=subaccount.attempts,
        )


def request(subaccount: Subaccount, *, expecting: State, acting_user: User | None = None) -> None:
    """Puts a wish in the queue: its mailbox is proven, there is room, and a person said yes where one has to."""
    move(
        subaccount,
        expecting=expecting,
        to=State.REQUESTED,
        acting_user=acting_user,
        run_at=clock.now(),
        cause=Cause.NONE,
        cause_codes=[],
    )
