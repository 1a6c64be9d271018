"""Staff come in by invitation and a second factor; a passkey stands in for both; sessions can be ended."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts import people
from accounts.models import Agency, Subaccount, User
from portal.demo_inbox import totp
from tests.browser.conftest import PlugIn, Watch, Work, invitation_link, sign_in
from tests.browser.screenshots import Album
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _patient_clock(settings: Any) -> None:
    """A code may grow old between its making and its typing."""
    settings.MFA_TOTP_TOLERANCE = 1


def accept(page: Page, link: str) -> str:
    """From the invitation to the recovery codes; answers the app's secret."""
    page.goto(link)
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("Aalto")
    page.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your authenticator app")
    secret = page.locator("#secret").inner_text()
    page.get_by_label("6-digit code").fill(totp(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    return secret


def test_an_invited_owner_sets_up_a_second_factor_and_is_asked_for_it(
    north: Agency, watched: Watch, work: Work, album: Album
):
    people.invite_staff(agency=north, email="ada@north.example", staff_role="owner", acting_user=None)
    work()
    page = watched.page()

    secret = accept(page, invitation_link("ada@north.example"))
    album.take(page, "recovery codes 1280 light")
    assert len(page.locator("#recovery_codes").inner_text().split()) == 10
    page.get_by_role("link", name="Continue").click()
    expect(page).to_have_url(re.compile("/console/$"))

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login/**")
    page.get_by_label("E-mail address").fill("ada@north.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    album.take(page, "one more step 1280 light")

    page.get_by_label("Your code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    page.get_by_label("Your code").fill(totp(secret))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/console/$"))


def test_an_invitation_opens_once(north: Agency, watched: Watch, work: Work):
    people.invite_staff(agency=north, email="ada@north.example", staff_role="support", acting_user=None)
    work()
    link = invitation_link("ada@north.example")
    accept(watched.page(), link)

    watched.announce(404, "/invitation/")
    late = watched.page()
    late.goto(link)

    expect(late.get_by_role("heading", level=1)).to_have_text("This invitation no longer works")


def test_a_passkey_is_added_and_signs_in(bo: User, active: Subaccount, watched: Watch, authenticator: PlugIn):
    page = watched.page()
    authenticator(page)
    sign_in(page, bo, PASSWORD)
    expect(page.locator("main")).to_have_attribute("data-state", "active")
    page.goto("/account/2fa/")
    page.get_by_role("link", name=re.compile("^Add.*Passkeys")).click()
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("A name, so that you know it again").fill("Bo's laptop")
    page.get_by_label("Sign in with it alone, without my password").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/account/2fa/recovery-codes/")
    page.goto("/account/2fa/webauthn/")
    expect(page.get_by_role("heading", name="Bo's laptop")).to_be_visible()

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login/**")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.locator("main")).to_have_attribute("data-state", "active")


def test_a_passkey_that_is_not_there_is_said_so(north: Agency, watched: Watch, authenticator: PlugIn):
    page = watched.page()
    authenticator(page)
    page.goto("/account/login/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.locator("[data-passkey-problem]")).to_be_focused()


def test_the_list_of_sessions_shows_and_ends_the_others(bo: User, active: Subaccount, watched: Watch):
    laptop, phone = watched.page(), watched.page(width=360)
    for page in (laptop, phone):
        sign_in(page, bo, PASSWORD)
        expect(page.locator("main")).to_have_attribute("data-state", "active")

    laptop.goto("/account/sessions/")
    expect(laptop.locator("main").get_by_role("listitem").filter(has_text="since")).to_have_count(2)
    expect(laptop.get_by_text("This device")).to_have_count(1)
    laptop.get_by_role("button", name="Sign out everywhere else").click()
    expect(laptop.locator("main").get_by_role("listitem").filter(has_text="since")).to_have_count(1)

    phone.goto("/")
    expect(phone).to_have_url(re.compile("/account/login/"))
    laptop.goto("/")
    expect(laptop.locator("main")).to_have_attribute("data-state", "active")
