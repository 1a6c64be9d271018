"""Doors about agencies: making one with its host, brand, vendor account and packages."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import brands, people
from accounts.errors import NotAllowed
from accounts.models import Agency, Event, Host, Package, User, VendorAccount


@dataclass(frozen=True)
class NewPackage:
    """A package of an agency in the making; `price` in `currency` a month, shown and never charged."""

    vendor_package_id: str
    name: str
    price: Decimal | None = None
    currency: str = "EUR"
    trial_days: int = 0
    text: str = ""
    points: Sequence[str] = ()
    is_recommended: bool = False
    sends_expiry_date: bool = False


@transaction.atomic
def create(
    *,
    name: str,
    host: str,
    owner_email: str,
    product_name: str = "",
    colour: str = "#206bc4",
    grey: str = "cool",
    corner: int = 8,
    logo: bytes = b"",
    panel_host: str = "",
    packages: Sequence[NewPackage] = (),
    acting_user: User | None = None,
    **about: str,
) -> Agency:
    """Makes an agency and mails its owner an invitation. Credentials are stored by `vendor_accounts`.

    `about` holds further fields of Agency (support_phone, terms_url …). Raises NotAllowed if the host is taken.
    """
    host = host.lower().rstrip(".")
    Host._meta.get_field("name").run_validators(host)
    if host == settings.PLATFORM_HOST:
        raise NotAllowed("This is the operators' own host.")
    agency = Agency.objects.create(
        name=name, product_name=product_name or name, **{"support_email": owner_email} | about
    )
    try:
        with transaction.atomic():
            Host.objects.create(agency=agency, name=host, is_canonical=True)
    except IntegrityError:
        raise NotAllowed(f"The host {host} is already in use.") from None
    brands.save(agency, colour=colour, grey=grey, corner=corner, logo=logo)
    VendorAccount.objects.create(agency=agency, whitelabel_host=panel_host)
    Package.objects.bulk_create(
        Package(
            agency=agency,
            position=position,
            name=package.name,
            text=package.text,
            points=list(package.points),
            price=package.price,
            currency=package.currency,
            trial_days=package.trial_days,
            vendor_package_id=package.vendor_package_id,
            is_recommended=package.is_recommended,
            sends_expiry_date=package.sends_expiry_date,
        )
        for position, package in enumerate(packages)
    )
    Event.objects.record("agency.created", agency=agency, acting_user=acting_user)
    people.invite_staff(agency=agency, email=owner_email, staff_role=User.StaffRole.OWNER, acting_user=acting_user)
    return agency


@transaction.atomic
def require_approval(agency: Agency, *, is_on: bool, acting_user: User) -> None:
    """Whether new customers wait for a yes from now on. Those that wait already go on waiting."""
    Agency.objects.filter(pk=agency.pk).update(approval_required=is_on)
    Event.objects.record("agency.approval_switched", agency=agency, acting_user=acting_user, is_on=is_on)


@transaction.atomic
def require_members_second_step(agency: Agency, *, is_on: bool, acting_user: User) -> None:
    """Whether the customers' people, too, need a second step at sign-in from now on. Staff always do."""
    Agency.objects.filter(pk=agency.pk).update(members_need_mfa=is_on)
    Event.objects.record("agency.members_second_step_switched", agency=agency, acting_user=acting_user, is_on=is_on)
