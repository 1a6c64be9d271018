"""The demo: two agencies with very different brands, their staff, and customers in every state."""

import json
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from accounts import agencies, customers, demo_history, vendor_accounts
from accounts.agencies import NewPackage
from accounts.crypto import seal
from accounts.models import IN_THE_MAKING, Agency, Cause, Customer, Host, Package, State, Subaccount, User

PASSWORD = "oven window bicycle"  # noqa: S105 -- of the demo's people, printed when it starts
LOGOS = Path(__file__).parent / "demo_logos"


@dataclass(frozen=True)
class DemoAgency:
    name: str
    host: str
    about: dict[str, Any]
    packages: tuple[NewPackage, ...]
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class DemoPerson:
    email: str
    first_name: str
    last_name: str
    host: str
    where: str
    what: str
    staff_role: str = ""
    totp_secret: str = ""


@dataclass(frozen=True)
class DemoCustomer:
    company_name: str
    email: str
    first_name: str
    last_name: str
    state: State
    package: int = 0
    cause: Cause = Cause.NONE
    codes: tuple[int, ...] = ()
    paused: bool = False
    vendor_id: str = ""
    campaigns: tuple[str, ...] = ()
    days_ago: int = 1


NORTHLIGHT = DemoAgency(
    name="Northlight",
    host="northlight.localhost",
    about={
        "product_name": "Northlight Coupons",
        "colour": "#0f5f5c",
        "grey": "cool",
        "corner": 8,
        "support_email": "help@northlight.example",
        "support_phone": "+31 20 555 01 40",
        "support_hours": "Monday to Friday, 9:00 to 17:00",
        "tagline": "Coupons your customers keep",
        "terms_url": "https://northlight.example/terms",
        "privacy_url": "https://northlight.example/privacy",
    },
    packages=(
        NewPackage(
            "pac_101",
            "Starter",
            Decimal(19),
            "EUR",
            14,
            "For one shop, one offer at a time.",
            ("2 coupons running at once", "1,000 visits a month", "Results for every coupon", "Help by e-mail"),
        ),
        NewPackage(
            "pac_102",
            "Shop Plus",
            Decimal(39),
            "EUR",
            14,
            "For shops that always have something on.",
            ("10 coupons running at once", "10,000 visits a month", "Loyalty cards", "Help by e-mail and phone"),
            is_recommended=True,
            sends_expiry_date=True,
        ),
        NewPackage(
            "pac_103",
            "Multi-shop",
            Decimal(99),
            "EUR",
            30,
            "For chains and shopping streets.",
            ("50 coupons running at once", "100,000 visits a month", "Loyalty cards and a coupon directory"),
        ),
    ),
    client_id="demo-northlight",
    client_secret="demo-northlight-secret",  # noqa: S106 -- of the sandbox
)
SUNBEAM = DemoAgency(
    name="Sunbeam",
    host="sunbeam.localhost",
    about={
        "product_name": "Sunbeam Deals",
        "colour": "#ffc629",
        "grey": "warm",
        "corner": 12,
        "support_email": "hello@sunbeam.example",
        "support_phone": "+32 2 555 01 77",
        "support_hours": "every day, 10:00 to 18:00",
        "tagline": "Bring them back tomorrow",
        "terms_url": "https://sunbeam.example/terms",
        "privacy_url": "https://sunbeam.example/privacy",
    },
    packages=(
        NewPackage("pac_201", "Stall", Decimal("9.50"), "EUR", 0, "For markets and pop-ups.", ("1 coupon at a time",)),
        NewPackage(
            "pac_202",
            "Street",
            Decimal("29.50"),
            "EUR",
            30,
            "For a shop with regulars.",
            ("5 coupons at a time", "5,000 visits a month"),
            is_recommended=True,
        ),
    ),
    client_id="demo-sunbeam",
    client_secret="demo-sunbeam-secret",  # noqa: S106 -- of the sandbox
)
AGENCIES = (NORTHLIGHT, SUNBEAM)

STAFF = (
    DemoPerson(
        "ada@northlight.example",
        "Ada",
        "North",
        NORTHLIGHT.host,
        "Northlight",
        "owner of Northlight: the console",
        "owner",
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    ),
    DemoPerson(
        "sam@northlight.example",
        "Sam",
        "Okafor",
        NORTHLIGHT.host,
        "Northlight",
        "support of Northlight: customers, no keys",
        "support",
        "NB2W45DFOIZA4CZANB2W45DFOIZA4CZA",
    ),
    DemoPerson(
        "cy@sunbeam.example",
        "Cy",
        "South",
        SUNBEAM.host,
        "Sunbeam",
        "owner of Sunbeam: the console",
        "owner",
        "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU",
    ),
    DemoPerson(
        "operator@platform.example",
        "Olu",
        "Operator",
        "",
        "platform",
        "operator: everything, read-only",
        "",
        "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK",
    ),
)

NORTHLIGHT_CUSTOMERS = (
    DemoCustomer(
        "Bakkerij De Vries",
        "bo@devries.example",
        "Bo",
        "de Vries",
        State.ACTIVE,
        1,
        vendor_id="sub_20001",
        campaigns=("Second croissant free", "Sunday breakfast box", "Birthday cake, 20% off", "Loyalty week"),
        days_ago=91,
    ),
    DemoCustomer(
        "Fietsen Jansen", "kim@jansen.example", "Kim", "Jansen", State.ACTIVE, 0, vendor_id="sub_20002", days_ago=6
    ),
    DemoCustomer("Café Zuid", "noor@cafezuid.example", "Noor", "Visser", State.AWAITING_EMAIL),
    DemoCustomer("Kapsalon Knip", "sam@knip.example", "Sam", "Bos", State.AWAITING_APPROVAL),
    DemoCustomer("Bloemen Roos", "roos@bloemen.example", "Roos", "Mulder", State.REQUESTED, 0, Cause.DAILY_BUDGET),
    DemoCustomer("Wijn & Co", "lars@wijn.example", "Lars", "Smit", State.CREATING, 2),
    DemoCustomer("Speelgoed Pip", "pip@speelgoed.example", "Pip", "Dekker", State.UNCERTAIN, 1, Cause.NO_ANSWER),
    DemoCustomer(
        "Groene Vork",
        "mila@groenevork.example",
        "Mila",
        "Peters",
        State.NEEDS_REVIEW,
        0,
        Cause.EMAIL_TAKEN_ELSEWHERE,
        (304,),
        days_ago=2,
    ),
    DemoCustomer(
        "Boekhandel Blad", "tess@blad.example", "Tess", "Kok", State.MISSING, 1, vendor_id="sub_20009", days_ago=44
    ),
    DemoCustomer("Sportzaak Snel", "finn@snel.example", "Finn", "Meijer", State.CLOSED, days_ago=61),
    DemoCustomer(
        "Slagerij Hart",
        "luuk@hart.example",
        "Luuk",
        "Hart",
        State.ACTIVE,
        1,
        paused=True,
        vendor_id="sub_20011",
        days_ago=82,
    ),
)
SUNBEAM_CUSTOMERS = (
    DemoCustomer(
        "Frituur Zon",
        "bo@devries.example",
        "Bo",
        "de Vries",
        State.ACTIVE,
        1,
        vendor_id="sub_30001",
        campaigns=("Small fries free", "Family Friday"),
        days_ago=91,
    ),
    DemoCustomer(
        "Fleurs du Sud", "chloe@fleurs.example", "Chloé", "Martin", State.NEEDS_REVIEW, 0, Cause.EXISTED_BEFORE
    ),
)
CUSTOMERS = {NORTHLIGHT.host: NORTHLIGHT_CUSTOMERS, SUNBEAM.host: SUNBEAM_CUSTOMERS}

PEOPLE = (
    DemoPerson("bo@devries.example", "Bo", "de Vries", NORTHLIGHT.host, "Northlight", "shop owner, account active"),
    DemoPerson("kim@jansen.example", "Kim", "Jansen", NORTHLIGHT.host, "Northlight", "shop owner, no coupon yet"),
    DemoPerson("pip@speelgoed.example", "Pip", "Dekker", NORTHLIGHT.host, "Northlight", "shop owner, being checked"),
    DemoPerson("bo@devries.example", "Bo", "de Vries", SUNBEAM.host, "Sunbeam", "the same address, another person"),
    *STAFF,
)


@transaction.atomic
def seed() -> bool:
    """Writes the demo's rows; False if they are there already."""
    if Host.objects.filter(name=NORTHLIGHT.host).exists():
        return False
    for demo in AGENCIES:
        logo = (LOGOS / f"{demo.name.lower()}.png").read_bytes()
        owner = next(person for person in STAFF if person.host == demo.host)
        agency = agencies.create(
            name=demo.name, host=demo.host, owner_email=owner.email, logo=logo, packages=demo.packages, **demo.about
        )
        vendor_accounts.connect(agency, client_id=demo.client_id, client_secret=demo.client_secret)
        # The demo's owners have accepted already: the mail that invites them is not sent.
        agency.invitations.update(accepted_at=timezone.now())
        agency.jobs.all().delete()
        for customer in sorted(CUSTOMERS[demo.host], key=lambda customer: -customer.days_ago):
            _write_customer(agency, customer)
    for person in STAFF:
        host = Host.objects.filter(name=person.host).first()
        user = _write_person(person.email, person.first_name, person.last_name, host.agency if host else None)
        user.staff_role, user.is_staff = person.staff_role, host is None
        user.save(update_fields=["staff_role", "is_staff"])
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": seal(person.totp_secret)})
        if host is not None and person.staff_role == "owner":
            demo_history.write(host.agency, user)
    return True


def _write_person(email: str, first_name: str, last_name: str, agency: Agency | None, *, verified: bool = True) -> User:
    user = User(agency=agency, email=email, first_name=first_name, last_name=last_name)
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    return user


def _write_customer(agency: Agency, demo: DemoCustomer) -> None:
    user = _write_person(
        demo.email, demo.first_name, demo.last_name, agency, verified=demo.state != State.AWAITING_EMAIL
    )
    package = list(Package.objects.for_agency(agency).on_offer())[demo.package]
    now = timezone.now()
    in_the_making = demo.state in IN_THE_MAKING
    then = now - (timedelta(minutes=4) if in_the_making else timedelta(days=demo.days_ago, hours=2))
    customer = customers.sign_up(
        agency=agency,
        package=package,
        company_name=demo.company_name,
        first_name=demo.first_name,
        last_name=demo.last_name,
        country="NL",
        terms_accepted_at=then,
        acting_user=user,
        at=then,
    )
    far_away = datetime(2100, 1, 1, tzinfo=UTC)  # what shows a state must not be worked on
    row: dict[str, Any] = {
        "state": demo.state,
        "changed_at": now - timedelta(hours=3) if demo.state == State.MISSING else then,
        "created_at": then,
        "cause": demo.cause,
        "cause_codes": list(demo.codes),
        "vendor_id": demo.vendor_id,
    }
    if demo.state != State.AWAITING_EMAIL:
        row["verified_at"] = then
    if demo.vendor_id:
        row |= {"bound_at": then, "refreshed_at": now - timedelta(days=1)}
    if in_the_making:
        row |= {"run_at": far_away, "attempts": 1}
    Subaccount.objects.for_agency(agency).filter(customer=customer).update(**row)
    changes: dict[str, Any] = {"created_at": then}
    if demo.state == State.ACTIVE and package.trial_days:
        end = then + timedelta(days=package.trial_days)
        changes |= {"trial_ends_on": end.date()} if end > now else {"converted_at": end}
    if demo.paused:
        changes["paused_at"] = now
    if demo.state == State.CLOSED:
        changes["closed_at"] = now
    Customer.objects.for_agency(agency).filter(pk=customer.pk).update(**changes)


def seed_sandbox(url: str) -> None:
    """Tells the sandbox about the demo's accounts and the subaccounts that they have; again does nothing new."""
    accounts = [
        {
            "client_id": demo.client_id,
            "client_secret": demo.client_secret,
            "packages": [package.vendor_package_id for package in demo.packages],
        }
        for demo in AGENCIES
    ]
    subaccounts = [
        {
            "client_id": demo.client_id,
            "ID": customer.vendor_id,
            "email": customer.email,
            "company_name": customer.company_name,
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "campaigns": [{"name": name, "status": "active"} for name in customer.campaigns],
        }
        for demo in AGENCIES
        for customer in CUSTOMERS[demo.host]
        if customer.vendor_id and customer.state == State.ACTIVE
    ]
    body = json.dumps({"accounts": accounts, "subaccounts": subaccounts}).encode()
    request = urllib.request.Request(  # noqa: S310 -- the sandbox on loopback
        f"{url}/_state", body, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 -- the same
