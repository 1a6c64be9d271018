"""A manager makes a package, mends what the form refuses, moves it, archives it and brings it back."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Agency, Customer, Package, User
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album

pytestmark = pytest.mark.django_db(transaction=True)


def test_packages_are_made_ordered_and_archived(
    north: Agency, ada: User, bos_company: Customer, watched: Watch, album: Album
):
    Package.objects.for_agency(north).filter(name="Starter").update(refused_at=timezone.now(), price=19)
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, "north.localhost", ada)
    page.goto("/console/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Packages").click()
    inspector.look(page, "packages")

    page.get_by_role("link", name="New package").click()
    inspector.look(page, "package new")
    page.get_by_label("Name").fill("Chain of shops")
    page.get_by_label("One line").fill("For chains and shopping streets.")
    page.get_by_label("What is included").fill("50 coupons running at once\nLoyalty cards")
    page.get_by_label("Price a month").fill("a lot")
    page.get_by_label("Vendor package").fill("twelve")
    page.get_by_role("button", name="Save package").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    inspector.look(page, "package refused")
    expect(page.get_by_label("Name")).to_have_value("Chain of shops")
    page.get_by_label("Price a month").fill("99")
    page.get_by_label("Vendor package").fill("pac_12")
    page.get_by_role("button", name="Save package").click()
    expect(page.get_by_role("status").filter(has_text="is there")).to_be_visible()

    rows = page.get_by_role("table", name=re.compile("^Packages in")).locator("tbody tr")
    expect(rows.nth(2)).to_contain_text("Chain of shops")
    page.get_by_role("button", name="Move Chain of shops up").click()
    expect(rows.nth(1)).to_contain_text("Chain of shops")

    page.get_by_role("link", name="Edit Starter").click()
    expect(page.get_by_text("The one customer who has this package keeps what the vendor gave")).to_be_visible()
    inspector.look(page, "package of a customer")
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("table", name="Archived packages")).to_contain_text("Starter")
    inspector.look(page, "packages archived")
    page.get_by_role("button", name="Bring back Starter").click()
    expect(rows.nth(2)).to_contain_text("Starter")

    Package.objects.for_agency(north).filter(name="Plus").delete()
    Package.objects.for_agency(north).filter(name="Chain of shops").delete()
    Package.objects.for_agency(north).update(archived_at=timezone.now())
    page.goto("/console/packages/")
    inspector.look(page, "packages empty")

    assert inspector.report() == ""
