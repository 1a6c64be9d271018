"""An event about a customer, with the reason that somebody gave for it."""

from typing import Any

from accounts.models import Customer, Event, Note, User


def record(kind: str, customer: Customer, acting_user: User, *, reason: str = "", **facts: Any) -> Event:
    """Writes the event; a reason is free text and becomes a note that points to it."""
    event = Event.objects.record(kind, agency=customer.agency, customer=customer, acting_user=acting_user, **facts)
    if reason:
        Note.objects.create(
            agency=customer.agency, customer=customer, author_id=acting_user.pk, text=reason, event=event
        )
    return event
