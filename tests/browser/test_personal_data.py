"""People take their data along and have it erased; an owner does it for those who ask, and for a closed customer."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts import customer_care
from accounts.models import Agency, PanelTask, Subaccount, User
from tests import factories
from tests.browser.conftest import Watch, carry_session, sign_in
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import NORTH, proves, says
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_downloads_their_data_and_is_erased(
    bo: User, active: Subaccount, watched: Watch, album: Album, tmp_path: Path
):
    inspector = Inspector(album, "pine")
    page = watched.page()
    sign_in(page, bo, PASSWORD)
    page.goto("/account/profile/")

    page.get_by_role("link", name="Your data").click()
    proves(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your data")
    inspector.look(page, "own data")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    download.value.save_as(tmp_path / "data.json")
    assert json.loads((tmp_path / "data.json").read_text())["data"]["accounts.User"][0]["email"] == bo.email

    page.get_by_role("link", name="Erase my data").click()
    expect(page.get_by_text("An account that is open is in your name alone.")).to_be_visible()
    inspector.look(page, "own erase refused")
    factories.member(active.customer, "owner", "eve@shop.example", first_name="Eve", last_name="Vis")
    page.reload()
    page.get_by_label("Type your e-mail address").fill("somebody@else.example")
    page.get_by_role("button", name="Erase my data for ever").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    inspector.look(page, "own erase mistyped")
    page.get_by_label("Type your e-mail address").fill(bo.email)
    page.get_by_role("button", name="Erase my data for ever").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your data is erased")
    inspector.look(page, "own erased")
    page.goto("/account/profile/")
    expect(page).to_have_url(re.compile("/account/login/"))
    assert not User.objects.filter(pk=bo.pk).exists()
    assert inspector.report() == ""


def test_an_owner_erases_a_member_and_a_closed_customer(
    north: Agency, ada: User, bo: User, active: Subaccount, watched: Watch, album: Album
):
    customer = active.customer
    factories.member(customer, "owner", "eve@shop.example", first_name="Eve", last_name="Vis")
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    page.goto(f"/console/customers/{customer.public_id}/people/")
    inspector.look(page, "customer people, for managers")

    page.get_by_role("link", name=re.compile("^Personal data.*Bo")).click()
    proves(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Personal data of Bo")
    inspector.look(page, "personal data of a member")
    page.get_by_role("link", name="Erase their data").click()
    inspector.look(page, "erase a member")
    page.get_by_label("Type their e-mail address").fill(bo.email)
    page.get_by_role("button", name="Erase for ever").click()
    says(page, "Erased. What is left to do")
    page.goto("/console/attention/")
    expect(page.get_by_text("Put the name and e-mail address of today").first).to_be_visible()

    customer.refresh_from_db()
    active.refresh_from_db()
    customer.subaccount = active
    customer_care.close(customer, message="", acting_user=ada)
    page.goto(f"/console/customers/{customer.public_id}/")
    page.get_by_role("link", name="Erase").click()
    inspector.look(page, "erase a customer")
    page.get_by_label("Type the name of the customer").fill(customer.company_name)
    page.get_by_role("button", name="Erase for ever").click()
    says(page, "The customer is erased.")
    expect(page.get_by_role("heading", level=1)).to_have_text(customer.reference)
    inspector.look(page, "erased customer")
    page.goto(f"/console/customers/{customer.public_id}/people/")
    inspector.look(page, "people of an erased customer")
    assert list(PanelTask.objects.for_agency(north).filter(done_at=None).values_list("kind", flat=True)) == ["erase"]
    assert inspector.report() == ""


def test_operators_read_how_each_event_ended_and_in_which_request(
    north: Agency, bo: User, active: Subaccount, watched: Watch, album: Album
):
    sign_in(watched.page(), bo, PASSWORD)
    inspector = Inspector(album, "pine")
    page = watched.page("platform.localhost")
    carry_session(page.context, "platform.localhost", factories.operator())

    page.goto("/operator/events/?kind=person.signed_in")

    expect(page.get_by_text(re.compile("Reference [0-9A-F]{8}")).first).to_be_visible()
    inspector.look(page, "operator events")
    assert inspector.report() == ""
