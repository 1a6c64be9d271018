"""axe on what the addresses of the matrix show only in some state: every state of a customer, the ways in, errors."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts import people
from accounts.models import (
    Agency,
    Campaign,
    Cause,
    Customer,
    Membership,
    Package,
    State,
    Subaccount,
    User,
    VendorAccount,
)
from coupontools_api.sandbox import Sandbox
from portal.demo_inbox import totp
from portal.views import customers as customer_views
from tests import factories
from tests.browser.conftest import PlugIn, Watch, Work, carry_session, invitation_link, sign_in
from tests.browser.inspection import Inspector
from tests.browser.walking import reauthenticate, refuse
from tests.factories import PASSWORD
from tests.flows.conftest import code_for

pytestmark = pytest.mark.django_db(transaction=True)

STATES: dict[str, dict[str, Any]] = {
    "awaiting e-mail": {"state": State.AWAITING_EMAIL},
    "awaiting approval": {"state": State.AWAITING_APPROVAL},
    "requested": {"state": State.REQUESTED},
    "requested, waiting": {"state": State.REQUESTED, "cause": Cause.VENDOR_UNREACHABLE},
    "creating": {"state": State.CREATING},
    "uncertain": {"state": State.UNCERTAIN, "cause": Cause.NO_ANSWER},
    "needs review": {"state": State.NEEDS_REVIEW, "cause": Cause.EXISTED_BEFORE},
    "closed": {"state": State.CLOSED},
}


def test_axe_finds_nothing_in_any_state(
    inspector: Inspector, bo: User, bos_company: Customer, north: Agency, watched: Watch
):
    subaccount = Subaccount.objects.for_agency(north)
    page = watched.page()
    carry_session(page.context, "north.localhost", bo)
    home = f"/c/{bos_company.public_id}/"

    for name, fields in STATES.items():
        subaccount.update(**{"cause": Cause.NONE, **fields})
        page.goto(f"{home}setup/")
        inspector.look(page, f"set-up {name}")

    factories.activate(bos_company, None)
    vendor_account = VendorAccount.objects.filter(agency=north)
    customer = Customer.objects.for_agency(north)
    membership = Membership.objects.for_agency(north).filter(person=bo)
    page.goto(f"{home}setup/")
    inspector.look(page, "set-up active")
    page.goto(home)
    inspector.look(page, "dashboard not read yet")
    subaccount.update(refreshed_at=timezone.now())
    page.goto(home)
    inspector.look(page, "dashboard empty")
    customer.update(trial_ends_on=timezone.localdate() + timedelta(days=9))
    for number, status in enumerate(["active", "paused", "expired", "unknown", ""]):
        Campaign.objects.create(
            subaccount=bos_company.subaccount,
            vendor_id=f"cam_{number}",
            name="Second coffee free on every rainy weekday morning" if number else "",
            code="abcdef",
            status=status,
            seen_at=timezone.now(),
        )
    page.goto(home)
    inspector.look(page, "dashboard full")
    page.goto(f"{home}open/update_campaign/cam_1/")
    inspector.look(page, "deep link")
    vendor_account.update(offers_pages=False)
    page.goto(home)
    inspector.look(page, "dashboard without pages")
    vendor_account.update(offers_pages=True, trouble="unreachable", trouble_since=timezone.now())
    page.goto(home)
    inspector.look(page, "dashboard outage")
    page.goto(f"{home}open/statistics/")
    inspector.look(page, "deep link outage")
    vendor_account.update(trouble="")
    membership.update(role="viewer")
    page.goto(home)
    inspector.look(page, "dashboard viewer")
    page.goto(f"{home}open/statistics/")
    inspector.look(page, "deep link viewer")
    membership.update(role="owner")
    subaccount.update(state=State.MISSING, run_at=None)
    page.goto(home)
    inspector.look(page, "missing")
    customer.update(paused_at=timezone.now())
    page.goto(home)
    inspector.look(page, "paused")
    customer.update(paused_at=None)
    factories.customer(north, bo, company_name="Bo's second shop with rather a long name")
    page.goto("/")
    inspector.look(page, "chooser")
    Membership.objects.for_agency(north).filter(person=bo).delete()
    page.goto("/")
    inspector.look(page, "nobody")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_the_ways_into_the_panel(
    inspector: Inspector, bo: User, active: Subaccount, sandbox: Sandbox, watched: Watch, settings: Any
):
    page = watched.page()
    carry_session(page.context, "north.localhost", bo)
    home = f"/c/{active.customer.public_id}/"

    page.goto(home)
    page.get_by_role("button", name="Get a password link").click()
    expect(page.locator("#link")).to_be_visible()
    inspector.look(page, "password link")

    settings.LAUNCH_DEADLINE_SECONDS = 0.3
    sandbox.fault("/v3/subaccount/sso", "hang", seconds=5)
    watched.announce(503, "/launch/")
    page.goto(home)
    page.get_by_role("button", name="Results").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    inspector.look(page, "problem")

    settings.LIMIT_LAUNCH_PERSON = "0/60"
    watched.announce(429, "/launch/")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One moment, please")
    inspector.look(page, "too many launches")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_the_pages_of_errors(
    inspector: Inspector,
    north: Agency,
    bo: User,
    active: Subaccount,
    watched: Watch,
    settings: Any,
    monkeypatch: Any,
):
    page = watched.page()
    carry_session(page.context, "north.localhost", bo)
    home = f"/c/{active.customer.public_id}/"

    def sent(status: int, alter: str, name: str) -> None:
        """Presses a button of a form that a script has bent out of shape."""
        page.goto(home)
        page.evaluate(alter)
        watched.announce(status, "/launch/")
        page.get_by_role("button", name="Results").click()
        page.wait_for_url("**/launch/")
        inspector.look(page, name)

    watched.announce(404, "/nowhere/")
    page.goto("/nowhere/")
    inspector.look(page, "404")
    sent(400, "document.querySelector('button[value=statistics]').value = 'elsewhere'", "400")
    sent(403, "document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach((field) => field.remove())", "csrf")
    monkeypatch.setattr(customer_views.LaunchForm, "is_valid", lambda form: 1 // 0)
    sent(500, "0", "500")
    monkeypatch.undo()
    page.goto(home)
    Membership.objects.for_agency(north).filter(person=bo).update(role="viewer")
    watched.announce(403, "/launch/")
    page.get_by_role("button", name="Results").click()
    page.wait_for_url("**/launch/")
    inspector.look(page, "403")
    settings.LIMIT_SIGN_UP = settings.LIMIT_INVITATION = "0/60"
    watched.announce(429, "/invitation/")
    page.goto("/invitation/nothing/")
    inspector.look(page, "429")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_the_way_in(
    inspector: Inspector, north: Agency, sandbox: Sandbox, watched: Watch, work: Work
):
    page = watched.page()
    package = Package.objects.for_agency(north).on_offer()[0]
    page.goto(f"/account/signup/?package={package.public_id}")
    inspector.look(page, "sign-up with a package")
    refuse(page, "Create account and send my code")
    inspector.look(page, "sign-up refused")
    page.get_by_label("Name of your shop or company").fill("Kim's Kiosk")
    page.get_by_label("First name").fill("Kim")
    page.get_by_label("Last name").fill("Kist")
    page.get_by_label("Country").select_option("NL")
    page.get_by_label("E-mail address").fill("kim@shop.example")
    page.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account and send my code").click()
    expect(page.get_by_label("Your code")).to_be_visible()
    inspector.look(page, "code")
    refuse(page, "Continue")
    inspector.look(page, "code refused")
    work()
    page.get_by_label("Your code").fill(code_for("kim@shop.example"))
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("main")).to_have_attribute("data-state", "requested")
    inspector.look(page, "set-up with its message")
    Package.objects.for_agency(north).update(is_visible=False)
    page.goto("/start/")
    inspector.look(page, "no package on offer")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_a_new_password(
    inspector: Inspector, bo: User, active: Subaccount, watched: Watch, work: Work
):
    page = watched.page()
    page.goto("/account/login/")
    page.get_by_label("E-mail address").fill(bo.email)
    page.get_by_label("Password", exact=True).fill("not this one")
    refuse(page, "Sign in")
    inspector.look(page, "sign-in refused")
    page.get_by_role("link", name="Forgot it?").click()
    page.get_by_label("E-mail address").fill(bo.email)
    page.get_by_role("button", name="Send my code").click()
    expect(page.get_by_label("Your code")).to_be_visible()
    inspector.look(page, "reset code")
    work()
    page.get_by_label("Your code").fill(code_for(bo.email))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new password")
    inspector.look(page, "reset password")
    refuse(page, "Save my password")
    inspector.look(page, "reset password refused")

    assert inspector.report() == ""


def test_axe_finds_nothing_on_the_second_factor(
    inspector: Inspector, north: Agency, watched: Watch, work: Work, authenticator: PlugIn
):
    people.invite_staff(agency=north, email="ada@north.example", staff_role="owner", acting_user=None)
    work()
    page = watched.page()
    authenticator(page)
    link = invitation_link("ada@north.example")
    page.goto(link)
    inspector.look(page, "invitation")
    refuse(page, "Accept the invitation")
    inspector.look(page, "invitation refused")
    watched.announce(404, "/invitation/nothing/")
    page.goto("/invitation/nothing/")
    inspector.look(page, "invitation gone")

    ada = people.accept_invitation(
        people.open_invitation(agency=north, token=link.rstrip("/").rpartition("/")[2]),
        password=PASSWORD,
        first_name="Ada",
        last_name="Aalto",
    )
    carry_session(page.context, "north.localhost", ada)
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "session"]
    reauthenticate(cookie["value"], ada)
    page.goto("/console/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your authenticator app")
    inspector.look(page, "app")
    refuse(page, "Switch it on")
    inspector.look(page, "app refused")
    page.get_by_label("6-digit code").fill(totp(page.locator("#secret").inner_text()))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    inspector.look(page, "recovery codes")

    page.goto("/account/2fa/webauthn/add/")
    page.get_by_label("A name, so that you know it again").fill("The laptop that stands in the office")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/account/2fa/")
    inspector.look(page, "two-step sign-in set up")
    page.goto("/account/2fa/webauthn/")
    inspector.look(page, "keys")
    for button in ("Rename", "Remove"):
        page.goto("/account/2fa/webauthn/")
        page.get_by_role("link", name=button).click()
        page.wait_for_url("**/keys/**")
        inspector.look(page, f"key {button}")
    page.goto("/account/2fa/webauthn/reauthenticate/")
    inspector.look(page, "is it you, by key")

    page.context.clear_cookies()
    sign_in(page, ada, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    inspector.look(page, "one more step")
    refuse(page, "Sign in")
    inspector.look(page, "one more step refused")

    assert inspector.report() == ""
