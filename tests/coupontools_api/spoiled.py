"""Spoiled answers, as the client is given them and as a reader sees them that knows nothing of the vendor."""

import json
import re
from typing import Any

from coupontools_api.replies import Answer
from coupontools_api.transport import Transport
from tests.hostile.mutations import Json, Spoiled

REFUSALS = frozenset(
    {101, 102, 103, 104, 200, 300, 301, 302, 303, 304, 305, 502, 503, 505, 507, 509, 510, 514, 515, 604, 1000}
)


class Played(Transport):
    """Answers are played to it: they are judged and read as if they had come over a socket."""

    next = Spoiled(200, b"")

    def answer(self, *_: Any, **__: Any) -> Answer:
        return Answer(self.next.status, {}, self.next.body)


def strictly(body: bytes) -> Json:
    """What the body says to a reader that knows JSON and nothing of the vendor; empty if it is no object."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        document = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def says_no(document: Json) -> set[int]:
    """The numbers that stand under `error_code` in either of the places where the vendor puts them."""
    inner = document.get("status")
    found = set()
    for holder in (document, inner if isinstance(inner, dict) else {}):
        errors_here = holder.get("errors")
        given = errors_here.get("error_code") if isinstance(errors_here, dict) else None
        for code in given if isinstance(given, list) else [given]:
            if re.fullmatch(r"\s*\d+\s*", str(code)) and not isinstance(code, bool | float):
                found.add(int(str(code)))
    return found
