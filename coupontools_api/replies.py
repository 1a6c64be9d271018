"""Judging a reply, and the base of all reply models."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from coupontools_api.errors import Throttled, Unauthorized, UnexpectedReply, refusal

Payload = dict[str, Any]

# The vendor returns a subaccount's own key pair in clear: dropped before anything else sees it.
SECRET_KEYS = frozenset({"api_key", "api_secret"})
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_RETRY_AFTER_SECONDS = 3600.0


class Reply(BaseModel):
    """Frozen, lenient about types (numbers come as strings), tolerant of new fields.

    `raw` keeps what the vendor sent, out of repr; key pairs are dropped from it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)
    _raw: Payload = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> Payload:
        return self._raw

    @classmethod
    def of(cls, endpoint: str, item: object) -> Self:
        """Reads one object of a payload. Raises UnexpectedReply if what the caller cannot do without is missing."""
        if not isinstance(item, dict):
            raise UnexpectedReply(endpoint, detail=f"no {cls.__name__} in the reply")
        kept = {key: value for key, value in item.items() if key not in SECRET_KEYS}
        try:
            reply = cls.model_validate(kept)
        except ValidationError as problem:
            where = ", ".join(str(error["loc"][0]) for error in problem.errors() if error["loc"])
            raise UnexpectedReply(endpoint, detail=f"{cls.__name__}: {where}") from None
        reply._raw = kept
        return reply


def judge(endpoint: str, http_status: int, headers: Mapping[str, str], body: bytes) -> Payload:
    """The payload of a successful reply. HTTP status and body are both judged, and either may say no.

    Raises Throttled (429), Unauthorized (401/403 in any dress), the Refused kinds by code, or UnexpectedReply.
    """
    if http_status == 429:
        raise Throttled(endpoint, retry_after(headers.get("Retry-After")))
    payload = _decoded(body)
    codes, has_failed = _failure(payload)
    if codes:
        raise refusal(endpoint, codes)
    if http_status in (401, 403):
        raise Unauthorized(endpoint, detail=str(http_status))
    if payload is None or has_failed or not 200 <= http_status < 300:
        raise UnexpectedReply(endpoint, detail=f"HTTP {http_status}")
    return payload


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait by a Retry-After header, at most an hour; None if it is absent or makes no sense."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    seconds = (when - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _decoded(body: bytes) -> Payload | None:
    """The body as an object, None if it is not one. NaN and Infinity are not JSON; of double keys the last wins."""
    try:
        payload = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        return _storable(payload) if isinstance(payload, dict) else None
    except (ValueError, RecursionError):
        return None


def _storable(value: Any) -> Any:
    """The same with U+FFFD for what JSON can say and no database or UTF-8 can: NUL and half a character.

    Put in its place, never left out: a text must not become another one that somebody else has.
    """
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _failure(payload: Payload | None) -> tuple[tuple[int, ...], bool]:
    """The error codes of any of the three envelopes, and whether the reply calls itself anything but OK."""
    if payload is None:
        return (), True
    status = payload.get("status")
    inner = status if isinstance(status, dict) else {}
    word = inner.get("status") if isinstance(status, dict) else status
    codes: list[int] = []
    for envelope in (inner.get("errors"), payload.get("errors")):
        if isinstance(envelope, dict):
            given = envelope.get("error_code")
            for code in given if isinstance(given, list) else [given]:
                if isinstance(code, int | str) and str(code).strip().isdecimal():
                    codes.append(int(code))
    return tuple(codes), not (isinstance(word, str) and word.strip().upper() == "OK")
