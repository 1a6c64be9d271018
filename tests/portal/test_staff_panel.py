"""The ways into the vendor's panel for staff, and what they read where it stays shut."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Agency, Customer, Event, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def adas(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def fresh_code(client: Client) -> Client:
    """As somebody who typed their password a moment ago."""
    client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    return client


def page_of(customer: Customer, what: str = "") -> str:
    return f"/console/customers/{customer.public_id}/{what}"


def test_staff_open_a_customers_panel_with_a_reason_that_the_customer_reads(
    adas: Client, active: Subaccount, sandbox: Sandbox, bo_client: Client
):
    url = page_of(active.customer, "launch/")
    assert adas.get(url).headers["Location"].startswith("/account/reauthenticate/")
    assert adas.post(url, {"reason": "You asked us on the phone", "page": ""}).status_code == 302
    sandbox.clear_ledger()
    fresh_code(adas)

    short = adas.post(url, {"reason": "x", "page": ""})
    assert (short.status_code, sandbox.requests()) == (200, [])
    answer = adas.post(url, {"reason": "You asked us on the phone", "page": "statistics"})

    assert answer.status_code == 303
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    event = Event.objects.for_agency(active.agency).get(kind="staff_launch")
    assert event.outcome == "opened"
    assert event.reason.text == "You asked us on the phone"
    hers = bo_client.get("/account/activity/").content.decode()
    assert "You asked us on the phone" in hers
    assert "Ada" in hers


def test_the_agencys_own_panel_opens_for_owners_and_teammates_only(
    adas: Client, north: Agency, active: Subaccount, sandbox: Sandbox, client_for: Any
):
    sam = factories.staff(north, "sam@north.example", "support")
    sams = fresh_code(client_for(north, sam))
    sandbox.clear_ledger()
    for body in ({"as": "account"}, {"as": "teammate"}, {"as": ""}, {}):
        assert sams.post("/console/panel/", body).status_code == 403
    assert sandbox.requests() == []

    fresh_code(adas)
    answer = adas.post("/console/panel/", {"as": "account"})

    assert answer.status_code == 303
    assert [request.path for request in sandbox.requests()] == ["/v3/account/sso"]
    assert Event.objects.for_agency(north).get(kind="account_launch").outcome == "opened"


@pytest.mark.parametrize(
    ("body", "codes", "says", "link"),
    [
        ({"as": "teammate"}, [503], "does not know this teammate number", "/console/staff/"),
        ({"as": "account"}, [1000], "an owner sets them right under Connection", "/console/connection/"),
        ({"as": "account"}, [200], "refused what we asked", ""),
    ],
)
def test_staff_who_are_not_let_in_read_why_in_their_own_words(
    body: dict[str, str],
    codes: list[int],
    says: str,
    link: str,
    adas: Client,
    ada: User,
    active: Subaccount,
    sandbox: Sandbox,
):
    User.objects.filter(pk=ada.pk).update(teammate_id="4711")
    fresh_code(adas)
    sandbox.fault(f"/v3/{body['as']}/sso", "status", status=422, codes=codes)

    answer = adas.post("/console/panel/", body)

    text = answer.text[answer.text.index("<h1") : answer.text.index("</main>")]
    assert answer.status_code == 503
    assert says in text
    assert f'href="{link}"' in text if link else "/console/connection/" not in text
    for word in ("coupon", "We were told", "within"):
        assert word not in text


def test_staff_who_may_not_open_the_connection_get_no_link_to_it(
    active: Subaccount, sandbox: Sandbox, client_for: Any, north: Agency
):
    sams = fresh_code(client_for(north, factories.staff(north, "sam@north.example", "support")))
    sandbox.fault("/v3/subaccount/sso", "status", status=422, codes=[1000])

    answer = sams.post(page_of(active.customer, "launch/"), {"reason": "You asked us on the phone", "page": ""})

    assert "an owner sets them right under Connection" in answer.text
    assert "/console/connection/" not in answer.text


def test_the_ways_into_panels_are_read_from_a_bookmark_and_taken_from_our_own_pages_only(
    adas: Client, active: Subaccount, sandbox: Sandbox
):
    fresh_code(adas)
    sandbox.clear_ledger()
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for url, body in (
        (page_of(active.customer, "launch/"), {"reason": "You asked us on the phone"}),
        ("/console/panel/", {"as": "account"}),
    ):
        assert adas.get(url, headers={"Sec-Fetch-Site": "none"}).status_code == 200
        assert adas.get(url, headers=from_elsewhere).status_code == 200
        assert adas.post(url, body, headers=from_elsewhere).status_code == 403
    assert sandbox.requests() == []


def test_a_customers_own_session_reaches_no_way_into_the_agencys_panel(
    bo_client: Client, active: Subaccount, sandbox: Sandbox
):
    sandbox.clear_ledger()
    fresh_code(bo_client)

    assert bo_client.post("/console/panel/", {"as": "account"}).status_code == 404
    assert bo_client.post(page_of(active.customer, "launch/"), {"reason": "because I can"}).status_code == 404
    assert sandbox.requests() == []
