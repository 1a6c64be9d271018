"""What staff and operators see of differences, outages and pauses: with axe, wide and narrow, light and dark."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import pausing
from accounts.models import Agency, Finding, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.walking import NORTH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.installation]
PLATFORM = "platform.localhost"


@pytest.fixture
def page(north: Agency, ada: User, watched: Watch) -> Page:
    opened = watched.page()
    carry_session(opened.context, NORTH, ada)
    return opened


@pytest.fixture
def findings(north: Agency, active: Subaccount) -> None:
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("twice", "sub_90001", {"subaccount": active}),
        ("unbound", "sub_90002", {}),
        ("unbound", "sub_90003", {"subaccount": active}),
        ("changed", active.vendor_id, {"subaccount": active}),
        ("absent", "sub_90004", {"subaccount": active}),
        ("unbound", "sub_90005", {"dismissed_at": timezone.now()}),
    ]
    for kind, vendor_id, facts in rows:
        Finding.objects.create(agency=north, kind=kind, vendor_id=vendor_id, **facts)


def set_account(agency: Agency, **facts: Any) -> None:
    VendorAccount.objects.filter(agency=agency).update(**facts)


def test_staff_read_differences_and_set_one_aside(inspector: Inspector, page: Page, north: Agency, findings: None):
    numbers = {"listed": 12, "bound": 9, "twice": 1, "unbound": 2, "changed": 1, "absent": 1}
    moments = {"reconciled_at": timezone.now(), "compared_at": timezone.now()}
    set_account(north, reconcile_result={"outcome": "compared", **numbers}, **moments)
    page.goto("/console/attention/")
    inspector.look(page, "attention with differences")
    page.get_by_role("link", name="See all differences").click()
    inspector.look(page, "differences")
    expect(page.get_by_role("link", name="Attention 4 open")).to_be_visible()
    page.get_by_role("button", name="Set aside (sub_90001)").click()
    expect(page.get_by_text("sub_90001 is set aside.")).to_be_visible()
    expect(page.get_by_role("link", name="Attention 3 open")).to_be_visible()
    page.get_by_role("link", name="Set aside").click()
    expect(page.get_by_role("heading", name="sub_90001")).to_be_visible()
    inspector.look(page, "differences set aside")
    page.get_by_role("link", name="Being asked for").click()
    inspector.look(page, "differences asked for")
    Finding.objects.for_agency(north).delete()
    set_account(north, reconcile_result={"outcome": "too_many_absent", "listed": 3, "bound": 9, "absent": 7})
    page.goto("/console/differences/")
    inspector.look(page, "comparison stopped")
    assert inspector.report() == ""


def test_staff_read_what_is_out_of_the_ordinary(
    inspector: Inspector, page: Page, north: Agency, bos_subaccount: Subaccount
):
    now = timezone.now()
    outage = {
        "trouble": "unreachable",
        "since": (now - timedelta(hours=3)).isoformat(),
        "until": (now - timedelta(hours=1)).isoformat(),
        "waited": 7,
    }
    states: dict[str, dict[str, Any]] = {
        "outage": {"trouble": "unreachable", "trouble_since": now, "probe_at": now + timedelta(hours=1)},
        "catching up": {"last_outage": outage},
        "caught up": {"last_outage": outage | {"longest": 7260, "to_decide": 1, "finished": now.isoformat()}},
        "budget and pause": {"budget_reached_on": now.date(), "creates_paused_at": now},
    }
    calm = {"trouble": "", "last_outage": {}, "budget_reached_on": None, "creates_paused_at": None}
    for name, facts in states.items():
        set_account(north, **calm | facts)
        page.goto("/console/")
        inspector.look(page, f"overview {name}")
    page.goto("/console/attention/")
    inspector.look(page, "attention with budget and pause")
    assert inspector.report() == ""


def test_an_operator_sees_every_difference_and_lets_creates_go_on(
    sandbox: Sandbox, inspector: Inspector, watched: Watch, north: Agency, findings: None
):
    olu = factories.person(None, "olu@platform.example", is_staff=True, first_name="Olu", last_name="Peeters")
    factories.second_factor(olu)
    page = watched.page(PLATFORM)
    carry_session(page.context, PLATFORM, olu)
    pausing.pause(why=pausing.RESTORED)
    page.goto(f"/operator/agencies/{north.pk}/differences/")
    inspector.look(page, "paused and not compared")
    numbers = {"listed": 12, "bound": 9, "twice": 1, "unbound": 3, "changed": 1, "absent": 1}
    set_account(north, reconciled_at=timezone.now(), reconcile_result={"outcome": "compared", **numbers})
    page.goto("/operator/health/")
    inspector.look(page, "health with a pause")
    page.get_by_role("link", name="North").last.click()
    inspector.look(page, "paused and compared")
    for number in range(90001, 90006):
        expect(page.get_by_text(f"sub_{number}").first).to_be_visible()
    page.get_by_role("button", name="I have seen them all: go on").click()
    expect(page.get_by_text("New accounts of North are made again.")).to_be_visible()
    inspector.look(page, "pause over")
    assert Subaccount.objects.for_agency(north).filter(state=State.ACTIVE).count() == 1
    assert inspector.report() == ""
