"""Judging a reply, and the base of all reply models."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import from_json

from coupontools_api.assumed import REST_INVALID_INPUT, REST_NOT_FOUND
from coupontools_api.endpoints import Dialect, Endpoint
from coupontools_api.errors import InvalidInput, NotFound, Throttled, Unauthorized, UnexpectedReply, refusal
from coupontools_api.fields import number_of
from coupontools_api.ids import SessionCode, VendorId

Payload = dict[str, Any]

# The vendor returns a subaccount's own key pair in clear: what has such a name is dropped from `.raw` at any depth.
SECRET_NAME = re.compile("token|secret|password|api[-_]?key|sso[-_]?url|url[-_]?sso", re.IGNORECASE)
SHORTEST_TOKEN = 8
"""What is shorter under such a name is a word or a yes: texts that hold it give nothing away."""
NESTED = frozenset({dict, list})
OF_THE_ACCOUNT = frozenset({101, 102, 1000})
"""Codes of an account that is shut, or of keys that are wrong: no call of it gets further."""
NOES = frozenset({"failed", "failure", "fail", "error", "nok", "false"})
"""What a status may say instead of a code."""
LOWEST_HTTP_ERROR, LOWEST_SERVER_ERROR = 400, 500
DEEPEST = 200
"""Of what stands within something else: as far down as the quick reader goes."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_RETRY_AFTER_SECONDS = 3600.0
_RAW = "\x00raw"  # no reply has such a key: NUL is replaced in what is read


@dataclass(frozen=True)
class Answer:
    """What came over the wire. `body` is out of repr: it may hold secrets."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


class Reply(BaseModel):
    """Frozen, lenient about types (numbers come as strings), tolerant of new fields.

    `raw` keeps what the vendor sent, secrets left out; it is in neither repr nor dumps.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)
    secret_keys: ClassVar[frozenset[str]] = frozenset()
    raw: Payload = Field(default_factory=dict, validation_alias=_RAW, exclude=True, repr=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        fields = cls.model_fields.items()
        cls.secret_keys = frozenset(
            (field.alias or name).lower()
            for name, field in fields
            if SecretStr in (field.annotation, *get_args(field.annotation))
        )

    @model_validator(mode="before")
    @classmethod
    def _keep_raw(cls, item: object) -> object:
        return {**item, _RAW: without_secrets(item, cls.secret_keys)} if isinstance(item, dict) else item

    def __hash__(self) -> int:
        return hash((type(self), *(value for name, value in self.__dict__.items() if name != "raw")))

    @classmethod
    def of(cls, endpoint: Endpoint, item: object) -> Self:
        """Reads one object of a payload. Raises UnexpectedReply if what the caller cannot do without is missing."""
        if not isinstance(item, dict):
            raise UnexpectedReply(endpoint.path, detail=f"no {cls.__name__} in the reply")
        try:
            return cls.model_validate(item)
        except ValidationError as problem:
            where = ", ".join(".".join(str(step) for step in error["loc"]) for error in problem.errors())
        # Out here, for an error raised within the block carries the other one, and with it the payload.
        raise UnexpectedReply(endpoint.path, detail=f"{cls.__name__}: {where}"[:200])


def check_about(endpoint: Endpoint, asked: str | int, told: Any) -> None:
    """Raises UnexpectedReply if the answer speaks of another thing than was asked for.

    It need not say of which; an id may be written in any way that its type takes.
    """
    told = told.strip() if isinstance(told, str) else told
    if told in (None, ""):
        return
    try:
        again = type(asked)(told)
    except (TypeError, ValueError):
        again = None
    is_same = asked.is_same(again) if isinstance(asked, VendorId) and isinstance(again, VendorId) else asked == again
    if not is_same:
        raise UnexpectedReply(endpoint.path, detail="about something else")


def check_within(endpoint: Endpoint, asked: VendorId, payload: Payload, name: str) -> None:
    """The same of an answer of which no form is published: it may tell the id under `name`, or in an object there."""
    told = payload.get(name)
    told = told.get("ID") if isinstance(told, dict) else told
    if isinstance(told, str | int) and not isinstance(told, bool):
        check_about(endpoint, asked, told)


def check_session(endpoint: Endpoint, asked: SessionCode, told: Any) -> None:
    """The same of a session, which may be named by the beginning of its code."""
    if told not in (None, "") and not str(told).startswith(asked):
        raise UnexpectedReply(endpoint.path, detail="about another session")


def without_secrets(item: Payload, keys: frozenset[str]) -> Payload:
    """The item less `keys` (in lower case), less what SECRET_NAME names, less every text with one of its tokens or with
    what stands under one of `keys`.

    The very item where there is nothing to leave out: a list would copy a hundred thousand of them.
    """
    if NESTED.isdisjoint(map(type, item.values())) and not _names_a_secret(tuple(item), keys):
        return item
    hidden = (value for key, value in item.items() if key.lower() in keys and isinstance(value, str))
    tokens = frozenset([*_tokens(item), *(value for value in hidden if len(value) >= SHORTEST_TOKEN)])
    return {key: value for key, value in _scrubbed(item, tokens).items() if key.lower() not in keys}


def have_no_secrets(items: Sequence[Payload], keys: frozenset[str]) -> bool:
    """Whether `without_secrets` leaves each as it is: seen without a loop of our own, for a list may be long."""
    values = chain.from_iterable(map(dict.values, items))
    return NESTED.isdisjoint(map(type, values)) and not any(
        _names_a_secret(names, keys) for names in {*map(tuple, items)}
    )


@lru_cache(maxsize=256)
def _names_a_secret(names: tuple[str, ...], keys: frozenset[str]) -> bool:
    """Of a long list all lines have the same names."""
    return any(name.lower() in keys or _is_secret(name) for name in names)


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    return SECRET_NAME.search(key) is not None


def _tokens(value: Any) -> Iterator[str]:
    """What stands under the name of a token, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from _tokens(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and len(item) >= SHORTEST_TOKEN and "token" in key.lower():
                yield item
            yield from _tokens(item)


def _scrubbed(value: Any, tokens: frozenset[str]) -> Any:
    def tells(item: object) -> bool:
        return isinstance(item, str) and ("token=" in item or any(token in item for token in tokens))

    if isinstance(value, list):
        return [_scrubbed(item, tokens) for item in value if not tells(item)]
    if not isinstance(value, dict):
        return value
    return {key: _scrubbed(item, tokens) for key, item in value.items() if not _is_secret(key) and not tells(item)}


def judge(endpoint: Endpoint, answer: Answer) -> Payload:
    """The payload of a successful RPC reply. HTTP status and body are both judged, and either may say no.

    Raises Throttled (429), Unauthorized (401/403 in any dress), the Refused kinds by code, or UnexpectedReply.
    """
    payload = _agreed(endpoint, answer)
    if not isinstance(payload, dict) or not _says_ok(payload):
        raise UnexpectedReply(endpoint.path, detail=f"HTTP {answer.status}")
    return payload


def judge_rest(endpoint: Endpoint, answer: Answer) -> object:
    """The bare payload of a successful REST reply; None for "204 No Content".

    Raises what `judge` raises; also NotFound (404) and InvalidInput (400, 422) where the answer is JSON.
    """
    if answer.status == 204 and not answer.body:
        return None
    payload = _agreed(endpoint, answer)
    if payload is None or (
        isinstance(payload, dict) and isinstance(payload.get("status"), dict) and not _says_ok(payload)
    ):
        raise UnexpectedReply(endpoint.path, detail=f"HTTP {answer.status}")
    if isinstance(payload, dict) and "id" not in payload:  # a thing of its own may have a status, too
        refuse_no(endpoint, payload)
    return payload


def judge_done(endpoint: Endpoint, payload: object, *, asked: int | None = None) -> None:
    """Of a REST answer that tells nothing of use: whether it is none that says no, or speaks of something else.

    No form of such a no is published: taken for one are a word or number alone, errors of any form, a flag of success
    that is off, and a status that speaks of failure. Raises UnexpectedReply.
    """
    if payload is None or payload is True or payload == []:
        return
    if not isinstance(payload, dict):
        raise UnexpectedReply(endpoint.path, detail="no object in the reply")
    refuse_no(endpoint, payload)
    if asked is not None:
        check_about(endpoint, asked, payload.get("id"))


def refuse_no(endpoint: Endpoint, payload: Payload) -> None:
    """Raises UnexpectedReply where an answer without an envelope says no in any of the ways that are thought of."""
    is_off = payload.get("success") not in (None, True, 1, "1", "true")
    status = payload.get("status")
    is_bad = str(status).lower() in NOES or (number_of(status) or 0) >= LOWEST_HTTP_ERROR
    if payload.get("errors") or payload.get("error") or is_off or is_bad:
        raise UnexpectedReply(endpoint.path, detail="says no without a code")


def _agreed(endpoint: Endpoint, answer: Answer) -> Any:
    """What the body says, None if it is not JSON, where neither its codes nor the HTTP status say no."""
    payload = decoded(answer.body)
    if answer.status == 429:
        if endpoint.changes and _has_ok(payload):
            raise UnexpectedReply(endpoint.path, detail="429, and signs of the contrary")
        raise Throttled(endpoint.path, retry_after(answer.headers.get("Retry-After")))
    is_good = 200 <= answer.status < 300
    # v4 REST publishes no codes, and its HTTP status tells: its bare ones are read where one of them says more.
    telling = OF_THE_ACCOUNT.union(endpoint.codes if endpoint.dialect is Dialect.V4_REST else ())
    bare = () if is_good else _codes({"errors": payload})
    if codes := _codes(payload) or (() if telling.isdisjoint(bare) else bare):
        # What says both yes and no, or no while the server fails, may have been done all the same.
        is_contradicted = _has_ok(payload) or answer.status >= LOWEST_SERVER_ERROR
        if endpoint.changes and is_contradicted:
            raise UnexpectedReply(endpoint.path, codes, "a code, and signs of the contrary")
        raise refusal(endpoint, codes)
    if answer.status in (401, 403):
        raise Unauthorized(endpoint.path, detail=str(answer.status))
    if endpoint.dialect is Dialect.V4_REST and isinstance(payload, dict | list):
        if answer.status == REST_NOT_FOUND:
            raise NotFound(endpoint.path, detail="404")
        if answer.status in REST_INVALID_INPUT:
            raise InvalidInput(endpoint.path, detail=str(answer.status))
    if not is_good:
        raise UnexpectedReply(endpoint.path, detail=f"HTTP {answer.status}")
    return payload


def is_success(status: int, envelope: Payload) -> bool:
    """Whether both the HTTP status and the envelope of an RPC reply say yes."""
    return 200 <= status < 300 and not _codes(envelope) and _says_ok(envelope)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a Retry-After header, at most an hour; None if it is absent or makes no sense."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    seconds = (when - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def decoded(body: bytes) -> Any:
    """What the body says, None if it is not JSON. NaN and Infinity are not; of double keys the last wins.

    The quick reader takes no half characters and leaves NUL as it is: then the thorough one reads.
    """
    if b"\\u0000" not in body:
        try:
            # Of a long list the names repeat, the values do not: remembering those would be for nothing.
            return from_json(body, allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            pass
    try:
        return _storable(json.loads(body.decode("utf-8"), parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None


def _storable(value: Any, depth: int = 0) -> Any:
    """The same with U+FFFD for what JSON can say and no database or UTF-8 can: NUL and half a character.

    Put in its place, never left out: a text must not become another one that somebody else has. Raises ValueError for
    what stands deeper than DEEPEST: whoever walks through it later would run out of stack.
    """
    if depth > DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item, depth + 1) for key, item in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _codes(payload: object) -> tuple[int, ...]:
    """The error codes of any of the three envelopes."""
    if not isinstance(payload, dict):
        return ()
    status = payload.get("status")
    codes: list[int] = []
    for envelope in (status.get("errors") if isinstance(status, dict) else None, payload.get("errors")):
        if isinstance(envelope, dict):
            given = envelope.get("error_code")
            for code in given if isinstance(given, list) else [given]:
                text = str(code).strip() if isinstance(code, int | str) else ""
                if re.fullmatch("[0-9]{1,9}", text, re.ASCII):
                    codes.append(int(text))
    return tuple(codes)


def _says_ok(payload: Payload) -> bool:
    """By the word of the envelope, as long as no errors stand in it, whatever their form."""
    status = payload.get("status")
    told = payload.get("errors"), status.get("errors") if isinstance(status, dict) else None
    is_contradicted = any(any(errors.values()) if isinstance(errors, dict) else errors for errors in told)
    return _has_ok(payload) and not is_contradicted


def _has_ok(payload: object) -> bool:
    status = payload.get("status") if isinstance(payload, dict) else None
    word = status.get("status") if isinstance(status, dict) else status
    return isinstance(word, str) and word.strip().upper() == "OK"
