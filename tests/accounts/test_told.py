"""What watches the workers in every test (tests/told.py) sees a step that changes a row and tells nobody."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from accounts import probers, provisioning, tasks
from accounts.management.commands import work
from accounts.models import Customer, Event, State, Subaccount
from tests import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def untold(watched_workers: told.Watch) -> Iterator[Callable[[Callable[[], Any]], list[str]]]:
    """Lets a worker do something, and says what of it no event tells."""

    def found(step: Callable[[], Any]) -> list[str]:
        with suppress(RuntimeError):
            watched_workers.working(step)()
        _numbers, names = watched_workers.report()
        return [name.partition(": ")[2] for name in names]

    return found


def test_all_that_a_worker_does_is_watched():
    assert {
        *("provisioning.attempt", "jobs.run", "refreshes.schedule", "reconcile.schedule"),
        *("outages.report", "retention.catch_up", "vendor.probe"),
    } <= told.work_of_workers().keys()


def test_what_a_worker_does_is_replaced_by_what_watches_it(watched_workers: told.Watch, bos_subaccount: Subaccount):
    watched_workers.report()
    unwatched = {
        name
        for name, (module, function) in told.work_of_workers().items()
        if not hasattr(getattr(module, function), "__wrapped__")
    }
    assert unwatched == set()

    provisioning.attempt()

    numbers, untold = watched_workers.report()
    assert (numbers["told"] > 0, untold) == (True, [])


@pytest.mark.parametrize("caller", [tasks, work, probers], ids=["tasks", "work", "probers"])
def test_what_a_worker_does_is_called_by_its_modules_name(caller: ModuleType):
    """What were imported by its own name would be called past what watches it."""
    homes = {name: value.__module__ for name, value in vars(caller).items() if inspect.isfunction(value)}
    from_elsewhere = {name for name, home in homes.items() if home.startswith("accounts.") and home != caller.__name__}

    assert from_elsewhere <= {"let_go_of_databases", "guarded"}, "which write nothing themselves"


def test_every_task_stands_where_it_is_watched():
    """Or its work is done by the `work` command, too, where it is."""
    elsewhere = {name for name in current_app.tasks if name.startswith("accounts.")} - {
        f"accounts.tasks.{name}" for name in vars(tasks)
    }

    assert elsewhere <= {"accounts.retention.forget"}
    assert "retention.catch_up" in told.work_of_workers()


def test_a_silent_step_is_seen(untold: Any, bos_subaccount: Subaccount):
    rows = Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk)

    def quiet() -> None:
        rows.update(lease_owner="somebody", looked_at=None)

    def silent() -> None:
        rows.update(state=State.NEEDS_REVIEW, lease_owner="")

    def tells_too_late() -> None:
        with transaction.atomic():
            rows.update(state=State.UNCERTAIN)
        Event.objects.record("subaccount.uncertain", agency=bos_subaccount.agency)

    @transaction.atomic
    def tells() -> None:
        rows.update(state=State.REQUESTED)
        with transaction.atomic():
            Event.objects.record("subaccount.requested", agency=bos_subaccount.agency)

    @transaction.atomic
    def fails() -> None:
        rows.update(state=State.CLOSED)
        raise RuntimeError

    @transaction.atomic
    def takes_back_what_it_told() -> None:
        rows.update(state=State.MISSING)
        with suppress(RuntimeError), transaction.atomic():
            Event.objects.record("subaccount.missing", agency=bos_subaccount.agency)
            raise RuntimeError

    assert untold(quiet) == []
    assert untold(takes_back_what_it_told) == ["accounts_subaccount.state"]
    assert untold(silent) == ["accounts_subaccount.state"]
    assert untold(tells_too_late) == ["accounts_subaccount.state"]
    assert untold(tells) == []
    assert untold(fails) == []
    assert untold(lambda: rows.filter(state=State.MISSING).update(state=State.ACTIVE)) == [], "no row was changed"


@pytest.mark.django_db(transaction=True)
def test_an_event_after_the_commit_comes_too_late(untold: Any, bos_subaccount: Subaccount):
    @transaction.atomic
    def tells_when_it_is_over() -> None:
        Subaccount.objects.for_agency(bos_subaccount.agency).update(state=State.MISSING)
        transaction.on_commit(lambda: Event.objects.record("subaccount.missing", agency=bos_subaccount.agency))

    assert untold(tells_when_it_is_over) == ["accounts_subaccount.state"]


def test_a_row_that_comes_or_goes_is_seen(untold: Any, bos_company: Customer):
    note = bos_company.notes.model(agency=bos_company.agency, customer=bos_company, text="Called")

    assert untold(note.save) == ["+accounts_note"]
    assert untold(note.delete) == ["-accounts_note"]
