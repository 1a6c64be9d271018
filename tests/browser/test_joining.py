"""Somebody who signs in here already accepts an invitation with one button."""

import pytest
from playwright.sync_api import expect

from accounts import people
from accounts.models import Agency, User
from tests.browser.conftest import Watch, Work, invitation_link
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
