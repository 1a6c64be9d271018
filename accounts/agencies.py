"""Doors about agencies: making one with its host, brand, vendor account and packages."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import brands, people
from accounts.errors import NotAllowed
from accounts.models import Agency, Credential, Event, Host, Package, Subaccount, User, VendorAccount


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
    """Makes an agency and mails its owner an invitation. Credentials are stored by `store_credential`.

    `about` holds further fields of Agency (support_phone, terms_url …). Raises NotAllowed if the host is taken.
    """
    host = host.lower().rstrip(".")
    Host._meta.get_field("name").run_validators(host)
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
    Event.objects.record("agency.created", agency=agency, acting_user=acting_user, agency_id=str(agency.pk))
    people.invite_staff(agency=agency, email=owner_email, staff_role=User.StaffRole.OWNER, acting_user=acting_user)
    return agency


@transaction.atomic
def store_credential(
    agency: Agency, *, client_id: str, client_secret: str, slot: int = 1, acting_user: User | None = None
) -> Credential:
    """Seals a client id and secret into a slot and makes it the active one.

    Raises NotAllowed if another agency holds that vendor account (two portals on one account would adopt each
    other's subaccounts; the message does not say whose it is), or if it is a new client id while customers are
    bound to the present one.
    """
    account = VendorAccount.objects.select_for_update().get(agency=agency)
    fingerprint = hashlib.sha256(client_id.encode()).hexdigest()
    other = Credential.objects.filter(fingerprint=fingerprint).exclude(vendor_account=account).first()
    if other is not None:
        raise NotAllowed("These credentials belong to a vendor account that is already in use here.")
    knows_account = Credential.objects.filter(vendor_account=account, fingerprint=fingerprint).exists()
    if not knows_account and Subaccount.objects.for_agency(agency).exclude(vendor_id="").exists():
        # Under another account the ids of these customers would be somebody else's, or nobody's.
        raise NotAllowed("This client id is another vendor account, and customers are bound to the present one.")
    credential = Credential.objects.filter(vendor_account=account, slot=slot).first() or Credential(
        vendor_account=account, slot=slot
    )
    credential.fingerprint = fingerprint
    credential.put(client_id, client_secret)
    credential.save()
    account.active_credential = credential
    if account.trouble:
        account.probe_at = timezone.now()  # new credentials are tried at once
    account.save(update_fields=["active_credential", "probe_at"])
    Event.objects.record("credential.stored", agency=agency, acting_user=acting_user, slot=slot)
    return credential
