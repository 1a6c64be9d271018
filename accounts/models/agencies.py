"""Agencies with their hosts, brand, vendor account and packages."""

import uuid
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from accounts.crypto import seal, unseal
from accounts.models.scope import ScopedQuerySet


class Agency(models.Model):
    """A reseller: the unit of isolation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    product_name = models.CharField(
        max_length=120, help_text="What customers call the product; the vendor's name is never shown."
    )
    created_at = models.DateTimeField(db_default=Now())
    stopped_at = models.DateTimeField(null=True, blank=True)
    approval_required = models.BooleanField(default=False)
    members_need_mfa = models.BooleanField(default=False)
    support_email = models.EmailField()
    support_phone = models.CharField(max_length=40, blank=True)
    support_hours = models.CharField(max_length=80, blank=True)
    terms_url = models.URLField(blank=True)
    privacy_url = models.URLField(blank=True)
    tagline = models.CharField(max_length=120, blank=True)
    sender_name = models.CharField(max_length=120, blank=True, help_text="Whom mails come from; empty: the name.")
    language = models.CharField(max_length=5, default="en", help_text="Of people who have not chosen one.")
    outage_message = models.CharField(
        max_length=300, blank=True, default="", help_text="What customers read while the vendor does not answer."
    )
    daily_creates = models.PositiveIntegerField(
        null=True, blank=True, help_text="New accounts a day; empty: PROVISIONING_DAILY_CREATES."
    )
    customer_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Customers that are not closed; empty: no limit."
    )

    class Meta:
        verbose_name_plural = "agencies"

    def __str__(self) -> str:
        return self.name

    @property
    def canonical_host(self) -> str:
        """The host that links in mails use, without port. Raises Host.DoesNotExist if there is none."""
        return self.hosts.get(is_canonical=True).name


class HostQuerySet(models.QuerySet["Host"]):
    def serving(self, name: str) -> "Host | None":
        """The host of that exact name with all that a page needs of its agency, in one statement."""
        rows = self.select_related("agency__brand", "agency__vendor_account")
        # Names are unique: first() would put them in order, which is a third of what a page pays for this.
        return next(iter(rows.filter(name=name, agency__stopped_at=None)), None)


class Host(models.Model):
    """A host name, lower case and without port, that answers for one agency."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="hosts")
    name = models.CharField(
        max_length=253,
        unique=True,
        validators=[
            RegexValidator(
                r"\A(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"
            )
        ],
    )
    is_canonical = models.BooleanField(default=False)

    objects = HostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "agency", condition=models.Q(is_canonical=True), name="one_canonical_host_per_agency"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    """How an agency looks. The style sheet is computed when the brand is saved (accounts.brands)."""

    class Grey(models.TextChoices):
        COOL = "cool"
        PLAIN = "plain"
        WARM = "warm"

    agency = models.OneToOneField(Agency, models.CASCADE, related_name="brand")
    colour = models.CharField(max_length=7, validators=[RegexValidator(r"\A#[0-9a-f]{6}\Z")])
    grey = models.CharField(max_length=5, choices=Grey, default=Grey.COOL)
    corner = models.PositiveSmallIntegerField(default=8, choices=[(4, "4"), (8, "8"), (12, "12")])
    logo = models.BinaryField(blank=True, default=b"", help_text="PNG, re-encoded by us; empty for none.")
    css = models.TextField(editable=False)
    hash = models.CharField(max_length=16, editable=False, db_index=True)

    def __str__(self) -> str:
        return f"{self.agency}: {self.colour}"


LAST_FOUR = 0b1111  # of the outcomes in recent_failures
NOT_ANSWERING = tuple(bits for bits in range(LAST_FOUR + 1) if bits.bit_count() >= 2)


class VendorAccount(models.Model):
    """An agency's own account at the vendor, with its breaker (one for all processes)."""

    class Trouble(models.TextChoices):
        NONE = ""
        UNREACHABLE = "unreachable"
        CREDENTIALS = "credentials"
        UNSEALED = "unsealed"

    agency = models.OneToOneField(Agency, models.PROTECT, related_name="vendor_account")
    active_credential = models.ForeignKey(
        "Credential", models.PROTECT, null=True, blank=True, related_name="active_for"
    )
    whitelabel_host = models.CharField(max_length=253, blank=True, help_text="host[:port], proven to be the agency's")
    reads_statistics = models.BooleanField(
        default=False, help_text="Lets us keep, sealed, the key pairs with which the vendor tells results."
    )
    offers_pages = models.BooleanField(default=True, help_text="Off where the vendor refuses `page`.")
    recent_failures = models.PositiveIntegerField(
        default=0, help_text="The last 20 outcomes as bits, newest lowest; 1 is a failure."
    )
    trouble = models.CharField(max_length=12, choices=Trouble, blank=True, default=Trouble.NONE)
    trouble_since = models.DateTimeField(null=True, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When the worker last took one of its wishes.")
    throttled_until = models.DateTimeField(null=True, blank=True)
    last_outage = models.JSONField(
        default=dict, blank=True, help_text="Of the last time that it was not asked: since, until, how many waited."
    )
    budget_reached_on = models.DateField(
        null=True, blank=True, help_text="The day (UTC) on which the daily budget last stopped creates."
    )
    reconciled_at = models.DateTimeField(
        null=True, blank=True, help_text="When its list was last read to be compared with what is bound."
    )
    compared_at = models.DateTimeField(
        null=True, blank=True, help_text="When that last led to a comparison: a list that lacks too much does not."
    )
    reconcile_result = models.JSONField(default=dict, blank=True, help_text="How that went, in numbers.")
    creates_paused_at = models.DateTimeField(
        null=True, blank=True, help_text="Nothing is created until an operator has seen the differences."
    )

    def __str__(self) -> str:
        return f"vendor account of {self.agency_id}"

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open: we do not ask the vendor, except with the probe."""
        return self.trouble != self.Trouble.NONE

    @property
    def has_lost_its_pair(self) -> bool:
        """Whether the vendor refuses the pair in use, or we cannot open it: nothing is heard till there is another."""
        return self.trouble in (self.Trouble.CREDENTIALS, self.Trouble.UNSEALED)

    @property
    def does_not_answer(self) -> bool:
        """Whether two of the last four calls failed. One says nothing of the next; where creates hang, lists between
        them may be read.
        """
        return self.recent_failures & LAST_FOUR in NOT_ANSWERING

    @property
    def failures_in_a_row(self) -> int:
        """How many of the newest outcomes failed: the ones at the low end of the bits."""
        bits = f"{self.recent_failures:b}"
        return len(bits) - len(bits.rstrip("1"))


class Credential(models.Model):
    """One of the two slots of client id and secret. Both values are sealed; the fingerprint finds a double."""

    vendor_account = models.ForeignKey(VendorAccount, models.CASCADE, related_name="credentials")
    slot = models.PositiveSmallIntegerField(choices=[(1, "first"), (2, "second")])
    sealed_client_id = models.TextField()
    sealed_client_secret = models.TextField()
    fingerprint = models.CharField(
        max_length=64,
        unique=True,
        null=True,
        blank=True,
        help_text="SHA-256 of the client id. Empty while the other slot holds the same one, with another secret.",
    )
    created_at = models.DateTimeField(db_default=Now())
    tested_at = models.DateTimeField(null=True, blank=True)
    test_result = models.CharField(max_length=20, blank=True, default="", help_text="`ok`, or what went wrong.")
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("vendor_account", "slot", name="credential_slot_once"),
        ]

    def __str__(self) -> str:
        return f"slot {self.slot} of {self.vendor_account_id}"

    def put(self, client_id: str, client_secret: str) -> None:
        self.sealed_client_id, self.sealed_client_secret = seal(client_id), seal(client_secret)

    @property
    def client_id(self) -> str:
        return unseal(self.sealed_client_id)

    @property
    def client_secret(self) -> str:
        return unseal(self.sealed_client_secret)


class PackageQuerySet(ScopedQuerySet["Package"]):
    def on_offer(self) -> Self:
        return self.filter(is_visible=True, archived_at=None).order_by("position", "pk")


class Package(models.Model):
    """What an agency offers. The portal takes no money: the price is shown, not charged."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="packages")
    name = models.CharField(max_length=60)
    text = models.CharField(max_length=200, blank=True)
    points = models.JSONField(default=list, blank=True, help_text="Short lines of what is in it.")
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    trial_days = models.PositiveSmallIntegerField(default=0)
    vendor_package_id = models.CharField(max_length=40, validators=[RegexValidator(r"\Apac_[0-9A-Za-z]+\Z")])
    sends_expiry_date = models.BooleanField(
        default=False,
        help_text="The vendor may never let us change it: an account with an expiry date can end by itself.",
    )
    is_recommended = models.BooleanField(default=False)
    is_visible = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(
        null=True, blank=True, help_text="When the vendor last refused a create in a way that points to its id."
    )

    objects = PackageQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
