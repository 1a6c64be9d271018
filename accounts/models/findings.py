"""What the comparison with the vendor's list found."""

import uuid
from typing import Self

from django.db import models
from django.utils import timezone

from accounts.models.agencies import Agency
from accounts.models.scope import ScopedQuerySet
from accounts.models.subaccounts import Subaccount


class FindingQuerySet(ScopedQuerySet["Finding"]):
    def open(self) -> Self:
        """What holds still."""
        return self.filter(ended_at=None)

    def to_decide(self) -> Self:
        """What a person has to look into. What the list lacks is asked for by its number, and settled by itself."""
        return self.open().filter(dismissed_at=None).exclude(kind=Finding.Kind.ABSENT)


class Finding(models.Model):
    """One difference between what is bound here and what the vendor lists. Ids only: no address, no name."""

    class Kind(models.TextChoices):
        TWICE = "twice"
        UNBOUND = "unbound"
        CHANGED = "changed"
        ABSENT = "absent"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=7, choices=Kind)
    vendor_id = models.CharField(max_length=24)
    subaccount = models.ForeignKey(
        Subaccount,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="findings",
        help_text="Ours that it concerns: bound to that id, or of the same address.",
    )
    found_at = models.DateTimeField(default=timezone.now)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When the vendor's list no longer bore it out.")

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("agency", "kind", "vendor_id", name="finding_once")]
        indexes = [
            models.Index(fields=["agency", "found_at"], condition=models.Q(ended_at=None), name="finding_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.vendor_id}"
