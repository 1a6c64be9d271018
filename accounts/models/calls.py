"""What we asked the vendor and how it went, and which workers are alive."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.agencies import Agency
from accounts.models.scope import ScopedQuerySet


class VendorCallQuerySet(ScopedQuerySet["VendorCall"]):
    pass


class VendorCall(models.Model):
    """One call to the vendor by the worker. Endpoint, time and outcome only: never a payload."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="vendor_calls")
    customer_id = models.BigIntegerField(null=True, blank=True)
    endpoint = models.CharField(max_length=40)
    at = models.DateTimeField(db_default=Now())
    milliseconds = models.PositiveIntegerField()
    outcome = models.CharField(max_length=20, help_text="`ok`, or the name of the error.")
    codes = models.JSONField(default=list, blank=True)

    objects = VendorCallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["agency", "at"], name="vendor_call_by_agency"),
            models.Index(fields=["customer_id", "at"], name="vendor_call_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.outcome}"


class Worker(models.Model):
    """A worker process, and when it last said that it is alive."""

    name = models.CharField(max_length=80, unique=True)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
