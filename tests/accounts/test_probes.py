"""Whether a vendor account is back is asked of each by itself: one that hangs holds up nobody else's."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tasks, vendor
from accounts.management.commands import work
from accounts.models import Agency, Event, Job, Subaccount, VendorAccount
from coupontools_api.errors import Throttled, Unauthorized
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import GET, LIST, calls, five_clicks, probe_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.installation]
SSO = "/v3/subaccount/sso"
PATIENCE = 20.0  # of a slow machine; nothing here waits for it where all is well


def down(agency: Agency, *, minutes: int) -> int:
    """Its breaker is open and its probe is due for so long. Returns the vendor account's key."""
    now = timezone.now()
    account = VendorAccount.objects.filter(agency=agency)
    account.update(trouble="unreachable", trouble_since=now, probe_at=now - timedelta(minutes=minutes))
    return account.get().pk


def until(is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < patience
        time.sleep(0.02)


@pytest.fixture
def four(north: Agency, south: Agency) -> list[int]:
    """Four vendor accounts that did not answer, the longest due first."""
    more = [factories.agency(name, f"{name.lower()}.localhost", keys=(f"{name}-id", "x")) for name in ("East", "West")]
    return [down(agency, minutes=9 - n) for n, agency in enumerate([south, *more, north])]


def test_who_is_due_longest_is_asked_first_and_each_once_a_turn(four: list[int], monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    monkeypatch.setattr(vendor, "_probe", lambda account: asked.append(account.pk))

    assert vendor.probes_due() == four
    assert (probe_due(), probe_due()) == (4, 0)

    assert asked == four


def test_the_sweep_rings_for_each_and_asks_nobody_itself(
    four: list[int], sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    rung: list[tuple[int, str]] = []
    monkeypatch.setattr(tasks.probe, "apply_async", lambda args, queue, expires: rung.append((*args, queue)))

    tasks.sweep()

    assert rung == [(pk, settings.PROBE_QUEUE) for pk in four]
    assert sandbox.requests() == []
    tasks.probe(four[-1])
    tasks.probe(four[-1])
    until(lambda: VendorAccount.objects.get(pk=four[-1]).trouble == "")
    assert calls(sandbox, LIST) == 1, "a message that comes twice asks once"


def test_no_process_of_a_pool_waits_for_one_that_hangs(four: list[int], monkeypatch: pytest.MonkeyPatch):
    go_on, asked = threading.Event(), list[int]()

    def probe(pk: int) -> bool:
        asked.append(pk)
        return go_on.wait(PATIENCE)

    monkeypatch.setattr(vendor, "probe", probe)
    try:
        for pk in four:
            tasks.probe(pk)
        until(lambda: len(asked) == 2)
        assert not go_on.is_set(), "the task is over, and both still hang"
        tasks.probe(four[0])
        assert sorted(asked) == sorted(four[:2]), "more of them find no hand, and are rung for again"
    finally:
        go_on.set()
    until(lambda: not any(thread.name.startswith("prober") for thread in threading.enumerate()))


def test_a_worker_asks_the_fourth_while_three_hang(four: list[int], monkeypatch: pytest.MonkeyPatch):
    go_on, stop, asked = threading.Event(), threading.Event(), list[int]()
    was_asked = threading.Event()

    def probe(pk: int) -> bool:
        asked.append(pk)
        if pk == four[-1]:
            was_asked.set()
        else:
            go_on.wait(PATIENCE)
        return True

    monkeypatch.setattr(vendor, "probe", probe)
    monkeypatch.setattr(work, "PROBE_SECONDS", 0.01)
    hand = threading.Thread(target=work._probe, args=(stop,))
    hand.start()
    try:
        assert was_asked.wait(PATIENCE)
        assert max(map(asked.count, four[:-1])) <= 1, "whom a hand is asking no other one takes"
    finally:
        go_on.set()
        stop.set()
        hand.join()


def test_one_account_that_cannot_be_opened_keeps_nobody_from_theirs(
    sandbox: Sandbox, active: Subaccount, quick: None, settings: Any
):
    settings.BREAKER_PROBE_SECONDS = 60.0
    sandbox.fault(SSO, "wrong_id", id="sub_999999", times=None)

    five_clicks(active)
    assert probe_due() == 1
    account = five_clicks(active)

    assert probe_due() == 0, "the list was read a moment ago"
    assert not account.is_open
    assert calls(sandbox, LIST) == 1
    assert not Job.objects.for_agency(active.agency).filter(payload__mail="vendor_trouble").exists()


def test_nobody_is_asked_whether_they_are_back_who_asked_us_to_slow_down(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    settings.BREAKER_PROBE_SECONDS = 60.0
    down(north, minutes=1)
    account = VendorAccount.objects.filter(agency=north)

    for throttled_until, asked in ((timezone.now() + timedelta(hours=1), 0), (timezone.now(), 1)):
        account.update(probe_at=timezone.now(), throttled_until=throttled_until)
        assert probe_due() == asked
        assert not vendor.probe(account.get().pk)
        assert calls(sandbox, LIST) == asked


def test_an_answer_to_what_was_asked_before_the_trouble_does_not_end_it(sandbox: Sandbox, active: Subaccount):
    """A slow launch is under way; meanwhile the list is refused and the breaker opens; then the launch is answered."""
    rows = VendorAccount.objects.select_related("active_credential", "agency")
    VendorAccount.objects.filter(agency=active.agency).update(recent_failures=1)

    def slow(client: Any) -> str:
        sandbox.fault(LIST, "status", status=401, codes=[1000], times=1)
        with pytest.raises(Unauthorized):
            vendor.look(rows.get(agency=active.agency))
        return "opened"

    vendor.ask(rows.get(agency=active.agency), slow, for_click=True)

    account = rows.get(agency=active.agency)
    assert (account.trouble, account.probe_at is None) == (VendorAccount.Trouble.CREDENTIALS, False)
    assert not Event.objects.for_agency(active.agency).filter(kind="vendor_account.recovered").exists()


def test_the_longer_of_two_pauses_holds(sandbox: Sandbox, active: Subaccount):
    """Two calls are under way. The first is told to wait for an hour, the second only that it was too much."""
    rows = VendorAccount.objects.select_related("active_credential", "agency")

    def second(client: Any) -> Any:
        sandbox.fault(LIST, "throttle", retry_after=3600, times=1)
        with pytest.raises(Throttled):
            vendor.look(rows.get(agency=active.agency))
        sandbox.fault(GET, "throttle", retry_after=None, times=1)
        return client.subaccounts.get(active.vendor_id)

    with pytest.raises(Throttled):
        vendor.ask(rows.get(agency=active.agency), second)

    until = rows.get(agency=active.agency).throttled_until
    assert until is not None
    assert until > timezone.now() + timedelta(minutes=50)


def test_nobody_asks_for_an_agency_that_is_stopped(north: Agency):
    down(north, minutes=1)
    assert vendor.probes_due()

    Agency.objects.filter(pk=north.pk).update(stopped_at=timezone.now())

    assert vendor.probes_due() == []
