"""SQL statements per page, at one customer and at a thousand: few, and not growing."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Agency, Customer, Membership, Package, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox

pytestmark = pytest.mark.django_db
TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def statements(client: Client, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, list[str]]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = getattr(client, method)(path, data or {})
    found = [query["sql"] for query in captured if not query["sql"].startswith(TRANSACTION_CONTROL)]
    return answer.status_code, found


def a_thousand_more(agency: Agency) -> None:
    package = Package.objects.for_agency(agency).on_offer()[0]
    people = User.objects.bulk_create(
        User(agency=agency, email=f"n{n}@many.example", username=f"{agency.pk.hex}:n{n}@many.example")
        for n in range(1000)
    )
    customers = Customer.objects.bulk_create(
        Customer(
            agency=agency,
            company_name=f"Shop {n}",
            first_name="N",
            last_name="N",
            country="NL",
            email=f"n{n}@many.example",
            package=package,
        )
        for n in range(1000)
    )
    account = VendorAccount.objects.get(agency=agency)
    Subaccount.objects.bulk_create(
        Subaccount(
            agency=agency,
            customer=customer,
            vendor_account=account,
            email=customer.email,
            state=State.ACTIVE,
            vendor_id=f"sub_{900_000 + n}",
            run_at=None,
        )
        for n, customer in enumerate(customers)
    )
    Membership.objects.bulk_create(
        Membership(person=person, customer=customer, role="owner")
        for person, customer in zip(people, customers, strict=True)
    )


@pytest.mark.parametrize("many", [False, True], ids=["1 customer", "1,000 customers"])
def test_pages_take_few_statements_and_no_more_with_many_customers(
    many: bool,
    sandbox: Sandbox,
    north: Agency,
    bo: User,
    ada: User,
    active: Subaccount,
    client_for: Any,
):
    if many:
        a_thousand_more(north)
    company = active.customer
    stranger, bos, adas = Client(headers={"host": "north.localhost"}), client_for(north, bo), client_for(north, ada)
    bos.post(f"/c/{company.public_id}/launch/", {"page": ""})  # the first call makes the client

    counts = {
        "sign-in page": statements(stranger, "get", "/account/login/"),
        "dashboard": statements(bos, "get", f"/c/{company.public_id}/"),
        "customer list": statements(adas, "get", "/console/"),
        "launch": statements(bos, "post", f"/c/{company.public_id}/launch/", {"page": "campaigns"}),
    }

    allowed = {"sign-in page": (200, 1), "dashboard": (200, 4), "customer list": (200, 6), "launch": (303, 6)}
    for page, (status, most) in allowed.items():
        assert counts[page][0] == status, page
        assert len(counts[page][1]) <= most, (page, counts[page][1])
    assert {page: len(found) for page, (_, found) in counts.items()} == {
        "sign-in page": 1,
        "dashboard": 4,
        "customer list": 4,
        "launch": 6,
    }
    assert Session.objects.count() == 2
