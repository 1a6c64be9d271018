"""`./run screenshots`: the pictures in docs/screenshots/ and their page, taken of a demo of its own.

The demo runs in a copy of the tree on free ports: what runs here already, and its data, are left alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run by its path, as ./run does

import requests  # noqa: E402 -- after the path above
from PIL import Image  # noqa: E402 -- the same
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402 -- the same

from tests.ports import free_port  # noqa: E402 -- the same
from tests.run import chromium  # noqa: E402 -- the same

FOLDER = ROOT / "docs" / "screenshots"
PAGE = ROOT / "docs" / "screenshots.md"
COPIED = ("accounts", "portal", "coupontools_api", "templates", "static", "locale")
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 780}
MOST_BYTES = 120 * 1024
COLOURS = (256, 128, 64)
START_SECONDS = 60
LOOKERS = {
    "anybody": ("northlight.localhost", ""),
    "shop": ("northlight.localhost", "bo@devries.example"),
    "waiting": ("northlight.localhost", "pip@speelgoed.example"),
    "owner": ("northlight.localhost", "ada@northlight.example"),
    "sunbeam": ("sunbeam.localhost", "cy@sunbeam.example"),
    "operator": ("platform.localhost", "operator@platform.example"),
}


@dataclass(frozen=True)
class Area:
    """One area: the file's name, what it is, who looks at which address, and links that are followed from there."""

    name: str
    title: str
    sentence: str
    looker: str
    path: str
    follow: tuple[str, ...] = ()
    press: str = ""
    scheme: str = "light"


AREAS = (
    Area("start", "Start page", "What an agency offers, in its own colours.", "anybody", "/start/"),
    Area(
        "sign-up",
        "Sign-up",
        "One page; the package stays in sight, and nothing is asked of the vendor before the address is confirmed.",
        "anybody",
        "/start/",
        ("Try Shop Plus for 14 days",),
    ),
    Area("set-up", "Set-up", "While an account is made: what happens, and what comes next.", "waiting", "/"),
    Area("dashboard", "Dashboard", "A shop opens its coupons with one click.", "shop", "/"),
    Area(
        "overview",
        "Overview",
        "Staff see what is going on, what needs them, and who got stuck.",
        "owner",
        "/console/",
    ),
    Area(
        "customers",
        "Customers",
        "Found as you type; the filters stand in the address; exported without formulas.",
        "owner",
        "/console/customers/",
    ),
    Area(
        "customer",
        "One customer",
        "Everything that happened on one line of time, with what the vendor last said. Here on a dark device.",
        "owner",
        "/console/customers/",
        ("Bakkerij De Vries",),
        scheme="dark",
    ),
    Area(
        "attention",
        "Attention",
        "Only what a person has to decide: what happened, what happens next, and why each button is safe or not.",
        "owner",
        "/console/attention/",
    ),
    Area(
        "approvals",
        "Approvals",
        "Switched on per agency: sign-ups wait for a yes, many at once.",
        "owner",
        "/console/approvals/",
        press="Ask for approval from now on",
    ),
    Area(
        "packages",
        "Packages",
        "What is on offer, and in which order.",
        "owner",
        "/console/packages/",
    ),
    Area(
        "brand",
        "Brand",
        "Colours are checked for contrast while they are chosen; sign-in, dashboard and mail are previewed.",
        "sunbeam",
        "/console/brand/",
    ),
    Area(
        "staff",
        "Staff",
        "Who may do what; invitations; lost second steps.",
        "owner",
        "/console/staff/",
    ),
    Area(
        "connection",
        "Connection",
        "Two places for credentials, so that a pair is changed without a break.",
        "owner",
        "/console/connection/",
    ),
    Area("operator-agencies", "Operator: agencies", "All agencies of an installation.", "operator", "/operator/"),
    Area(
        "operator-health",
        "Operator: health",
        "Queues, workers, and whether what ought to be so is so.",
        "operator",
        "/operator/health/",
    ),
)


@contextmanager
def demo() -> Iterator[int]:
    """A fresh demo in a copy of the tree; gives its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="portal-screenshots-") as folder:
        for name in COPIED:
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "manage.py", folder)
        own = {"PORT": str(port), "SANDBOX_PORT": str(free_port()), "PORTAL_ENV_FILE": "/nonexistent"}
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PYTHONPATH")}
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.demo"], cwd=folder, env=kept | own, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            host = {"Host": f"northlight.localhost:{port}"}
            if requests.get(f"http://127.0.0.1:{port}/start/", headers=host, timeout=2).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.3)
    sys.exit("The demo did not start; its own words are above.")


class Visitors:
    """A browser for each of those who look, signed in once."""

    def __init__(self, browser: Browser, port: int) -> None:
        self.browser = browser
        self.port = port
        self.contexts: dict[str, BrowserContext] = {}

    def page(self, looker: str) -> Page:
        if looker not in self.contexts:
            host, email = LOOKERS[looker]
            context = self.browser.new_context(
                base_url=f"http://{host}:{self.port}", viewport=WIDE, locale="en-GB", reduced_motion="reduce"
            )
            self.contexts[looker] = context
            if email:
                self._sign_in(context.new_page(), email)
        return self.contexts[looker].new_page()

    def _sign_in(self, page: Page, email: str) -> None:
        from accounts.demo_data import PASSWORD, STAFF
        from portal.demo_inbox import totp

        page.goto("/account/login/")
        page.locator("input[name=login]").fill(email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        secret = next((person.totp_secret for person in STAFF if person.email == email), "")
        if secret:
            page.get_by_label("Your code").fill(totp(secret))
            page.get_by_role("button", name="Sign in").click()
        page.locator("main h1").wait_for()
        page.wait_for_url(lambda url: "/account/" not in url)
        page.close()


def take(page: Page, area: Area) -> None:
    """Both pictures of an area."""
    page.emulate_media(color_scheme="dark" if area.scheme == "dark" else "light")
    page.goto(area.path)
    for link in area.follow:
        page.get_by_role("link", name=link).first.click()
        page.wait_for_load_state()
    if area.press:
        page.get_by_role("button", name=area.press).click()
        page.wait_for_load_state()
        page.reload()  # without the message about it
    for size, viewport in (("wide", WIDE), ("phone", PHONE)):
        page.set_viewport_size(viewport)
        page.evaluate("document.fonts.ready")
        write(page.screenshot(), FOLDER / f"{area.name}-{size}.png")
    page.close()


def write(picture: bytes, path: Path) -> None:
    """The picture with a palette, and fewer colours where it would be too large otherwise."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    for colours in COLOURS:
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return
    sys.exit(f"{path.name} is larger than {MOST_BYTES} bytes.")


def page_of_pictures() -> str:
    lines = ["# Screenshots", "", "Taken of the demo by `./run screenshots`, which writes this page, too.", ""]
    for area in AREAS:
        wide, phone = (f"screenshots/{area.name}-{size}.png" for size in ("wide", "phone"))
        lines += [
            f"## {area.title}",
            "",
            area.sentence,
            "",
            f'<img src="{wide}" width="640" alt="{area.title}, on a desk"> '
            f'<img src="{phone}" width="196" alt="{area.title}, on a phone">',
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("PORTAL_ENV_FILE", "/nonexistent")
    import django

    django.setup()
    program = chromium()
    if program is None:
        sys.exit("This needs Chromium. On Debian or Ubuntu:  sudo apt-get install chromium fonts-liberation")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with demo() as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        visitors = Visitors(browser, port)
        for area in AREAS:
            take(visitors.page(area.looker), area)
            print(area.title, flush=True)
        browser.close()
    PAGE.write_text(page_of_pictures())


if __name__ == "__main__":
    main()
