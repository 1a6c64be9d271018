"""Whoever rests is woken by a commit, on PostgreSQL; and where no ring comes, the worker looks by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts import bell, provisioning, tasks
from accounts.bell import Bell
from accounts.management.commands.work import _work
from accounts.models import Agency, State, Subaccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import fresh, made

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0  # no look of a worker's own comes to its help
only_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no bell")


def _within(seconds: float, holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _listeners() -> list[int]:
    with connection.cursor() as cursor:
        # Of this database: tests in other processes have theirs.
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s",
            [f"LISTEN {bell.CHANNEL}%"],
        )
        return [pid for (pid,) in cursor.fetchall()]


@contextmanager
def listening(own: Bell) -> Iterator[threading.Event]:
    stop = threading.Event()
    listener = threading.Thread(target=own.listen, args=(stop,))
    listener.start()
    try:
        assert _within(10, lambda: own.rings), "it listens"
        yield stop
    finally:
        stop.set()
        listener.join()


@contextmanager
def resting_worker() -> Iterator[None]:
    """Two hands that have looked, found nothing, and rest for longer than any test takes."""
    own = Bell()
    with listening(own) as stop:
        hands = [threading.Thread(target=_work, args=(stop, own)) for _ in range(2)]
        for hand in hands:
            hand.start()
        time.sleep(0.5)
        try:
            yield
        finally:
            stop.set()
            own.ring(2)
            for hand in hands:
                hand.join()


@only_postgres
def test_a_proven_mailbox_wakes_a_worker_that_rests(sandbox: Sandbox, north: Agency, settings: Any):
    settings.SWEEP_SECONDS = LONG
    bo = factories.person(north, "bo@shop.example")
    with resting_worker():
        subaccount = factories.customer(north, bo).subaccount

        assert _within(LONG / 2, lambda: fresh(subaccount).state == State.ACTIVE)


@only_postgres
def test_it_rings_at_the_commit_and_for_nothing_that_was_undone(db: None):
    own = Bell()
    with listening(own):
        before = own.rings
        with transaction.atomic():
            tasks.wake()
            time.sleep(0.3)
            assert own.rings == before, "not committed yet"
        assert _within(5, lambda: own.rings == before + 1)
        with transaction.atomic():
            tasks.wake()
            transaction.set_rollback(True)
        time.sleep(0.3)
        assert own.rings == before + 1


@only_postgres
def test_a_listener_that_lost_its_connection_opens_another_and_rings_for_what_it_missed(settings: Any):
    settings.SWEEP_SECONDS = 0.1
    own = Bell()
    with listening(own):
        (lost,), before = _listeners(), own.rings
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [lost])

        assert _within(10, lambda: own.rings > before), "it looks for what was rung meanwhile"
        assert _within(10, lambda: _listeners() not in ([], [lost]))
        before = own.rings
        tasks.wake()
        assert _within(5, lambda: own.rings > before)


def test_a_ring_that_is_lost_changes_nothing(
    sandbox: Sandbox, north: Agency, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.SWEEP_SECONDS = 0.1
    monkeypatch.setattr(bell, "ring", lambda: None)
    stop, deaf = threading.Event(), Bell()
    hand = threading.Thread(target=_work, args=(stop, deaf))
    hand.start()
    try:
        subaccount = factories.customer(north, factories.person(north, "bo@shop.example")).subaccount

        assert _within(15, lambda: fresh(subaccount).state == State.ACTIVE)
    finally:
        stop.set()
        hand.join()
    assert made(sandbox) == 1


def test_rings_without_work_change_nothing(sandbox: Sandbox, bos_subaccount: Subaccount):
    for _ in range(3):
        tasks.wake(bos_subaccount)
    provisioning.attempt()

    for _ in range(3):
        tasks.wake(bos_subaccount)
    while provisioning.attempt():
        pass

    assert made(sandbox) == 1


def test_no_ring_between_a_look_and_the_rest_is_missed():
    own = Bell()
    heard = own.rings
    own.ring()

    started = time.monotonic()
    own.rest(heard, LONG)

    assert time.monotonic() - started < LONG / 2


def test_a_database_that_cannot_be_listened_to_ends_no_worker(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.SWEEP_SECONDS = 0.01
    tries, stop = [], threading.Event()

    def refused(self: Bell, stop: threading.Event) -> None:
        tries.append(1)
        if len(tries) == 3:
            stop.set()
        raise psycopg.OperationalError("refused")

    monkeypatch.setattr(Bell, "_listen", refused)
    monkeypatch.setattr("accounts.bell.connection.vendor", "postgresql", raising=False)

    Bell().listen(stop)

    assert len(tries) == 3
