"""From the package to the panel, with a mouse, a thumb and a keyboard."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts import refreshes
from accounts.models import Agency, Customer, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests.browser.conftest import Watch, Work, carry_session, path_of, sign_in
from tests.browser.inspection import NARROW, WIDE
from tests.factories import PASSWORD
from tests.flows.conftest import code_for

pytestmark = pytest.mark.django_db(transaction=True)


def fill_in_sign_up(page: Page, email: str = "kim@shop.example", **changes: str) -> None:
    values = {
        "Name of your shop or company": "Kim's Kiosk",
        "First name": "Kim",
        "Last name": "Kist",
        "E-mail address": email,
        "Choose a password": PASSWORD,
    } | changes
    for label, value in values.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Country").select_option("NL")


def sign_up(page: Page, work: Work, email: str = "kim@shop.example") -> None:
    """From the packages to the page that asks for the code."""
    page.goto("/start/")
    page.get_by_role("link", name="Try Starter for 14 days").click()
    expect(page).to_have_title(re.compile("^Create your account"))
    fill_in_sign_up(page, email)
    page.get_by_role("button", name="Create account and send my code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")
    work()


def enter_code(page: Page, email: str = "kim@shop.example") -> None:
    page.get_by_label("Your code").fill(code_for(email))
    page.get_by_role("button", name="Continue").click()


def at_panel(page: Page, sandbox: Sandbox, *, page_name: str, subaccount: str, campaign: str = "") -> None:
    """The panel's page, for this subaccount and this campaign. Its address holds no token any more."""
    main = page.locator(f"main[data-page='{page_name}']")
    expect(main).to_have_attribute("data-subaccount", subaccount)
    expect(main).to_have_attribute("data-campaign", campaign)
    assert page.url.startswith(f"http://{sandbox.panel_host}/panel/{page_name}/")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_customer_walks_from_the_package_to_every_page_of_the_panel(
    width: int, sandbox: Sandbox, north: Agency, watched: Watch, work: Work
):
    page = watched.page(width=width)
    used: list[str] = []
    page.on("request", lambda request: used.append(request.url) if "/index.php" in request.url else None)

    sign_up(page, work)
    enter_code(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("We are making your account")
    expect(page.locator("main")).to_have_attribute("data-state", "requested")

    work()
    page.wait_for_url("**/c/*/")
    expect(page.locator("main")).to_have_attribute("data-state", "active")
    home = path_of(page)
    [created] = sandbox.effects("subaccount_created")
    mine = created["subaccount"]
    sandbox.add_campaign(mine, name="Spring")
    summer = sandbox.add_campaign(mine, name="Summer")
    refreshes.put(Subaccount.objects.for_agency(north).get())
    work()

    for button, name in [
        ("Open my coupons", "campaigns"),
        ("New coupon", "add_campaign"),
        ("Results", "statistics"),
        ("Share", "distribution"),
        ("Open the editor", "home"),
    ]:
        page.goto(home)
        page.get_by_role("button", name=button).click()
        at_panel(page, sandbox, page_name=name, subaccount=mine)

    page.goto(home)
    page.get_by_label("Edit a coupon").select_option(summer)  # its words are a code: the vendor tells no name here
    page.locator("button[value=update_campaign]").click()
    at_panel(page, sandbox, page_name="update_campaign", subaccount=mine, campaign=summer)

    watched.announce(403, "/index.php")
    page.goto(used[-1])
    expect(page.get_by_text("This link was already used")).to_be_visible()

    page.goto(home)
    page.get_by_role("button", name="Get a password link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your password link")
    link = page.get_by_role("link", name="Choose my password")
    assert link.get_attribute("href") == page.locator("#link").inner_text()
    link.click()
    expect(page.locator("main[data-page=reset]")).to_have_attribute("data-subaccount", mine)


def test_a_deep_link_shows_a_page_whose_button_launches(sandbox: Sandbox, bo: User, active: Subaccount, watched: Watch):
    page = watched.page()
    summer = active.campaigns.order_by("pk")[1]
    sandbox.clear_ledger()

    page.goto(f"/c/{active.customer.public_id}/open/update_campaign/{summer.vendor_id}/")
    page.get_by_label("E-mail address").fill(bo.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(summer.label)
    assert sandbox.requests() == [], "looking at the page asks the vendor for nothing"

    page.locator("main").get_by_role("button").click()
    at_panel(page, sandbox, page_name="update_campaign", subaccount=active.vendor_id, campaign=summer.vendor_id)


def test_going_back_from_the_panel_finds_buttons_that_work(
    sandbox: Sandbox, bo: User, active: Subaccount, watched: Watch
):
    page = watched.page()
    carry_session(page.context, "north.localhost", bo)
    page.goto(f"/c/{active.customer.public_id}/open/statistics/")

    for _ in range(2):
        page.locator("main").get_by_role("button").click()
        at_panel(page, sandbox, page_name="statistics", subaccount=active.vendor_id)
        page.go_back()

    assert len(sandbox.effects("token_used")) == 2


def test_a_wrong_code_shows_its_message_beside_the_field(sandbox: Sandbox, north: Agency, watched: Watch, work: Work):
    page = watched.page()
    sign_up(page, work)

    page.get_by_label("Your code").fill("AAAA-AAAA")
    page.get_by_role("button", name="Continue").click()

    field = page.get_by_label("Your code")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("This code is not the right one"))
    expect(page.locator("[data-summary]")).to_be_focused()
    page.locator("[data-summary]").get_by_role("link").click()
    expect(field).to_be_focused()
    enter_code(page)
    expect(page.locator("main")).to_have_attribute("data-state", "requested")


def test_a_refused_sign_up_keeps_what_was_typed_and_focuses_the_summary(
    sandbox: Sandbox, north: Agency, watched: Watch
):
    page = watched.page()
    page.goto("/start/")
    page.get_by_role("link", name="Choose Plus").click()
    fill_in_sign_up(page, **{"Choose a password": "password1234"})
    page.get_by_role("button", name="Create account and send my code").click()

    expect(page.locator("[data-summary]")).to_be_focused()
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.get_by_label("Name of your shop or company")).to_have_value("Kim's Kiosk")
    expect(page.get_by_label("E-mail address")).to_have_value("kim@shop.example")
    expect(page.get_by_label("Country")).to_have_value("NL")
    expect(page.get_by_role("complementary")).to_contain_text("Plus")
    expect(page.get_by_label("Choose a password", exact=True)).to_have_value("")
    expect(page.get_by_label("Choose a password", exact=True)).to_have_accessible_description(re.compile("common"))
    assert User.objects.filter(agency=north).count() == 0


def test_the_set_up_page_works_by_its_link_without_script(
    sandbox: Sandbox, bo: User, bos_company: Customer, watched: Watch, work: Work
):
    page = watched.page(java_script_enabled=False)
    sign_in(page, bo, PASSWORD)
    expect(page.locator("main")).to_have_attribute("data-state", "requested")
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("main")).to_have_attribute("data-state", "requested")

    work()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is ready")
    page.get_by_role("link", name="Go to your start page").click()
    page.get_by_role("button", name="New coupon").click()
    at_panel(
        page, sandbox, page_name="add_campaign", subaccount=Subaccount.objects.for_agency(bo.agency).get().vendor_id
    )


def tab_to(page: Page, wanted: Any, *, most: int = 25) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("node => node === document.activeElement"):
            outline = wanted.evaluate("node => getComputedStyle(node).outlineStyle + getComputedStyle(node).boxShadow")
            assert outline != "nonenone", "the focus is visible"
            return
    raise AssertionError(f"Tab does not reach {wanted} in {most} steps")


def test_a_keyboard_is_enough_to_sign_in_and_launch(sandbox: Sandbox, bo: User, active: Subaccount, watched: Watch):
    page = watched.page()
    page.goto("/account/login/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    if not page.get_by_label("E-mail address").evaluate("node => node === document.activeElement"):
        tab_to(page, page.get_by_label("E-mail address"))
    page.keyboard.type(bo.email)
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_have_attribute("data-state", "active")

    menu = page.locator("details.menu summary")
    tab_to(page, menu)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()

    tab_to(page, page.get_by_role("button", name="Results"))
    page.keyboard.press("Enter")
    at_panel(page, sandbox, page_name="statistics", subaccount=active.vendor_id)


def test_a_silent_vendor_leads_to_a_page_that_tries_again(
    sandbox: Sandbox, bo: User, active: Subaccount, watched: Watch, settings: Any
):
    settings.LAUNCH_DEADLINE_SECONDS = 0.5
    page = watched.page()
    carry_session(page.context, "north.localhost", bo)
    page.goto(f"/c/{active.customer.public_id}/")
    sandbox.fault("/v3/subaccount/sso", "hang", seconds=5)
    watched.announce(503, "/launch/")

    page.get_by_role("button", name="Results").click()
    expect(page.locator("main")).to_contain_text("What happens next")
    page.get_by_role("button", name="Try again").click()

    at_panel(page, sandbox, page_name="statistics", subaccount=active.vendor_id)
