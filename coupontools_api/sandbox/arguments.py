"""Reading what a caller sent: a body in any of the accepted forms, and values out of it."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from .replies import Json

CREDENTIALS = ("client_id", "client_secret")
BATCH = "users"
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


def invalid_format(name: str, required: str) -> tuple[int, str]:
    return 303, f"Invalid format in parameter: {name}. Required format: {required}"


def incorrect(name: str) -> tuple[int, str]:
    return 300, f"Incorrect value in parameter: {name}"


EMAIL_INVALID = (305, "Email address is not valid")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
NO_ID = "[a-z]{3}"  # the prefix of an id whose prefix the vendor does not publish
YES = ("true", "1", "yes")
NO = ("false", "0", "no")


@dataclass(frozen=True)
class Call:
    """A request to the vendor, taken apart. `arguments` include those that stand in the path."""

    method: str
    path: str
    arguments: Json
    client_id: str | None = None
    client_secret: str | None = None
    as_of: float | None = None  # answer a list as the world was then (fault "stale_list")

    def has(self, name: str) -> bool:
        """Whether the argument is there, and neither null nor blank."""
        value = self.arguments.get(name)
        return bool(value.strip()) if isinstance(value, str) else value is not None

    def text(self, name: str, most: int | None = None) -> str | None:
        """The argument as text, None where it is absent, null or blank.

        Raises Refusal (300) for a structure, or more than `most` characters.
        """
        value = self.arguments.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is None:
            return None
        if not isinstance(value, str | int | float) or (most is not None and len(str(value)) > most):
            raise Refusal(incorrect(name))
        return str(value).strip() or None

    def required(self, name: str) -> str:
        """Raises Refusal (200, 300)."""
        value = self.text(name)
        if value is None:
            raise Refusal(missing(name))
        return value

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

    def whole(self, name: str, default: int) -> int:
        """A number of digits only. Raises Refusal (301)."""
        value = self.text(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise Refusal(invalid_character(name))
        return int(value)

    def choice(self, name: str, options: tuple[str, ...]) -> str | None:
        """One of the options, None if absent. Raises Refusal (302)."""
        value = self.text(name)
        if value is not None and value not in options:
            raise Refusal(not_in_list(name))
        return value

    def flag(self, name: str) -> bool | None:
        """true or false, 1 or 0; None if absent. Raises Refusal (302)."""
        value = self.choice(name, (*YES, *NO))
        return None if value is None else value in YES

    def email(self, name: str) -> str | None:
        """Raises Refusal (305)."""
        value = self.text(name)
        if value is not None and (len(value) > 254 or not EMAIL.fullmatch(value)):
            raise Refusal(EMAIL_INVALID)
        return value

    def written(self, name: str, form: str, shown: str) -> str | None:
        """A date or moment in a `strptime` form, as it was given. Raises Refusal (303)."""
        value = self.text(name)
        if value is not None and not is_written(value, form):
            raise Refusal(invalid_format(name, shown))
        return value

    def texts(self, *names: str, most: int | None = None) -> Json:
        """Those of the arguments that are given."""
        values = {name: self.text(name, most) for name in names}
        return {name: value for name, value in values.items() if value is not None}


def is_written(text: str, form: str) -> bool:
    """Whether a text is a date in exactly this form, every digit included."""
    try:
        return text.isascii() and datetime.strptime(text, form).strftime(form) == text
    except ValueError:
        return False


def parse(body: bytes, query: str = "") -> Json:
    """Arguments from a body that is empty, `[]`, `{}`, JSON or form-urlencoded.

    Assumed: a body that is none of these counts as no arguments. The content type is not looked at,
    since cURL in PHP announces a form whatever it sends. A list that is not empty is a batch.
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
        if isinstance(document, list) and document:
            return {BATCH: document}
        return document if isinstance(document, dict) else {}
    return dict(parse_qsl(text, keep_blank_values=True))


def without_secrets(arguments: Json) -> Json:
    """What may stand in the ledger; of a password only that there was one."""
    kept: dict[str, Any] = {
        key: [without_secrets(row) if isinstance(row, dict) else row for row in value]
        if isinstance(value, list)
        else value
        for key, value in arguments.items()
        if key.lower() not in SECRETS
    }
    if arguments.get("password"):
        kept["password_given"] = True
    return kept
