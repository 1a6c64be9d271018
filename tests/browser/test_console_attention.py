"""What waits for a person: every group on the list once, every choice once, and approvals many at once."""

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import Agency, Cause, Customer, PanelTask, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import LIST
from tests.browser.conftest import Watch, Work, carry_session, invitation_link
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import NORTH, proves, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sam(north: Agency) -> User:
    return factories.staff(north, "sam@north.example", "support", first_name="Sam", last_name="Okafor")


def waiting(agency: Agency, name: str, cause: Cause, **fields: Any) -> Customer:
    """A customer whose wish waits for a person."""
    owner = factories.person(agency, f"{name.split()[0].lower()}@shop.example")
    made = factories.customer(agency, owner, company_name=name)
    change(made, **{"state": State.NEEDS_REVIEW, "cause": cause, "first_look": "absent", **fields})
    return made


def change(customer: Customer, **fields: Any) -> None:
    rows = Subaccount.objects.for_agency(customer.agency).filter(customer=customer)
    rows.update(**{"run_at": None, "changed_at": timezone.now(), **fields})


def state_of(customer: Customer) -> str:
    return str(Subaccount.objects.for_agency(customer.agency).get(customer=customer).state)


def group(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title)


def test_every_group_says_what_happened_and_what_is_next(
    north: Agency, ada: User, bo: User, active: Subaccount, watched: Watch, album: Album
):
    waiting(north, "There", Cause.EXISTED_BEFORE, candidates=["sub_71002"], first_look="present")
    waiting(north, "Elsewhere", Cause.EMAIL_TAKEN_ELSEWHERE, cause_codes=[304])
    waiting(north, "Address", Cause.EMAIL_INVALID, cause_codes=[305])
    waiting(north, "Refused", Cause.ATTEMPTS_USED_UP)
    waiting(north, "Package", Cause.PACKAGE_REFUSED, cause_codes=[302])
    waiting(north, "Odd", Cause.CONTRADICTION, candidates=["sub_71003"])
    waiting(north, "Gone", Cause.NONE, state=State.MISSING, vendor_id="sub_71004", bound_at=timezone.now())
    waiting(north, "Newcomer", Cause.NONE, state=State.AWAITING_APPROVAL)
    PanelTask.objects.create(agency=north, customer=active.customer, kind=PanelTask.Kind.BLOCK)
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, ada)
    page.goto("/console/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Attention").click()

    for title, name in (
        ("An account may already exist", "There"),
        ("The address is in use elsewhere", "Elsewhere"),
        ("The vendor does not take the address", "Address"),
        ("The account could not be made", "Refused"),
        ("The vendor does not take a package", "Package"),
        ("The vendor's answer contradicts itself", "Odd"),
        ("An account is gone", "Gone"),
        ("Waiting for your approval", "Newcomer"),
        ("To do in the vendor's panel", "Bo's Bakery"),
    ):
        entry = group(page, title).get_by_role("listitem")
        expect(entry).to_have_count(1)
        expect(entry.get_by_role("link", name=name, exact=True)).to_be_visible()
        if name != "Bo's Bakery":
            expect(entry.get_by_text("What happened", exact=True)).to_be_visible()
            expect(entry.get_by_text("What happens next", exact=True)).to_be_visible()
    inspector.look(page, "attention, every group")
    assert inspector.report() == ""


def test_support_retries_looks_links_and_sets_aside(
    north: Agency, sam: User, sandbox: Sandbox, watched: Watch, work: Work, album: Album
):
    tired = waiting(north, "Tired", Cause.ATTEMPTS_USED_UP, attempts=8)
    listed = waiting(north, "Listed", Cause.EXISTED_BEFORE, candidates=["sub_1"], first_look="present")
    there = sandbox.add_subaccount("north-id", email=listed.email)
    inspector = Inspector(album, "yellow")
    page = watched.page()
    carry_session(page.context, NORTH, sam)
    page.goto("/console/attention/")

    page.get_by_role("button", name="Set aside (Tired)").click()
    says(page, "Tired is set aside until something changes.")
    expect(page.get_by_role("link", name="Tired")).to_have_count(0)
    page.get_by_role("link", name="Set aside", exact=True).click()
    inspector.look(page, "attention, set aside")
    page.get_by_role("button", name="Try again (Tired)").click()
    says(page, "Tired is in the queue again.")
    work()
    assert state_of(tired) == State.ACTIVE

    page.goto("/console/attention/")
    expect(page.get_by_role("link", name="Tired")).to_have_count(0)
    sandbox.fault(LIST, "stale_list", seconds=60)
    page.get_by_role("button", name="Look again (Listed)").click()
    says(page, "We look for the account of Listed again.")
    sandbox.clear_faults()
    work()
    page.reload()
    expect(page.get_by_text(re.compile(f"Listed: {there}"))).to_be_visible()
    page.get_by_role("link", name=f"Link to {there}… (Listed)").click()
    expect(page.get_by_text("The address is the customer's own, and confirmed.")).to_be_visible()
    inspector.look(page, "link an account")
    page.get_by_label("Type the number to confirm").fill("88190")
    page.get_by_role("button", name="Link account").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    page.get_by_label("How do you know that it is theirs?").fill("She read me the number.")
    page.get_by_label("Type the number to confirm").fill("four")
    page.get_by_role("button", name="Link account").click()
    expect(page.locator("[data-summary]")).to_contain_text("It looks like sub_12345")
    inspector.look(page, "link refused")
    page.get_by_label("Type the number to confirm").fill(there)
    page.get_by_role("button", name="Link account").click()
    says(page, "We ask the vendor and link it")
    work()
    page.reload()
    expect(page.get_by_text("Active", exact=True)).to_be_visible()
    expect(page.get_by_text("Reason: “She read me the number.”")).to_be_visible()
    assert [row["ID"] for row in sandbox.subaccounts("north-id") if row["email"] == listed.email] == [there]
    page.goto("/console/attention/")
    expect(page.get_by_text("Nothing needs you")).to_be_visible()
    inspector.look(page, "attention, nothing")
    assert inspector.report() == ""


def test_another_address_is_confirmed_before_anything_is_asked_for(
    north: Agency, sam: User, sandbox: Sandbox, watched: Watch, work: Work, album: Album
):
    taken = waiting(north, "Taken", Cause.EMAIL_TAKEN_ELSEWHERE, cause_codes=[304])
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, sam)
    page.goto("/console/attention/")
    page.get_by_role("link", name="Use another address… (Taken)").click()
    inspector.look(page, "another address")
    page.get_by_label("New e-mail address").fill("new@shop.example")
    page.get_by_role("button", name="Change address").click()
    says(page, "An invitation is on its way to the new address.")
    work()
    assert (state_of(taken), sandbox.effects("subaccount_created")) == (State.AWAITING_EMAIL, [])

    hers = watched.page(width=360)
    hers.goto(invitation_link("new@shop.example"))
    hers.get_by_label("First name").fill("Tess")
    hers.get_by_label("Last name").fill("Kok")
    hers.get_by_label("Choose a password", exact=True).fill("window bicycle oven")
    hers.get_by_role("button", name="Accept the invitation").click()
    expect(hers.locator("main")).to_have_attribute("data-state", "requested")
    work()
    [made] = sandbox.subaccounts("north-id")
    assert (made["email"], state_of(taken)) == ("new@shop.example", State.ACTIVE)
    assert inspector.report() == ""


def test_an_account_that_is_gone_is_made_anew_by_an_owner_only(
    north: Agency, ada: User, sam: User, active: Subaccount, sandbox: Sandbox, watched: Watch, work: Work, album: Album
):
    sandbox.remove_subaccount(active.vendor_id)
    change(active.customer, state=State.MISSING)
    inspector = Inspector(album, "pine")
    sams, adas = watched.page(), watched.page()
    carry_session(sams.context, NORTH, sam)
    carry_session(adas.context, NORTH, ada)
    sams.goto("/console/attention/")
    expect(sams.get_by_text("Only an owner may do this.").first).to_be_visible()
    expect(sams.get_by_role("link", name=re.compile("^Make a new account"))).to_have_count(0)
    sams.get_by_role("button", name="Look again (Bo's Bakery)").click()
    work()
    assert state_of(active.customer) == State.MISSING

    adas.goto("/console/attention/")
    adas.get_by_role("link", name="Make a new account… (Bo's Bakery)").click()
    proves(adas)
    inspector.look(adas, "make a new account")
    adas.get_by_label("Why?").fill("Deleted by mistake at the vendor")
    adas.get_by_role("button", name="Make a new account").click()
    says(adas, "A new account is in the queue.")
    work()
    adas.reload()
    expect(adas.get_by_text("Active", exact=True)).to_be_visible()
    [made] = sandbox.effects("subaccount_created")
    assert made["subaccount"] != active.vendor_id
    assert inspector.report() == ""


def test_a_task_for_the_vendors_panel_is_ticked(north: Agency, sam: User, active: Subaccount, watched: Watch):
    PanelTask.objects.create(agency=north, customer=active.customer, kind=PanelTask.Kind.BLOCK)
    page = watched.page()
    carry_session(page.context, NORTH, sam)
    page.goto("/console/attention/")

    group(page, "To do in the vendor's panel").get_by_role("button", name=re.compile("^Done.*Block")).click()

    says(page, "Noted as done.")
    expect(page.get_by_text("Nothing needs you")).to_be_visible()


def test_approval_is_switched_on_and_many_are_decided_at_once(
    north: Agency, ada: User, sam: User, sandbox: Sandbox, watched: Watch, work: Work, album: Album
):
    inspector = Inspector(album, "pine")
    adas, page = watched.page(), watched.page()
    carry_session(adas.context, NORTH, ada)
    carry_session(page.context, NORTH, sam)
    adas.goto("/console/approvals/")
    inspector.look(adas, "approvals, off")
    adas.get_by_role("button", name="Ask for approval from now on").click()
    says(adas, "New customers wait for your approval now.")
    north.refresh_from_db()
    people = [factories.person(north, f"n{number}@shop.example") for number in range(4)]
    made = [factories.customer(north, person, company_name=f"Shop {person.email[1]}") for person in people]

    page.goto("/console/attention/")
    page.get_by_role("button", name="Approve (Shop 0)").click()
    says(page, "Shop 0 is approved.")
    page.get_by_role("link", name="Decide many at once").click()
    expect(page.get_by_role("button", name=re.compile("from now on$"))).to_have_count(0)
    page.get_by_role("button", name="Approve picked").click()
    expect(page.locator("[data-summary]")).to_contain_text("Please pick some.")
    inspector.look(page, "approvals, none picked")
    page.get_by_label("Pick Shop 1").check()
    page.get_by_label("Pick Shop 2").check()
    page.get_by_role("button", name="Approve picked").click()
    says(page, "2 sign-ups approved.")
    page.get_by_label("Pick Shop 3").check()
    page.get_by_role("button", name="Decline picked").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    expect(page.get_by_label("Pick Shop 3")).to_be_checked()
    inspector.look(page, "approvals, a sentence is missing")
    page.get_by_label("What the customer reads").fill("We work in Utrecht only.")
    page.get_by_role("button", name="Decline picked").click()
    says(page, "1 sign-up declined.")
    expect(page.get_by_text("Nobody waits for approval")).to_be_visible()
    work()
    assert [state_of(customer) for customer in made] == [State.ACTIVE] * 3 + [State.CLOSED]

    theirs = watched.page(width=360)
    carry_session(theirs.context, NORTH, people[3])
    theirs.goto("/")
    expect(theirs.get_by_text("We work in Utrecht only.")).to_be_visible()
    adas.reload()
    adas.get_by_role("button", name="Approve all by itself from now on").click()
    says(adas, "New customers need no approval any more.")
    assert inspector.report() == ""


def test_one_sign_up_is_declined_from_its_own_page(north: Agency, sam: User, watched: Watch, work: Work, album: Album):
    waiting(north, "Newcomer", Cause.NONE, state=State.AWAITING_APPROVAL)
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, NORTH, sam)
    page.goto("/console/attention/")
    page.get_by_role("link", name="Decline… (Newcomer)").click()
    inspector.look(page, "decline")
    page.get_by_label("What the customer reads").fill("We work in Utrecht only.")
    page.get_by_role("button", name="Decline", exact=True).click()
    says(page, "Newcomer was declined.")
    inspector.look(page, "customer declined")
    assert inspector.report() == ""
