"""No agency waits behind another one: a dead vendor account never has all workers, and clicks have their own way."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections
from django.utils import timezone

from accounts import claims, jobs, operators, panel, provisioning, vendor
from accounts.bell import Bell
from accounts.mails import put_mail
from accounts.management.commands.work import _work
from accounts.models import Agency, Cause, Event, Job, State, Subaccount, User, VendorAccount
from coupontools_api.errors import CoupontoolsError
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import CREATE, LIST, calls, fresh, in_other_hands, made

pytestmark = pytest.mark.django_db(transaction=True)
HANGS = 6.0
THREADS = 4


@contextmanager
def workers(number: int) -> Iterator[None]:
    """The hands of `./run work`, until the block ends."""
    stop, bell = threading.Event(), Bell()
    hands = [threading.Thread(target=_work, args=(stop, bell)) for _ in range(number)]
    for hand in hands:
        hand.start()
    try:
        yield
    finally:
        stop.set()
        for hand in hands:
            hand.join()


def wishes(agency: Agency, number: int) -> list[Subaccount]:
    host = agency.name.lower()
    people = [factories.person(agency, f"f{n}@{host}.example") for n in range(number)]
    return [factories.customer(agency, person).subaccount for person in people]


def settled(rows: list[Subaccount]) -> int:
    return sum(fresh(row).state == State.ACTIVE for row in rows)


def held_by(agency: Agency) -> int:
    now = timezone.now()
    rows = Subaccount.objects.for_agency(agency).filter(lease_until__gt=now).count()
    return rows + Job.objects.for_agency(agency).filter(lease_until__gt=now).exclude(kind="mail").count()


def test_while_one_agencys_vendor_account_is_dead_no_claim_of_another_waits_behind_it(
    sandbox: Sandbox, north: Agency, south: Agency, quick: None, settings: Any, record_figure: Any
):
    settings.VENDOR_LIST_DEADLINE_SECONDS = settings.VENDOR_DEADLINE_SECONDS = HANGS
    dead = factories.activate(
        factories.customer(north, factories.person(north, "d@north.example")), sandbox, "north-id"
    )
    wishes(north, 12)
    alive = wishes(south, 6)
    for number in range(12):
        Job.objects.create(kind="refresh", agency=north, payload={"subaccount": dead.pk}, once=f"x{number}")
    for path in (LIST, "/v3/subaccount", "/v4/subaccount", "/v3/subaccount/get", "/v4/subaccount/get"):
        sandbox.fault(path, "hang", seconds=HANGS, times=None, client_id="north-id")
    started, most, waited = time.monotonic(), 0, len(alive)

    with workers(THREADS):
        while waited and time.monotonic() - started < HANGS - 1.5:
            most = max(most, held_by(north))
            waited = len(alive) - settled(alive)
            time.sleep(0.05)
        took = time.monotonic() - started
        hung = held_by(north)
        sandbox.clear_faults()

    record_figure(
        "dead vendor account",
        f"{waited} claims of another agency waited behind it; its {len(alive)} were made in {took:.1f} s",
    )
    assert waited == 0, "counted"
    assert 1 <= most <= claims.MAX_HELD < THREADS
    assert hung >= 1, "the dead one hung all the while"


@pytest.mark.parametrize("failures", [0b1, 0b1010], ids=["the last call", "creates between lists that are read"])
def test_a_vendor_account_whose_calls_fail_has_one_claim_and_one_that_answers_has_two(
    failures: int, north: Agency, south: Agency, sandbox: Sandbox
):
    wishes(north, 4)
    wishes(south, 4)
    VendorAccount.objects.filter(agency=north).update(recent_failures=failures)

    taken = [claims.claim(Subaccount) for _ in range(8)]

    agencies = [row.agency_id for row in taken if row]
    assert (agencies.count(north.pk), agencies.count(south.pk)) == (1, 2)


def test_claims_at_the_same_moment_keep_the_number(north: Agency, sandbox: Sandbox):
    wishes(north, 12)

    def one(_: int) -> bool:
        try:
            return claims.claim(Subaccount) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(one, range(24)))

    assert taken == claims.MAX_HELD


def test_a_worker_that_died_gives_its_claims_back(north: Agency, sandbox: Sandbox):
    wishes(north, 3)
    assert [claims.claim(Subaccount) is not None for _ in range(3)] == [True, True, False]

    later = timezone.now() + timedelta(seconds=121)

    assert claims.claim(Subaccount, now=later) is not None


def test_mails_go_out_while_the_vendor_account_is_fully_held(north: Agency, sandbox: Sandbox):
    wishes(north, 3)
    while claims.claim(Subaccount):
        pass
    Job.objects.for_agency(north).delete()
    refresh = Job.objects.create(kind="refresh", agency=north, payload={"subaccount": 1})
    put_mail("no_room", agency=north, limit=3)

    while jobs.run():
        pass

    assert len(mail.outbox) == 1
    refresh.refresh_from_db()
    assert (refresh.done_at, refresh.attempts) == (None, 0)


def test_an_agency_with_many_mails_stands_before_nobody(north: Agency, south: Agency):
    """A person waits for a code. Whose mail is next is drawn: one of three not in sixty draws, once in 10^10 times."""
    for agency, number in ((north, 60), (None, 60), (south, 1)):
        for n in range(number):
            put_mail("nothing", agency=agency, to=f"n{n}@shop.example")
    waits, taken = Job.objects.for_agency(south).get().pk, []

    while waits not in taken:
        job = claims.claim(Job)
        assert job is not None
        taken.append(job.pk)

    assert len(taken) < 60


def test_mails_go_before_what_nobody_waits_for(north: Agency, south: Agency):
    for agency in (north, south):
        Job.objects.create(kind="refresh", agency=agency, payload={"subaccount": 1})
        Job.objects.create(kind="reconcile", agency=agency, payload={})
        put_mail("nothing", agency=agency, to="bo@shop.example")

    taken = [job.kind for job in iter(lambda: claims.claim(Job), None)]

    assert taken[:2] == ["mail", "mail"]
    assert sorted(taken[2:]) == ["reconcile", "reconcile", "refresh", "refresh"]


def test_a_click_opens_the_panel_while_background_work_hangs(sandbox: Sandbox, active: Subaccount, bo: User):
    def account() -> VendorAccount:
        rows = VendorAccount.objects.select_related("active_credential", "agency")
        return rows.get(agency=active.agency)

    hanging, go = account(), threading.Barrier(41)
    sandbox.fault(LIST, "hang", seconds=3, times=None)

    def background() -> None:
        go.wait()
        with contextlib.suppress(CoupontoolsError, vendor.Waiting):
            vendor.ask(hanging, lambda client: client.subaccounts.list())
        connections.close_all()

    threads = [threading.Thread(target=background) for _ in range(40)]
    for thread in threads:
        thread.start()
    go.wait()
    time.sleep(0.5)
    started = time.monotonic()
    url = panel.open_panel(active, acting_user=bo)
    took = time.monotonic() - started
    for thread in threads:
        thread.join()

    assert url.startswith("http")
    assert took < 2.0
    assert vendor.clients.get(hanging) is not vendor.clients.get(hanging, for_click=True)


@pytest.mark.parametrize(("threads", "dead"), [(2, 1), (4, 2)])
def test_the_last_hand_is_nobodys_second(
    threads: int, dead: int, sandbox: Sandbox, north: Agency, south: Agency, quick: None, settings: Any
):
    settings.WORKER_THREADS = threads
    settings.VENDOR_LIST_DEADLINE_SECONDS = settings.VENDOR_DEADLINE_SECONDS = 30.0
    west = factories.agency("West", "west.localhost", keys=("west-id", "west-secret"))
    sandbox.add_account("west-id", "west-secret", packages=["pac_1", "pac_2"])
    for agency, client_id in [(north, "north-id"), (south, "south-id")][:dead]:
        wishes(agency, 9)
        sandbox.fault(LIST, "hang", seconds=30.0, times=None, client_id=client_id)
    alive, until = wishes(west, 6), time.monotonic() + 20

    with workers(threads):
        while settled(alive) < len(alive) and time.monotonic() < until:
            time.sleep(0.05)
        hanging = sum(map(held_by, [north, south][:dead]))
        sandbox.clear_faults()

    assert settled(alive) == len(alive)
    assert dead <= hanging < threads, "they hung all the while"


def test_those_that_do_not_answer_hold_half_of_the_hands(north: Agency, south: Agency, settings: Any):
    settings.WORKER_THREADS = 4
    assert not VendorAccount.objects.exclude(recent_failures=0).exists()
    others = [factories.agency(name, f"{name.lower()}.localhost", keys=(name, "x")) for name in ("East", "West", "Mid")]
    for agency in (north, south, *others):
        wishes(agency, 2)
    VendorAccount.objects.filter(agency__in=[north, south, *others[:2]]).update(recent_failures=0b11)

    claimed = [claims.claim(Subaccount) for _ in range(5)]

    failing = [row for row in claimed if row and row.agency != others[2]]
    assert len(failing) == 2
    assert len({row.agency for row in failing}) == 2, "one each"
    assert [row.agency for row in claimed if row and row not in failing] == [others[2]], "no second one either"


@pytest.mark.parametrize(
    ("failures", "waits"), [(0b1, False), (0b1000, False), (0b110000, False), (0b11, True), (0b1001, True)]
)
def test_one_lost_answer_puts_nobody_behind_those_that_do_not_answer(
    failures: int, waits: bool, north: Agency, south: Agency, settings: Any
):
    settings.WORKER_THREADS = 4
    east = factories.agency("East", "east.localhost", keys=("east-id", "x"))
    for agency in (north, east):
        wishes(agency, 2)
    VendorAccount.objects.filter(agency__in=[north, east]).update(recent_failures=0b11)
    assert all(claims.claim(Subaccount) for _ in range(2)), "half of the hands"
    wishes(south, 1)
    VendorAccount.objects.filter(agency=south).update(recent_failures=failures)

    claimed = claims.claim(Subaccount)

    assert (claimed is None) == waits


def test_a_look_is_shared_by_all_who_wait_for_one(sandbox: Sandbox, active: Subaccount):
    account = VendorAccount.objects.select_related("active_credential", "agency").get(agency=active.agency)
    sandbox.fault(LIST, "slow_drip", seconds=1.0)

    def look(wait: float) -> int:
        time.sleep(wait)
        try:
            return len(vendor.look(account))
        finally:
            connections.close_all()

    before = calls(sandbox, LIST)
    with ThreadPoolExecutor(12) as pool:
        seen = list(pool.map(look, [0.0, *[0.3] * 11]))

    assert seen == [1] * 12
    assert calls(sandbox, LIST) - before == 2, "the first, and one for all who came during it"


def test_the_daily_budget_stops_creates_and_tells_staff_once(
    sandbox: Sandbox, north: Agency, ada: User, client_for: Any, quick: None, settings: Any
):
    settings.PROVISIONING_DAILY_CREATES = 2
    rows = wishes(north, 5)

    for _ in range(2):
        Subaccount.objects.for_agency(north).exclude(run_at=None).update(run_at=timezone.now())
        while provisioning.attempt() or jobs.run():
            pass

    assert made(sandbox) == calls(sandbox, CREATE) == 2
    assert [fresh(row).cause for row in rows].count(Cause.DAILY_BUDGET) == 3
    told = [message for message in mail.outbox if "number of new accounts is reached" in message.subject]
    assert [message.to for message in told] == [[north.support_email]]
    assert "may have 2 accounts made a day" in told[0].body
    reached = Event.objects.for_agency(north).filter(kind="vendor_account.budget_reached")
    assert [event.data for event in reached] == [{"allowed": 2}]
    for page in ("/console/", "/console/attention/"):
        text = client_for(north, ada).get(page).content.decode()
        assert "number of new accounts is reached" in text
        assert "3 customers wait." in text

    VendorAccount.objects.filter(agency__name="North").update(
        budget_reached_on=timezone.now().date() - timedelta(days=1)
    )
    assert "new accounts is reached" not in client_for(north, ada).get("/console/").content.decode()
    Subaccount.objects.for_agency(north).exclude(run_at=None).update(run_at=timezone.now())
    while provisioning.attempt() or jobs.run():
        pass
    assert reached.all().count() == 2, "the next day is told anew"


def test_who_waits_for_tomorrow_goes_on_as_soon_as_the_limit_leaves_room(
    sandbox: Sandbox, north: Agency, south: Agency, quick: None, settings: Any
):
    settings.PROVISIONING_DAILY_CREATES = 1
    olu = factories.operator()
    mine, theirs = wishes(north, 4), wishes(south, 2)
    while provisioning.attempt():
        pass
    assert (settled(mine), settled(theirs)) == (1, 1)

    for daily, made_now in ((1, 1), (3, 3), (None, 3)):
        before = [(fresh(row).cause, fresh(row).run_at) for row in theirs]
        operators.set_limits(north, customer_limit=None, daily_creates=daily, acting_user=olu)
        assert [(fresh(row).cause, fresh(row).run_at) for row in theirs] == before, "another agency's wait on"
        while provisioning.attempt():
            pass
        assert (settled(mine), settled(theirs)) == (made_now, 1)

    assert [fresh(row).cause for row in mine].count(Cause.DAILY_BUDGET) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
def test_a_limit_does_not_wait_for_who_claims_one_that_waits_for_tomorrow(north: Agency, bos_subaccount: Subaccount):
    tomorrow = timezone.now() + timedelta(days=1)
    Subaccount.objects.for_agency(north).update(cause=Cause.DAILY_BUDGET, run_at=tomorrow)

    with in_other_hands(bos_subaccount):
        operators.set_limits(north, customer_limit=None, daily_creates=9, acting_user=factories.operator())

    assert Agency.objects.get(pk=north.pk).daily_creates == 9


def test_one_agencys_budget_stops_nobody_else(
    sandbox: Sandbox, north: Agency, south: Agency, quick: None, settings: Any
):
    Agency.objects.filter(pk=north.pk).update(daily_creates=0)
    mine, theirs = wishes(north, 9), wishes(south, 2)

    while provisioning.attempt():
        pass

    assert (settled(mine), settled(theirs)) == (0, 2)
    assert VendorAccount.objects.get(agency=south).budget_reached_on is None
    assert [call.client_id for call in sandbox.requests(LIST)].count("north-id") == 1, "no look for nothing"
