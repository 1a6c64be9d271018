"""The console by keyboard alone: Tab, Enter, Space and letters. The focus is always seen, and ends where it should."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Agency, Cause, Customer, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.browser.conftest import Watch, Work, carry_session, path_of
from tests.browser.walking import NORTH, says

pytestmark = pytest.mark.django_db(transaction=True)

# What has the focus: its name for people, whether an outline or shadow shows it, and whether it lies in the window.
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const label = element.labels?.length ? element.labels[0].textContent : "";
  const name = element.getAttribute("aria-label") || label || element.textContent;
  return {
    name: name.replace(/\\s+/g, " ").trim(),
    isMarked: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none",
    isSeen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
FARTHEST = 120


class Keyboard:
    """Somebody without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def focused(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.page.evaluate(FOCUSED)
        if found is not None:
            assert found["isMarked"], f"nothing shows the focus on {found['name']!r} of {self.page.url}"
            assert found["isSeen"], f"the focus is out of sight on {found['name']!r} of {self.page.url}"
        return found

    def tab_to(self, name: str) -> None:
        """Presses Tab until the focus is on what is called so; every stop on the way has to be visible."""
        passed = []
        for _ in range(FARTHEST):
            self.page.keyboard.press("Tab")
            found = self.focused()
            if found and re.search(name, found["name"]):
                return
            passed.append(found and found["name"])
        raise AssertionError(f"{name!r} cannot be reached; passed {passed}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def opens(self, name: str) -> None:
        """Goes to a link or button, presses Enter, and waits for the next page."""
        self.tab_to(name)
        with self.page.expect_navigation():
            self.press("Enter")


@pytest.fixture
def keyboard(north: Agency, ada: User, watched: Watch) -> Callable[[str], Keyboard]:
    """Ada at a page of the console."""

    def at(path: str) -> Keyboard:
        page = watched.page()
        carry_session(page.context, NORTH, ada)
        page.goto(path)
        return Keyboard(page)

    return at


def test_the_skip_link_leads_past_the_navigation(bos_company: Customer, keyboard: Callable[[str], Keyboard]):
    keys = keyboard("/console/customers/")

    keys.press("Tab")
    assert (keys.focused() or {})["name"] == "Skip to the content"
    keys.press("Enter")
    keys.tab_to("^Export CSV$")

    assert path_of(keys.page).endswith("#main")


def test_a_customer_is_found_and_opened(north: Agency, bos_company: Customer, keyboard: Callable[[str], Keyboard]):
    factories.customer(north, factories.person(north, "kim@shop.example"), company_name="Kim's Kiosk")
    keys = keyboard("/console/")
    rows = keys.page.get_by_role("table", name="Customers").locator("tbody tr")

    keys.opens("^Customers$")
    keys.tab_to("^Search customers$")
    keys.type("bak")
    expect(rows).to_have_count(1)
    assert (keys.focused() or {})["name"] == "Search customers", "the rows change, the focus stays"
    keys.tab_to("More filters$")
    keys.press("Enter")
    keys.tab_to("^State")
    keys.press("Escape")
    assert "More filters" in (keys.focused() or {})["name"], "a closed menu gives the focus back"
    keys.opens("^Bo's Bakery$")

    expect(keys.page.get_by_role("heading", level=1)).to_have_text("Bo's Bakery")


def test_a_customer_is_paused_from_the_menu_and_gets_a_note(active: Subaccount, keyboard: Callable[[str], Keyboard]):
    keys = keyboard(f"/console/customers/{active.customer.public_id}/")

    keys.tab_to("^Change$")
    keys.press("Space")
    expect(keys.page.get_by_role("link", name="Change package")).to_be_visible()
    keys.opens("^Pause$")
    keys.tab_to("^Pause$")
    with keys.page.expect_navigation():
        keys.press("Enter")
    assert "One thing needs another look" in (keys.focused() or {})["name"], "the summary has the focus"
    keys.tab_to("^What the customer reads: ")
    keys.press("Enter")
    assert (keys.focused() or {})["name"] == "What the customer reads", "its links lead to the fields"
    keys.type("One moment, please.")
    keys.opens("^Pause$")
    says(keys.page, "Bo's Bakery is paused.")

    keys.tab_to("^Add a note$")
    keys.type("Called, all well.")
    keys.opens("^Save note$")
    says(keys.page, "Note saved.")
    keys.opens("^Notes$")
    expect(keys.page.get_by_text("Called, all well.")).to_be_visible()


def test_a_choice_is_made_on_the_attention_list(
    north: Agency, bos_company: Customer, sandbox: Sandbox, work: Work, keyboard: Callable[[str], Keyboard]
):
    rows = Subaccount.objects.for_agency(north)
    rows.update(state=State.NEEDS_REVIEW, cause=Cause.ATTEMPTS_USED_UP, first_look="absent", run_at=None)
    keys = keyboard("/console/")

    keys.opens("^Attention")
    keys.tab_to(r"^Try again \(Bo's Bakery\)$")
    with keys.page.expect_navigation():
        keys.press("Space")
    says(keys.page, "Bo's Bakery is in the queue again.")
    work()
    assert rows.get().state == State.ACTIVE


def test_sign_ups_are_picked_and_approved(north: Agency, keyboard: Callable[[str], Keyboard]):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    for number in range(3):
        factories.customer(north, factories.person(north), company_name=f"Shop {number}")
    keys = keyboard("/console/attention/")

    keys.opens("^Decide many at once$")
    keys.tab_to("^Pick Shop 0$")
    keys.press("Space")
    keys.tab_to("^Pick Shop 2$")
    keys.press("Space")
    keys.opens("^Approve picked$")

    says(keys.page, "2 sign-ups approved.")
    states = dict(Subaccount.objects.for_agency(north).values_list("customer__company_name", "state"))
    assert states == {"Shop 0": State.REQUESTED, "Shop 1": State.AWAITING_APPROVAL, "Shop 2": State.REQUESTED}
