"""Whose accounts are read again, and what a reading that comes late may change."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import clock, jobs, reconcile, refreshes, vendor, vendor_accounts
from accounts.models import Agency, Customer, Job, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import GET, LIST, calls, fresh, probe_due

pytestmark = pytest.mark.django_db(transaction=True)


def stale(agency: Agency, number: int, name: str) -> list[Subaccount]:
    """Accounts that were last read long ago."""
    rows = []
    for n in range(number):
        customer = factories.customer(agency, factories.person(agency, f"{name}{n}@shop.example"))
        rows.append(factories.activate(customer, None))
    long_ago = timezone.now() - timedelta(days=1)
    ours = Subaccount.objects.for_agency(agency).filter(pk__in=[row.pk for row in rows])
    ours.update(refreshed_at=long_ago, bound_at=long_ago)
    Job.objects.for_agency(agency).delete()
    return rows


def has_jobs(*rows: Subaccount) -> list[bool]:
    named = Job.objects.across_agencies().values_list("payload__subaccount", flat=True)
    return [row.pk in named for row in rows]


def test_readings_that_cannot_be_done_keep_nobody_elses_from_being_asked_for(
    north: Agency, south: Agency, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(refreshes, "SCHEDULED_AT_ONCE", 3)
    theirs, later = stale(north, 7, "n"), stale(south, 2, "s")

    assert refreshes.schedule() == 3
    assert has_jobs(*later).count(True) >= 1, "each agency's first before any second one"
    while refreshes.schedule():
        pass

    assert has_jobs(*theirs, *later) == [True] * 9
    assert Job.objects.across_agencies().filter(kind="refresh").count() == 9, "one for each, however often it is asked"


def test_a_launch_that_is_noted_late_takes_no_later_one_back(sandbox: Sandbox, active: Subaccount):
    north, now = active.agency, timezone.now()
    Job.objects.for_agency(north).delete()
    first, second = now - timedelta(minutes=20), now - timedelta(minutes=10)
    sandbox.fault(GET, "html", status=503, times=3)
    for launched_at in (first, second):
        refreshes.put(active, launched_at=launched_at)
        while jobs.run():
            pass

    Job.objects.for_agency(north).filter(done_at=None).update(run_at=now)
    while jobs.run():
        pass

    customer = Customer.objects.for_agency(north).get(pk=active.customer_id)
    assert (customer.first_launch_at, customer.last_launch_at) == (first, second)
    assert not Job.objects.for_agency(north).filter(done_at=None).exists()


def test_accounts_that_have_expired_have_the_list_read_once_and_not_each(sandbox: Sandbox, north: Agency):
    stale(north, 6, "n")
    sandbox.fault(GET, "status", status=200, codes=[101], times=None)
    assert refreshes.schedule() == 6

    for _ in range(2):
        Job.objects.for_agency(north).update(run_at=timezone.now())
        while jobs.run():
            pass
        probe_due()

    assert (calls(sandbox, GET), calls(sandbox, LIST)) == (12, 1)
    assert VendorAccount.objects.get(agency=north).trouble == "", "the list still reads"


def test_a_look_for_what_is_stale_costs_the_same_however_much_waits(north: Agency):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            refreshes.schedule()
        return len(asked)

    stale(north, 2, "few")
    few = statements()
    stale(north, 12, "many")

    assert statements() == few


def test_a_key_pair_is_not_kept_where_the_agency_has_said_no_while_the_vendor_was_asked(
    sandbox: Sandbox, active: Subaccount, ada: User, monkeypatch: pytest.MonkeyPatch
):
    vendor_accounts.change(active.agency, offers_pages=True, reads_statistics=True, acting_user=ada)
    ask = vendor.ask

    def ask_then_no(*asked: Any, **how: Any) -> Any:
        answer = ask(*asked, **how)
        vendor_accounts.change(active.agency, offers_pages=True, reads_statistics=False, acting_user=ada)
        return answer

    Job.objects.for_agency(active.agency).delete()
    refreshes.put(active)
    assert jobs.run()
    assert fresh(active).sealed_keys
    monkeypatch.setattr(vendor, "ask", ask_then_no)
    refreshes.put(active, after=timedelta(seconds=-90))
    assert jobs.run()

    assert fresh(active).sealed_keys == ""


def test_what_is_absent_and_cannot_be_read_is_asked_for_by_one_job(
    sandbox: Sandbox, active: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    """Hour after hour the list lacks it, and the question for it fails: else each hour would leave a job of its own."""
    Job.objects.for_agency(active.agency).delete()
    Subaccount.objects.for_agency(active.agency).update(bound_at=timezone.now() - timedelta(days=9))
    sandbox.remove_subaccount(active.vendor_id)
    sandbox.fault(GET, "status", status=500, times=None)
    start = timezone.now()

    for hour in range(4):
        monkeypatch.setattr(clock, "now", lambda hour=hour: start + timedelta(hours=hour))
        VendorAccount.objects.update(trouble="", recent_failures=0, probe_at=None)
        reconcile.run(active.agency)
        while jobs.run():
            pass

    assert Job.objects.for_agency(active.agency).filter(kind=Job.Kind.REFRESH, done_at=None).count() == 1
