"""What was asked of the vendor, and what came of it. Holds no secret, password or token."""

import json
import time
from dataclasses import asdict, dataclass, replace

from .database import Database
from .replies import Json


@dataclass(frozen=True)
class LedgerRequest:
    """One request to a vendor path. `status` stays None where no answer was sent."""

    n: int
    at: float
    method: str
    path: str
    client_id: str | None
    credentials: str | None  # "headers" | "body"
    arguments: Json
    connection: int
    fault: str | None
    status: int | None = None
    codes: tuple[int, ...] = ()

    def as_json(self) -> Json:
        return asdict(self)


class Ledger:
    """Requests and effects, numbered in one sequence that goes on after `clear`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, request: LedgerRequest) -> LedgerRequest:
        """Write down a request that has just arrived; its number is given here."""
        document = json.dumps(request.as_json())
        n = self._database.write(
            "INSERT INTO entry (sort, name, data) VALUES ('request', ?, ?)", request.path, document
        )
        return replace(request, n=n)

    def answered(self, request: LedgerRequest, status: int, codes: tuple[int, ...]) -> None:
        document = json.dumps(replace(request, status=status, codes=codes).as_json())
        self._database.write("UPDATE entry SET data = ? WHERE n = ?", document, request.n)

    def effect(self, kind: str, **facts: object) -> None:
        document = json.dumps({"at": time.time(), "kind": kind, **facts})
        self._database.write("INSERT INTO entry (sort, name, data) VALUES ('effect', ?, ?)", kind, document)

    def requests(self, path: str | None = None, since: int = 0) -> list[LedgerRequest]:
        return [
            LedgerRequest(**{**entry, "codes": tuple(entry["codes"])})
            for entry in self._entries("request", path, since)
        ]

    def effects(self, kind: str | None = None, since: int = 0) -> list[Json]:
        return self._entries("effect", kind, since)

    def clear(self) -> None:
        self._database.write("DELETE FROM entry")

    def _entries(self, sort: str, name: str | None, since: int) -> list[Json]:
        rows = self._database.rows(
            "SELECT n, data FROM entry WHERE sort = ? AND n > ? AND (? IS NULL OR name = ?) ORDER BY n",
            sort,
            since,
            name,
            name,
        )
        return [{**json.loads(row["data"]), "n": row["n"]} for row in rows]
