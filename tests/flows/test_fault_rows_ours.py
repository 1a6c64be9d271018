"""Rows F33 to F41 of the fault table that a person may meet: broker, disk, copies, keys, mail, SQLite's own file."""

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import backups, jobs, pausing, provisioning, sealing, tasks, vendor
from accounts.bell import Bell
from accounts.management.commands.work import _work
from accounts.models import Agency, Customer, Job, Package, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from portal.celery import app
from tests import factories
from tests.accounts.conftest import quick  # noqa: F401 -- the fixture
from tests.accounts.reading import made, probe_due
from tests.accounts.test_killed_rotations import fill, killed_in_a_child, readable, rotate_everything
from tests.check import PRODUCTION
from tests.flows import children
from tests.flows.conftest import sign_up
from tests.flows.smtp import MailServer, mail_server
from tests.run import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]
HALF_A_MINUTE = 30.0  # as the README promises it
FORM = {
    "company_name": "Kim's Kiosk",
    "first_name": "Kim",
    "last_name": "Kist",
    "country": "NL",
    "email": "kim@shop.example",
    "password1": factories.PASSWORD,
}


def signs_up(client: Client, package: Package) -> Any:
    return client.post("/account/signup/", FORM | {"package": str(package.public_id)})


@pytest.fixture
def stranger() -> Client:
    return Client(headers={"host": "north.localhost"}, raise_request_exception=False)


def rests_of_a_hand() -> list[float]:
    """How many seconds a hand rests that finds nothing to do."""
    rests: list[float] = []
    stop = threading.Event()

    class Clock(Bell):
        def rest(self, heard: int, seconds: float) -> None:
            rests.append(seconds)
            stop.set()

    with pytest.MonkeyPatch.context() as idle:
        idle.setattr(provisioning, "attempt", lambda: False)
        idle.setattr(jobs, "run", lambda: False)
        hand = threading.Thread(target=_work, args=(stop, Clock()))
        hand.start()
        hand.join()
    return rests


def test_f33_a_broker_that_is_away_undoes_no_sign_up_and_its_message_is_not_missed(
    sandbox: Sandbox,
    north: Agency,
    package: Package,
    stranger: Client,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
):
    settings.BROKER_URL = "redis://127.0.0.1:9/0"
    asked = []

    with app.connection_for_write(settings.BROKER_URL) as away:

        def send(*_: Any, **__: Any) -> None:
            asked.append(1)
            away.ensure_connection(max_retries=1, interval_start=0)

        monkeypatch.setattr(tasks.provision, "apply_async", send)
        monkeypatch.setattr(tasks.run_job, "apply_async", send)
        assert signs_up(stranger, package).status_code == 302
        wish = factories.customer(north, factories.person(north, "n@shop.example")).subaccount
    monkeypatch.undo()
    settings.BROKER_URL = ""
    assert len(asked) >= 2, "both rang, and nobody heard it"

    # Who was not rung for is found by the next sweep; without a broker, by a hand that has rested.
    found_by = app.conf.beat_schedule["sweep"]
    assert found_by["task"] == tasks.sweep.name
    assert max(found_by["schedule"], *rests_of_a_hand()) <= HALF_A_MINUTE
    request.getfixturevalue("eager")
    tasks.sweep()
    assert Subaccount.objects.for_agency(north).get(pk=wish.pk).state == State.ACTIVE
    assert [message.to for message in mail.outbox if message.to == ["kim@shop.example"]], "her code was sent"


@contextmanager
def disk_full() -> Iterator[None]:
    """The database may not take one more page."""
    small = sqlite_may_not_grow() if connection.vendor == "sqlite" else all_tables_on_a_small_disk()
    with small:
        for length in (3000, 200, 1):  # no page is left that a sign-up could use, of those that were given back either
            filler = {"kind": "mail", "agency": None, "payload": {"text": "x" * length}, "run_at": None}
            with pytest.raises(OperationalError, match=r"full|No space left"):
                any(Job.objects.create(**filler) is None for _ in range(10_000))
        yield


@contextmanager
def sqlite_may_not_grow() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA page_count")
        [pages] = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def all_tables_on_a_small_disk() -> Iterator[None]:
    """A file system of memory, mounted for it, and full. PostgreSQL's log and catalogue stay where they are."""
    folder, name = Path(tempfile.mkdtemp(prefix="portal-small-disk-")), f"small_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL accounts_job")  # no page of it is left that rows of other tests have given back
        cursor.execute("SELECT pg_database_size(current_database()) + 1000000")
        [size] = cursor.fetchone()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode:
        folder.rmdir()
        pytest.skip("who may not mount a small disk cannot give PostgreSQL one")
    try:
        shutil.chown(folder, "postgres")
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
            try:
                move_everything(cursor, "pg_default", name)
                with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as ballast:
                    while True:
                        ballast.write(bytes(8192))
                yield
            finally:
                move_everything(cursor, name, "pg_default")
                cursor.execute(f"DROP TABLESPACE {name}")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # a server may still hold a file that is gone
        folder.rmdir()


def move_everything(cursor: Any, here: str, there: str) -> None:
    for kind in ("TABLE", "INDEX"):
        cursor.execute(f"ALTER {kind} ALL IN TABLESPACE {here} SET TABLESPACE {there}")


def test_f34_a_full_disk_refuses_a_sign_up_before_anything_is_promised(
    north: Agency, package: Package, stranger: Client
):
    people, wishes = User.objects.count(), Subaccount.objects.for_agency(north).count()

    with disk_full():
        refused = signs_up(stranger, package)

    text = refused.content.decode()
    assert refused.status_code == 500
    assert "Something went wrong on our side" in text
    assert "Try again in a minute" in text
    assert (User.objects.count(), Subaccount.objects.for_agency(north).count()) == (people, wishes)
    assert not Customer.objects.for_agency(north).filter(email=FORM["email"]).exists()
    cache.clear()  # one code in three minutes for one address: the try that failed counts
    assert signs_up(Client(headers={"host": "north.localhost"}), package).status_code == 302, "without any repair"


def test_f34_a_log_that_takes_nothing_breaks_no_request(bo_client: Client, stranger: Client):
    with open("/dev/full", "w") as full:
        handler = logging.StreamHandler(full)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            logging.getLogger("portal").error("this cannot be written")
            assert bo_client.get("/", follow=True).status_code == 200
            assert stranger.get("/account/login/").status_code == 200
        finally:
            root.removeHandler(handler)
            handler.stream = open(os.devnull, "w")  # noqa: SIM115 -- what is left in its buffer has nowhere to go
            handler.stream.close()
            with suppress(OSError):
                full.close()


@pytest.mark.installation
def test_f37_after_a_restore_nothing_is_made_and_both_read_that_it_waits(
    sandbox: Sandbox, north: Agency, bo: User, ada: User, client_for: Any, bos_subaccount: Subaccount, tmp_path: Path
):
    """The commands themselves, on a database of their own: tests/flows/test_backup.py."""
    backups.backup(tmp_path / "copy")
    assert children.settle(north).state == State.ACTIVE

    backups.restore(tmp_path / "copy", replace=True)
    children.settle(north)

    key = bos_subaccount.customer.public_id
    assert made(sandbox) == 1, "the one that the copy has forgotten"
    assert Subaccount.objects.for_agency(north).get().state == State.REQUESTED
    bo_client, adas = client_for(north, bo), client_for(north, ada)  # everybody has to sign in again
    assert 'data-state="requested"' in bo_client.get(f"/c/{key}/").content.decode()
    assert "Accounts cannot be made at the moment" in bo_client.get(f"/c/{key}/setup/").text
    assert "New accounts are paused until" in adas.get(f"/console/customers/{key}/").content.decode()
    seen = VendorAccount.objects.get(agency=north).reconciled_at
    pausing.acknowledge(north, seen=seen, acting_user=factories.operator())
    assert children.settle(north).state == State.NEEDS_REVIEW, "a person says whose the one at the vendor is"
    assert made(sandbox) == 1


@pytest.mark.parametrize(
    ("keys", "says"),
    [("", "Not set: SEALING_KEYS"), ("not-a-key", "SEALING_KEYS holds something that is no Fernet key")],
    ids=["missing", "no key"],
)
def test_f38_without_its_key_nothing_starts_and_it_is_named(keys: str, says: str):
    environment = {**os.environ, **PRODUCTION, "SEALING_KEYS": keys, "PORTAL_ENV_FILE": "/nonexistent"}
    refused = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode != 0
    assert says in refused.stdout + refused.stderr


def test_f38_with_another_key_the_agency_reads_what_to_do_and_a_killed_rotation_goes_on(
    sandbox: Sandbox, north: Agency, settings: Any, ada: User, client_for: Any, bos_subaccount: Subaccount
):
    kim = factories.person(north, "kim@shop.example")
    hers = factories.activate(factories.customer(north, kim), sandbox, "north-id").customer
    vendor.clients.forget()
    right = settings.SEALING_KEYS
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]
    provisioning.attempt(bos_subaccount.pk)
    provisioning.attempt(bos_subaccount.pk)
    assert made(sandbox) == 0
    gone = "sealed with a key that we no longer have"
    told = client_for(north, ada)
    for page in ("connection/", f"customers/{bos_subaccount.customer.public_id}/"):
        text = told.get(f"/console/{page}").content.decode()
        assert gone in text
        assert "Working" not in text
        assert "refuses your credentials" not in text, "it was not asked"
    assert "Your credentials do not open" in told.get("/console/").content.decode()
    while jobs.run():
        pass
    [word] = [message for message in mail.outbox if "have to wait" in message.subject]
    assert gone in word.body
    launch = client_for(north, kim).post(f"/c/{hers.public_id}/launch/", {"page": ""})
    assert launch.status_code == 503
    assert "is not available at the moment, so we did not try" in launch.text

    settings.SEALING_KEYS = [settings.SEALING_KEYS[0], *right]
    VendorAccount.objects.filter(agency=north).update(probe_at=timezone.now())
    assert probe_due() == 1
    assert "Working" in told.get("/console/connection/").content.decode()
    fill(north)
    secrets = readable()
    assert killed_in_a_child(rotate_everything, "after a commit", at=2)
    assert readable() == secrets
    rotate_everything()
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    assert readable() == secrets
    assert not any(sealing.standing(place).unreadable for place in sealing.places())


@pytest.fixture
def post_office(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "portal.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 1
        yield server


@pytest.mark.parametrize("mood", ["refuses", "sleeps", "is down"])
def test_f39_a_sign_up_does_not_wait_for_the_mail_server_and_the_mail_comes_once(
    mood: str, sandbox: Sandbox, north: Agency, visit: Any, settings: Any, post_office: MailServer
):
    def work() -> None:
        """Nobody works while she signs up: the page does not depend on it."""

    if mood == "is down":
        settings.EMAIL_PORT = 9
    post_office.mood = mood
    started = time.monotonic()
    page = sign_up(visit("north.localhost"), work)
    assert page.title == "Check your e-mail"
    assert time.monotonic() - started < 10

    assert jobs.run()
    job = Job.objects.for_agency(north).get(kind=Job.Kind.MAIL)
    assert job.done_at is None
    assert job.last_error
    assert post_office.mails == []

    post_office.mood, settings.EMAIL_PORT = "takes", post_office.port
    for _ in range(3):
        Job.objects.for_agency(north).exclude(run_at=None).update(run_at="2026-01-01T00:00Z")
        jobs.run()
    assert len(post_office.mails) == 1
    assert f"Message-ID: <job-{job.pk}@" in post_office.mails[0], "twice would be seen as one, too"


# -- F41: SQLite's own file ---------------------------------------------------------------------------------------


@pytest.fixture
def file() -> Path:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own file")
    return Path(connection.settings_dict["NAME"])


def is_whole(file: Path) -> bool:
    other = sqlite3.connect(file)
    try:
        return other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        other.close()


def test_f41_who_meets_a_lock_waits_for_it(file: Path, north: Agency, package: Package, stranger: Client):
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(1.5, lambda: other.execute("COMMIT"))
    release.start()
    started = time.monotonic()

    answer = signs_up(stranger, package)

    release.join()
    other.close()
    assert answer.status_code == 302
    assert time.monotonic() - started > 1


def test_f41_a_process_killed_while_it_writes_leaves_the_file_whole(file: Path, north: Agency):
    def half_a_change() -> None:
        with transaction.atomic():
            Agency.objects.filter(pk=north.pk).update(name="Half")
            factories.person(north, "half@shop.example")
            os.kill(os.getpid(), signal.SIGKILL)

    for _ in range(5):
        assert children.how_it_ended(children.forked(half_a_change)) == "killed"

    assert is_whole(file)
    assert Agency.objects.get(pk=north.pk).name == "North"
    assert not User.objects.filter(email="half@shop.example").exists()
    factories.person(north, "whole@shop.example")


def test_f41_a_copy_made_while_it_is_written_to_is_whole(file: Path, north: Agency, tmp_path: Path):
    is_over = threading.Event()

    def write() -> None:
        while not is_over.is_set():
            Job.objects.create(kind="mail", agency=north, payload={"x": "y" * 500}, run_at=None)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.2)
        backups.backup(tmp_path / "copy")
    finally:
        is_over.set()
        writer.join()

    assert is_whole(tmp_path / "copy")
    copy = sqlite3.connect(tmp_path / "copy")
    [[number]] = copy.execute("SELECT count(*) FROM accounts_job").fetchall()
    copy.close()
    assert 0 < number <= Job.objects.for_agency(north).count()
