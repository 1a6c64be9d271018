"""What walks through the console have in common."""

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from playwright.sync_api import Page, expect

from accounts.crypto import unseal
from accounts.models import User
from portal.demo_inbox import totp
from tests.browser.conftest import sign_in
from tests.factories import PASSWORD

NORTH = "north.localhost"


def sign_in_as_staff(page: Page, person: User) -> None:
    """With password and code, as people do it."""
    sign_in(page, person, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.get_by_label("Your code").fill(code_of(person))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/**")


def code_of(person: User) -> str:
    """What the authenticator app of a person shows now."""
    [secret] = Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).values_list("data", flat=True)
    return totp(unseal(secret["secret"]))


def says(page: Page, text: str) -> None:
    """A message at the top of the page."""
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def proves(page: Page) -> None:
    """The password again, where a page asks for it."""
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def reauthenticate(key: str, person: User) -> None:
    """As if the password had been typed again just now."""
    request = HttpRequest()
    request.session = SessionStore(key)
    record_authentication(request, person, method="password", reauthenticated=True)
    request.session.save()


def refuse(page: Page, button: str) -> None:
    """Sends a form past the browser's own checks."""
    page.evaluate("document.querySelectorAll('form').forEach((form) => { form.noValidate = true; })")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("[data-summary]")).to_be_focused()
