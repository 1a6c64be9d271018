"""A vendor account that hangs holds up neither the worker's sign of life nor the other accounts."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from accounts import retention, worker_connections, workers
from accounts.management.commands import work
from accounts.models import Agency, VendorAccount, Worker
from coupontools_api.sandbox import Sandbox
from tests.accounts.reading import LIST, calls

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.installation]


@contextmanager
def at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker in a thread of this process; told to stop as a signal tells it."""
    monkeypatch.setattr(workers, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(worker_connections, "provide", lambda number: None)  # for this process has other tests
    tellers: list[Callable[..., None]] = []
    monkeypatch.setattr(signal, "signal", lambda number, teller: tellers.append(teller))

    def run() -> None:
        call_command("work")
        connections.close_all()

    worker = threading.Thread(target=run)
    worker.start()
    try:
        yield
    finally:
        tellers[0]()
        worker.join()


@pytest.fixture
def running(sandbox: Sandbox, north: Agency, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker, all of whose probes of North hang."""
    settings.VENDOR_LIST_DEADLINE_SECONDS = 4.0
    monkeypatch.setattr(work, "PROBE_SECONDS", 0.05)
    sandbox.fault(LIST, "hang", seconds=5.0, client_id="north-id", times=None)
    dead(north)
    with at_work(monkeypatch):
        until(lambda: calls(sandbox, LIST) > 0)
        yield


def dead(agency: Agency) -> None:
    now = timezone.now()
    VendorAccount.objects.filter(agency=agency).update(
        trouble="unreachable", trouble_since=now - timedelta(hours=1), probe_at=now
    )


def until(holds: Callable[[], bool]) -> None:
    """Waits for less than a hanging probe takes."""
    end = time.monotonic() + 3
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_whose_probe_hangs_says_that_it_is_alive(running: None):
    before = timezone.now()

    until(lambda: Worker.objects.filter(seen_at__gt=before).exists())


def test_an_account_that_is_back_does_not_wait_for_one_that_hangs(running: None, south: Agency):
    dead(south)

    until(lambda: VendorAccount.objects.get(agency=south).trouble == "")


def test_a_worker_that_has_much_to_delete_is_seen_all_the_same(north: Agency, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(work, "HOUSE_SECONDS", 0.05)
    deletes, goes_on = threading.Event(), threading.Event()
    monkeypatch.setattr(retention, "enforce", lambda now: deletes.set() or goes_on.wait(20))

    with at_work(monkeypatch):
        try:
            assert deletes.wait(20)
            seen = Worker.objects.get().seen_at
            until(lambda: Worker.objects.get().seen_at > seen)
        finally:
            goes_on.set()
