"""Who waits for room, and who comes when there is none: what each reads."""

import pytest
from playwright.sync_api import expect

from accounts import customers
from accounts.models import Agency, Cause, Customer, State, User
from tests import factories
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(north: Agency, bo: User) -> Customer:
    """Bo's company, at an agency that is full."""
    made = factories.customer(north, bo, proven=False, company_name="Bo's Bakery")
    factories.customer(north, factories.person(north, "kim@shop.example"))
    Agency.objects.filter(pk=north.pk).update(customer_limit=1)
    bo.agency.refresh_from_db()
    customers.prove_mailbox(acting_user=bo, email=bo.email)
    made.subaccount.refresh_from_db()
    assert (made.subaccount.state, made.subaccount.cause) == (State.AWAITING_APPROVAL, Cause.NO_ROOM)
    return made


def test_no_page_says_that_somebody_looks_at_what_waits_for_room(
    north: Agency, ada: User, bo: User, waiting: Customer, watched: Watch, album: Album
):
    inspector = Inspector(album, "pine")
    theirs, staff, visitor = watched.context(), watched.context(), watched.page()
    carry_session(theirs, "north.localhost", bo)
    carry_session(staff, "north.localhost", ada)

    page = theirs.new_page()
    page.goto("/")
    expect(page.locator("main")).to_have_attribute("data-state", "awaiting_approval")
    inspector.look(page, "set up without room")
    page = staff.new_page()
    page.goto(f"/console/customers/{waiting.public_id}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bo's Bakery")
    expect(page.get_by_role("heading", name="This waits for a person")).to_have_count(0)
    inspector.look(page, "customer without room")
    page.goto("/console/")
    inspector.look(page, "overview without room")
    visitor.goto("/account/signup/")
    inspector.look(visitor, "sign up without room")

    assert inspector.report() == ""
