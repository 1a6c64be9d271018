"""Rows for tests, made through the doors where there is one."""

import base64
import itertools
from datetime import timedelta
from typing import Any

import factory
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts import agencies, customers, jobs, refreshes, search, vendor_accounts
from accounts.agencies import NewPackage
from accounts.crypto import seal
from accounts.models import Agency, Customer, Job, Membership, Package, State, Subaccount, User
from coupontools_api.sandbox import Sandbox

PASSWORD = "oven window bicycle"
AN_HOUR = timedelta(hours=1)
_numbers = itertools.count(1)


class PersonFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@shop.example")
    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")


def agency(name: str, host: str, *, keys: tuple[str, str], **about: Any) -> Agency:
    made = agencies.create(
        name=name,
        host=host,
        owner_email=f"owner@{name.lower()}.example",
        packages=[
            NewPackage("pac_1", "Starter", trial_days=14, sends_expiry_date=True),
            NewPackage("pac_2", "Plus", is_recommended=True),
        ],
        terms_url=f"https://{name.lower()}.example/terms",
        **about,
    )
    vendor_accounts.connect(made, client_id=keys[0], client_secret=keys[1])
    Job.objects.for_agency(made).delete()
    return made


def person(agency: Agency | None, email: str = "", *, verified: bool = True, **fields: Any) -> User:
    made = PersonFactory.build(agency=agency, **({"email": email} if email else {}), **fields)
    made.set_password(PASSWORD)
    made.save()
    EmailAddress.objects.create(user=made, email=made.email, verified=verified, primary=True)
    return made


def second_factor(user: User) -> User:
    secret = base64.b32encode(f"seed-of-{next(_numbers):012d}".encode()).decode().rstrip("=")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": seal(secret)})
    return user


def staff(agency: Agency, email: str, role: str, **fields: Any) -> User:
    return second_factor(person(agency, email, staff_role=role, **fields))


def operator(email: str = "olu@platform.example") -> User:
    return second_factor(person(None, email, is_staff=True))


def customer(agency: Agency, owner: User, *, proven: bool = True, **fields: Any) -> Customer:
    """A customer that signed up; its wish is in the queue once the mailbox is proven."""
    facts = {
        "package": Package.objects.for_agency(agency).on_offer()[0],
        "company_name": f"Shop {next(_numbers)}",
        "first_name": owner.first_name or "Bo",
        "last_name": owner.last_name or "Bakker",
        "country": "NL",
    } | fields
    made = customers.sign_up(agency=agency, terms_accepted_at=timezone.now(), acting_user=owner, **facts)
    if proven:
        customers.prove_mailbox(acting_user=owner, email=owner.email)
    return customer_of(agency, made.pk)


def customer_of(agency: Agency, key: int) -> Customer:
    return Customer.objects.for_agency(agency).select_related("subaccount", "package").get(pk=key)


def member(customer: Customer, role: str, email: str = "", **fields: Any) -> User:
    made = person(customer.agency, email, **fields)
    Membership.objects.create(person=made, customer=customer, role=role)
    return made


def activate(
    customer: Customer, sandbox: Sandbox | None, client_id: str = "", *, campaigns: list[str] | None = None
) -> Subaccount:
    """Makes the customer's subaccount active without the worker, an hour ago; with a sandbox it exists there, too."""
    wanted = [{"name": name, "status": "active"} for name in campaigns or []]
    if sandbox is not None:
        vendor_id = sandbox.add_subaccount(client_id, email=customer.email, campaigns=wanted)
    else:
        vendor_id = f"sub_{700_000 + customer.pk}"
    now = timezone.now()
    Subaccount.objects.for_agency(customer.agency).filter(customer=customer).update(
        state=State.ACTIVE, vendor_id=vendor_id, bound_at=now - AN_HOUR, run_at=None, changed_at=now
    )
    search.add(customer, vendor_id)
    subaccount = customer.subaccount
    subaccount.refresh_from_db()
    if sandbox is not None:
        refreshes.put(subaccount)
        while jobs.run():
            pass
        subaccount.refresh_from_db()
    return subaccount


def sign_up_form(agency: Agency, **changes: str) -> dict[str, str]:
    """What Kim types into the form of the sign-up."""
    return {
        "package": str(agency.packages.first().public_id),
        "company_name": "Kim's Kiosk",
        "first_name": "Kim",
        "last_name": "Kist",
        "country": "NL",
        "email": "kim@shop.example",
        "password1": PASSWORD,
    } | changes
