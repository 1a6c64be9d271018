"""Reading what a caller sent: a body in any of the accepted forms, and values out of it."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .replies import Json

CREDENTIALS = ("client_id", "client_secret")
SECRETS = {*CREDENTIALS, "password", "api_key", "api_secret"}


class Refusal(Exception):
    """The vendor says no, for one or more reasons: (code, message) each."""

    def __init__(self, *problems: tuple[int, str]) -> None:
        super().__init__(problems)
        self.problems = problems


def missing(name: str) -> tuple[int, str]:
    return 200, f"Missing parameter: {name}"


def invalid_character(name: str) -> tuple[int, str]:
    return 301, f"Invalid character in parameter: {name}."


def not_in_list(name: str) -> tuple[int, str]:
    return 302, f"Invalid value in parameter: {name}"


@dataclass(frozen=True)
class Call:
    """A request to the vendor, taken apart."""

    path: str
    arguments: Json
    client_id: str | None = None
    client_secret: str | None = None
    as_of: float | None = None  # answer a list as the world was then (fault "stale_list")

    def text(self, name: str) -> str | None:
        """The argument as text, None where it is absent, null or blank.

        Raises Refusal (300) for a structure.
        """
        value = self.arguments.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None or isinstance(value, str | int | float):
            return None if value is None else str(value).strip() or None
        raise Refusal((300, f"Incorrect value in parameter: {name}"))

    def number(self, name: str, prefix: str) -> int | None:
        """The number of an id, written `sub_1234` or `1234`; None if absent.

        Raises Refusal (301) for any other character.
        """
        value = self.text(name)
        if value is None:
            return None
        found = re.fullmatch(rf"(?:{prefix}_)?([0-9]{{1,18}})", value)
        if not found:
            raise Refusal(invalid_character(name))
        return int(found[1])

    def required_number(self, name: str, prefix: str) -> int:
        number = self.number(name, prefix)
        if number is None:
            raise Refusal(missing(name))
        return number


def parse(body: bytes, query: str = "") -> Json:
    """Arguments from a body that is empty, `[]`, `{}`, JSON or form-urlencoded.

    Assumed: a body that is none of these counts as no arguments. The content type is not looked at,
    since cURL in PHP announces a form whatever it sends.
    """
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return dict(parse_qsl(query, keep_blank_values=True))
    if text[0] in "{[":
        try:
            document = json.loads(text)
            json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}
    return dict(parse_qsl(text, keep_blank_values=True))


def without_secrets(arguments: Json) -> Json:
    """What may stand in the ledger; of a password only that there was one."""
    kept: dict[str, Any] = {key: value for key, value in arguments.items() if key.lower() not in SECRETS}
    if arguments.get("password"):
        kept["password_given"] = True
    return kept
