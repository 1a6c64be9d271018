"""Celery is only the bell: a lost, doubled or forged message, or a broker that is down, changes nothing."""

from typing import Any

import pytest
from kombu.exceptions import OperationalError

from accounts import tasks
from accounts.models import Agency, Job, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from portal.celery import app
from tests import factories

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


def test_a_message_that_comes_three_times_makes_one_subaccount(sandbox: Sandbox, bos_subaccount: Subaccount):
    for _ in range(3):
        tasks.provision(bos_subaccount.pk)
    tasks.provision(424_242)

    assert len(sandbox.effects("subaccount_created")) == 1


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


def test_the_schedule_and_the_safe_settings_are_in_force():
    assert app.conf.beat_schedule["sweep"]["task"] == tasks.sweep.name
    assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost) == (True, True)
    assert app.conf.task_ignore_result is True
    assert app.conf.accept_content == ["json"]
