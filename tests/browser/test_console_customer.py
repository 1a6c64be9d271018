"""Staff look after one customer: its timeline, notes, package, trial, pause and end; and open panels."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Agency, Customer, Event, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.browser.conftest import Watch, Work, carry_session
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import NORTH, code_of, proves, says, sign_in_as_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sam(north: Agency) -> User:
    return factories.staff(north, "sam@north.example", "support", first_name="Sam", last_name="Okafor")


def test_the_timeline_takes_a_note_and_is_filtered(
    active: Subaccount, sam: User, watched: Watch, work: Work, album: Album
):
    inspector = Inspector(album, "pine")
    page = watched.page(permissions=["clipboard-read", "clipboard-write"])
    sign_in_as_staff(page, sam)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Customers").click()
    page.get_by_role("link", name="Bo's Bakery").click()
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline.get_by_role("listitem").filter(has_text="Read the account at the vendor")).to_be_visible()

    page.get_by_label("Add a note").fill("Wants to start in spring.")
    page.get_by_role("button", name="Save note").click()
    says(page, "Note saved.")
    note = timeline.get_by_role("listitem").filter(has_text="Note by Sam Okafor")
    expect(note).to_contain_text("Wants to start in spring.")
    inspector.look(page, "customer")
    timeline.get_by_role("link", name="Mails").click()
    expect(note).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?show=mails$"))
    timeline.get_by_role("link", name="Account").click()
    expect(timeline.get_by_role("listitem").filter(has_text="Signed up")).to_be_visible()
    expect(note).to_have_count(0)
    timeline.get_by_role("link", name="Notes").click()
    expect(note).to_have_count(1)
    expect(timeline.get_by_role("listitem").filter(has_text="Signed up")).to_have_count(0)

    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Customer: Bo's Bakery")
    assert active.vendor_id in copied
    assert inspector.report() == ""


def test_package_and_trial_are_changed_and_what_is_left_becomes_tasks(
    active: Subaccount, sam: User, watched: Watch, work: Work, album: Album
):
    today = timezone.localdate()
    Customer.objects.for_agency(active.agency).update(trial_ends_on=today + timedelta(days=3))
    Subaccount.objects.for_agency(active.agency).update(expiry_date=today + timedelta(days=3))
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, sam)
    page.goto(f"/console/customers/{active.customer.public_id}/")
    expect(page.get_by_text("Trial, 3 days left")).to_be_visible()

    def change(what: str) -> None:
        page.locator("main details.menu summary").click()
        page.get_by_role("link", name=what, exact=True).click()

    change("Change package")
    inspector.look(page, "change package")
    page.get_by_label("Package").select_option("Plus")
    page.get_by_role("button", name="Change package").click()
    says(page, "The package was changed.")
    tasks = page.get_by_role("region", name="To do in the vendor's panel")
    expect(tasks).to_contain_text(f"Change the package of {active.vendor_id} to pac_2")

    change("Extend trial")
    page.get_by_label("Last day of the trial").fill((today - timedelta(days=30)).isoformat())
    page.get_by_label("Why?").fill("Ill for a week")
    page.get_by_role("button", name="Extend trial").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    expect(page.get_by_label("Why?")).to_have_value("Ill for a week")
    inspector.look(page, "extend refused")
    page.get_by_label("Last day of the trial").fill((today + timedelta(days=9)).isoformat())
    page.get_by_role("button", name="Extend trial").click()
    says(page, "The trial was extended.")
    expect(page.get_by_text("Trial, 10 days left")).to_be_visible()
    expect(page.get_by_text("Reason: “Ill for a week”")).to_be_visible()
    expect(tasks).to_contain_text("Change the expiry date")
    inspector.look(page, "customer with tasks")

    change("Make customer")
    inspector.look(page, "make customer")
    page.get_by_role("button", name="Make customer").click()
    says(page, "Bo's Bakery is a customer now.")
    expect(page.get_by_text("days left")).to_have_count(0)
    tasks.get_by_role("button", name=re.compile("^Done.*from trial to customer")).click()
    says(page, "Noted as done.")
    expect(tasks.get_by_role("listitem")).to_have_count(1)
    assert inspector.report() == ""


def test_a_pause_is_read_by_the_customer_and_taken_back_and_the_end_is_typed(
    active: Subaccount, sam: User, bo: User, watched: Watch, work: Work, album: Album
):
    inspector = Inspector(album, "pine")
    page, hers = watched.page(), watched.page(width=360)
    carry_session(page.context, NORTH, sam)
    carry_session(hers.context, NORTH, bo)
    hers.goto("/")
    expect(hers.locator("main")).to_have_attribute("data-state", "active")

    page.goto(f"/console/customers/{active.customer.public_id}/")
    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="Pause", exact=True).click()
    page.get_by_label("What the customer reads").fill("Your trial is over. Call us to go on.")
    inspector.look(page, "pause")
    page.get_by_role("button", name="Pause").click()
    says(page, "Bo's Bakery is paused.")
    inspector.look(page, "customer paused")
    hers.reload()
    expect(hers.get_by_role("heading", name="Your account is paused")).to_be_visible()
    expect(hers.get_by_text("Your trial is over. Call us to go on.")).to_be_visible()
    expect(hers.get_by_role("button", name="Open my coupons")).to_have_count(0)

    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="Resume", exact=True).click()
    page.get_by_role("button", name="Resume").click()
    says(page, "Bo's Bakery is active again.")
    hers.reload()
    expect(hers.get_by_role("button", name="Open my coupons")).to_be_visible()

    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="Close customer", exact=True).click()
    page.get_by_label("What the customer reads").fill("You asked us to end it.")
    page.get_by_label("Type the name of the customer").fill("Bo's Brewery")
    page.get_by_role("button", name="Close customer").click()
    expect(page.locator("[data-summary]")).to_contain_text("This is not the name of this customer")
    inspector.look(page, "close refused")
    page.get_by_label("Type the name of the customer").fill("bo's bakery")
    page.get_by_role("button", name="Close customer").click()
    says(page, "Bo's Bakery is closed.")
    expect(page.get_by_text("Closed", exact=True)).to_be_visible()
    expect(page.locator("main details.menu")).to_have_count(0)
    inspector.look(page, "customer closed")
    hers.reload()
    expect(hers.get_by_text("You asked us to end it.")).to_be_visible()
    assert inspector.report() == ""


def test_staff_open_a_customers_panel_and_the_customer_reads_why(
    active: Subaccount, sandbox: Sandbox, sam: User, bo: User, watched: Watch, album: Album
):
    inspector = Inspector(album, "pine")
    page, hers = watched.page(), watched.page(width=360)
    carry_session(page.context, NORTH, sam)
    carry_session(hers.context, NORTH, bo)
    customer = f"/console/customers/{active.customer.public_id}/"
    page.goto(customer)
    page.get_by_role("link", name="Open panel").click()
    inspector.look(page, "is it you")
    page.get_by_role("link", name=re.compile("authenticator|code", re.I)).first.click()
    page.get_by_label(re.compile("code", re.I)).fill(code_of(sam))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Open the panel of Bo's Bakery")
    page.get_by_label("Why do you need to?").fill("Because")
    page.get_by_role("button", name="Open panel").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    inspector.look(page, "staff launch refused")
    page.get_by_label("Why do you need to?").fill("You asked us on the phone to fix the end date.")
    page.get_by_label("Open at").select_option("Results")
    page.get_by_role("button", name="Open panel").click()

    expect(page.locator("main[data-page=statistics]")).to_have_attribute("data-subaccount", active.vendor_id)
    assert page.url.startswith(f"http://{sandbox.panel_host}/panel/statistics/")
    hers.goto("/account/activity/")
    expect(hers.get_by_text("You asked us on the phone to fix the end date.")).to_be_visible()
    expect(hers.get_by_text("by Sam")).to_be_visible()
    page.goto(customer)
    expect(page.get_by_text("The customer can see this.")).to_be_visible()
    assert inspector.report() == ""


def test_the_agencys_own_panel_opens_for_the_owner_and_for_a_teammate(
    north: Agency, active: Subaccount, sandbox: Sandbox, ada: User, sam: User, watched: Watch, album: Album
):
    inspector = Inspector(album, "pine")
    sams, adas = watched.page(), watched.page()
    carry_session(sams.context, NORTH, sam)
    carry_session(adas.context, NORTH, ada)
    sams.goto("/console/panel/")
    proves(sams)
    expect(sams.get_by_text("No way in is stored for you")).to_be_visible()
    inspector.look(sams, "no way in")

    sandbox.add_account("north-id", "north-secret", teammates=["4711"])
    sam.teammate_id = "4711"
    sam.save()
    sams.goto("/console/")
    sams.get_by_role("link", name="Open our own panel").click()
    inspector.look(sams, "panel as a teammate")
    sams.get_by_role("button", name="Open my panel").click()
    expect(sams.locator("main[data-page=home]")).to_have_attribute("data-teammate", "4711")

    adas.goto("/console/")
    adas.get_by_role("link", name="Open our own panel").click()
    proves(adas)
    inspector.look(adas, "panel as the agency")
    adas.get_by_role("button", name="Open the agency's panel").click()
    expect(adas.locator("main[data-page=home]")).to_have_attribute("data-account", "north-id")
    kinds = Event.objects.for_agency(north).filter(kind__in=("account_launch", "teammate_launch"))
    assert sorted(kinds.values_list("kind", flat=True)) == ["account_launch", "teammate_launch"]

    watched.announce(502, "/console/panel/")
    sandbox.fault("/v3/account/sso", "html", status=502)
    adas.goto("/console/panel/")
    adas.get_by_role("button", name="Open the agency's panel").click()
    expect(adas.get_by_role("link", name="Back")).to_be_visible()
    inspector.look(adas, "panel problem")
    assert inspector.report() == ""
