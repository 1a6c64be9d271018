"""A vendor that is down, from the first failure to the report of who was late: what is read, asked and mailed."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import outages, provisioning
from accounts.models import Agency, Cause, Event, Job, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.going_down import come_back, go_down, make_due, send_mails, wishes, work_off
from tests.accounts.reading import CREATE, LIST, calls, fresh, in_other_hands, made

pytestmark = pytest.mark.django_db(transaction=True)
only_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks no rows")


def test_a_list_that_is_refused_for_whatever_reason_is_not_asked_for_for_ever(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    settings.BREAKER_PROBE_SECONDS = 60.0
    wishes(north, 1)
    sandbox.fault(LIST, "status", status=200, codes=[301], times=None)
    for _ in range(12):
        make_due(north)
        provisioning.attempt()

    assert calls(sandbox, LIST) == 5
    assert VendorAccount.objects.get(agency=north).trouble == VendorAccount.Trouble.UNREACHABLE
    assert Job.objects.for_agency(north).filter(payload__mail="vendor_trouble").count() == 1
    come_back(sandbox)
    work_off(north)
    assert Subaccount.objects.for_agency(north).get().state == State.ACTIVE


def test_outages_that_are_not_worked_off_keep_no_report_of_another(
    north: Agency, south: Agency, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    now = timezone.now()
    for agency in (north, south):
        of_agency = VendorAccount.objects.select_related("agency").get(agency=agency)
        outages.begin(of_agency, VendorAccount.Trouble.UNREACHABLE, now=now, probe_at=now)
        Subaccount.objects.for_agency(north).update(late_since=now)
        over = {"trouble": "unreachable", "since": now.isoformat(), "until": now.isoformat(), "waited": 1}
        VendorAccount.objects.filter(agency=agency).update(trouble="", last_outage=over)

    looked_at: list[int] = []
    monkeypatch.setattr(outages, "_report", lambda pk, now: looked_at.append(pk) is None)

    assert outages.report(now) == 1
    assert looked_at == [VendorAccount.objects.get(agency=south).pk]


def test_an_outage_that_comes_before_the_last_one_is_worked_off_is_reported_with_it(
    bos_subaccount: Subaccount, account: VendorAccount
):
    started = timezone.now()
    account.agency = bos_subaccount.agency
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=started, probe_at=started)
    outages.end(account, now=started + timedelta(minutes=20))
    assert outages.report(started + timedelta(minutes=20)) == 0, "a wish still waits"
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=started + timedelta(minutes=21), probe_at=started)
    outages.end(account, now=started + timedelta(minutes=25))
    Subaccount.objects.for_agency(account.agency).update(state=State.NEEDS_REVIEW, run_at=None)

    assert outages.report(started + timedelta(minutes=26)) == 1

    told = Job.objects.for_agency(account.agency).filter(payload__mail__startswith="vendor_").order_by("pk")
    assert [job.payload["mail"] for job in told] == ["vendor_trouble", "vendor_recovered"]
    account.refresh_from_db()
    assert account.last_outage["since"] == started.isoformat()


def test_from_the_first_failure_to_the_report(
    sandbox: Sandbox, north: Agency, ada: User, client_for: Any, quick: None, settings: Any
):
    rows = wishes(north, 7)
    staff = client_for(north, ada)
    go_down(sandbox, north, settings)
    VendorAccount.objects.filter(agency__name="North").update(trouble_since=timezone.now() - timedelta(hours=2))
    Subaccount.objects.for_agency(north).update(changed_at=timezone.now() - timedelta(minutes=50))

    asked = len(sandbox.requests())
    make_due(north)
    for _ in rows:
        provisioning.attempt()
    assert len(sandbox.requests()) == asked, "nobody hammers"
    assert {fresh(row).attempts for row in rows} == {0}
    for page in ("/console/", "/console/attention/"):
        text = staff.get(page).content.decode()
        assert "The vendor is not answering" in text
        assert "7 customers wait." in text
    assert send_mails() == ["North: new accounts and launches have to wait"]

    come_back(sandbox)
    account = VendorAccount.objects.get(agency=north)
    assert account.last_outage["waited"] == 7
    assert outages.report(timezone.now()) == 0, "not before all are settled"
    assert "The vendor is back" in staff.get("/console/").content.decode()
    work_off(north)
    assert outages.report(timezone.now()) == 1
    assert outages.report(timezone.now()) == 0

    assert {fresh(row).state for row in rows} == {State.ACTIVE}
    assert made(sandbox) == 7
    subjects = send_mails()
    assert subjects.count("North: new accounts and launches have to wait") == 1
    assert subjects.count("North: all that waited for the vendor is caught up") == 1
    report = next(message for message in mail.outbox if "caught up" in message.subject)
    assert report.to == [north.support_email]
    assert "7 customers had to wait; the longest took 50\xa0minutes." in report.body
    event = Event.objects.for_agency(north).get(kind="vendor_account.caught_up")
    assert (event.data["waited"], event.data["to_decide"]) == (7, 0)
    assert 3000 <= event.data["longest"] < 3060
    text = staff.get("/console/").content.decode()
    assert "all is caught up" in text
    assert "7 customers had to wait" in text
    VendorAccount.objects.filter(agency__name="North").update(
        last_outage=account.last_outage | {"finished": "2020-01-01T00:00:00+00:00"} | event.data
    )
    assert "caught up" not in staff.get("/console/").content.decode(), "old news are none"


def test_what_waited_is_taken_up_one_after_the_other(sandbox: Sandbox, north: Agency, quick: None, settings: Any):
    settings.PROVISIONING_DRAIN_PER_MINUTE = 30
    sandbox.add_subaccount("north-id", email="first@shop.example")  # next door has its number, which is read twice
    rows = wishes(north, 12)
    go_down(sandbox, north, settings)

    come_back(sandbox)

    turns = sorted(fresh(row).run_at for row in rows)
    gaps = {round((after - before).total_seconds(), 3) for before, after in pairwise(turns)}
    assert gaps == {2.0}
    assert {fresh(row).cause for row in rows} == {Cause.NONE}, "nobody waits for the vendor any more"
    before = len(sandbox.requests())
    while provisioning.attempt():
        pass
    assert len(sandbox.requests()) - before <= 3, "only whose turn has come"


def test_what_waits_for_the_budget_or_for_its_next_look_is_not_brought_forward(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    budget, uncertain, waiting = wishes(north, 3)
    go_down(sandbox, north, settings)
    later = timezone.now() + timedelta(hours=5)
    ours = Subaccount.objects.for_agency(north)
    ours.filter(pk=budget.pk).update(run_at=later, cause=Cause.DAILY_BUDGET)
    ours.filter(pk=uncertain.pk).update(run_at=later, state=State.UNCERTAIN)

    come_back(sandbox)

    assert (fresh(budget).run_at, fresh(uncertain).run_at) == (later, later)
    assert fresh(waiting).run_at < later
    assert fresh(budget).late_since is None


def test_a_neighbours_outage_moves_nothing_here(
    sandbox: Sandbox, north: Agency, south: Agency, quick: None, settings: Any
):
    wishes(north, 2)
    go_down(sandbox, north, settings)
    foreign = factories.customer(south, factories.person(south, "kim@south.example")).subaccount
    later = timezone.now() + timedelta(minutes=9)
    Subaccount.objects.for_agency(south).update(run_at=later)

    come_back(sandbox)

    assert (fresh(foreign).run_at, fresh(foreign).late_since) == (later, None)


def test_customers_read_one_calm_sentence_in_the_agencys_own_words(
    sandbox: Sandbox, north: Agency, ada: User, bo: User, active: Subaccount, client_for: Any
):
    kim = factories.person(north, "kim@shop.example")
    waiting = factories.customer(north, kim).subaccount
    own = "Our editor is being looked after. Have a coffee on us."
    brand = client_for(north, ada).get("/console/brand/").context["form"]
    data = {name: value for name, value in brand.initial.items() if value is not None}
    answer = client_for(north, ada).post("/console/brand/", data | {"outage_message": own})
    assert answer.status_code == 302
    VendorAccount.objects.filter(agency__name="North").update(
        trouble="unreachable", trouble_since=timezone.now(), probe_at=timezone.now() + timedelta(minutes=1)
    )
    Subaccount.objects.for_agency(north).filter(pk=waiting.pk).update(cause=Cause.VENDOR_UNREACHABLE)
    company, other = active.customer.public_id, waiting.customer.public_id

    pages = [
        client_for(north, bo).get(f"/c/{company}/"),
        client_for(north, bo).post(f"/c/{company}/launch/", {"page": ""}),
        client_for(north, kim).get(f"/c/{other}/setup/"),
    ]

    for page in pages:
        text = page.content.decode()
        assert own in text
        assert "vendor" not in text.lower().replace("/vendor/", "")
    assert calls(sandbox, CREATE) == 0
    north.refresh_from_db()
    assert north.outage_message == own


def test_closing_the_breaker_and_claiming_do_not_wait_for_each_other(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    """A claim holds its row and waits for the vendor account's; the drain holds that and skips the row."""
    rows = wishes(north, 3)
    account = go_down(sandbox, north, settings)
    Subaccount.objects.for_agency(north).filter(pk=rows[0].pk).update(
        lease_owner="somebody", lease_until=timezone.now() + timedelta(minutes=1), run_at=timezone.now()
    )
    held = fresh(rows[0]).run_at

    assert outages.end(account, now=timezone.now())

    assert fresh(rows[0]).run_at == held
    assert fresh(rows[0]).late_since is not None, "it is late all the same"
    assert not outages.end(account, now=timezone.now()), "once"
    assert connection.in_atomic_block is False


@only_postgres
def test_closing_the_breaker_does_not_wait_for_a_row_that_is_being_claimed(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    """The claim waits for the vendor account's row, which is held here: each would wait for the other."""
    rows = wishes(north, 3)
    account = go_down(sandbox, north, settings)
    held = fresh(rows[0]).run_at

    with in_other_hands(rows[0]):
        assert outages.end(account, now=timezone.now())

    assert [fresh(row).late_since is not None for row in rows] == [False, True, True]
    assert fresh(rows[0]).run_at == held
    account.refresh_from_db()
    assert (account.trouble, account.last_outage["waited"]) == ("", 3), "it waited all the same"


@only_postgres
def test_the_report_comes_when_nobody_has_one_of_the_late_in_hand(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    rows = wishes(north, 2)
    go_down(sandbox, north, settings)
    come_back(sandbox)
    work_off(north)

    with in_other_hands(rows[1]):
        assert outages.report(timezone.now()) == 0
    assert outages.report(timezone.now()) == 1

    assert [fresh(row).late_since for row in rows] == [None, None]
    assert VendorAccount.objects.get(agency=north).last_outage["waited"] == 2
