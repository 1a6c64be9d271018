"""The SQLite file (or memory) behind everything, shared by all threads under one lock."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    number INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS subaccount (
    number INTEGER PRIMARY KEY, client_id TEXT NOT NULL, email_key TEXT NOT NULL,
    api_key TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS subaccount_email ON subaccount (email_key);
CREATE INDEX IF NOT EXISTS subaccount_api_key ON subaccount (api_key);
CREATE INDEX IF NOT EXISTS subaccount_client ON subaccount (client_id);
CREATE TABLE IF NOT EXISTS history (
    number INTEGER NOT NULL, client_id TEXT NOT NULL, at REAL NOT NULL, data TEXT);
CREATE INDEX IF NOT EXISTS history_client ON history (client_id);
CREATE INDEX IF NOT EXISTS history_number ON history (number);
CREATE TABLE IF NOT EXISTS campaign (
    number INTEGER PRIMARY KEY, owner TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS campaign_owner ON campaign (owner);
CREATE TABLE IF NOT EXISTS session (
    code TEXT PRIMARY KEY, campaign INTEGER NOT NULL, sequence INTEGER NOT NULL, created TEXT NOT NULL,
    opened TEXT NOT NULL, claimed TEXT NOT NULL, validated TEXT NOT NULL, voided TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS session_campaign ON session (campaign, sequence);
CREATE INDEX IF NOT EXISTS session_short ON session (substr(code, 1, 6));
CREATE TABLE IF NOT EXISTS event (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, campaign INTEGER NOT NULL, session TEXT NOT NULL,
    kind TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, parent INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS record_kind ON record (kind, owner, parent);
CREATE TABLE IF NOT EXISTS furnished (owner TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS token (
    token TEXT PRIMARY KEY, purpose TEXT NOT NULL, data TEXT NOT NULL, used_at REAL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entry (
    n INTEGER PRIMARY KEY AUTOINCREMENT, sort TEXT NOT NULL, name TEXT NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entry_sort ON entry (sort, name);
"""

# A file from before accounts had campaigns of their own.
UPGRADE = """
ALTER TABLE campaign RENAME COLUMN subaccount TO owner;
UPDATE campaign SET owner = 'sub_' || owner;
DROP INDEX campaign_subaccount;
"""

EMPTY = """
DELETE FROM account; DELETE FROM subaccount; DELETE FROM history; DELETE FROM campaign;
DELETE FROM session; DELETE FROM event; DELETE FROM record; DELETE FROM furnished;
DELETE FROM token; DELETE FROM setting; DELETE FROM entry; DELETE FROM sqlite_sequence;
"""


class Database:
    """One connection. Every statement is safe from any thread; `transaction` joins several."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._inside = False
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")  # outlives a killed process
        if "subaccount" in {row["name"] for row in self.rows("PRAGMA table_info(campaign)")}:
            self._connection.executescript(UPGRADE)
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one thread at a time. Inside another transaction it joins that one."""
        with self._lock:
            if self._inside:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._inside = True
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._inside = False

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def write(self, sql: str, *values: object) -> int:
        """Run a change; answers the row id of an insert."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def write_many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self._lock:
            self._connection.executemany(sql, rows)

    def changed(self, sql: str, *values: object) -> bool:
        """Run a conditional change; answers whether it touched a row."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount > 0

    def empty(self) -> None:
        with self._lock:
            self._connection.executescript(EMPTY)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
