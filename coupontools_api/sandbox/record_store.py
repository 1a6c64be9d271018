"""Everything an owner has besides campaigns: loyalty cards, directories, their users, categories, groups."""

import json
import sqlite3
from dataclasses import dataclass, replace

from .database import Database
from .replies import Json

FIRST_RECORD = 10001
KIND_PREFIXES = {
    "card": "loy",
    "card_user": "usr",
    "membership": "mem",
    "directory": "dir",
    "directory_user": "reg",
    "category": "cat",
    "third_level_category": "cat",
    "sms_group": "gro",
    "sms_contact": "con",
    "email_group": "gro",
}


@dataclass(frozen=True)
class Record:
    """`parent` is the number of what it belongs to, 0 for what stands by itself."""

    number: int
    kind: str
    owner: str
    parent: int
    data: Json

    @property
    def id(self) -> str:
        return f"{KIND_PREFIXES[self.kind]}_{self.number}"


class RecordStore:
    """Records by kind and owner. A number is used once, whatever the kind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, kind: str, owner: str, number: int) -> Record | None:
        row = self._database.row(
            "SELECT * FROM record WHERE number = ? AND kind = ? AND owner = ?", number, kind, owner
        )
        return None if row is None else _record(row)

    def all_of(self, kind: str, owner: str, parent: int = 0) -> list[Record]:
        rows = self._database.rows(
            "SELECT * FROM record WHERE kind = ? AND owner = ? AND parent = ? ORDER BY number", kind, owner, parent
        )
        return [_record(row) for row in rows]

    def add(self, kind: str, owner: str, data: Json, parent: int = 0) -> Record:
        row = self._database.row("SELECT max(number) AS top FROM record")
        number = FIRST_RECORD if row is None or row["top"] is None else int(row["top"]) + 1
        record = Record(number, kind, owner, parent, data)
        self._write(record)
        return record

    def change(self, record: Record, **changes: object) -> Record:
        changed = replace(record, data={**record.data, **changes})
        self._write(changed)
        return changed

    def remove_all(self, owner: str) -> None:
        """Make everything of an owner vanish."""
        self._database.write("DELETE FROM record WHERE owner = ?", owner)

    def _write(self, record: Record) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
            record.number,
            record.kind,
            record.owner,
            record.parent,
            json.dumps(record.data),
        )


def _record(row: sqlite3.Row) -> Record:
    return Record(row["number"], row["kind"], row["owner"], row["parent"], json.loads(row["data"]))
