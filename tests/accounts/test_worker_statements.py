"""A worker's steps have no statement to spare: their number bounds how many sign-ups a second a worker makes."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from accounts import jobs, provisioning, worker_connections
from accounts.models import Agency, Job, State, Subaccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import fresh

# On PostgreSQL the database is also asked for the time (accounts/clock.py).
MOST = {"sign-up": 53, "refresh": 18}
FOR_THE_TIME = {"sign-up": 9, "refresh": 3}
pytestmark = pytest.mark.django_db(transaction=True)


def _ready(agency: Agency, name: str) -> Subaccount:
    subaccount = factories.customer(agency, factories.person(agency, f"{name}@shop.example")).subaccount
    Job.objects.for_agency(agency).delete()
    return subaccount


def test_a_sign_up_takes_no_more_statements_than_it_did(sandbox: Sandbox, north: Agency):
    _ready(north, "first")
    while provisioning.attempt() or jobs.run():
        pass  # what is asked once per process is asked now
    subaccount, taken = _ready(north, "second"), {}

    for name, step in (("sign-up", provisioning.attempt), ("refresh", jobs.run)):
        with CaptureQueriesContext(connection) as statements:
            assert step()
        taken[name] = len(statements)
        assert not Job.objects.for_agency(north).exclude(run_at=None).exists()
        jobs.put_refresh(fresh(subaccount))

    assert fresh(subaccount).state == State.ACTIVE
    asks_time = connection.vendor == "postgresql"
    assert all(taken[name] <= most + asks_time * FOR_THE_TIME[name] for name, most in MOST.items()), taken


def test_nothing_to_do_takes_one_statement_and_the_time(north: Agency):
    Job.objects.for_agency(north).delete()

    with CaptureQueriesContext(connection) as statements:
        assert not provisioning.attempt()

    assert len(statements) == (2 if connection.vendor == "postgresql" else 1)


def test_a_worker_has_a_connection_for_every_hand(monkeypatch: pytest.MonkeyPatch):
    pool = {"max_size": 20}
    of_postgres = SimpleNamespace(settings_dict={"OPTIONS": {"pool": pool}})
    monkeypatch.setattr(worker_connections, "connections", of_process := {"default": of_postgres})
    monkeypatch.setattr(worker_connections, "let_go_of_databases", lambda: None)
    monkeypatch.setattr(worker_connections, "connection_created", Signal())

    worker_connections.provide(4)
    assert pool == {"max_size": 20}

    of_process["default"] = of_postgres
    worker_connections.provide(33)
    assert pool == {"max_size": 33}
