"""Customers by the thousand, written straight into the tables: for counting statements and for the benchmarks."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import (
    Agency,
    Customer,
    Event,
    Membership,
    Package,
    SearchWord,
    State,
    Subaccount,
    User,
    VendorAccount,
)
from accounts.search import words_of

STATES = (State.ACTIVE,) * 97 + (State.NEEDS_REVIEW, State.REQUESTED, State.MISSING)
BATCH = 5_000


def fill(agency: Agency, number: int) -> None:
    """Writes `number` customers with owner, subaccount, words and one event each; 97 of 100 are active."""
    for start in range(0, number, BATCH):
        _batch(agency, range(start, min(start + BATCH, number)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what a database does by itself once so much has changed


def _batch(agency: Agency, numbers: range) -> None:
    package = Package.objects.for_agency(agency).on_offer()[0]
    account = VendorAccount.objects.get(agency=agency)
    now = timezone.now()
    people = User.objects.bulk_create(
        User(agency=agency, email=f"n{n}@many.example", username=f"{agency.pk.hex}:n{n}@many.example") for n in numbers
    )
    customers = Customer.objects.bulk_create(
        Customer(
            agency=agency,
            company_name=f"Shop {n} of street {n % 977}",
            first_name="Nova",
            last_name=f"Neighbour{n % 5003}",
            country="NL",
            email=f"n{n}@many.example",
            package=package,
            created_at=now - timedelta(hours=n % 2000),
            trial_ends_on=now.date() + timedelta(days=n % 60) if n % 5 == 0 else None,
            last_launch_at=now - timedelta(days=n % 90) if n % 3 else None,
        )
        for n in numbers
    )
    states = [STATES[n % len(STATES)] for n in numbers]
    vendor_ids = [
        f"sub_{900_000 + n}" if state in (State.ACTIVE, State.MISSING) else ""
        for n, state in zip(numbers, states, strict=True)
    ]
    Subaccount.objects.bulk_create(
        Subaccount(
            agency=agency,
            customer=customer,
            vendor_account=account,
            email=customer.email,
            state=state,
            vendor_id=vendor_id,
            bound_at=now - timedelta(days=10) if vendor_id else None,
            run_at=None,
        )
        for customer, state, vendor_id in zip(customers, states, vendor_ids, strict=True)
    )
    Membership.objects.bulk_create(
        Membership(person=person, customer=customer, role="owner")
        for person, customer in zip(people, customers, strict=True)
    )
    SearchWord.objects.bulk_create(
        SearchWord(agency=agency, customer=customer, word=word.encode())
        for customer, vendor_id in zip(customers, vendor_ids, strict=True)
        for word in words_of(customer.company_name, customer.first_name, customer.last_name, customer.email, vendor_id)
    )
    Event.objects.bulk_create(
        Event(
            agency=agency,
            kind="launch",
            at=now - timedelta(hours=n % 2000),
            customer_id=customer.pk,
            outcome="opened",
            data={"ms": 400 + n % 300},
        )
        for n, customer in zip(numbers, customers, strict=True)
    )
