"""axe on what the console shows only in some state: rows of every kind, every change, every refusal, empty lists."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Agency, Cause, Customer, PanelTask, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.walking import NORTH, reauthenticate, refuse

pytestmark = pytest.mark.django_db(transaction=True)

CAUSES: dict[str, dict[str, Any]] = {
    "Existed before": {"cause": Cause.EXISTED_BEFORE, "candidates": ["sub_71002"], "first_look": "present"},
    "Listed twice": {"cause": Cause.LISTED_TWICE, "candidates": ["sub_71002", "sub_71003"]},
    "Elsewhere": {"cause": Cause.EMAIL_TAKEN_ELSEWHERE, "cause_codes": [304]},
    "Refused": {"cause": Cause.ATTEMPTS_USED_UP},
    "Package": {"cause": Cause.PACKAGE_REFUSED, "cause_codes": [302]},
    "Odd": {"cause": Cause.CONTRADICTION, "candidates": ["sub_71004"]},
    "Gone": {"state": State.MISSING, "vendor_id": "sub_71005", "bound_at": "2026-01-02T08:00Z"},
    "Newcomer": {"state": State.AWAITING_APPROVAL},
    "Queued": {"state": State.REQUESTED, "cause": Cause.DAILY_BUDGET},
    "Being made": {"state": State.CREATING},
    "Being checked": {"state": State.UNCERTAIN, "cause": Cause.NO_ANSWER},
    "Closed": {"state": State.CLOSED},
    "A shop whose name is as long as names of shops become, and somewhat longer than that": {
        "state": State.AWAITING_EMAIL
    },
}


@pytest.fixture
def page(north: Agency, ada: User, watched: Watch) -> Page:
    """Ada in the console, with her password typed a moment ago."""
    opened = watched.page()
    carry_session(opened.context, NORTH, ada)
    [cookie] = [cookie for cookie in opened.context.cookies() if cookie["name"] == "session"]
    reauthenticate(cookie["value"], ada)
    return opened


@pytest.fixture
def cast(north: Agency, bo: User) -> dict[str, Customer]:
    """A customer for every state and for every kind of cause."""
    made = {}
    for name, fields in CAUSES.items():
        made[name] = factories.customer(north, factories.person(north), company_name=name)
        row = {"state": State.NEEDS_REVIEW, "first_look": "absent", "cause": Cause.NONE, "run_at": None, **fields}
        Subaccount.objects.for_agency(north).filter(customer=made[name]).update(**row)
    return made


def page_of(customer: Customer, what: str = "") -> str:
    return f"/console/customers/{customer.public_id}/{what}"


def test_axe_finds_nothing_on_lists_that_are_full(
    inspector: Inspector, page: Page, cast: dict[str, Customer], active: Subaccount, north: Agency
):
    Customer.objects.for_agency(north).filter(pk=active.customer_id).update(paused_at=timezone.now())
    VendorAccount.objects.filter(agency=north).update(trouble="credentials", trouble_since=timezone.now())
    PanelTask.objects.create(agency=north, customer=active.customer, kind=PanelTask.Kind.BLOCK)
    for address in (
        "",
        "customers/",
        "customers/?attention=on&trial=7",
        "attention/",
        "attention/?show=set_aside",
        "approvals/",
    ):
        page.goto(f"/console/{address}")
        inspector.look(page, f"full {address}")
    refuse(page, "Approve picked")
    inspector.look(page, "approvals refused")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_a_customer_in_any_state(
    inspector: Inspector, page: Page, cast: dict[str, Customer], active: Subaccount, north: Agency
):
    today = timezone.localdate()
    customers = Customer.objects.for_agency(north)
    for name, customer in cast.items():
        page.goto(page_of(customer))
        inspector.look(page, f"customer {name}")
    for name, fields in {
        "on trial": {"trial_ends_on": today + timedelta(days=3)},
        "trial over": {"trial_ends_on": today - timedelta(days=3)},
        "paused": {"paused_at": timezone.now()},
    }.items():
        customers.filter(pk=active.customer_id).update(**fields)
        page.goto(page_of(active.customer))
        inspector.look(page, f"customer {name}")
    page.goto(page_of(active.customer, "?show=notes"))
    inspector.look(page, "customer without notes")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_any_change_and_its_refusal(
    inspector: Inspector, page: Page, cast: dict[str, Customer], active: Subaccount, north: Agency
):
    Customer.objects.for_agency(north).filter(pk=active.customer_id).update(trial_ends_on=timezone.localdate())
    for what, customer, button in (
        ("pause", active.customer, "Pause"),
        ("extend", active.customer, "Extend trial"),
        ("close", active.customer, "Close customer"),
        ("launch", active.customer, "Open panel"),
        ("convert", active.customer, ""),
        ("package", active.customer, ""),
        ("link", cast["Existed before"], "Link account"),
        ("link", cast["Elsewhere"], "Link account"),
        ("address", cast["Elsewhere"], "Change address"),
        ("make-new", cast["Gone"], "Make a new account"),
        ("decline", cast["Newcomer"], "Decline"),
    ):
        page.goto(page_of(customer, f"{what}/"))
        inspector.look(page, f"{what} {customer.company_name}")
        if button:
            refuse(page, button)
            inspector.look(page, f"{what} {customer.company_name} refused")
    Customer.objects.for_agency(north).filter(pk=active.customer_id).update(paused_at=timezone.now())
    for what in ("resume", "launch"):
        page.goto(page_of(active.customer, f"{what}/"))
        inspector.look(page, f"{what} while paused")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_lists_that_are_empty_and_ways_that_are_shut(
    inspector: Inspector, page: Page, north: Agency, sandbox: Sandbox, watched: Watch
):
    for address in ("", "customers/", "customers/?q=nobody", "attention/", "approvals/"):
        page.goto(f"/console/{address}")
        inspector.look(page, f"empty {address}")
    page.goto("/console/customers/new/")
    refuse(page, "Invite customer")
    inspector.look(page, "new customer refused")
    sandbox.fault("/v3/account/sso", "html", status=502)
    watched.announce(502, "/console/panel/")
    page.goto("/console/panel/")
    page.get_by_role("button", name="Open the agency's panel").click()
    expect(page.get_by_role("link", name="Back")).to_be_visible()
    inspector.look(page, "panel problem")

    assert inspector.report() == ""


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_axe_finds_nothing_for_staff_who_may_do_less(
    role: str,
    inspector: Inspector,
    cast: dict[str, Customer],
    active: Subaccount,
    north: Agency,
    watched: Watch,
):
    person = factories.staff(north, f"{role}@north.example", role)
    page = watched.page()
    carry_session(page.context, NORTH, person)
    for address in ("", "customers/", "attention/", "packages/", "staff/"):
        page.goto(f"/console/{address}")
        inspector.look(page, f"{role} {address}")
    page.goto(page_of(cast["Gone"]))
    inspector.look(page, f"{role} customer gone")
    watched.announce(403, "/console/brand/")
    page.goto("/console/brand/")
    inspector.look(page, f"{role} not allowed")

    assert inspector.report() == ""
