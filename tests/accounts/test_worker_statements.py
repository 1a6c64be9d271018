"""A worker's steps have no statement to spare: their number bounds how many sign-ups a second a worker makes."""

import copy
from types import SimpleNamespace

import pytest
from django.db import NotSupportedError, connection, connections
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext

from accounts import jobs, provisioning, refreshes, worker_connections
from accounts.models import Agency, Job, State, Subaccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import fresh

# On PostgreSQL the database is also asked for the time (accounts/clock.py). A refresh asks first whether a mail is due,
# and then for what else is: one question for both would read all that waits.
MOST = {"sign-up": 54, "refresh": 19}
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
        refreshes.put(fresh(subaccount))

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


def test_a_connection_whose_plan_is_stale_is_given_up():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite plans again by itself")
    about = copy.deepcopy(connection.settings_dict)
    about["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": worker_connections.PLANNED_AFTER}
    ours = type(connections["default"])(about)
    worker_connections._watch(ours)

    def read() -> list[tuple[str]]:
        with ours.cursor() as cursor:
            cursor.execute("SELECT word FROM planned")
            return cursor.fetchall()

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE planned (word varchar(9))")
        try:
            for _ in range(worker_connections.PLANNED_AFTER + 2):
                read()
            cursor.execute("ALTER TABLE planned ALTER COLUMN word TYPE varchar(99)")
            with pytest.raises(NotSupportedError, match="cached plan"):
                read()
            assert read() == []
        finally:
            ours.close()
            cursor.execute("DROP TABLE planned")
