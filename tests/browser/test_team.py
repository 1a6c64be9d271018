"""People run their own: an owner the staff, a customer's owner their colleagues, everybody their name and language."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Agency, Event, Note, Subaccount, User
from tests import factories
from tests.browser.conftest import Watch, Work, carry_session, invitation_link, sign_in
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import NORTH, proves, says
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_owner_runs_the_staff(north: Agency, ada: User, watched: Watch, work: Work, album: Album):
    ben = factories.staff(north, "ben@north.example", "support", first_name="Ben", last_name="Okafor")
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    page.goto("/console/")
    page.get_by_role("link", name="Staff").click()

    form = page.locator("form").filter(has=page.get_by_role("heading", name="Invite somebody"))
    form.get_by_label("E-mail address").fill("ben@north.example")
    form.get_by_role("button", name="Send invitation").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    expect(form.get_by_label("E-mail address")).to_have_value("ben@north.example")
    inspector.look(page, "staff refused")
    form.get_by_label("E-mail address").fill("dries@north.example")
    form.get_by_role("radio", name=re.compile("^Analyst")).check()
    form.get_by_role("button", name="Send invitation").click()
    says(page, "Invitation sent to dries@north.example.")
    work()
    first = invitation_link("dries@north.example")
    inspector.look(page, "staff")
    page.get_by_role("button", name=re.compile("^Send again.*dries@north.example")).click()
    says(page, "The first link no longer works.")
    work()
    assert invitation_link("dries@north.example") != first
    page.get_by_role("button", name=re.compile("^Withdraw.*dries@north.example")).click()
    says(page, "is withdrawn")

    page.get_by_role("link", name=re.compile("^Change.*Ben Okafor")).click()
    page.get_by_role("radio", name=re.compile("^Admin")).check()
    page.get_by_role("button", name="Save the role").click()
    says(page, "Ben Okafor has a new role, and signs in again.")
    inspector.look(page, "staff member")
    page.get_by_role("button", name="Suspend").click()
    says(page, "Ben Okafor is suspended")
    page.get_by_role("button", name="Bring back").click()
    says(page, "Ben Okafor can sign in again.")
    page.get_by_role("link", name=re.compile("^Teammate number")).click()
    page.get_by_label("Teammate number").fill("sub_1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-summary]")).to_contain_text("digits only")
    inspector.look(page, "teammate refused")
    page.get_by_label("Teammate number").fill("4711")
    page.get_by_role("button", name="Save").click()
    says(page, "The teammate number of Ben Okafor is saved.")

    page.get_by_role("link", name=re.compile("^Reset a lost second step")).click()
    proves(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Reset the second step of Ben Okafor?")
    inspector.look(page, "reset second step")
    page.get_by_label("Why?").fill("Phone lost on the train")
    page.get_by_role("button", name="Reset the second step").click()
    says(page, "We mailed them.")
    page.get_by_role("link", name=re.compile("^Hand the agency over")).click()
    inspector.look(page, "hand over")
    page.get_by_role("button", name="Hand over").click()
    expect(page).to_have_url(re.compile("/account/login/"))
    ben.refresh_from_db()
    ada.refresh_from_db()
    assert (ben.staff_role, ada.staff_role) == ("owner", "admin")
    assert inspector.report() == ""


def test_a_customers_owner_invites_a_colleague_who_comes_in(
    north: Agency, bo: User, active: Subaccount, watched: Watch, work: Work, album: Album
):
    inspector = Inspector(album, "pine")
    page = watched.page()
    sign_in(page, bo, PASSWORD)
    page.get_by_role("link", name="People").click()
    inspector.look(page, "people")
    page.get_by_label("E-mail address").fill("lotte@shop.example")
    page.get_by_role("radio", name=re.compile("^Viewer")).check()
    page.get_by_role("button", name="Send invitation").click()
    says(page, "Invitation sent to lotte@shop.example.")
    work()

    hers = watched.page(width=360)
    hers.goto(invitation_link("lotte@shop.example"))
    inspector.look(hers, "member invited")
    hers.get_by_label("First name").fill("Lotte")
    hers.get_by_label("Last name").fill("Vis")
    hers.get_by_label("Choose a password", exact=True).fill("window bicycle oven")
    hers.get_by_role("button", name="Accept the invitation").click()
    expect(hers.locator("main")).to_have_attribute("data-state", "active")
    hers.get_by_role("link", name="People").click()
    expect(hers.get_by_role("button", name="Send invitation")).to_have_count(0)

    page.reload()
    page.get_by_role("link", name=re.compile("^Change.*Lotte Vis")).click()
    inspector.look(page, "member")
    page.get_by_role("radio", name=re.compile("^Editor")).check()
    page.get_by_role("button", name="Save the role").click()
    says(page, "Lotte Vis has a new role")
    hers.goto("/")
    expect(hers).to_have_url(re.compile("/account/login/"))
    page.get_by_role("link", name=re.compile("^Change.*Lotte Vis")).click()
    page.get_by_role("link", name="Hand over").click()
    if page.get_by_label("Your password", exact=True).count():
        proves(page)
    inspector.look(page, "member hand over")
    page.get_by_role("button", name="Hand over").click()
    expect(page).to_have_url(re.compile("/account/login/"))
    assert inspector.report() == ""


def test_a_person_chooses_a_language_and_reads_what_staff_did(
    north: Agency, ada: User, bo: User, active: Subaccount, watched: Watch, album: Album
):
    event = Event.objects.record(
        "staff_launch", agency=north, acting_user=ada, customer=active.customer, outcome="opened", page="campaigns"
    )
    Note.objects.create(
        agency=north, customer=active.customer, author_id=ada.pk, text="You asked on the phone", event=event
    )
    inspector = Inspector(album, "pine")
    page = watched.page()
    sign_in(page, bo, PASSWORD)
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="Your details and security").click()
    inspector.look(page, "profile")
    page.get_by_role("link", name="What staff did").click()
    expect(page.get_by_text("You asked on the phone")).to_be_visible()
    inspector.look(page, "what staff did")
    page.get_by_role("link", name="Name and language").click()
    page.get_by_label("Language").select_option("Nederlands")
    page.get_by_role("button", name="Save").click()

    expect(page.locator("html")).to_have_attribute("lang", "nl")
    bo.refresh_from_db()
    assert bo.language == "nl"
    assert inspector.report() == ""


def test_somebody_with_two_accounts_chooses_and_switches(
    north: Agency, bo: User, active: Subaccount, watched: Watch, album: Album
):
    factories.customer(north, bo, company_name="Bo's second shop", proven=False)
    inspector = Inspector(album, "pine")
    page = watched.page()
    sign_in(page, bo, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Which one do you want to open?")
    inspector.look(page, "chooser")
    page.get_by_role("link", name="Bo's Bakery").click()
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="Switch account").click()

    expect(page.get_by_role("link", name="Bo's second shop")).to_be_visible()
    assert inspector.report() == ""


def test_staff_invite_an_owner_for_a_customer_that_has_none(
    north: Agency, ada: User, active: Subaccount, watched: Watch, work: Work, album: Album
):
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    active.customer.memberships.all().delete()
    page.goto(f"/console/customers/{active.customer.public_id}/")
    page.get_by_role("link", name="People and invitations").click()
    form = page.locator("form").filter(has=page.get_by_role("heading", name="Invite somebody"))
    form.get_by_label("E-mail address").fill("lotte@shop.example")
    form.get_by_role("radio", name=re.compile("^Owner")).check()
    form.get_by_role("button", name="Send invitation").click()
    says(page, "Invitation sent to lotte@shop.example.")
    inspector.look(page, "a customer's people")
    page.get_by_role("button", name=re.compile("^Withdraw.*lotte@shop.example")).click()
    says(page, "is withdrawn")

    page.goto("/console/staff/")
    page.get_by_role("button", name="Require it from now on").click()
    says(page, "set up a second step at their next visit")
    expect(page.get_by_role("button", name="Require it no longer")).to_be_visible()
    inspector.look(page, "staff, second step for customers")
