"""The console's pages: who reads what, what a form takes and what it leaves alone."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Agency, Customer, Event, Note, PanelTask, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def adas(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def page_of(customer: Customer, what: str = "") -> str:
    return f"/console/customers/{customer.public_id}/{what}"


def test_a_customers_page_tells_its_story(adas: Client, active: Subaccount):
    company = active.customer
    adas.post(page_of(company, "note/"), {"text": "Called, all well"})

    page = adas.get(page_of(company)).content.decode()

    for told in ("Signed up", "Called, all well", "Read the account at the vendor", active.vendor_id, "As of"):
        assert told in page


def test_a_note_is_escaped(adas: Client, active: Subaccount):
    adas.post(page_of(active.customer, "note/"), {"text": "<script>alert(1)</script>"})

    assert "<script>alert(1)" not in adas.get(page_of(active.customer)).content.decode()


@pytest.mark.parametrize("text", ["", " ", "x" * 1001])
def test_a_note_that_says_nothing_or_too_much_is_refused(text: str, adas: Client, active: Subaccount):
    answer = adas.post(page_of(active.customer, "note/"), {"text": text}, follow=True)

    assert "Nothing was saved" in answer.content.decode()
    assert not Note.objects.for_agency(active.agency).exists()
    assert text.strip() in answer.content.decode(), "what was typed is kept"


def test_a_note_may_be_as_long_as_the_browser_lets_it_be(adas: Client, active: Subaccount):
    typed = "\n".join(["x" * 99] * 10)
    assert len(typed) == 999

    adas.post(page_of(active.customer, "note/"), {"text": typed.replace("\n", "\r\n") + "."})

    assert Note.objects.for_agency(active.agency).get().text == f"{typed}."


@pytest.mark.parametrize("show", ["", "account", "mails", "notes"])
def test_the_timeline_is_filtered_and_paged(show: str, adas: Client, active: Subaccount):
    for number in range(35):
        adas.post(page_of(active.customer, "note/"), {"text": f"note {number}"})
    first = adas.get(page_of(active.customer), {"show": show}).content.decode()

    assert ("note 34" in first) == (show in ("", "notes"))
    if show in ("", "notes"):
        assert "note 3<" not in first
        assert "before=" in first


@pytest.mark.parametrize("query", ["show=else", "before=yesterday", "before=2026-01-01"])
def test_a_timeline_that_nobody_linked_is_not_found(query: str, adas: Client, active: Subaccount):
    assert adas.get(f"{page_of(active.customer)}?{query}").status_code == 404


EXTRA = {
    "agency": "7",
    "agency_id": "7",
    "id": "7",
    "public_id": "00000000-0000-0000-0000-000000000007",
    "paused_at": "2026-01-01",
    "closed_at": "2026-01-01",
    "trial_ends_on": "2030-01-01",
    "state": "active",
    "vendor_id": "sub_1",
    "staff_role": "owner",
    "email": "evil@evil.example",
    "acting_user": "7",
    "is_staff": "1",
}


def test_no_form_of_a_customer_takes_a_field_that_it_does_not_show(adas: Client, active: Subaccount, north: Agency):
    company = active.customer
    Customer.objects.for_agency(north).filter(pk=company.pk).update(trial_ends_on=timezone.localdate())
    bodies = {
        "pause/": {"message": "One moment"},
        "resume/": {},
        "extend/": {"last_day": (timezone.localdate() + timedelta(days=9)).isoformat(), "reason": "Because"},
        "package/": {"package": str(north.packages.get(name="Plus").public_id)},
        "convert/": {},
        "note/": {"text": "hello"},
    }
    kept = ("agency_id", "id", "public_id", "closed_at", "email", "company_name", "created_at")
    before = Customer.objects.for_agency(north).values(*kept).get(pk=company.pk)
    allowed = {
        "pause/": {"paused_at", "message"},
        "resume/": {"paused_at", "message"},
        "extend/": {"trial_ends_on"},
        "package/": {"package_id"},
        "convert/": {"trial_ends_on", "converted_at"},
        "note/": set(),
    }
    for what, body in bodies.items():
        was = Customer.objects.for_agency(north).values().get(pk=company.pk)
        sub = Subaccount.objects.for_agency(north).values().get(pk=active.pk)

        answer = adas.post(page_of(company, what), EXTRA | body)

        assert answer.status_code == 302, what
        now = Customer.objects.for_agency(north).values().get(pk=company.pk)
        assert {name for name in now if now[name] != was[name]} <= allowed[what], what
        assert Subaccount.objects.for_agency(north).values().get(pk=active.pk) == sub, what
    assert Customer.objects.for_agency(north).values(*kept).get(pk=company.pk) == before
    assert User.objects.get(pk=adas.session["_auth_user_id"]).staff_role == "owner"


def test_every_change_has_its_event(adas: Client, active: Subaccount, north: Agency):
    company = active.customer
    Customer.objects.for_agency(north).filter(pk=company.pk).update(trial_ends_on=timezone.localdate())
    wanted = [
        ("pause/", {"message": "x"}, "customer.paused"),
        ("resume/", {}, "customer.resumed"),
        ("package/", {"package": str(north.packages.get(name="Plus").public_id)}, "customer.package_changed"),
        (
            "extend/",
            {"last_day": (timezone.localdate() + timedelta(days=9)).isoformat(), "reason": "x"},
            "customer.trial_extended",
        ),
        ("convert/", {}, "customer.converted"),
        ("note/", {"text": "x"}, "customer.noted"),
        ("close/", {"message": "x", "confirm": company.company_name}, "customer.closed"),
    ]
    for what, body, kind in wanted:
        adas.post(page_of(company, what), body)
        event = Event.objects.for_agency(north).filter(kind=kind).order_by("-pk").first()
        assert event is not None, what
        assert (event.customer_id, event.actor_id) == (
            company.pk,
            User.objects.get(agency=north, email="ada@north.example").pk,
        )


def test_a_new_customer_is_invited_and_bad_input_is_kept(adas: Client, north: Agency, package: Any):
    good = {
        "company_name": "Café Zuid",
        "first_name": "Noor",
        "last_name": "Visser",
        "email": "noor@zuid.example",
        "country": "NL",
        "package": str(package.public_id),
    }
    refused = adas.post("/console/customers/new/", good | {"email": "no address"})
    assert 'value="Café Zuid"' in refused.content.decode()
    assert not Customer.objects.for_agency(north).exists()

    answer = adas.post("/console/customers/new/", good | EXTRA | {"email": "noor@zuid.example"}, follow=True)

    made = Customer.objects.for_agency(north).get()
    assert (made.subaccount.state, made.subaccount.vendor_id, made.paused_at) == (State.AWAITING_EMAIL, "", None)
    assert "on its way to noor@zuid.example" in answer.content.decode()


def test_another_agencys_package_cannot_be_given(adas: Client, active: Subaccount, south: Agency):
    theirs = south.packages.first()

    answer = adas.post(page_of(active.customer, "package/"), {"package": str(theirs.public_id)})

    assert answer.status_code == 200
    assert active.customer.package.agency_id == active.agency_id


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"])
def test_the_export_holds_no_formula(name: str, adas: Client, north: Agency, bo: User):
    factories.customer(north, bo, company_name=name)

    answer = adas.post("/console/customers/export/", {})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))

    assert rows[0]["company_name"] == f"'{name}"
    assert "attachment" in answer["Content-Disposition"]


def test_the_export_is_what_the_filters_leave(adas: Client, north: Agency, bos_company: Customer):
    factories.customer(north, factories.person(north, "kim@shop.example"), company_name="Quaint Kiosk")

    answer = adas.post("/console/customers/export/", {"q": "quaint"})

    assert b"".join(answer).decode().count("\n") == 2


def test_many_are_approved_at_once_and_one_that_moved_on_holds_up_nobody(adas: Client, north: Agency, sandbox: Sandbox):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    made = [factories.customer(north, factories.person(north, f"n{number}@shop.example")) for number in range(3)]
    adas.post("/console/approvals/", {"do": "approve", "customer": [str(made[0].public_id)]})

    answer = adas.post(
        "/console/approvals/", {"do": "approve", "customer": [str(one.public_id) for one in made[1:]]}, follow=True
    )

    assert "2 sign-ups approved" in answer.content.decode()
    states = Subaccount.objects.for_agency(north).values_list("state", flat=True)
    assert set(states) == {State.REQUESTED}


def test_declining_needs_a_sentence_and_keeps_what_was_picked(adas: Client, north: Agency):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    made = factories.customer(north, factories.person(north, "n@shop.example"))

    refused = adas.post("/console/approvals/", {"do": "decline", "customer": [str(made.public_id)], "message": ""})
    assert "checked" in refused.content.decode()
    adas.post(
        "/console/approvals/", {"do": "decline", "customer": [str(made.public_id)], "message": "Not in our town."}
    )

    assert Customer.objects.for_agency(north).get().message == "Not in our town."


def test_one_who_left_the_page_of_those_who_wait_is_counted_and_holds_up_nobody(adas: Client, north: Agency):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    made = factories.customer(north, factories.person(north, "one@shop.example"))
    gone = "00000000-0000-0000-0000-000000000007"

    answer = adas.post(
        "/console/approvals/", {"do": "approve", "customer": [str(made.public_id), gone]}, follow=True
    ).text
    nobody = adas.post("/console/approvals/", {"do": "approve", "customer": [gone]}, follow=True).text

    assert "1 sign-up approved" in answer
    assert "1 had moved on meanwhile" in answer
    assert "1 had moved on meanwhile" in nobody
    assert "0 sign-ups" not in nobody


def test_what_is_wrong_with_the_picks_leads_to_the_first_of_them(adas: Client, north: Agency):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()
    factories.customer(north, factories.person(north, "one@shop.example"))

    answer = adas.post("/console/approvals/", {"do": "approve"}).text

    assert 'href="#id_customer"' in answer
    assert 'id="id_customer"' in answer


@pytest.mark.parametrize("address", ["/console/customers/new/", "package/"])
def test_a_package_that_was_archived_meanwhile_is_named_without_its_id(
    address: str, adas: Client, bos_company: Customer
):
    gone = "00000000-0000-0000-0000-000000000007"
    url = address if address.startswith("/") else page_of(bos_company, address)

    answer = adas.post(url, {"package": gone}).text

    assert "This package is no longer offered" in answer
    assert gone not in answer


def test_who_has_to_show_again_that_it_is_them_reads_what_became_of_their_form(adas: Client, active: Subaccount):
    answer = adas.post(
        page_of(active.customer, "launch/"), {"reason": "You asked us on the phone", "page": ""}, follow=True
    ).text

    assert "Before you go on, please show once more that it is you" in answer
    assert "nothing of it was kept" in answer
    assert "change how you sign in" not in answer
    assert "nothing of it was kept" not in adas.get("/account/reauthenticate/").text


def test_another_agencys_sign_up_cannot_be_approved(adas: Client, south: Agency):
    Agency.objects.filter(pk=south.pk).update(approval_required=True)
    south.refresh_from_db()
    theirs = factories.customer(south, factories.person(south, "c@shop.example"))

    adas.post("/console/approvals/", {"do": "approve", "customer": [str(theirs.public_id)]})

    assert Subaccount.objects.for_agency(south).get().state == State.AWAITING_APPROVAL


def test_a_task_is_ticked_once_and_says_who(adas: Client, active: Subaccount):
    adas.post(page_of(active.customer, "pause/"), {"message": "x"})
    task = PanelTask.objects.for_agency(active.agency).get()
    other = factories.customer(active.agency, factories.person(active.agency), company_name="Kim's")
    assert "Block" in adas.get("/console/attention/").content.decode()
    assert str(task.public_id) in adas.get(page_of(active.customer)).content.decode()
    assert str(task.public_id) not in adas.get(page_of(other)).content.decode()

    for _ in range(2):
        adas.post(page_of(active.customer, f"tasks/{task.public_id}/"), {"from": "attention"})

    assert Event.objects.for_agency(active.agency).filter(kind="panel_task.done").count() == 1
    assert "Nothing needs you" in adas.get("/console/attention/").content.decode()


def test_the_list_answers_a_search_with_the_rows_alone(adas: Client, bos_company: Customer):
    whole = adas.get("/console/customers/", {"q": "bak"}).content.decode()
    rows = adas.get("/console/customers/", {"q": "bak"}, headers={"HX-Request": "true"}).content.decode()

    assert "<html" in whole
    assert "<html" not in rows
    assert "Bo&#x27;s Bakery" in rows


def test_analysts_read_and_change_nothing(client_for: Any, north: Agency, active: Subaccount):
    ann = client_for(north, factories.staff(north, "ann@north.example", "analyst"))

    page = ann.get(page_of(active.customer)).content.decode()
    assert 'method="post"' not in page.replace('action="/account/logout/"', "").split("<main")[1]
    assert ann.post(page_of(active.customer, "pause/"), {"message": "x"}).status_code == 403


def test_closing_is_offered_where_it_is_known_what_there_is_or_never_will_be(
    adas: Client, north: Agency, bos_company: Customer
):
    page = f"/console/customers/{bos_company.public_id}/"
    wishes, long_ago = Subaccount.objects.for_agency(north), timezone.now() - timedelta(days=1)

    def is_offered() -> tuple[bool, int]:
        return f"{page}close/" in adas.get(page).text, adas.get(f"{page}close/").status_code

    wishes.update(state=State.UNCERTAIN, uncertain_since=long_ago)
    assert is_offered() == (False, 302), "it will be looked for"
    VendorAccount.objects.filter(agency=north).update(trouble="credentials", trouble_since=long_ago)
    assert is_offered() == (True, 200), "nobody can look for it"
    assert "A task reminds you" not in adas.get(f"{page}close/").text, "no account is known there"
    wishes.update(state=State.NEEDS_REVIEW, candidates=["sub_71002"])
    assert "A task reminds you" in adas.get(f"{page}close/").text
    wishes.update(state=State.MISSING, vendor_id="sub_71002")
    assert "A task reminds you" not in adas.get(f"{page}close/").text
    wishes.update(state=State.ACTIVE)
    assert "A task reminds you" in adas.get(f"{page}close/").text

    Customer.objects.for_agency(north).update(closed_at=timezone.now())
    assert adas.get(f"{page}close/").status_code == 302, "it is closed"
