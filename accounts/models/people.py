"""People, what they may do for an agency, and which customers they belong to."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Cast, Coalesce, Concat, Lower, Now, Replace
from django.utils.crypto import salted_hmac

from accounts.models.agencies import Agency
from accounts.models.customers import Customer
from accounts.models.scope import ScopedQuerySet

LOGIN_KEY = Concat(
    Coalesce(
        Replace(Cast("agency", models.CharField()), models.Value("-"), models.Value("")), models.Value("platform")
    ),
    models.Value(":"),
    Lower("email"),
    output_field=models.CharField(),
)


class User(AbstractUser):
    """A person: one sign-in at one agency, or an operator (no agency).

    `username` is derived and never shown: it makes the address unique per agency for allauth, which
    wants one login name for the whole table. The database checks that it stays in step.
    """

    class StaffRole(models.TextChoices):
        NONE = "", "no staff"
        OWNER = "owner"
        ADMIN = "admin"
        SUPPORT = "support"
        ANALYST = "analyst"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, related_name="people")
    email = models.EmailField()
    username = models.CharField(max_length=320, unique=True, editable=False)
    staff_role = models.CharField(max_length=8, choices=StaffRole, blank=True, default=StaffRole.NONE)
    language = models.CharField(max_length=5, blank=True, default="", help_text="Empty: the agency's.")
    teammate_id = models.CharField(
        max_length=24, blank=True, default="", help_text="Their teammate id at the vendor, stored by an owner."
    )
    session_generation = models.PositiveIntegerField(
        default=0, help_text="Raising it ends every session of this person."
    )

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint("agency", Lower("email"), name="user_agency_email"),
            models.UniqueConstraint(Lower("email"), condition=models.Q(agency=None), name="user_operator_email"),
            models.CheckConstraint(condition=models.Q(username=LOGIN_KEY), name="user_login_key"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def scope(self) -> str:
        """The agency (or the platform) that this sign-in belongs to; sessions carry it."""
        return self.agency_id.hex if self.agency_id else "platform"

    @property
    def login_key(self) -> str:
        return f"{self.scope}:{self.email.lower()}"

    @property
    def is_operator(self) -> bool:
        return self.agency_id is None and self.is_staff and self.is_active

    @property
    def must_have_mfa(self) -> bool:
        """Operators and staff work only with a second factor."""
        return self.agency_id is None or bool(self.staff_role)

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.email, self.username = self.email.lower(), self.login_key
        if update_fields is not None and {"email", "agency", "agency_id"} & set(update_fields):
            # allauth changes an address with update_fields=["email"]; the key must follow.
            update_fields = {*update_fields, "username"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def get_session_auth_hash(self) -> str:
        """Ties every session to the password and to the generation: change either, and all are over."""
        return self._session_hash(secret=None)

    def get_session_auth_fallback_hash(self) -> Iterable[str]:
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret=secret)

    def _session_hash(self, secret: str | None) -> str:
        return salted_hmac(
            "accounts.models.User.session",
            f"{self.password}:{self.session_generation}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class MembershipQuerySet(ScopedQuerySet["Membership"]):
    agency_path = "customer__agency"


class Membership(models.Model):
    """What a person may do for one customer."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    person = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role)
    created_at = models.DateTimeField(db_default=Now())
    suspended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("person", "customer", name="one_membership_per_customer")]

    def __str__(self) -> str:
        return f"{self.person_id} is {self.role} of {self.customer_id}"

    @property
    def may_launch(self) -> bool:
        """A vendor sign-on carries the subaccount's full rights, so a viewer never gets one."""
        return self.role in (self.Role.OWNER, self.Role.EDITOR)


class InvitationQuerySet(ScopedQuerySet["Invitation"]):
    pass


class Invitation(models.Model):
    """An invitation by mail: to work for the agency (`staff_role`), or to belong to a customer (`member_role`).

    Only a hash of the token is kept.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    staff_role = models.CharField(max_length=8, choices=User.StaffRole, blank=True, default=User.StaffRole.NONE)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="invitations")
    member_role = models.CharField(max_length=6, choices=Membership.Role, blank=True, default="")
    invited_by_id = models.UUIDField(null=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(customer=None, member_role="") & ~models.Q(staff_role="")
                | models.Q(customer__isnull=False, staff_role="") & ~models.Q(member_role=""),
                name="invitation_to_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.staff_role or self.member_role}"


class ViewAsQuerySet(ScopedQuerySet["ViewAs"]):
    pass


class ViewAs(models.Model):
    """An operator's short, read-only look at a console as one of its staff. Only a hash of the token is kept."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="views_as")
    operator = models.ForeignKey(User, models.CASCADE, related_name="+")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ViewAsQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.operator_id} as {self.person_id}"
