"""An operator makes an agency, sets its limits and hosts, looks after the installation, and sees a console."""

import re

import pytest
from playwright.sync_api import expect

from accounts import workers
from accounts.models import Agency, Customer, User, VendorAccount
from tests import factories
from tests.access.world import PLATFORM
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import proves, says

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_operator_runs_an_agency_and_looks_after_the_installation(
    north: Agency, south: Agency, bos_company: Customer, watched: Watch, album: Album
):
    olu = factories.person(None, "olu@platform.example", is_staff=True, first_name="Olu", last_name="Peeters")
    factories.second_factor(olu)
    VendorAccount.objects.filter(agency=south).update(trouble="credentials", trouble_since="2026-01-02T08:20Z")
    workers.beat("work@here:1")
    inspector = Inspector(album, "platform")
    page = watched.page(PLATFORM)
    carry_session(page.context, PLATFORM, olu)
    page.goto("/")
    page.get_by_role("link", name=re.compile("Run this installation")).click()
    inspector.look(page, "agencies")
    page.get_by_label("Search agencies").fill("south")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="South").click()
    inspector.look(page, "agency in trouble")

    page.goto("/operator/")
    page.get_by_role("link", name="New agency").click()
    page.get_by_label("Name", exact=True).fill("Harbour")
    page.get_by_label("Host").fill("north.localhost")
    page.get_by_label("E-mail address of its owner").fill("fatima@harbour.example")
    page.get_by_role("button", name="Make the agency").click()
    expect(page.locator("[data-summary]")).to_contain_text("already in use")
    inspector.look(page, "new agency refused")
    page.get_by_label("Host").fill("coupons.harbour.example")
    page.get_by_role("button", name="Make the agency").click()
    says(page, "Harbour is there.")
    inspector.look(page, "agency")

    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="Change limits").click()
    page.get_by_label(re.compile("^Customers")).fill("200")
    inspector.look(page, "limits")
    page.get_by_role("button", name="Save the limits").click()
    expect(page.get_by_text("limit 200", exact=True)).to_be_visible()
    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="Change hosts").click()
    page.get_by_label("Another host").fill("deals.harbour.example")
    page.get_by_role("button", name="Add the host").click()
    inspector.look(page, "hosts")
    page.get_by_role("button", name=re.compile("^Make it the main host.*deals.harbour.example")).click()
    says(page, "deals.harbour.example is the main host now.")
    page.get_by_role("button", name=re.compile("^Remove.*coupons.harbour.example")).click()
    says(page, "answers no more")
    page.get_by_role("link", name="Harbour").click()
    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="Stop this agency").click()
    page.get_by_label("Why?").fill("Does not pay")
    inspector.look(page, "stop")
    page.get_by_role("button", name="Stop the agency").click()
    says(page, "Harbour is stopped.")

    page.get_by_role("link", name="Health").click()
    inspector.look(page, "health")
    page.get_by_role("link", name="Events").click()
    page.get_by_label("What").select_option("Agency stopped")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("“Does not pay”")).to_be_visible()
    inspector.look(page, "events")
    assert inspector.report() == ""


def test_an_operator_sees_a_console_as_one_of_its_staff(
    north: Agency, ada: User, bos_company: Customer, watched: Watch, album: Album
):
    olu = factories.person(None, "olu@platform.example", is_staff=True, first_name="Olu", last_name="Peeters")
    factories.second_factor(olu)
    inspector = Inspector(album, "pine")
    page = watched.page(PLATFORM)
    carry_session(page.context, PLATFORM, olu)
    page.goto(f"/operator/agencies/{north.pk}/")
    page.locator("main details.menu summary").click()
    page.get_by_role("link", name="View as staff, with a reason").click()
    proves(page)
    page.get_by_label("As whom?").select_option(str(ada.pk))
    page.get_by_label("Why?").fill("Their list looks empty")
    inspector.look(page, "view as")
    page.get_by_role("button", name="Open the console").click()

    expect(page).to_have_url(re.compile("north.localhost.*/console/"))
    expect(page.get_by_role("status").filter(has_text="Olu Peeters sees this console as Ada")).to_be_visible()
    inspector.look(page, "console seen by an operator")
    page.get_by_role("link", name="Staff").click()
    form = page.locator("form").filter(has=page.get_by_role("heading", name="Invite somebody"))
    form.get_by_label("E-mail address").fill("x@north.example")
    watched.announce(403, "/console/staff/invite/")
    form.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Only for looking")
    inspector.look(page, "only for looking")
    page.get_by_role("button", name="End the view").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The view is over")
    inspector.look(page, "view over")
    page.get_by_role("link", name="Back to the agency's page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("North")
    assert inspector.report() == ""
