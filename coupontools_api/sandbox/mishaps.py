"""What a fault does to a call."""

import copy
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from . import shapes
from .answers import WRONG_LOGIN, Answer, answer, refused
from .arguments import Call
from .faults import Fault
from .replies import Json, Reply, as_page
from .routes import ROUTES, route_of
from .settings import Settings
from .state import random_text
from .subaccounts import EMAIL_TAKEN
from .vendor import Vendor


@dataclass(frozen=True)
class Outcome:
    """What the caller gets. Without a reply: a reset, or silence for `seconds` and then an end."""

    reply: Reply | None
    codes: tuple[int, ...] = ()
    delivery: str = "whole"  # "whole" | "truncated" | "drip" | "hang" | "reset"
    seconds: float = 0.0
    interval: float = 0.1
    drip_headers: bool = False


def perform(vendor: Vendor, call: Call, fault: Fault | None) -> Outcome:
    """Do what a call asks for, as well or badly as the fault lets it."""
    if fault is None:
        return _sent(vendor, answer(vendor, call))
    if fault.kind in SPOILED_ANSWERS:
        good = answer(vendor, call)
        if good.document is None or good.codes:
            return _sent(vendor, good)
        document = copy.deepcopy(good.document)
        SPOILED_ANSWERS[fault.kind](vendor.state.settings, fault.parameters, document)
        return _sent(vendor, replace(good, document=document))
    return MISHAPS[fault.kind](vendor, call, fault)


def _sent(vendor: Vendor, what: Answer) -> Outcome:
    return Outcome(what.as_reply(real_status=vendor.state.settings.real_status), what.codes)


# Answers that are not the endpoint's


def _instead(vendor: Vendor, call: Call, fault: Fault, what: Answer) -> Outcome:
    if fault.parameters.get("after_effect"):
        answer(vendor, call)
    return _sent(vendor, what)


def _status(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    given = fault.parameters
    codes, status = given["codes"], given["status"]
    if codes is None:
        body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
        page = Reply(status or 500, body.encode(), given["content_type"])
        return _instead(vendor, call, fault, Answer(page.status, page=page))
    messages = given["messages"] or [f"Error {code}" for code in codes]
    named, document = shapes.failure(given["envelope"], zip(codes, messages, strict=False))
    return _instead(vendor, call, fault, Answer(status or named, document, tuple(codes)))


def _html(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    status = fault.parameters["status"]
    page = as_page(status, "Bad Gateway", "The server is temporarily unable to service your request.")
    return _instead(vendor, call, fault, Answer(status, page=page))


def _empty(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    page = Reply(fault.parameters["status"], b"", "application/json")
    return _instead(vendor, call, fault, Answer(page.status, page=page))


def _not_json(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    page = Reply(fault.parameters["status"], fault.parameters["body"].encode(), "application/json")
    return _instead(vendor, call, fault, Answer(page.status, page=page))


def _throttle(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    retry_after = fault.parameters["retry_after"]
    headers = [] if retry_after is None else [("Retry-After", str(retry_after))]
    return Outcome(as_page(429, "Too Many Requests", "Please slow down.", *headers))


def _redirect(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    location = ("Location", fault.parameters["location"])
    return Outcome(as_page(fault.parameters["status"], "Moved", "The document has moved.", location))


def _revoked(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    return _refused(vendor, call, WRONG_LOGIN)


def _email_taken(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    return _refused(vendor, call, EMAIL_TAKEN)


def _refused(vendor: Vendor, call: Call, problem: tuple[int, str]) -> Outcome:
    settings = vendor.state.settings
    route = route_of(settings, call.method, call.path) or ROUTES[0]
    return _sent(vendor, refused(settings, route, problem))


# The endpoint's answer, spoiled on its way


def _truncated(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    return replace(_sent(vendor, answer(vendor, call)), delivery="truncated")


def _slow_drip(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    given = fault.parameters
    if given["after_effect"]:
        outcome = _sent(vendor, answer(vendor, call))
    else:
        outcome = Outcome(Reply(200, b" " * 1000, "application/json"))
    return replace(
        outcome,
        delivery="drip",
        seconds=given["seconds"],
        interval=given["interval"],
        drip_headers=given["headers"],
    )


def _hang(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    if fault.parameters["after_effect"]:
        answer(vendor, call)
    return Outcome(None, delivery="hang", seconds=fault.parameters["seconds"])


def _reset_before(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    return Outcome(None, delivery="reset")


def _reset_after(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    answer(vendor, call)
    return Outcome(None, delivery="reset")


def _late_effect(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    given = fault.parameters
    vendor.later.schedule(given["seconds"], lambda: answer(vendor, call))
    if given["then"] == "html":
        return _html(vendor, call, fault)
    if given["then"] == "reset":
        return Outcome(None, delivery="reset")
    return Outcome(None, delivery="hang", seconds=given["hang_seconds"])


def _stale_list(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    return _sent(vendor, answer(vendor, replace(call, as_of=time.time() - fault.parameters["seconds"])))


def _huge_list(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    good = answer(vendor, call)
    found = _list_of(good.document)
    if found is None:
        return _sent(vendor, good)
    key, rows = found
    settings, more = vendor.state.settings, int(fault.parameters["rows"])
    if key == settings.list_key:
        invented = (shapes.invented_row(settings, index) for index in range(1, more + 1))
    else:
        invented = (rows[index % len(rows)] for index in range(more if rows else 0))
    body = _streamed(good.document, key, rows, invented, more)
    return Outcome(Reply(200, body, "application/json"))


def _list_of(document: Json | list[Json] | None) -> tuple[str, list[Json]] | None:
    """The rows of an answer and the key they stand under, which is empty for a bare array."""
    if document is None or isinstance(document, list):
        return None if document is None else ("", document)
    return next(((key, rows) for key, rows in document.items() if isinstance(rows, list)), None)


def _streamed(
    document: Json | list[Json] | None, key: str, rows: list[Json], invented: Iterator[Json], more: int
) -> Iterator[bytes]:
    if isinstance(document, dict):
        amounts = {name for name in document if name.startswith("amount_of_")}
        head = {name: str(len(rows) + more) if name in amounts else document[name] for name in document if name != key}
        yield f"{json.dumps(head)[:-1]}, {json.dumps(key)}: ".encode()
    yield b"["
    yield ", ".join(json.dumps(row) for row in rows).encode()
    comma = ", " if rows else ""
    while part := list(itertools.islice(invented, 500)):
        yield (comma + ", ".join(json.dumps(row) for row in part)).encode()
        comma = ", "
    yield b"]}" if isinstance(document, dict) else b"]"


# The endpoint's answer, with wrong content


def _payloads(document: Json | list[Json]) -> list[Json]:
    """The objects that an answer is about, rows of a list included."""
    if isinstance(document, list):
        return document
    found: list[Json] = [document] if "status" not in document or "id" in document else []
    for key, value in document.items():
        if key != "status" and isinstance(value, dict):
            found.append(value)
        elif isinstance(value, list):
            found += [row for row in value if isinstance(row, dict)]
    return found


def _with_id(document: Json | list[Json]) -> Iterator[tuple[Json, str]]:
    """Those of them that have an id, and the name of it."""
    for payload in _payloads(document):
        for name in ("ID", "id"):
            if name in payload:
                yield payload, name


def _wrong_id(settings: Settings, given: Json, document: Json | list[Json]) -> None:
    for payload, name in _with_id(document):
        if isinstance(payload[name], int):
            payload[name] = given["id"] or payload[name] + 500_000
        else:
            prefix, line, number = payload[name].rpartition("_")
            payload[name] = given["id"] or f"{prefix}{line}{int(number) + 500_000}"


def _missing_id(settings: Settings, given: Json, document: Json | list[Json]) -> None:
    for payload, name in list(_with_id(document)):
        del payload[name]


def _wrong_token(settings: Settings, given: Json, document: Json | list[Json]) -> None:
    for payload in _payloads(document):
        if "token" in payload:
            payload["token"] = random_text(49)


def _wrong_host(settings: Settings, given: Json, document: Json | list[Json]) -> None:
    for payload in _payloads(document):
        for key in ("url", "url_whitelabel"):
            if payload.get(key):
                url = urlsplit(payload[key])
                wrong = urlsplit(shapes.origin(given["host"], payload[key]))
                payload[key] = url._replace(scheme=wrong.scheme, netloc=wrong.netloc).geturl()


def _oversize(settings: Settings, given: Json, document: Json | list[Json]) -> None:
    padding = "x" * int(given["bytes"])
    if isinstance(document, list):
        document.append({"padding": padding})
    else:
        document["padding"] = padding


def _duplicate_rows(settings: Settings, given: Json, document: Json | list[Json]) -> None:
    found = _list_of(document)
    if found is not None:
        found[1].extend(copy.deepcopy(found[1]))


MISHAPS: dict[str, Callable[[Vendor, Call, Fault], Outcome]] = {
    "status": _status,
    "html": _html,
    "empty": _empty,
    "not_json": _not_json,
    "throttle": _throttle,
    "redirect": _redirect,
    "revoked": _revoked,
    "email_taken": _email_taken,
    "truncated": _truncated,
    "slow_drip": _slow_drip,
    "hang": _hang,
    "reset_before": _reset_before,
    "reset_after": _reset_after,
    "late_effect": _late_effect,
    "stale_list": _stale_list,
    "huge_list": _huge_list,
}
SPOILED_ANSWERS: dict[str, Callable[[Settings, Json, Json | list[Json]], None]] = {
    "wrong_id": _wrong_id,
    "missing_id": _missing_id,
    "wrong_token": _wrong_token,
    "wrong_host": _wrong_host,
    "oversize": _oversize,
    "duplicate_rows": _duplicate_rows,
}
