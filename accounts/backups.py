"""Copies of the database, and a database from a copy. By command; on SQLite and PostgreSQL.

A copy holds all personal data, and everything that is sealed: only its owner may read the file.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts import clock, pausing
from accounts.forks import let_go_of_databases
from accounts.models import Agency, VendorAccount, Worker

OURS = "accounts_agency"  # a table that every copy of ours has
MIGRATIONS = MigrationRecorder.Migration._meta.db_table  # another: what the version that wrote it had brought in
# One table's rows, as a dump has them.
COPIED = re.compile(r"^COPY .*\((?P<columns>.*)\) FROM stdin;\n(?P<rows>(?:.+\n)*?)\\\.$", re.MULTILINE)
ALIVE = timedelta(seconds=45)
# Who was signed in then may have been signed out since, for a reason.
NOBODY_SIGNED_IN = f"DELETE FROM {Session._meta.db_table}"  # noqa: S608 -- no word of it is anybody's
PAUSES = (VendorAccount._meta.db_table, "creates_paused_at")  # a column that copies of the first versions lack
ALL_PAUSED = f"UPDATE {PAUSES[0]} SET {PAUSES[1]} = CURRENT_TIMESTAMP"  # noqa: S608 -- the same
LIBPQ = {
    "HOST": "PGHOST",
    "PORT": "PGPORT",
    "NAME": "PGDATABASE",
    "USER": "PGUSER",
    "PASSWORD": "PGPASSWORD",
}
LIBPQ_OPTIONS = {
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
}


class Refused(Exception):
    """Nothing was done; the text says why, for whoever typed the command."""


def backup(file: Path) -> None:
    """Writes a consistent copy while everything runs on. Raises Refused."""
    if file.exists():
        raise Refused(f"{file} is there already: nothing was written.")
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as problem:
        raise Refused(f"{file} cannot be written: {problem.strerror}.") from None
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(Path(connection.settings_dict["NAME"]), partial)
        else:
            _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)


def restore(file: Path, *, replace: bool = False) -> int:
    """Makes the database what the copy holds; creates are paused from its first moment. Returns for how many agencies.

    Everybody has to sign in again. Raises Refused where the file is no copy of ours or one of a newer version, a worker
    is alive, or there is something to lose and `replace` does not say that it may go.
    """
    if not file.is_file():
        raise Refused(f"{file} is not there.")
    _refuse_foreign(file)
    _refuse_newer(file)
    tables = connection.introspection.table_names()
    if OURS in tables:
        if Worker.objects.filter(seen_at__gt=clock.now() - ALIVE).exists():
            raise Refused("A worker is alive. Stop every process first; one that was killed counts for 45 seconds.")
        if Agency.objects.exists() and not replace:
            raise Refused("The database is not empty. With --replace everything in it is given up for the copy.")
    let_go_of_databases()
    if connection.vendor == "sqlite":
        _restore_sqlite(file, Path(connection.settings_dict["NAME"]))
    else:
        _restore_postgres(file, tables)
    call_command("migrate", interactive=False, verbosity=0)
    Worker.objects.all().delete()
    return pausing.pause(why=pausing.RESTORED)


def _restore_sqlite(file: Path, database: Path) -> None:
    """One transaction: whenever it dies, the database is what it was, or what the copy holds, and that is quiet."""
    partial = database.with_name(f"{database.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _copy_sqlite(file, partial)
        with closing(sqlite3.connect(partial)) as fresh:
            fresh.execute(NOBODY_SIGNED_IN)
            if fresh.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", PAUSES).fetchone():
                fresh.execute(ALL_PAUSED)
            fresh.commit()
        _copy_sqlite(partial, database)
    except sqlite3.Error as problem:  # the disk is full, say
        raise Refused(f"The copy was not brought in: {problem}.") from None
    finally:
        partial.unlink(missing_ok=True)


def _restore_postgres(file: Path, tables: list[str]) -> None:
    """As `_restore_sqlite`: what is read from the copy goes through one transaction, which ends with its last word."""
    quote = connection.ops.quote_name
    column_is_there = "SELECT FROM information_schema.columns WHERE table_name = '{}' AND column_name = '{}'"
    only_where_it_is = f"IF EXISTS ({column_is_there.format(*PAUSES)}) THEN {ALL_PAUSED}; END IF;"
    reader, writer = _program("pg_restore"), _program("psql")
    reaching = os.environ | _libpq(connection.settings_dict)  # the reader, too: by it Debian chooses among versions
    with tempfile.TemporaryFile() as words:
        read = subprocess.Popen(  # noqa: S603 -- a program of that name on the operator's own path
            [reader, "--no-owner", "--no-privileges", "--file=-", str(file)],
            env=reaching,
            stdout=subprocess.PIPE,
            stderr=words,
        )
        write = subprocess.Popen(  # noqa: S603 -- the same
            [writer, "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"],
            env=reaching,
            stdin=subprocess.PIPE,
            stderr=words,
        )
        assert read.stdout is not None
        assert write.stdin is not None
        with suppress(BrokenPipeError), write.stdin as script:
            script.write(b"SET client_min_messages = warning; BEGIN;\n")
            script.writelines(f"DROP TABLE {quote(table)} CASCADE;\n".encode() for table in tables)
            shutil.copyfileobj(read.stdout, script)
            if read.wait() == 0:
                script.write(f"\nRESET search_path;\n{NOBODY_SIGNED_IN};\n".encode())
                script.write(f"DO $$ BEGIN {only_where_it_is} END $$;\nCOMMIT;\n".encode())
        read.stdout.close()
        if read.wait() | write.wait():
            words.seek(0)
            raise Refused(f"The copy was not brought in: {words.read().decode(errors='replace').strip()}")


def _refuse_foreign(file: Path) -> None:
    if connection.vendor == "sqlite":
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
                found = copy.execute("SELECT name FROM sqlite_master WHERE name IN (?, ?)", [OURS, MIGRATIONS])
                is_ours = len(found.fetchall()) == 2
                is_whole = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            is_ours = is_whole = False
    else:
        listed = _postgres("pg_restore", "--list", str(file), may_fail=True)
        is_ours = is_whole = all(f" {table} " in listed for table in (OURS, MIGRATIONS))
    if not (is_ours and is_whole):
        raise Refused(f"{file} is no whole copy made by ./run manage backup on this kind of database.")


def _refuse_newer(file: Path) -> None:
    """Asks the copy itself: once the database is what it holds, there is no way back to what was there."""
    known = MigrationLoader(None).disk_migrations or {}
    unknown = sorted(name for app, name in _migrations_in(file) - set(known))
    if unknown:
        names = ", ".join(unknown)
        raise Refused(f"The copy is of a newer version ({names}). Install that version, and restore again.")


def _migrations_in(file: Path) -> set[tuple[str, str]]:
    """App and name of each migration that the copy had seen."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            return set(copy.execute(f"SELECT app, name FROM {MIGRATIONS}"))  # noqa: S608 -- a name of Django's
    script = _postgres("pg_restore", "--data-only", f"--table={MIGRATIONS}", "--file=-", str(file))
    found = COPIED.search(script)
    if found is None:
        return set()
    columns = found["columns"].split(", ")
    rows = [dict(zip(columns, row.split("\t"), strict=True)) for row in found["rows"].splitlines()]
    return {(row["app"], row["name"]) for row in rows}


def _copy_sqlite(source: Path, target: Path) -> None:
    """By SQLite's own backup: one consistent moment, also while others write."""
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it; whoever opens it chooses anew


def _postgres(program: str, *arguments: str, may_fail: bool = False) -> str:
    """Runs a program of PostgreSQL against our database. The password is not among its arguments."""
    done = subprocess.run(  # noqa: S603 -- a program of that name on the operator's own path
        [_program(program), *arguments],
        env=os.environ | _libpq(connection.settings_dict),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and not may_fail:
        raise Refused(f"{program} failed: {done.stderr.strip()}")
    return done.stdout


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Refused(f"{name} is missing: install the client programs of PostgreSQL (postgresql-client).")
    return found


def _libpq(settings: dict[str, Any]) -> dict[str, str]:
    """What libpq reads from its environment to reach the same database."""
    options = settings.get("OPTIONS", {})
    return {name: str(settings[key]) for key, name in LIBPQ.items() if settings.get(key)} | {
        name: str(options[key]) for key, name in LIBPQ_OPTIONS.items() if options.get(key)
    }
