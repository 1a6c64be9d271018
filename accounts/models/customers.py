"""Customers: the companies an agency looks after."""

import uuid

from django.db import models
from django.db.models.functions import Now

from accounts.models.agencies import Agency, Package
from accounts.models.scope import ScopedQuerySet


class CustomerQuerySet(ScopedQuerySet["Customer"]):
    pass


class Customer(models.Model):
    """A client company of an agency. Has one subaccount."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="customers")
    company_name = models.CharField(max_length=120)
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    email = models.EmailField()
    package = models.ForeignKey(Package, models.PROTECT, related_name="customers")
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    terms_url = models.URLField(blank=True, help_text="The terms as they were linked when they were accepted.")
    created_at = models.DateTimeField(db_default=Now())
    trial_ends_on = models.DateField(null=True, blank=True, help_text="First day after the trial, UTC.")
    paused_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["agency", "-id"], name="customer_newest_first")]

    def __str__(self) -> str:
        return self.company_name

    @property
    def reference(self) -> str:
        """What a customer quotes when writing to the agency; says nothing by itself."""
        return f"C-{self.public_id.hex[:8].upper()}"
