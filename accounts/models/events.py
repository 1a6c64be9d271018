"""The audit: append-only, ids only."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.functions import Now
from structlog.contextvars import get_contextvars

from accounts.models.agencies import Agency
from accounts.models.scope import ScopedQuerySet

_NO_TEXT = re.compile(r"[\w.:/+-]{0,253}", re.ASCII)
DONE = "done"
FAILED = "failed"
REFUSED = "refused"


class EventQuerySet(ScopedQuerySet["Event"]):
    def record(
        self,
        kind: str,
        *,
        agency: Agency | None,
        acting_user: models.Model | None = None,
        on_behalf_of: models.Model | None = None,
        customer: models.Model | None = None,
        about: models.Model | None = None,
        outcome: str = DONE,
        at: datetime | None = None,
        **data: Any,
    ) -> "Event":
        """Writes one event; `data` holds ids, states and codes, never an address, a name or a secret.

        `about` is what it was done to; left out, the customer, else the agency. `on_behalf_of` is whose rights were
        used when somebody acts as another. Without an `acting_user` the worker did it, the command line, or somebody
        who is not signed in. `at` is for a past that is made up (the demo's).
        """
        _refuse_words(data)
        target = about or customer or agency
        return self.create(
            kind=kind,
            agency=agency,
            actor_id=acting_user.pk if acting_user else None,
            on_behalf_of=on_behalf_of.pk if on_behalf_of else None,
            customer_id=customer.pk if customer else None,
            object_type=type_of(target) if target else "",
            object_id=str(target.pk) if target else "",
            outcome=outcome,
            request=reference(),
            data=data,
            **({"at": at} if at else {}),
        )

    def update(self, **kwargs: Any) -> int:
        raise TypeError("Events are append-only.")

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None) -> int:
        raise TypeError("Events are append-only.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("Events are append-only.")

    def bulk_create(self, objs: Iterable["Event"], *args: Any, **kwargs: Any) -> list["Event"]:
        if kwargs.get("update_conflicts") or kwargs.get("ignore_conflicts") or len(args) > 1:
            raise TypeError("Events are append-only.")
        return super().bulk_create(objs, *args, **kwargs)


class Event(models.Model):
    """What happened, to what, by whom. Holds no personal data, so erasing a person leaves it alone."""

    at = models.DateTimeField(db_default=Now())
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, related_name="events")
    kind = models.CharField(max_length=60)
    actor_id = models.UUIDField(null=True)
    on_behalf_of = models.UUIDField(null=True, help_text="Whose rights were used, when somebody acts as another.")
    customer_id = models.BigIntegerField(null=True)
    object_type = models.CharField(
        max_length=20, default="", db_default="", help_text="What it was done to: customer, person, invitation …"
    )
    object_id = models.CharField(max_length=36, default="", db_default="", help_text="Its primary key.")
    outcome = models.CharField(
        max_length=40, default=DONE, db_default=DONE, help_text="`done`, or how it ended instead."
    )
    request = models.CharField(
        max_length=36,
        default="",
        db_default="",
        help_text="The request's reference, as in the logs; of the worker, its claim.",
    )
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["agency", "kind", "at"], name="event_by_kind"),
            models.Index(fields=["customer_id", "at"], name="event_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Events are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("Events are append-only.")


def _refuse_words(value: Any) -> None:
    """Raises ValueError for anything but numbers, ids, dates, host names and words of a closed list."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for part in value:
            _refuse_words(part)
    elif not (value is None or isinstance(value, bool | int | float) or _NO_TEXT.fullmatch(str(value))):
        raise ValueError("An event holds ids, states and codes; texts go into a note.")


def type_of(row: models.Model) -> str:
    """What a row is called in events."""
    name = row._meta.model_name or ""
    return {"user": "person", "emailaddress": "address"}.get(name, name)


def reference() -> str:
    """What this is done for: a log line and an event of one request, of one claim of the worker, or of one task or run
    of the clock, name the same.
    """
    bound = get_contextvars()
    return str(bound.get("request") or bound.get("claim") or "")
