"""Somebody who signs in here already accepts an invitation with one button."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts import people
from accounts.models import Agency, Customer, User
from tests import factories
from tests.browser.conftest import Watch, Work, invitation_link, sign_in
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_member_joins_the_staff_with_the_same_sign_in(
    north: Agency, bo: User, watched: Watch, work: Work, album: Album
):
    people.invite_staff(agency=north, email=bo.email, staff_role="support", acting_user=None)
    work()
    page = watched.page()
    inspector = Inspector(album, "pine")

    page.goto(invitation_link(bo.email))
    page.get_by_label("E-mail address").fill(bo.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Work for North")
    inspector.look(page, "join")
    page.get_by_role("button", name="Accept the invitation").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your authenticator app")
    assert inspector.report() == ""


def test_an_invitation_that_somebody_else_opens_leads_to_whom_it_is_for(
    north: Agency, bo: User, watched: Watch, work: Work, album: Album
):
    zoe = factories.person(north, "zoe@shop.example", first_name="Zoe")
    people.invite_staff(agency=north, email=zoe.email, staff_role="support", acting_user=None)
    work()
    page = watched.page()
    sign_in(page, bo, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    inspector = Inspector(album, "pine")

    page.goto(invitation_link(zoe.email))
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation is for somebody else")
    inspector.look(page, "invitation of somebody else")
    page.get_by_role("button", name="Sign out and come back here").click()
    page.get_by_label("E-mail address").fill(zoe.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Work for North")
    assert inspector.report() == ""


def test_a_suspended_member_reads_who_can_give_the_access_back(bos_company: Customer, watched: Watch, album: Album):
    eve = factories.member(bos_company, "editor", "eve@shop.example")
    eve.memberships.update(suspended_at=timezone.now())
    page = watched.page()
    sign_in(page, eve, PASSWORD)
    inspector = Inspector(album, "pine")

    expect(page.get_by_role("heading", level=1)).to_have_text("Your access is suspended")
    inspector.look(page, "suspended")

    assert inspector.report() == ""
