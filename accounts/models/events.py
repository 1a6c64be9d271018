"""The audit: append-only, ids only."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from accounts.models.agencies import Agency
from accounts.models.scope import ScopedQuerySet


class EventQuerySet(ScopedQuerySet["Event"]):
    def record(
        self,
        kind: str,
        *,
        agency: Agency | None,
        acting_user: models.Model | None = None,
        customer: models.Model | None = None,
        **data: Any,
    ) -> "Event":
        """Writes one event; `data` holds ids, states and codes, never an address, a name or a secret.

        Without an `acting_user` the worker did it.
        """
        return self.create(
            kind=kind,
            agency=agency,
            actor_id=acting_user.pk if acting_user else None,
            customer_id=customer.pk if customer else None,
            data=data,
        )


class Event(models.Model):
    """What happened, to which customer, by whom. Holds no personal data, so erasing a person leaves it alone."""

    at = models.DateTimeField(db_default=Now())
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, related_name="events")
    kind = models.CharField(max_length=60)
    actor_id = models.UUIDField(null=True)
    customer_id = models.BigIntegerField(null=True)
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
