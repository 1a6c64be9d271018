"""Chromium against a server that really listens. Whatever the browser complains about fails the test."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect

from accounts import brands, jobs, provisioning
from accounts.models import Agency, User
from tests.browser.inspection import STEPS, STEPS_OF_ANOTHER_BRAND, WIDE, Inspector
from tests.browser.screenshots import Album
from tests.run import chromium

# Playwright keeps an event loop in the main thread; Django would refuse every query there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

DARK_PINE = "#0f5f5c"
YELLOW = "#ffc629"
WAITS = 30_000  # milliseconds until what should be there is: a machine may be slow and busy

TELLS_OF_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP ${event.effectiveDirective} blocked ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""

Work = Callable[[], None]
PlugIn = Callable[[Page], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium: nothing is downloaded."""
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return {"executable_path": chromium(), "args": flags}


class Watch:
    """Opens pages, and notes what must not happen on any of them."""

    def __init__(self, browser: Browser, port: int) -> None:
        self.browser = browser
        self.port = port
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []
        self._announced: list[tuple[int, str]] = []

    def address(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"

    def context(self, host: str = "north.localhost", *, width: int = WIDE, **options: Any) -> BrowserContext:
        """A new browser profile at a host."""
        context = self.browser.new_context(
            base_url=self.address(host),
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",
            locale="en-GB",
            **options,
        )
        context.add_init_script(TELLS_OF_VIOLATIONS)
        context.set_default_timeout(WAITS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(f"script error: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._response)
        self.contexts.append(context)
        return context

    def page(self, host: str = "north.localhost", *, width: int = WIDE, **options: Any) -> Page:
        return self.context(host, width=width, **options).new_page()

    def announce(self, status: int, address: str) -> None:
        """The next answer of that status, whose address contains `address`, is meant."""
        self._announced.append((status, address))

    def _console(self, message: ConsoleMessage) -> None:
        if message.text.startswith("Failed to load resource"):
            return  # said by _response, with its address
        if message.type == "error" or (message.type == "warning" and "Content Security Policy" in message.text):
            self.complaints.append(f"console {message.type}: {message.text} ({message.page and message.page.url})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left while it still asked
            self.complaints.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status < 400:
            return
        for expected in self._announced:
            if expected[0] == response.status and expected[1] in response.url:
                self._announced.remove(expected)
                return
        self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.complaints += [f"announced, never came: {status} {address}" for status, address in self._announced]


@pytest.fixture
def watched(browser: Browser, live_server: Any, settings: Any) -> Iterator[Watch]:
    """Browsers at the portal's hosts. A violated policy, a script error, a failed request, or an answer
    from 400 up that was not announced fails the test."""
    settings.PORT = int(live_server.url.rpartition(":")[2])
    expect.set_options(timeout=WAITS)
    watch = Watch(browser, settings.PORT)
    yield watch
    watch.close()
    assert watch.complaints == []


@pytest.fixture
def work() -> Work:
    """The worker, until nothing is due."""

    def run() -> None:
        while provisioning.attempt() or jobs.run():
            pass

    return run


@pytest.fixture
def north(north: Agency) -> Agency:
    """Dark pine, the colour that is hardest on a dark page; South's yellow is hardest on a light one."""
    brands.save(north, colour=DARK_PINE, grey="cool", corner=8)
    return north


@pytest.fixture
def album() -> Album:
    return Album(os.environ.get("SCREENSHOTS_DIR", ""))


@pytest.fixture(params=["pine", "yellow"])
def inspector(request: Any, north: Agency, album: Album) -> Inspector:
    """North in each of the two colours."""
    is_pine = request.param == "pine"
    brands.save(north, colour=DARK_PINE if is_pine else YELLOW, grey="warm", corner=8)
    return Inspector(album, request.param, STEPS if is_pine else STEPS_OF_ANOTHER_BRAND)


@pytest.fixture
def authenticator() -> PlugIn:
    """Gives a page a fingerprint reader that always says yes."""

    def plug(page: Page) -> None:
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    return plug


def sign_in(page: Page, person: User, password: str) -> None:
    page.goto("/account/login/")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def carry_session(context: BrowserContext, host: str, person: User) -> None:
    """Signs a person in without the form: for tests that are about something else."""
    client = Client(headers={"host": host})
    client.force_login(person)
    carry_key(context, host, client.session.session_key)


def carry_key(context: BrowserContext, host: str, key: str | None) -> None:
    cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": key or "", "domain": host, "path": "/"}
    context.add_cookies([cookie])


def invitation_link(address: str) -> str:
    """The link in the newest invitation to an address."""
    for message in reversed(mail.outbox):
        found = re.search(r"http://\S+/invitation/\S+", message.body)
        if message.to == [address] and found:
            return found.group(0)
    raise AssertionError(f"no invitation for {address} in {[(m.to, m.subject) for m in mail.outbox]}")


def path_of(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url)
