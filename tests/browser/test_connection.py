"""An owner enters a pair, mends what the vendor refuses, switches without a break and proves a panel host."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Agency, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def enter(page: Page, client_id: str, secret: str) -> None:
    page.get_by_label("Client id").fill(client_id)
    page.get_by_label("Secret", exact=True).fill(secret)
    page.get_by_role("button", name="Save and check").click()


def test_a_pair_is_changed_without_a_break(
    north: Agency, ada: User, active: Subaccount, sandbox: Sandbox, watched: Watch, album: Album
):
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, "north.localhost", ada)
    page.goto("/console/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Connection").click()
    expect(page.get_by_role("heading", name="Working")).to_be_visible()
    inspector.look(page, "connection")

    page.get_by_role("link", name=re.compile("^Enter another pair")).click()
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter a pair")
    enter(page, "north id", "x")
    expect(page.locator("[data-summary]")).to_be_focused()
    inspector.look(page, "pair refused")
    enter(page, "north-id", "mistyped")
    expect(page.get_by_text("Check failed")).to_be_visible()
    inspector.look(page, "connection check failed")

    sandbox.add_account("other-id", "other-secret", packages=["pac_1"])
    page.get_by_role("link", name=re.compile("^Enter another pair")).click()
    enter(page, "other-id", "other-secret")
    expect(page.get_by_role("listitem").filter(has_text="Bo's Bakery").last).to_be_visible()
    inspector.look(page, "connection misses customers")

    sandbox.add_account("north-id", "a-new-secret", packages=["pac_1"])
    page.get_by_role("link", name=re.compile("^Enter another pair")).click()
    enter(page, "north-id", "a-new-secret")
    expect(page.get_by_text("Checked, not in use")).to_be_visible()
    inspector.look(page, "connection checked")
    page.get_by_role("button", name="Switch to this pair").click()
    expect(page.get_by_role("status").filter(has_text="Switched.")).to_be_visible()
    inspector.look(page, "connection switched")
    page.get_by_role("button", name="Drop this pair").click()
    expect(page.get_by_text("Nothing is stored here.")).to_be_visible()

    page.get_by_role("link", name=re.compile("^Change the panel host")).click()
    page.get_by_label("Your panel host").fill("login.north.example")
    page.get_by_role("button", name="Ask the vendor and save").click()
    expect(page.locator("[data-summary]")).to_contain_text("names no panel host")
    inspector.look(page, "panel host refused")
    sandbox.add_account("north-id", "a-new-secret", packages=["pac_1"], whitelabel_host="login.north.example")
    page.get_by_role("button", name="Ask the vendor and save").click()
    expect(page.get_by_role("status").filter(has_text="Launches go there from now on")).to_be_visible()

    page.get_by_label("Read results of coupons").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert VendorAccount.objects.get(agency=north).reads_statistics

    assert inspector.report() == ""


def test_an_open_breaker_is_said_and_tried_by_hand(
    north: Agency, ada: User, sandbox: Sandbox, watched: Watch, album: Album
):
    inspector = Inspector(album, "pine")
    VendorAccount.objects.filter(agency=north).update(trouble="credentials", trouble_since=timezone.now())
    page = watched.page()
    carry_session(page.context, "north.localhost", ada)
    page.goto("/console/connection/")
    expect(page.get_by_role("heading", name="The vendor refuses your credentials")).to_be_visible()
    inspector.look(page, "connection trouble")

    page.get_by_role("button", name="Try now").click()

    expect(page.get_by_role("heading", name="Working")).to_be_visible()
    VendorAccount.objects.filter(agency=north).update(active_credential=None)
    page.goto("/console/connection/")
    inspector.look(page, "not connected")
    assert inspector.report() == ""
