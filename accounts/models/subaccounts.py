"""The wish for a vendor subaccount, its state, and what the worker last saw of it."""

import uuid
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models.agencies import Agency, VendorAccount
from accounts.models.claimable import Claimable
from accounts.models.customers import Customer
from accounts.models.scope import ScopedQuerySet


class State(models.TextChoices):
    """Where a subaccount stands; DESIGN's picture is in ARCHITECTURE.md."""

    AWAITING_EMAIL = "awaiting_email"
    AWAITING_APPROVAL = "awaiting_approval"
    REQUESTED = "requested"
    CREATING = "creating"
    UNCERTAIN = "uncertain"
    NEEDS_REVIEW = "needs_review"
    ACTIVE = "active"
    MISSING = "missing"
    CLOSED = "closed"


IN_FLIGHT = (State.CREATING, State.UNCERTAIN)
"""In which an account may be there already, or be there in a moment, that is not bound."""

IN_THE_MAKING = (State.REQUESTED, *IN_FLIGHT)
"""In which the worker is at it, or will be by itself."""


class Cause(models.TextChoices):
    """Why a subaccount waits: one word per sentence that staff read (portal/wording.py)."""

    NONE = ""
    VENDOR_UNREACHABLE = "vendor_unreachable"
    VENDOR_THROTTLES = "vendor_throttles"
    CREDENTIALS = "credentials"
    DAILY_BUDGET = "daily_budget"
    NO_VENDOR_ACCOUNT = "no_vendor_account"
    KEY_GONE = "key_gone"
    NO_ANSWER = "no_answer"
    WORKER_DIED = "worker_died"
    UNCLEAR_ANSWER = "unclear_answer"
    TRIED_AGAIN = "tried_again"
    NOT_MADE = "not_made"
    EMAIL_TAKEN = "email_taken"
    EMAIL_TAKEN_ELSEWHERE = "email_taken_elsewhere"
    APPEARED_MEANWHILE = "appeared_meanwhile"
    EXISTED_BEFORE = "existed_before"
    LISTED_TWICE = "listed_twice"
    LISTED_ALMOST = "listed_almost"
    BOUND_ELSEWHERE = "bound_elsewhere"
    CONTRADICTION = "contradiction"
    EMAIL_INVALID = "email_invalid"
    REFUSED = "refused"
    ATTEMPTS_USED_UP = "attempts_used_up"
    OUR_FAULT = "our_fault"
    LINK_NOT_LISTED = "link_not_listed"
    LINK_OTHER_ADDRESS = "link_other_address"
    LINK_IN_THE_MAKING = "link_in_the_making"
    NOTHING_LISTED = "nothing_listed"
    PACKAGE_REFUSED = "package_refused"
    CREATES_PAUSED = "creates_paused"
    NO_ROOM = "no_room"
    OTHER_ACCOUNT = "other_account"


IS_BOUND_HERE = ~models.Q(vendor_id="") & (models.Q(bound_at__isnull=False) | models.Q(state=State.ACTIVE))


class SubaccountQuerySet(ScopedQuerySet["Subaccount"]):
    def bound_here(self) -> Self:
        """Those whose id is of the vendor account in use, also if they are closed. Another one may have equal ids."""
        return self.filter(IS_BOUND_HERE)


class Subaccount(Claimable):
    """One vendor subaccount: the wish, its state, the evidence, and the vendor's id once known."""

    class FirstLook(models.TextChoices):
        NONE = ""
        ABSENT = "absent"
        PRESENT = "present"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="subaccounts")
    customer = models.OneToOneField(Customer, models.PROTECT, related_name="subaccount")
    vendor_account = models.ForeignKey(VendorAccount, models.PROTECT, related_name="subaccounts")
    email = models.EmailField(help_text="The verified address that is sent to the vendor.")
    state = models.CharField(max_length=17, choices=State, default=State.AWAITING_EMAIL)
    changed_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    verified_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=22, choices=Cause, blank=True, default=Cause.NONE)
    cause_codes = models.JSONField(default=list, blank=True, help_text="The vendor's error codes, if any.")

    # The evidence that the adoption table asks for.
    first_look = models.CharField(max_length=7, choices=FirstLook, blank=True, default=FirstLook.NONE)
    first_look_at = models.DateTimeField(null=True, blank=True)
    expiry_date = models.DateField(null=True, blank=True, help_text="As sent to the vendor; empty if none was.")
    packages_sent = models.JSONField(
        default=list, blank=True, help_text="The vendor's package ids of the creates that may have made the account."
    )
    trials_sent = models.JSONField(
        default=list, blank=True, help_text="What they said of a trial: its end, `open` for none, empty for no trial."
    )
    create_started_at = models.DateTimeField(null=True, blank=True)
    uncertain_since = models.DateTimeField(null=True, blank=True)
    had_unknown_outcome = models.BooleanField(default=False)
    absent_looks = models.PositiveSmallIntegerField(default=0, help_text="Absences seen after the quarantine.")
    faults = models.PositiveSmallIntegerField(default=0, help_text="Steps in a row that ended in a fault of ours.")
    looked_at = models.DateTimeField(null=True, blank=True)
    candidates = models.JSONField(default=list, blank=True, help_text="Ids that the last look listed for the address.")

    # What staff want of a row that waits for a person.
    wanted_vendor_id = models.CharField(max_length=24, blank=True, default="", help_text="To be linked by the worker.")
    wanted_in_spite = models.BooleanField(default=False, help_text="An owner wants it linked whatever its address.")
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="Off the attention list until it changes.")

    late_since = models.DateTimeField(
        null=True, blank=True, help_text="Waited for the vendor to come back, and since when; until that is reported."
    )

    # What the vendor said.
    vendor_id = models.CharField(max_length=24, blank=True, default="")
    bound_at = models.DateTimeField(
        null=True, blank=True, help_text="Under the client id in use; empty where the id is of another one's list."
    )
    refreshed_at = models.DateTimeField(null=True, blank=True, help_text="When the vendor was last read.")
    sealed_keys = models.TextField(
        blank=True, default="", help_text="Its own key pair, if the agency lets us read results; else never kept."
    )
    facts = models.JSONField(default=dict, blank=True, help_text="What the vendor said then; no key, no address.")

    objects = SubaccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "vendor_account", "vendor_id", condition=IS_BOUND_HERE, name="vendor_id_bound_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="active") | ~models.Q(vendor_id=""), name="active_has_vendor_id"
            ),
        ]
        indexes = [
            models.Index(fields=["run_at"], condition=models.Q(run_at__isnull=False), name="subaccount_due"),
            models.Index(fields=["lease_until"], condition=models.Q(lease_until__isnull=False), name="subaccount_held"),
            models.Index(fields=["agency", "state", "-customer"], name="subaccount_by_state_newest"),
            models.Index(fields=["agency", "state", "dismissed_at"], name="subaccount_waiting"),
            models.Index(fields=["vendor_id"], name="subaccount_by_vendor_id"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.state})"

    @property
    def is_bound_here(self) -> bool:
        """As `bound_here` says it of many."""
        return bool(self.vendor_id) and (self.bound_at is not None or self.state == State.ACTIVE)


class CampaignQuerySet(ScopedQuerySet["Campaign"]):
    agency_path = "subaccount__agency"


class Campaign(models.Model):
    """A campaign of a subaccount as the worker last saw it."""

    subaccount = models.ForeignKey(Subaccount, models.CASCADE, related_name="campaigns")
    vendor_id = models.CharField(max_length=24)
    name = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=60, blank=True)
    url = models.URLField(max_length=500, blank=True)
    status = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField()

    objects = CampaignQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("subaccount", "vendor_id", name="campaign_once")]
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What a person calls it: the vendor's subaccount call gives a code, and not always a name."""
        return self.name or gettext("Coupon %(code)s") % {"code": self.code or self.vendor_id}
