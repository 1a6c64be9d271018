"""Stages that many tests begin with: set once, and copied from then on."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from coupontools_api.sandbox import Sandbox
from coupontools_api.sandbox.database import Database

T = TypeVar("T")
TOUCHED = ("subaccount", "campaign", "record", "setting", "token", "entry")
_kept: dict[object, tuple[sqlite3.Connection, Any]] = {}


def staged(sandbox: Sandbox, set_up: Callable[[], T], name: str) -> T:
    """What `set_up` answers, with the sandbox as it leaves it.

    Where nothing but accounts is on the stage it is copied from the first time; else, it is set up beside the rest.
    A copy is of today: what is told of the past ends yesterday.
    """
    database = sandbox._vendor.database
    if any(database.row(f"SELECT 1 FROM {table} LIMIT 1") for table in TOUCHED):
        return set_up()
    accounts = tuple(tuple(row) for row in database.rows("SELECT * FROM account"))
    key = (name, accounts, datetime.now(UTC).date())
    if key not in _kept:
        answer = set_up()
        _kept[key] = (_copied(database), answer)
        return answer
    copy, answer = _kept[key]
    with database._lock:
        copy.backup(database._connection)
    return answer


def _copied(database: Database) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with database._lock:
        database._connection.backup(copy)
    return copy
