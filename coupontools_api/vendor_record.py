"""Answers as fixtures: their structure, types and lengths, and nothing of what they are about.

Everything is replaced but what is known to be harmless. Equal values become equal ones, so that an id or a token
that comes twice still does.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from coupontools_api.assumed import SUBACCOUNT_LIST_KEYS, USUAL_NAMES
from coupontools_api.replies import decoded
from coupontools_api.vendor_findings import FIELDS_OF_DETAILS
from coupontools_api.vendor_probe import Exchange

# What may stay, by key: a form that holds nothing of anybody.
HARMLESS: dict[str, str] = {
    "status": "[A-Za-z_]{1,20}",
    "page": "[a-z_]{1,20}|[0-9]{1,3}",
    "error_code": "[0-9]{1,4}",
    "language": "[A-Za-z]{2}([_-][A-Za-z]{2})?",
    "currency": "[A-Z]{3}",
    "amountlogin": "[0-9]{1,6}",
    "max_campaigns": "[0-9]{1,6}",
    "has_campaigns": "[0-9]{1,6}",
    "available_campaigns": "[a-z]{1,10}",
}
HARMLESS_PREFIXES = {"amount_of_": "[0-9]{1,6}", "access_": "[01]|true|false"}
SENTENCES = frozenset({"error_message", "error_message_description"})
# Keys that may stay: any other could be an id, a token or somebody's name.
KEYS = FIELDS_OF_DETAILS.union(
    SUBACCOUNT_LIST_KEYS,
    USUAL_NAMES,
    SENTENCES,
    ("status", "errors", "error_code", "amount_of_subaccounts", "amount_of_results", "coupon_info"),
    ("code", "country", "name", "package", "phone", "title", "token", "type", "url", "url_whitelabel"),
    ("action", "campaign", "logintype", "page"),
)
# Of sentences only words that the documents have in theirs; a name or an id is none.
DOCUMENTED_ERRORS = """
HTTP/1.0 401 Unauthorized. Client ID or Secret not correct.
HTTP/1.0 422 Unprocessable entity.
Missing parameter: subaccount
Invalid character in parameter: subaccount.
Invalid format in parameter: expiry_date. Required format: YYYY-MM-DD
Email already exists
Email address is not valid
Campaign ID not found
Teammate ID not found
Subaccount ID not correct.
Account has expired
"""
WORDS = frozenset(word.rstrip(".:").lower() for word in DOCUMENTED_ERRORS.split())
FIRST_NUMBER = 70_000
URL_WORDS = frozenset({"", "index.php", "login", "sso"})
ID = re.compile("([a-z]{3}_)?0*([1-9][0-9]*)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?")


class Redaction:
    """Replaces values by others of the same type and form, the same one each time."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: dict[str, int] = {}

    def of(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {self._key(name): self.of(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.of(inner, key) for inner in value]
        if value is None or isinstance(value, bool) or value == "" or _is_harmless(key, value):
            return value
        if isinstance(value, int):
            return self._number(str(value))
        if isinstance(value, float):
            return float(self._number(str(value)))
        return self._text(value, key)

    def _key(self, name: str) -> str:
        return name if name in KEYS else f"key-{self._count(self._texts, name)}"

    def _text(self, value: str, key: str) -> str:
        if key in SENTENCES:
            return " ".join(word if _is_documented(word) else "…" for word in value.split())
        if found := ID.fullmatch(value):
            return f"{found[1] or ''}{self._number(found[2])}"
        if MOMENT.fullmatch(value):
            return "2030-01-31 12:00:00"
        if DATE.fullmatch(value):
            return "2030-01-31"
        if re.match("https?://", value):
            return self._url(value)
        number = self._count(self._texts, value)
        return f"person-{number}@example.test" if "@" in value else f"text-{number}"

    def _url(self, value: str) -> str:
        try:
            parts = urlsplit(value)
        except ValueError:
            return f"https://host-{self._count(self._texts, value)}.example.test/"
        path = "/".join(self._word(step) for step in parts.path.split("/"))
        query = [(self._key(name), self._word(word)) for name, word in parse_qsl(parts.query, keep_blank_values=True)]
        host = f"host-{self._count(self._texts, parts.netloc)}.example.test"
        return urlunsplit((parts.scheme, host, path, urlencode(query), ""))

    def _word(self, word: str) -> str:
        return word if word in URL_WORDS else self._text(word, "")

    def _number(self, digits: str) -> int:
        return FIRST_NUMBER + self._count(self._numbers, digits)

    def _count(self, known: dict[str, int], value: str) -> int:
        return known.setdefault(value, len(known) + 1)


def record(folder: Path, exchanges: Iterable[Exchange]) -> int:
    """Writes a file per answer, named by its turn and endpoint, and answers how many. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    redaction = Redaction()
    count = 0
    for count, exchange in enumerate(exchanges, 1):
        text = json.dumps(_fixture(redaction, exchange), indent=2, ensure_ascii=False)
        (folder / f"{count:02}-{exchange.endpoint.name}.json").write_text(f"{text}\n", encoding="utf-8")
    return count


def _fixture(redaction: Redaction, exchange: Exchange) -> dict[str, Any]:
    """Of a body that is not JSON only its length, in bytes."""
    payload = decoded(exchange.answer.body)
    seen = {"not_json": len(exchange.answer.body)} if payload is None else {"body": redaction.of(payload)}
    return {
        "method": exchange.endpoint.http_method,
        "path": exchange.endpoint.path,
        "arguments": redaction.of(dict(exchange.arguments)),
        "status": exchange.answer.status,
        **seen,
    }


def _is_documented(word: str) -> bool:
    return word.rstrip(".:").lower() in WORDS or word.rstrip(".:") in KEYS


def _is_harmless(key: str, value: object) -> bool:
    form = HARMLESS.get(key) or next((form for start, form in HARMLESS_PREFIXES.items() if key.startswith(start)), None)
    return form is not None and re.fullmatch(form, str(value)) is not None
