"""Rows F30, F31, F35, F36, F40 and F42 of the fault table: workers that are killed, stopped, old, late or poor."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import clock, jobs, provisioning, tasks, workers
from accounts.models import Agency, Cause, Job, State, Subaccount, User, VendorAccount, Worker
from coupontools_api.sandbox import Sandbox
from portal import wording
from tests import factories
from tests.accounts.conftest import quick  # noqa: F401 -- the fixture
from tests.accounts.reading import CREATE, LIST, calls, customer_reads, made, staff_read
from tests.crash.failpoints import Plan
from tests.crash.outbox import handed_over
from tests.flows import children
from tests.flows.installation import ROOT, Installation
from tests.flows.test_backup import installation  # noqa: F401 -- the fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]
DAY = timedelta(days=1)
# The places that every wish passes; `./run crash` kills at all of them, thousands of times.
EVERY_WISH_PASSES = (
    "before the claim",
    "before the claim is committed",
    "after the claim is committed",
    "before the look",
    "after the look",
    "before the first look is committed",
    "before the attempt is committed",
    "after the attempt is committed",
    "before a byte is sent",
    "during the socket write",
    "after the request is written",
    "after the vendor's effect",
    "before the binding is committed",
    "after the binding is committed",
    "after a refresh's answer",
    "before a refresh is committed",
    "before a refresh's end is written",
    "before the mail is handed over",
    "after the mail is handed over",
    "before the mail's end is committed",
    "after the mail's end is committed",
)
# The mail server has it, and that is not noted yet: whoever comes next sends it again.
MAIL_COMES_TWICE = ("after the mail is handed over", "before the mail's end is committed")


@pytest.mark.parametrize("point", EVERY_WISH_PASSES)
def test_f30_a_worker_killed_anywhere_leaves_exactly_one_account(
    point: str, sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any, tmp_path: Path
):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "tests.crash.outbox.Outbox", str(tmp_path / "mails")
    assert children.how_it_ended(children.worker(Plan("kill", point))) == "killed"

    read = []
    subaccount = children.settle(
        bos_subaccount.agency, after_each=lambda row: read.append((customer_reads(row), staff_read(row)))
    )

    assert subaccount.state == State.ACTIVE
    assert made(sandbox) == 1
    hers, theirs = zip(*read, strict=True)
    assert set(hers) <= {"We are making your account", "This takes longer than usual", "Your account is ready"}
    assert set(theirs) <= {"", *map(wording.cause_sentence, (Cause.WORKER_DIED, Cause.NOT_MADE))}
    ready = Job.objects.for_agency(subaccount.agency).get(kind=Job.Kind.MAIL)
    assert ready.done_at is not None
    assert {job: len(hands) for job, hands in handed_over().items()} == {ready.pk: 1 + (point in MAIL_COMES_TWICE)}
    assert not Job.objects.for_agency(subaccount.agency).filter(done_at=None).exists(), "its reading is done, too"


@pytest.mark.parametrize(
    "point", ["after the attempt is committed", "before a byte is sent", "after the vendor's effect"]
)
def test_f31_a_worker_stopped_past_its_lease_changes_nothing_when_it_wakes(
    point: str, sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any
):
    """Nor does it ask for what another one has asked for: the vendor here would make a second account."""
    sandbox.settings(email_unique="none")
    settings.PROVISIONING_LEASE_SECONDS = 1.0
    child = children.worker(Plan("stop", point))
    assert children.how_it_ended(child) == "stopped"

    meanwhile = children.settle(bos_subaccount.agency)
    assert meanwhile.state == State.ACTIVE
    time.sleep(1)
    os.kill(child, signal.SIGCONT)
    assert children.how_it_ended(child) == "ended"

    after = children.settle(bos_subaccount.agency)
    assert (after.state, after.vendor_id) == (meanwhile.state, meanwhile.vendor_id)
    assert made(sandbox) == 1


def test_f35_what_only_a_newer_version_knows_is_left_to_it(sandbox: Sandbox, bos_subaccount: Subaccount):
    ours = Subaccount.objects.for_agency(bos_subaccount.agency)
    ours.update(state="parked_by_v2")
    job = Job.objects.create(agency=bos_subaccount.agency, kind="v2", payload={"version": 2})

    assert provisioning.attempt()
    assert jobs.run()

    subaccount = ours.get()
    assert (subaccount.state, subaccount.lease_owner) == ("parked_by_v2", "")
    assert subaccount.run_at is not None, "it stays due for those who know it"
    job.refresh_from_db()
    assert (job.done_at, job.last_error, job.payload) == (None, "unknown kind", {"version": 2})
    assert job.run_at is not None
    assert sandbox.requests() == []


def test_f35_a_type_that_a_migration_changes_costs_a_worker_a_step_and_no_more(
    installation: Installation,  # noqa: F811 -- the fixture
    sandbox: Sandbox,
    tmp_path: Path,
):
    """Its connections have planned what they ask, and PostgreSQL refuses a plan that answers with another type.

    What is read in a transaction is planned anew after it; hosts are read outside of one, for the links of a mail.
    """
    if connection.vendor != "postgresql":
        pytest.skip("SQLite plans again by itself")
    changed = "ALTER TABLE accounts_host ALTER COLUMN name TYPE varchar(2000)"
    installation.manage("migrate", "-v0")
    installation.ask("factories.agency('North', 'north.localhost', keys=('north-id', 'north-secret'))")
    installation.environment |= {"PROVISIONING_BACKOFF_MIN_SECONDS": "0", "PROVISIONING_BACKOFF_MAX_SECONDS": "1"}
    installation.environment["WORKER_THREADS"] = "2"
    mails = "kind='mail.sent', data__mail='account_ready'"
    told = f"from accounts.models import Event\nanswer = Event.objects.for_agency(north).filter({mails}).count()"
    log = (tmp_path / "log").open("w")
    command = [sys.executable, "manage.py", "work"]
    process = subprocess.Popen(command, cwd=ROOT, env=installation.environment, stdout=log)
    try:
        for number, before in enumerate(("SELECT 1", changed)):
            installation.ask(
                "from django.db import connection\n"
                f"connection.cursor().execute('{before}')\n"
                f"for each in range(20): wish(f'n{number}{{each}}')"
            )
            until = time.monotonic() + 60
            while installation.ask(told) < 20 * (number + 1) and time.monotonic() < until:
                time.sleep(0.5)
        assert installation.ask(told) == 40
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()
    assert len(sandbox.effects("subaccount_created")) == 40
    assert "NotSupportedError" in (tmp_path / "log").read_text(), "nothing was planned: the test shows nothing"


def test_f35_a_worker_that_is_told_to_end_finishes_what_it_has_begun(
    installation: Installation,  # noqa: F811 -- the fixture
    sandbox: Sandbox,
    tmp_path: Path,
):
    installation.manage("migrate", "-v0")
    installation.ask("factories.agency('North', 'north.localhost', keys=('north-id', 'north-secret'))")
    installation.ask("wish('n')")
    sandbox.fault(CREATE, "slow_drip", seconds=2, interval=0.1)
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=installation.environment, stdout=log
    )
    try:
        until = time.monotonic() + 40
        while not sandbox.requests(CREATE) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        log.close()

    [[state, owner]] = installation.ask(
        "rows = Subaccount.objects.for_agency(north)\n"
        "answer = [list(row) for row in rows.values_list('state', 'lease_owner')]"
    )
    assert (state, owner) == ("active", "")
    assert made(sandbox) == 1


@pytest.mark.parametrize("skew", [DAY, -DAY], ids=["a day ahead", "a day behind"])
def test_f36_a_workers_own_clock_decides_no_lease_no_wait_and_no_quarantine(
    skew: timedelta, sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clock but the worker's own")
    ours = Subaccount.objects.for_agency(bos_subaccount.agency)
    settings.PROVISIONING_QUARANTINE_SECONDS = 60.0
    sandbox.fault(CREATE, "reset_before")
    sandbox.fault(LIST, "stale_list", seconds=60, times=None)
    held = {"lease_owner": "another", "lease_until": clock.now() + timedelta(seconds=100)}
    ours.update(**held)

    with time_machine.travel(timezone.now() + skew):
        assert not provisioning.attempt(), "the other's lease lives"
        ours.update(lease_owner="", lease_until=None)
        assert provisioning.attempt(), "what is due is due, whatever this clock says"
    doubtful = ours.get()
    assert doubtful.state == State.UNCERTAIN
    assert abs(doubtful.uncertain_since - clock.now()) < timedelta(seconds=30)
    assert abs(doubtful.changed_at - clock.now()) < timedelta(seconds=30), "staff read since when it waits"

    with time_machine.travel(timezone.now() + skew):
        for _ in range(4):
            ours.update(run_at=clock.now())
            provisioning.attempt()
    assert ours.get().state == State.UNCERTAIN, "the quarantine has just begun"
    assert calls(sandbox, CREATE) == 1
    with time_machine.travel(timezone.now() + skew):
        job = Job.objects.create(agency=bos_subaccount.agency, kind="mail", payload={})
    assert abs(job.run_at - clock.now()) < timedelta(seconds=30)


def test_f40_a_clock_that_rings_twice_changes_nothing(eager: None, sandbox: Sandbox, bos_subaccount: Subaccount):
    for _ in range(4):
        tasks.sweep()

    agency = bos_subaccount.agency
    assert Subaccount.objects.for_agency(agency).get().state == State.ACTIVE
    assert made(sandbox) == 1
    comparisons = Job.objects.for_agency(agency).filter(kind=Job.Kind.RECONCILE)
    assert comparisons.count() <= 1
    assert [worker.name for worker in Worker.objects.all()] == [workers.name_of_this("celery")], "it is seen, once"


def test_f40_a_clock_that_is_dead_is_red_on_the_operators_page(
    eager: None, sandbox: Sandbox, north: Agency, client_for: Callable[..., Client], settings: Any
):
    client = client_for(settings.PLATFORM_HOST, factories.operator())
    assert "No worker is seen" in client.get("/operator/health/").content.decode()
    tasks.sweep()
    assert "No worker is seen" not in client.get("/operator/health/").content.decode()

    with time_machine.travel(timezone.now(), tick=False):
        for seconds, is_dead in ((44, False), (46, True)):
            Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=seconds))
            assert ("No worker is seen" in client.get("/operator/health/").content.decode()) is is_dead
    wish = factories.customer(north, factories.person(north, "n@shop.example")).subaccount
    Subaccount.objects.for_agency(north).filter(pk=wish.pk).update(run_at=timezone.now() - timedelta(minutes=11))

    health = client.get("/operator/health/")
    assert "No worker is seen" in health.content.decode()
    red = {sentence for sentence, is_so in health.context["health"].checks if not is_so}
    assert {
        "A worker was seen in the last 45 seconds",
        "No account waits for a worker longer than ten minutes",
    } <= red


def no_files() -> None:
    """Not one more file or socket than are open now."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, 100))
    while True:
        try:
            os.dup(0)
        except OSError:
            return


def no_memory() -> None:
    """Not a page more than is taken now, and what is taken is in use."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken, taken))
    for size in (100_000, 1_000):
        with suppress(MemoryError):
            while True:
                HELD.append(bytearray(size))


HELD: list[bytearray] = []


@pytest.mark.parametrize("lack", [no_files, no_memory])
def test_f42_a_worker_without_files_or_memory_is_bounded_and_the_next_one_goes_on(
    lack: Callable[[], None],
    sandbox: Sandbox,
    bos_subaccount: Subaccount,
    bo_client: Client,
    ada: User,
    client_for: Any,
):
    agency, public_id = bos_subaccount.agency, bos_subaccount.customer.public_id

    def poor() -> None:
        connection.ensure_connection()
        # Python may wait for ever for a thread that found no memory to begin in. Somebody ends such a process, as its
        # supervisor or the kernel does; its row goes on when its lease is over.
        signal.alarm(20)
        lack()
        for _ in range(20):
            provisioning.attempt()
            Subaccount.objects.for_agency(agency).update(run_at="2026-01-01T00:00Z")

    children.how_it_ended(children.forked(poor))

    assert Subaccount.objects.for_agency(agency).get().state != State.ACTIVE, "it did lack it"
    assert calls(sandbox, CREATE) <= 1, "retries are bounded"
    assert VendorAccount.objects.get(agency=agency).trouble == "", "others get on with the vendor"
    hers = bo_client.get(f"/c/{public_id}/setup/").text
    assert any(sentence in hers for sentence in ("We are making your account", "This takes longer than usual"))
    assert "The vendor refuses" not in client_for(agency, ada).get(f"/console/customers/{public_id}/").text
    assert children.settle(agency).state == State.ACTIVE
    assert made(sandbox) == 1


def test_f33_messages_that_come_three_times_in_any_order_change_nothing(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount
):
    wishes = [factories.customer(north, factories.person(north, f"n{n}@shop.example")).subaccount for n in range(4)]
    messages = [wish.pk for wish in [bos_subaccount, *wishes]] * 3
    random.Random(33).shuffle(messages)

    for pk in messages:
        tasks.provision(pk)

    assert set(Subaccount.objects.for_agency(north).values_list("state", flat=True)) == {State.ACTIVE}
    assert made(sandbox) == 5
