"""What a fault does to a call."""

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from . import shapes
from .arguments import Call
from .endpoints import EMAIL_TAKEN, WRONG_LOGIN, Answer, answer, refused
from .faults import Fault
from .replies import Json, Reply, as_page
from .settings import Settings
from .state import random_text
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
    return _sent(vendor, refused(shapes.E_AUTH, WRONG_LOGIN))


def _email_taken(vendor: Vendor, call: Call, fault: Fault) -> Outcome:
    return _sent(vendor, refused(shapes.E_VALID, EMAIL_TAKEN))


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
    key = vendor.state.settings.list_key
    if good.document is None or not isinstance(good.document.get(key), list):
        return _sent(vendor, good)
    body = _streamed(vendor.state.settings, good.document, key, int(fault.parameters["rows"]))
    return Outcome(Reply(200, body, "application/json"))


def _streamed(settings: Settings, document: Json, key: str, more: int) -> Iterator[bytes]:
    rows = document[key]
    head = {**document, "amount_of_subaccounts": str(len(rows) + more)}
    del head[key]
    yield f"{json.dumps(head)[:-1]}, {json.dumps(key)}: [".encode()
    yield ", ".join(json.dumps(row) for row in rows).encode()
    for start in range(0, more, 500):
        part = [shapes.invented_row(settings, index) for index in range(start + 1, min(start + 500, more) + 1)]
        comma = ", " if rows or start else ""
        yield (comma + ", ".join(json.dumps(row) for row in part)).encode()
    yield b"]}"


# The endpoint's answer, with wrong content


def _payloads(document: Json) -> list[Json]:
    """The objects that an answer is about, rows of a list included."""
    found: list[Json] = []
    for key, value in document.items():
        if key != "status" and isinstance(value, dict):
            found.append(value)
        elif isinstance(value, list):
            found += [row for row in value if isinstance(row, dict)]
    return found


def _wrong_id(settings: Settings, given: Json, document: Json) -> None:
    for payload in _payloads(document):
        prefix, line, number = payload["ID"].rpartition("_")
        payload["ID"] = given["id"] or f"{prefix}{line}{int(number) + 500_000}"


def _missing_id(settings: Settings, given: Json, document: Json) -> None:
    for payload in _payloads(document):
        del payload["ID"]


def _wrong_token(settings: Settings, given: Json, document: Json) -> None:
    for payload in _payloads(document):
        if "token" in payload:
            payload["token"] = random_text(49)


def _wrong_host(settings: Settings, given: Json, document: Json) -> None:
    for payload in _payloads(document):
        for key in ("url", "url_whitelabel"):
            if payload.get(key):
                url = urlsplit(payload[key])
                wrong = urlsplit(shapes.origin(given["host"], payload[key]))
                payload[key] = url._replace(scheme=wrong.scheme, netloc=wrong.netloc).geturl()


def _oversize(settings: Settings, given: Json, document: Json) -> None:
    document["padding"] = "x" * int(given["bytes"])


def _duplicate_rows(settings: Settings, given: Json, document: Json) -> None:
    rows = document.get(settings.list_key)
    if isinstance(rows, list):
        rows += copy.deepcopy(rows)


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
SPOILED_ANSWERS: dict[str, Callable[[Settings, Json, Json], None]] = {
    "wrong_id": _wrong_id,
    "missing_id": _missing_id,
    "wrong_token": _wrong_token,
    "wrong_host": _wrong_host,
    "oversize": _oversize,
    "duplicate_rows": _duplicate_rows,
}
