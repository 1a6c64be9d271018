"""Celery is only the bell: a lost, doubled or forged message, or a broker that is down, changes nothing."""

import json
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError

from accounts import claims, tasks
from accounts.mails import put_mail
from accounts.models import Agency, Job, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from portal.celery import app
from tests import factories
from tests.run import ROOT, environment_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_sweep_rings_for_everything_that_is_due(
    sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    app.conf.task_always_eager = True
    try:
        tasks.sweep()
        tasks.sweep()
    finally:
        app.conf.task_always_eager = False

    bos_subaccount.refresh_from_db()
    assert bos_subaccount.state == State.ACTIVE
    assert len(sandbox.effects("subaccount_created")) == 1
    assert not Job.objects.for_agency(bos_subaccount.agency).exclude(run_at=None).exists()


def test_a_slow_pools_queue_is_never_longer_than_what_is_due(north: Agency, monkeypatch: pytest.MonkeyPatch):
    """A sweep rings for what has no message yet: one that came 40 times would leave 40 times as many, for nothing."""
    for number in range(10):
        factories.customer(north, factories.person(north, f"n{number}@shop.example"))
    Job.objects.create(kind="mail", agency=north, payload={"mail": "x"})
    queue: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks.provision, "apply_async", lambda args: queue.append(("wish", *args)))
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda args: queue.append(("job", *args)))

    for _ in range(40):
        tasks.ring_for_due(waiting=len(queue), in_bulk=0)
    assert len(queue) == len(set(queue)) == 11
    assert ("job", Job.objects.for_agency(north).get().pk) in queue[:2], "neither kind stands before the other"

    del queue[:5]  # lost
    tasks.ring_for_due(waiting=len(queue), in_bulk=0)
    assert len(queue) == 11
    queue.clear()
    tasks.ring_for_due(waiting=0, in_bulk=0)
    assert len(set(queue)) == 11, "what was lost is rung for as soon as the others are gone"


def test_an_agency_with_more_due_than_a_sweep_rings_for_hides_no_other(
    north: Agency, south: Agency, monkeypatch: pytest.MonkeyPatch
):
    """North's burst is older and longer than a sweep's 500; South's wish and mail, and the operators', are rung for."""
    for number in range(3):
        factories.customer(north, factories.person(north, f"n{number}@shop.example"))
    Job.objects.bulk_create(Job(kind="mail", agency=north, payload={"mail": "x"}) for _ in range(520))
    theirs = factories.customer(south, factories.person(south, "kim@south.example")).subaccount
    mails = [Job.objects.create(kind="mail", agency=agency, payload={"mail": "x"}) for agency in (south, None)]
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks.provision, "apply_async", lambda args: rung.append(("wish", *args)))
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda args: rung.append(("job", *args)))

    with CaptureQueriesContext(connection) as statements:
        wishes = claims.due_keys(Subaccount)
    tasks.ring_for_due(waiting=0, in_bulk=0)

    assert wishes.index(theirs.pk) == 1, "the first of every agency, before the second of any"
    assert len(wishes) == 4
    assert len(statements) == (2 if connection.vendor == "postgresql" else 1), "one, and the time"
    assert claims.due_keys(Subaccount, limit=2) == wishes[:2]
    assert {("job", mail.pk) for mail in mails} | {("wish", theirs.pk)} <= set(rung[:6])


def test_a_mail_waits_behind_no_bulk(north: Agency, monkeypatch: pytest.MonkeyPatch, settings: Any):
    """Refreshes of every customer are due, and then somebody signs up: the code is rung for, in a queue of its own."""
    for number in range(30):
        Job.objects.create(kind="refresh", agency=north, payload={"subaccount": number})
    mail = Job.objects.create(kind="mail", agency=north, payload={"mail": "x"})
    rung: list[tuple[str, int]] = []

    def ring(args: tuple[int], queue: str = "interactive", **options: Any) -> None:
        rung.append((queue, *args))

    monkeypatch.setattr(tasks.run_job, "apply_async", ring)
    tasks.ring_for_due(waiting=0, in_bulk=0)
    by_sweep = [pk for queue, pk in rung if queue == "interactive"]
    rung.clear()
    settings.BROKER_URL = "amqp://127.0.0.1:9//"
    monkeypatch.setattr(transaction, "on_commit", lambda func, robust: func())
    tasks.wake()

    assert by_sweep == [mail.pk]
    assert [pk for queue, pk in rung if queue == "interactive"] == [mail.pk]
    assert {queue for queue, _pk in rung} == {"interactive", "bulk"}


def test_a_broker_that_cannot_say_how_much_waits_stops_no_sweep(settings: Any, monkeypatch: pytest.MonkeyPatch):
    for url in ("redis://127.0.0.1:9/0", "amqp://127.0.0.1:9//"):
        settings.BROKER_URL = url
        monkeypatch.setattr(
            type(app), "connection_for_read", lambda self, address=url: self.connection_for_write(address)
        )
        assert tasks._waiting("interactive") == 0


def test_a_message_that_comes_three_times_makes_one_subaccount(sandbox: Sandbox, bos_subaccount: Subaccount):
    for _ in range(3):
        tasks.provision(bos_subaccount.pk)
    tasks.provision(424_242)

    assert len(sandbox.effects("subaccount_created")) == 1


@pytest.fixture
def rung(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The wishes that are rung for, in a broker that a test works off itself."""
    settings.BROKER_URL = "memory://"
    wishes: list[int] = []
    monkeypatch.setattr(tasks.provision, "apply_async", lambda args, **options: wishes.extend(args))
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda args, **options: None)
    return wishes


def test_a_burst_drains_by_itself_though_its_messages_came_while_all_claims_were_held(
    sandbox: Sandbox, north: Agency, south: Agency, rung: list[int]
):
    wishes = [factories.customer(north, factories.person(north, f"n{n}@shop.example")).subaccount for n in range(6)]
    factories.customer(south, factories.person(south, "kim@south.example"))
    held = [claims.claim(Subaccount, pk=wish.pk) for wish in wishes[: claims.MAX_HELD]]
    assert all(held)
    rung.clear()
    for wish in wishes:
        tasks.provision(wish.pk)
    assert rung == [], "who found nothing to do rings for nobody"

    ours = Subaccount.objects.for_agency(north)
    ours.update(lease_owner="", lease_until=None)
    tasks.provision(wishes[0].pk)  # who held a claim, at the end of the step
    assert rung == [wishes[1].pk, wishes[2].pk], "as many as may be held, and of this agency only"
    messages = 1
    while rung:
        tasks.provision(rung.pop(0))
        messages += 1

    assert set(ours.values_list("state", flat=True)) == {State.ACTIVE}
    assert messages <= 1 + claims.MAX_HELD * len(wishes), "no more than what was done brings"


def test_a_refresh_that_ends_leaves_its_room_to_a_wish(
    sandbox: Sandbox, north: Agency, south: Agency, active: Subaccount, rung: list[int]
):
    wishes = [factories.customer(north, factories.person(north, f"n{n}@shop.example")).subaccount for n in range(2)]
    factories.customer(south, factories.person(south, "kim@south.example"))
    Job.objects.for_agency(north).delete()
    refresh = Job.objects.create(kind="refresh", agency=north, payload={"subaccount": active.pk})
    mails = [put_mail("vendor_trouble", agency=agency, trouble="unreachable") for agency in (north, None)]
    rung.clear()

    tasks.run_job(refresh.pk)
    assert rung == [wishes[0].pk]
    for job in (refresh, *mails):
        tasks.run_job(job.pk)
    assert rung == [wishes[0].pk], "neither a job that is done nor a mail has left any room"


def test_a_broker_that_goes_away_undoes_no_step(
    sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    north = bos_subaccount.agency
    factories.customer(north, factories.person(north, "kim@shop.example"))
    settings.BROKER_URL = "amqp://127.0.0.1:9//"

    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the broker is down")

    monkeypatch.setattr(tasks.provision, "apply_async", down)
    monkeypatch.setattr(tasks.run_job, "apply_async", down)

    tasks.provision(bos_subaccount.pk)

    bos_subaccount.refresh_from_db()
    assert bos_subaccount.state == State.ACTIVE


def test_a_broker_that_is_down_does_not_undo_a_sign_up(north: Agency, settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.BROKER_URL = "amqp://127.0.0.1:9//"

    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the broker is down")

    monkeypatch.setattr(tasks.provision, "apply_async", down)
    bo: User = factories.person(north, "bo@shop.example")

    subaccount = factories.customer(north, bo).subaccount

    assert subaccount.state == State.REQUESTED


def test_messages_carry_nothing_but_a_key(north: Agency, settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.BROKER_URL = "memory://"
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.provision, "apply_async", lambda args, **options: sent.append(args))
    bo = factories.person(north, "bo@shop.example")

    subaccount = factories.customer(north, bo).subaccount

    assert sent == [(subaccount.pk,)]


def test_the_schedule_and_the_safe_settings_are_in_force(settings: Any):
    assert app.conf.beat_schedule["sweep"]["task"] == tasks.sweep.name
    assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost) == (True, True)
    assert app.conf.task_ignore_result is True
    assert app.conf.accept_content == ["json"]
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < settings.PROVISIONING_LEASE_SECONDS
    assert app.conf.task_soft_time_limit > settings.VENDOR_LIST_DEADLINE_SECONDS + settings.VENDOR_DEADLINE_SECONDS
    assert app.conf.worker_cancel_long_running_tasks_on_connection_loss is True
    assert app.conf.broker_connection_max_retries is None


@pytest.mark.parametrize(
    ("url", "queue_type", "options"),
    [
        ("amqp://broker.example//", "quorum", {"confirm_publish": True}),
        (
            "redis://broker.example/0",
            "classic",
            {"visibility_timeout": 600, "unacked_restore_interval": 10, "unacked_restore_throttle": 1},
        ),
    ],
)
def test_each_broker_gets_what_it_needs(url: str, queue_type: str, options: dict[str, Any]):
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json, portal.settings as s; from portal.celery import app;"
            "print(json.dumps([app.conf.task_default_queue_type, app.conf.broker_transport_options]))",
        ],
        cwd=ROOT,
        env=environment_for(BROKER_URL=url),
        capture_output=True,
        text=True,
        check=True,
    )
    found_type, found = json.loads(told.stdout)
    assert found_type == queue_type
    assert options.items() <= found.items()
    assert found.get("visibility_timeout", 600) > app.conf.task_time_limit
