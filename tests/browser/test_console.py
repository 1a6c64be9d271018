"""Staff read the overview, find customers in the list, and make one by hand."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Agency, Cause, Customer, Package, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.browser.conftest import Watch, Work, carry_session, invitation_link
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import NORTH, says, sign_in_as_staff

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(agency: Agency, name: str, **fields: Any) -> Customer:
    """A customer whose wish stands where `fields` say."""
    made = factories.customer(agency, factories.person(agency), company_name=name)
    Subaccount.objects.for_agency(agency).filter(customer=made).update(run_at=None, **fields)
    return made


def rows(page: Page) -> Any:
    return page.get_by_role("table", name="Customers").locator("tbody tr")


def test_the_overview_leads_to_what_it_counts(
    north: Agency, ada: User, bos_company: Customer, sandbox: Sandbox, watched: Watch, work: Work, album: Album
):
    factories.activate(bos_company, sandbox, "north-id")
    Subaccount.objects.for_agency(north).update(bound_at=timezone.now() - timedelta(days=5))
    Customer.objects.for_agency(north).update(trial_ends_on=timezone.localdate() + timedelta(days=5))
    waiting(north, "Groene Vork", state=State.NEEDS_REVIEW, cause=Cause.EMAIL_TAKEN_ELSEWHERE, cause_codes=[304])
    waiting(north, "Speelgoed Pip", state=State.UNCERTAIN, cause=Cause.NO_ANSWER)
    inspector = Inspector(album, "pine")
    page = watched.page()
    sign_in_as_staff(page, ada)
    inspector.look(page, "overview")

    for tile, address, name in (
        ("Active customers 1", "?state=active", "Bo's Bakery"),
        ("On trial 1", "?trial=running", "Bo's Bakery"),
        ("Being set up 1", "?state=being_made", "Speelgoed Pip"),
        ("Within 7 days", "?trial=7", "Bo's Bakery"),
        ("Never signed in 1", "?step=no_sign_in", "Bo's Bakery"),
        ("Needs a person 1", "?state=needs_review", "Groene Vork"),
    ):
        page.goto("/console/")
        page.get_by_role("link", name=re.compile(f"^{tile}")).click()
        expect(page).to_have_url(re.compile(re.escape(f"/console/customers/{address}") + "$"))
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text(name)
    page.goto("/console/")
    page.get_by_role("link", name=re.compile("^Need attention 1")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Attention")

    page.goto("/console/")
    table = page.get_by_role("region", name="Table of sign-ups and launches")
    expect(table).to_be_hidden()
    page.get_by_text("Show as a table").click()
    expect(table.locator("tbody tr")).to_have_count(12)
    expect(table.locator("tbody tr").last.get_by_role("cell").first).to_have_text("3")
    inspector.look(page, "overview with its table")

    stuck = page.get_by_role("region", name="Customers who got stuck")
    expect(stuck.get_by_text("Account ready, never signed in, for 5")).to_be_visible()
    stuck.get_by_role("button", name="Send the welcome mail again").click()
    says(page, "A mail is on its way to bo@shop.example.")
    work()
    assert [message.to for message in mail.outbox][-1] == ["bo@shop.example"]
    page.get_by_role("button", name="Mail the next step").click()
    expect(page.get_by_role("alert").filter(has_text="they have one of this week already")).to_be_visible()
    assert inspector.report() == ""


def test_a_search_narrows_the_list_and_its_address_as_it_is_typed(
    north: Agency, ada: User, bos_company: Customer, watched: Watch, tmp_path: Path, album: Album
):
    factories.customer(north, factories.person(north, "kim@shop.example"), company_name="Kim's Kiosk")
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    page.goto("/console/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Customers").click()
    expect(rows(page)).to_have_count(2)
    page.evaluate("window.wasNotReloaded = true")

    page.get_by_label("Search customers").press_sequentially("bak", delay=30)
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Bo's Bakery")
    expect(page).to_have_url(re.compile(r"/console/customers/\?q=bak$"))
    assert page.evaluate("window.wasNotReloaded") is True

    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    download.value.save_as(tmp_path / "list.csv")
    exported = list(csv.DictReader(io.StringIO((tmp_path / "list.csv").read_text("utf-8-sig"))))
    assert [row["company_name"] for row in exported] == ["Bo's Bakery"]
    assert re.fullmatch(r"customers-[\d-]+\.csv", download.value.suggested_filename)

    page.get_by_text("More filters").click()
    page.get_by_label("Package").select_option("Starter")
    inspector.look(page, "customers with more filters")
    page.get_by_text("More filters").click()
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"\?(?=.*q=bak)(?=.*package=[0-9a-f-]{36})"))
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_label("Search customers")).to_have_value("bak")

    page.get_by_label("Search customers").fill("bakery of nobody")
    expect(page.get_by_text("Nobody fits")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=bakery"))
    inspector.look(page, "customers, nobody fits")
    page.get_by_role("link", name="Show all customers").click()
    expect(rows(page)).to_have_count(2)
    rows(page).get_by_role("link", name="Kim's Kiosk").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kim's Kiosk")
    page.go_back()
    expect(rows(page)).to_have_count(2)
    assert inspector.report() == ""


def test_a_long_list_has_pages_and_filters_that_are_links(
    north: Agency, ada: User, package: Package, watched: Watch, album: Album
):
    bo = factories.person(north, "bo@shop.example")
    for number in range(51):
        factories.customer(north, bo, company_name=f"Shop number {number}")
    factories.customer(north, factories.person(north, verified=False), company_name="Café Zuid", proven=False)
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    page.goto("/console/customers/")
    expect(rows(page)).to_have_count(50)
    inspector.look(page, "customers, first page")

    page.get_by_role("link", name="Next").click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).last).to_contain_text("Shop number 0")
    page.get_by_role("link", name="First").click()
    expect(rows(page)).to_have_count(50)

    filters = page.get_by_role("navigation", name="Filters")
    filters.get_by_role("link", name="Waiting for e-mail").click()
    expect(page).to_have_url(re.compile(r"\?state=awaiting_email$"))
    expect(rows(page)).to_have_count(1)
    expect(filters.get_by_role("link", name="Waiting for e-mail")).to_have_attribute("aria-current", "true")
    filters.get_by_role("link", name="Paused").click()
    expect(page.get_by_text("Nobody fits")).to_be_visible()
    filters.get_by_role("link", name="All", exact=True).click()
    expect(rows(page)).to_have_count(50)
    assert inspector.report() == ""


def test_a_customer_made_by_hand_is_invited_and_gets_an_account(
    north: Agency, sandbox: Sandbox, ada: User, watched: Watch, work: Work, album: Album
):
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    page.goto("/console/customers/")
    inspector.look(page, "customers, none yet")
    page.get_by_role("link", name="New customer").click()
    page.get_by_label("Name of the shop or company").fill("Café Zuid")
    page.get_by_label("First name").fill("Noor")
    page.get_by_label("Last name").fill("Visser")
    page.get_by_label("E-mail address").fill("noor at zuid")
    page.get_by_role("button", name="Invite customer").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    inspector.look(page, "new customer refused")
    expect(page.get_by_label("Name of the shop or company")).to_have_value("Café Zuid")
    page.get_by_label("E-mail address").fill("noor@zuid.example")
    page.get_by_label("Country").select_option("NL")
    page.get_by_label("Package").select_option("Plus")
    page.get_by_role("button", name="Invite customer").click()
    says(page, "The invitation is on its way to noor@zuid.example.")
    expect(page.get_by_text("Waiting for e-mail", exact=True)).to_be_visible()
    inspector.look(page, "customer invited")
    work()
    assert sandbox.effects("subaccount_created") == []

    hers = watched.page(width=360)
    hers.goto(invitation_link("noor@zuid.example"))
    hers.get_by_label("Choose a password", exact=True).fill("window bicycle oven")
    hers.get_by_label("First name").fill("Noor")
    hers.get_by_label("Last name").fill("Visser")
    hers.get_by_role("button", name="Accept the invitation").click()
    expect(hers.locator("main")).to_have_attribute("data-state", "requested")
    work()
    expect(hers.locator("main")).to_have_attribute("data-state", "active")

    page.reload()
    [made] = sandbox.effects("subaccount_created")
    expect(page.get_by_text("Active", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Account at the vendor").get_by_text(made["subaccount"])).to_be_visible()
    expect(page.get_by_role("region", name="People")).to_contain_text("Noor Visser")
    inspector.look(page, "customer active")
    assert inspector.report() == ""
