"""The four fields that make a row a piece of claimable work. The database is the queue."""

from django.db import models
from django.db.models.functions import Now


class Claimable(models.Model):
    """Work that is due at `run_at`, and belongs to `lease_owner` until `lease_until`."""

    run_at = models.DateTimeField(null=True, blank=True, db_default=Now(), help_text="Empty: nothing to do.")
    lease_owner = models.CharField(max_length=36, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True
