"""What waits, what is to be done by hand and who wants a yes: beyond a page the rest is one click away."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Agency, Customer, PanelTask, Subaccount, User
from portal import access_console
from tests.many import fill

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_console, "WAITING_PAGE", 4)


@pytest.fixture
def adas(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def walk(client: Client, path: str) -> tuple[list[str], int]:
    """The customers that the pages of a list name, following "Next"; and how many pages there are."""
    seen, pages, here = [], 0, path
    while here:
        text = client.get(here).content.decode()
        seen += re.findall(r">(Shop \d+) of street", text)
        pages += 1
        assert pages < 20
        following = re.search(r'href="(\?[^"]*)" rel="next"', text)
        here = path.partition("?")[0] + following[1].replace("&amp;", "&") if following else ""
    return seen, pages


@pytest.mark.parametrize("query", ["", "?show=set_aside"])
def test_everybody_who_waits_is_found_page_by_page(adas: Client, north: Agency, query: str):
    fill(north, 10)
    rows = Subaccount.objects.for_agency(north)
    changed_at = rows.values_list("changed_at", flat=True)[0]  # all at the same moment: the hardest case
    dismissed_at = changed_at if query else None
    rows.update(state="needs_review", cause="refused", changed_at=changed_at, dismissed_at=dismissed_at)

    seen, pages = walk(adas, f"/console/attention/{query}")

    assert (len(seen), len(set(seen)), pages) == (10, 10, 3)


def test_all_that_is_to_be_done_by_hand_is_found_page_by_page(adas: Client, north: Agency):
    fill(north, 9)
    for customer in Customer.objects.for_agency(north):
        PanelTask.objects.create(agency=north, customer=customer, kind=PanelTask.Kind.BLOCK)
    Subaccount.objects.for_agency(north).update(state="active")

    seen, pages = walk(adas, "/console/attention/")

    assert (len(seen), len(set(seen)), pages) == (9, 9, 3)


def test_every_sign_up_that_wants_a_yes_is_found_and_approved_on_its_page(adas: Client, north: Agency):
    fill(north, 6)
    Subaccount.objects.for_agency(north).update(state="awaiting_approval", changed_at=timezone.now())

    seen, pages = walk(adas, "/console/approvals/")
    second = re.search(r'href="([^"]*)" rel="next"', adas.get("/console/approvals/").content.decode())
    assert second
    path = "/console/approvals/" + second[1]
    key = re.findall(r'name="customer" value="([^"]+)"', adas.get(path).content.decode())[-1]
    adas.post(path, {"do": "approve", "customer": [key]})

    assert (len(seen), len(set(seen)), pages) == (6, 6, 2)
    assert Customer.objects.for_agency(north).get(public_id=key).subaccount.state == "requested"


def test_a_page_whose_rows_are_done_leads_back_to_the_first(adas: Client):
    place = "2026-01-01T00:00:00Z_1"
    for path in (f"attention/?after={place}", "attention/?tasks_after=9", f"approvals/?after={place}"):
        assert adas.get(f"/console/{path}").status_code == 302, path


@pytest.mark.parametrize("before", ["9" * 17, "9" * 4500, "-1", "x"])
def test_a_strange_place_in_the_activity_is_no_error(adas: Client, bos_company: Customer, before: str):
    assert adas.get(f"/account/activity/?before={before}").status_code == 200
