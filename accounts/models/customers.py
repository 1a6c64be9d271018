"""Customers: the companies an agency looks after, the words that find them, and what staff note about them."""

import uuid
from typing import Self

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
    contact = models.ForeignKey(
        "User",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose name and address these are; empty until somebody accepts the invitation that went there.",
    )
    package = models.ForeignKey(Package, models.PROTECT, related_name="customers")
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    terms_url = models.URLField(blank=True, help_text="The terms as they were linked when they were accepted.")
    created_at = models.DateTimeField(db_default=Now())
    trial_ends_on = models.DateField(null=True, blank=True, help_text="First day after the trial, UTC.")
    paused_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True, help_text="When everything personal was taken out.")
    converted_at = models.DateTimeField(null=True, blank=True, help_text="When a trial became a customer.")
    message = models.CharField(
        max_length=300, blank=True, default="", help_text="What staff say to the customer: declined, paused, closed."
    )
    # What the way to the first coupon took; the worker and the sign-in keep these.
    first_sign_in_at = models.DateTimeField(null=True, blank=True)
    first_launch_at = models.DateTimeField(null=True, blank=True)
    last_launch_at = models.DateTimeField(null=True, blank=True)
    first_campaign_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="customer_newest_first"),
            models.Index(fields=["agency", "created_at"], name="customer_by_day"),
            models.Index(fields=["agency", "trial_ends_on"], name="customer_by_trial_end"),
        ]

    def __str__(self) -> str:
        return self.company_name

    @property
    def reference(self) -> str:
        """What a customer quotes when writing to the agency; says nothing by itself."""
        return f"C-{self.public_id.hex[:8].upper()}"


class SearchWordQuerySet(ScopedQuerySet["SearchWord"]):
    def starting(self, prefix: str) -> Self:
        """The words that start with `prefix`, by the index. Bytes compare alike in every database."""
        low = prefix.encode()
        return self.filter(word__gte=low, word__lt=low + b"\xff")


class SearchWord(models.Model):
    """One word by which a customer is found: of its name, of an address, or the vendor's id.

    Bytes, because texts are ordered differently from database to database, and only an ordered column finds
    what starts with three letters among a hundred thousand as fast as among ten.
    """

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="search_words")
    word = models.BinaryField(max_length=120)

    objects = SearchWordQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["agency", "word", "customer"], name="search_word_prefix")]

    def __str__(self) -> str:
        return bytes(self.word).decode(errors="replace")


class NoteQuerySet(ScopedQuerySet["Note"]):
    pass


class Note(models.Model):
    """What staff wrote: a note about a customer, or the reason of an event. Texts stay out of the events."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="notes")
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="notes")
    author_id = models.UUIDField(null=True)
    text = models.CharField(max_length=1000)
    event = models.OneToOneField(
        "Event", models.PROTECT, null=True, blank=True, related_name="reason", help_text="The event that it explains."
    )
    at = models.DateTimeField(db_default=Now())

    objects = NoteQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["customer", "at"], name="note_by_customer")]

    def __str__(self) -> str:
        return self.text[:60]


class PanelTaskQuerySet(ScopedQuerySet["PanelTask"]):
    pass


class PanelTask(models.Model):
    """Something that only a person can do, in the vendor's own panel: the vendor publishes no call for it."""

    class Kind(models.TextChoices):
        BLOCK = "block"
        UNBLOCK = "unblock"
        DELETE = "delete"
        MAKE_CUSTOMER = "make_customer"
        CHANGE_EXPIRY = "change_expiry"
        CHANGE_PACKAGE = "change_package"
        ERASE = "erase"
        ERASE_CONTACT = "erase_contact"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="panel_tasks")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="panel_tasks")
    kind = models.CharField(max_length=14, choices=Kind)
    data = models.JSONField(default=dict, blank=True, help_text="What to set it to: a date, a package id.")
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    objects = PanelTaskQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["agency", "done_at"], name="panel_task_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.customer_id}"
