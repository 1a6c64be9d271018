"""A copy of the database and back, by the commands and on the database of this run: what differs is listed, all of it.

Real processes on a database of their own: a restore gives up everything that is there.
"""

import os
import signal
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from coupontools_api.sandbox import Sandbox
from tests.flows.installation import Installation

pytestmark = pytest.mark.django_db(transaction=True)


def _url(name: str) -> str:
    """An address of a database with that name on the server of this run."""
    about = connection.settings_dict
    return f"postgres://{about['USER']}@{about['HOST']}:{about['PORT']}/{name}"


@pytest.fixture
def installation(sandbox: Sandbox, tmp_path: Path) -> Iterator[Installation]:
    if connection.vendor == "sqlite":
        yield Installation(f"sqlite:///{tmp_path}/portal.sqlite3", sandbox)
        return
    name = f"restored_{uuid.uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield Installation(_url(name), sandbox)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_restored_database_lists_all_it_forgot_and_creates_nothing_until_that_is_seen(
    installation: Installation, sandbox: Sandbox, tmp_path: Path
):
    copy = tmp_path / "copy of monday.backup"
    installation.manage("migrate", "-v0")
    installation.ask(
        """
factories.agency("North", "north.localhost", keys=("north-id", "north-secret"))
north = Agency.objects.get()
for name in ("stays1", "stays2", "stays3", "gone1", "gone2", "moved"):
    wish(name)
settle()
for name in ("made1", "made2", "never"):
    wish(name)
"""
    )

    installation.manage("backup", str(copy))
    assert "is there already" in installation.manage("backup", str(copy), fails=True)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy*")) == [copy.name], "nothing is left beside it"

    # What happens after the copy, and is forgotten with it: two wishes are made, two new customers come.
    installation.ask(
        """
never = Subaccount.objects.for_agency(north).get(email="never@shop.example")
Subaccount.objects.for_agency(north).filter(pk=never.pk).update(run_at=None)
for name in ("late1", "late2"):
    wish(name)
settle()
"""
    )
    ids = {row["email"].split("@")[0]: row["ID"] for row in sandbox.subaccounts("north-id")}
    assert len(ids) == 10
    for name in ("gone1", "gone2"):
        sandbox.remove_subaccount(ids[name])
    effects = len(sandbox.effects("subaccount_created"))

    assert "not empty" in installation.manage("restore", str(copy), fails=True)
    said = installation.manage("restore", str(copy), "--replace")
    assert "Provisioning is paused for 1 agencies" in said
    installation.ask(
        "Subaccount.objects.for_agency(north).filter(email='moved@shop.example').update(email='m2@shop.example')"
    )
    found = installation.ask(
        """
settle()
rows = Finding.objects.for_agency(north).open().order_by("vendor_id")
answer = [list(row) for row in rows.values_list("kind", "vendor_id")]
"""
    )

    expected = {("unbound", ids[name]) for name in ("made1", "made2", "late1", "late2")}
    expected |= {("changed", ids["moved"])}
    gone = installation.ask(
        "rows = Subaccount.objects.for_agency(north).filter(state='missing')\n"
        "answer = sorted(rows.values_list('vendor_id', flat=True))"
    )
    listed = {tuple(row) for row in found}
    assert expected <= listed
    assert listed - expected <= {("absent", ids["gone1"]), ("absent", ids["gone2"])}
    assert gone == sorted([ids["gone1"], ids["gone2"]])
    assert len(sandbox.effects("subaccount_created")) == effects, "nothing created"
    waiting = {name: row for name, row in installation.ask("answer = states()").items() if row[0] == "requested"}
    assert sorted(waiting) == ["made1", "made2", "never"]
    assert ["requested", "creates_paused"] in waiting.values()

    after = installation.ask(
        """
olu = factories.operator()
account = VendorAccount.objects.get(agency=north)
pausing.acknowledge(north, seen=account.reconciled_at, acting_user=olu)
settle()
answer = states()
"""
    )
    made = sandbox.effects("subaccount_created")[effects:]
    assert len(made) == 1, "only the wish that was never made"
    assert after["never"] == ["active", ""]
    assert after["made1"][0] == after["made2"][0] == "needs_review", "a person says whose it is"


def test_a_restore_that_dies_leaves_what_was_or_the_copy_with_creates_paused(
    installation: Installation, tmp_path: Path
):
    """Whoever starts the workers after it, a service manager at the next boot for example, doubles nothing."""
    copy = tmp_path / "good.backup"
    installation.manage("migrate", "-v0")
    installation.ask("factories.agency('North', 'north.localhost', keys=('north-id', 'north-secret'))")
    installation.ask("from django.contrib.sessions.backends.db import SessionStore\nSessionStore().create(); wish('a')")
    installation.manage("backup", str(copy))
    installation.ask("Agency.objects.filter(name='North').update(name='North, later')")
    look = """
account = VendorAccount.objects.select_related("agency").get()
from django.contrib.sessions.models import Session
answer = [account.agency.name, account.creates_paused_at is not None, Session.objects.count()]
"""

    half_way = "_copy_sqlite" if connection.vendor == "sqlite" else "shutil.copyfileobj"
    for dies_in, what_is_there in (
        (half_way, ["North, later", False, 1]),
        ("call_command", ["North", True, 0]),
        ("pausing.pause", ["North", True, 0]),
    ):
        installation.ask("Agency.objects.update(name='North, later')")
        how = installation.ask(
            f"""
import os, signal
from pathlib import Path
from django.db import connections
from accounts import backups
connections.close_all()
child = os.fork()
if child == 0:
    done = [backups.{dies_in}]
    def dies(*arguments):
        if "{dies_in}" == "_copy_sqlite" and done:
            return done.pop()(*arguments)  # into a file beside the database; it dies while that is copied
        if "{dies_in}" == "_copy_sqlite":
            import sqlite3
            old, new = map(sqlite3.connect, arguments)
            old.backup(new, pages=9, progress=lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        if "{dies_in}" == "shutil.copyfileobj":
            arguments[1].write(arguments[0].read(3000))
            arguments[1].flush()
        os.kill(os.getpid(), signal.SIGKILL)
    backups.{dies_in} = lambda *arguments, **named: dies(*arguments)
    backups.restore(Path({str(copy)!r}), replace=True)
    os._exit(0)
answer = os.WTERMSIG(os.waitpid(child, 0)[1])
"""
        )
        assert how == signal.SIGKILL, dies_in
        assert installation.ask(look) == what_is_there, dies_in

    installation.manage("restore", str(copy), "--replace")
    assert not list(tmp_path.glob("*.partial")), "what the first one left"


def test_a_copy_of_a_newer_version_is_refused_before_anything_is_given_up_for_it(
    installation: Installation, tmp_path: Path
):
    copy = tmp_path / "tomorrow.backup"
    installation.manage("migrate", "-v0")
    installation.ask(
        """
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
factories.agency("North", "north.localhost", keys=("north-id", "north-secret"))
MigrationRecorder(connection).record_applied("accounts", "9999_of_tomorrow")
"""
    )
    installation.manage("backup", str(copy))
    installation.ask(
        """
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
MigrationRecorder(connection).record_unapplied("accounts", "9999_of_tomorrow")
Agency.objects.update(name="North, later")
SessionStore().create()
"""
    )

    said = installation.manage("restore", str(copy), "--replace", fails=True)

    assert "is of a newer version (9999_of_tomorrow)" in said
    what_is_there = installation.ask(
        """
from django.contrib.sessions.models import Session
account = VendorAccount.objects.select_related("agency").get()
answer = [account.agency.name, account.creates_paused_at is not None, Session.objects.count()]
"""
    )
    assert what_is_there == ["North, later", False, 1]
    installation.manage("migrate", "--check")


def test_what_is_no_copy_of_ours_or_would_be_run_over_is_refused(installation: Installation, tmp_path: Path):
    installation.manage("migrate", "-v0")
    file = tmp_path / "x.backup"
    file.write_bytes(b"SQLite format 3\\0 and more that is none")
    assert "no whole copy" in installation.manage("restore", str(file), "--replace", fails=True)
    assert "is not there" in installation.manage("restore", str(tmp_path / "y"), fails=True)

    good = tmp_path / "good.backup"
    installation.manage("backup", str(good))
    installation.ask("from accounts import workers; workers.beat('work@here:1')")
    assert "A worker is alive" in installation.manage("restore", str(good), "--replace", fails=True)
    installation.ask("from accounts import workers; workers.leave('work@here:1')")

    half = tmp_path / "half.backup"
    half.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    installation.manage("restore", str(half), "--replace", fails=True)
    assert installation.ask("answer = Agency.objects.count()") == 0, "what was there still answers"
    assert "cannot be written" in installation.manage("backup", str(tmp_path / "no" / "folder"), fails=True)


def test_the_password_is_in_no_process_list(installation: Installation, tmp_path: Path):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no password")
    installation.manage("migrate", "-v0")
    programs = tmp_path / "bin"
    programs.mkdir()
    spy = programs / "pg_dump"
    spy.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\nexec env -i PATH="$OLDPATH" pg_dump --version\n')
    spy.chmod(0o755)
    url = installation.environment["DATABASE_URL"].replace("portal@", "portal:hush-hush@")
    installation.environment |= {
        "DATABASE_URL": url,
        "OLDPATH": os.environ["PATH"],
        "PATH": f"{programs}:{os.environ['PATH']}",
    }

    installation.manage("backup", str(tmp_path / "z.backup"))

    assert "hush-hush" not in (tmp_path / "arguments").read_text()
