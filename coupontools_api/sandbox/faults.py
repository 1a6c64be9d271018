"""Which call goes wrong, and how: the script. What a fault then does is in `mishaps`."""

import itertools
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .replies import Json

# The kinds and their parameters.
# `after_effect`: does the vendor do what was asked before things go wrong?
KINDS: dict[str, Json] = {
    # Answers that are not the endpoint's.
    "status": {
        "status": None,  # default: 500, or with codes what their envelope names
        "body": "",
        "content_type": "text/plain",
        "codes": None,
        "messages": None,
        "envelope": "E-VALID",
        "after_effect": False,
    },
    "html": {"status": 502, "after_effect": False},
    "empty": {"status": 200, "after_effect": True},
    "not_json": {"status": 200, "body": "Notice: Undefined index", "after_effect": True},
    "throttle": {"retry_after": 1},  # seconds, an HTTP date, nonsense, or null for no header
    "redirect": {"location": "/elsewhere", "status": 307},
    "revoked": {},
    "email_taken": {},
    # The endpoint's answer, spoiled on its way.
    "truncated": {},
    "slow_drip": {"seconds": 10.0, "interval": 0.1, "headers": False, "after_effect": True},
    "hang": {
        "seconds": 30.0,
        "after_effect": False,
    },  # and then the connection closes without an answer
    "reset_before": {},
    "reset_after": {},
    "late_effect": {"seconds": 5.0, "then": "hang", "status": 502, "hang_seconds": 30.0},
    # The endpoint's answer, with wrong content.
    "wrong_id": {"id": None},
    "missing_id": {},
    "wrong_token": {},
    "wrong_host": {"host": "panel.elsewhere.test"},
    "oversize": {"bytes": 3 * 1024 * 1024},
    "huge_list": {"rows": 1000},
    "stale_list": {"seconds": 60.0},
    "duplicate_rows": {},
}
NUMBERS = {"seconds", "interval", "hang_seconds", "rows", "bytes"}
CHOICES = {"then": ("hang", "html", "reset"), "envelope": ("E-AUTH", "E-VALID", "E-TOP")}


@dataclass
class Fault:
    """One entry of the script. `left` None: for ever.

    `path` may be written `GET /v4/directory`, and with the names of ids as in `routes.ROUTES`.
    """

    id: int
    path: str
    kind: str
    call: int
    left: int | None
    client_id: str | None
    parameters: Json
    seen: int = field(default=0)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "path": self.path,
            "kind": self.kind,
            "call": self.call,
            "times": self.left,
            "client_id": self.client_id,
            "seen": self.seen,
            **self.parameters,
        }

    def concerns(self, paths: set[str], method: str, client_id: str | None) -> bool:
        named = {"*", *paths, *(f"{method} {path}" for path in paths)}
        return self.path in named and self.client_id in (None, client_id)


class FaultBook:
    """The script. A call meets the first fault that is due; another waits for the next call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, documents: Iterable[Json]) -> list[Json]:
        """Add faults, all or none. Raises ValueError for an unknown kind or parameter."""
        faults = [self._read(document) for document in documents]
        with self._lock:
            self._faults += faults
        return [fault.as_json() for fault in faults]

    def due(self, paths: set[str], method: str, client_id: str | None) -> Fault | None:
        """Count a call, known under one or more paths, and take the fault that it meets."""
        with self._lock:
            concerned = [fault for fault in self._faults if fault.concerns(paths, method, client_id)]
            for fault in concerned:
                fault.seen += 1
            met = next((fault for fault in concerned if fault.seen >= fault.call), None)
            if met is not None and met.left is not None:
                met.left -= 1
                if met.left == 0:
                    self._faults.remove(met)
            return met

    def listed(self) -> list[Json]:
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def _read(self, document: Json) -> Fault:
        given = dict(document)
        path, kind = given.pop("path", None), given.pop("kind", None)
        call, times, client_id = (
            given.pop("call", 1),
            given.pop("times", 1),
            given.pop("client_id", None),
        )
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}; there are {', '.join(KINDS)}.")
        if not isinstance(path, str) or not re.fullmatch(r"([A-Z]+ )?/.*|\*", path):
            raise ValueError("A fault needs the path of an endpoint, with or without its method, or *.")
        if not _counts(call) or not (times is None or _counts(times)):
            raise ValueError("`call` and `times` are whole numbers from 1 (`times` may be null: for ever).")
        unknown = given.keys() - KINDS[kind].keys()
        if unknown:
            raise ValueError(f"The fault {kind} takes no {', '.join(sorted(unknown))}.")
        for name, value in given.items():
            _check(name, value)
        return Fault(next(self._ids), path, kind, call, times, client_id, {**KINDS[kind], **given})


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check(name: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in NUMBERS and not (number and value >= 0):
        raise ValueError(f"{name} is a number from 0, not {value!r}.")
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}, not {value!r}.")
    if name == "codes" and value is not None and not (value and all(_counts(code) for code in value)):
        raise ValueError(f"codes is a list of numbers, not {value!r}.")
