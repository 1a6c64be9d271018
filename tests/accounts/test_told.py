"""What watches the workers in every test (tests/told.py) sees a step that changes a row and tells nobody."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction

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
        *("provisioning.attempt", "jobs.run", "jobs.schedule_refreshes", "reconcile.schedule"),
        *("outages.report", "retention.enforce", "vendor.probe"),
    } <= told.work_of_workers().keys()


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

    assert untold(quiet) == []
    assert untold(silent) == ["accounts_subaccount.state"]
    assert untold(tells_too_late) == ["accounts_subaccount.state"]
    assert untold(tells) == []
    assert untold(fails) == []
    assert untold(lambda: rows.filter(state=State.MISSING).update(state=State.ACTIVE)) == [], "no row was changed"


def test_a_row_that_comes_or_goes_is_seen(untold: Any, bos_company: Customer):
    note = bos_company.notes.model(agency=bos_company.agency, customer=bos_company, text="Called")

    assert untold(note.save) == ["+accounts_note"]
    assert untold(note.delete) == ["-accounts_note"]
