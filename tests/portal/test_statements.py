"""SQL statements per page, at one customer, a thousand and twenty thousand: few, and not growing."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import customer_care
from accounts.models import Agency, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests.many import fill

pytestmark = pytest.mark.django_db
TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
LISTS_AND_DETAIL = 6
MORE_IN = {"overview": 8, "connection": 9}


def statements(client: Client, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, list[str]]:
    with CaptureQueriesContext(connection) as captured:
        answer = getattr(client, method)(path, data or {})
    found = [query["sql"] for query in captured if not query["sql"].startswith(TRANSACTION_CONTROL)]
    return answer.status_code, found


@pytest.mark.parametrize("more", [0, 1_000, 20_000], ids=["1 customer", "1,000 customers", "20,000 customers"])
def test_pages_take_few_statements_and_no_more_with_many_customers(
    more: int, sandbox: Sandbox, north: Agency, bo: User, ada: User, active: Subaccount, client_for: Any
):
    fill(north, more)
    company = active.customer
    customer_care.pause(company, message="x", acting_user=ada)
    customer_care.resume(company, acting_user=ada)
    for number in range(40):
        customer_care.add_note(company, text=f"note {number}", acting_user=ada)
    stranger, bos, adas = Client(headers={"host": "north.localhost"}), client_for(north, bo), client_for(north, ada)
    bos.post(f"/c/{company.public_id}/launch/", {"page": ""})  # the first call makes the client
    detail = f"/console/customers/{company.public_id}/"

    counts = {
        "sign-in page": statements(stranger, "get", "/account/login/"),
        "dashboard": statements(bos, "get", f"/c/{company.public_id}/"),
        "launch": statements(bos, "post", f"/c/{company.public_id}/launch/", {"page": "campaigns"}),
        "overview": statements(adas, "get", "/console/"),
        "attention": statements(adas, "get", "/console/attention/"),
        "approvals": statements(adas, "get", "/console/approvals/"),
        "customer list": statements(adas, "get", "/console/customers/"),
        "customer list, filtered": statements(adas, "get", "/console/customers/", {"state": "active", "trial": "14"}),
        "customer list, searched": statements(adas, "get", "/console/customers/", {"q": "bo bak"}),
        "customer": statements(adas, "get", detail),
        "customer, mails": statements(adas, "get", detail, {"show": "mails"}),
        "packages": statements(adas, "get", "/console/packages/"),
        "staff": statements(adas, "get", "/console/staff/"),
        "connection": statements(adas, "get", "/console/connection/"),
    }

    for page, (status, found) in counts.items():
        assert status == (303 if page == "launch" else 200), page
        assert len(found) <= MORE_IN.get(page, LISTS_AND_DETAIL), (page, found)
    assert {page: len(found) for page, (_, found) in counts.items()} == EXPECTED
    assert Session.objects.count() == 2


EXPECTED = {
    "sign-in page": 1,
    "dashboard": 4,
    "launch": 6,
    "overview": 8,
    "attention": 6,
    "approvals": 4,
    "customer list": 5,
    "customer list, filtered": 5,
    "customer list, searched": 5,
    "customer": 6,
    "customer, mails": 6,
    "packages": 4,
    "staff": 5,
    "connection": 9,
}
