"""The values of replies as Python has them. What cannot be read is empty and stays in `.raw`: never an error.

`written_day` and `in_utc` go the other way.

The vendor writes numbers and booleans as texts, unset dates as "", and sometimes a blank too many.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, SecretStr


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _secret(value: object) -> object:
    return value if isinstance(value, SecretStr) else _text(value) or None


def number_of(value: object) -> int | None:
    """A whole number, or one as text, also with nothing after its point; None for anything else."""
    text = _text(value)
    return int(text.partition(".")[0]) if re.fullmatch(r"-?[0-9]{1,18}(\.0+)?", text, re.ASCII) else None


def flag_of(value: object) -> bool | None:
    """A yes or no, also as text or number; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(_text(value).lower())


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(_text(value))
    except ValueError:
        return None


def _moment_in_utc(value: object) -> datetime | None:
    moment = _moment(value)
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _day(value: object) -> date | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = _moment(value)
    return moment.date() if moment else None


def _several(value: object) -> Any:
    """A single thing may come as an object, none as null or an empty text."""
    if isinstance(value, dict):
        return [value]
    return value or []


def _or_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _block(value: object) -> object:
    """An empty object may come as an empty list or text."""
    return value if isinstance(value, dict | BaseModel) else {}


def written_day(day: date | None) -> str | None:
    """`yyyy-MM-dd`. A `datetime`, which is a `date` to Python, is sent as its own date: the vendor refuses a time."""
    return None if day is None else f"{day.year:04}-{day.month:02}-{day.day:02}"


def in_utc(moment: datetime, name: str) -> datetime:
    """Raises ValueError, by the argument's `name`, for a moment without a time zone or of no year that UTC has."""
    if moment.tzinfo is None:
        raise ValueError(f"{name} needs its time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name} is of no year that UTC has") from None


BlankIsNone = BeforeValidator(_or_none)
"""For an id that may be left out: it may come as an empty text as well."""

Trimmed = BeforeValidator(_text)

Text = Annotated[str, Trimmed]
"""Without blanks around it; "" where there is none."""

Secret = Annotated[SecretStr | None, BeforeValidator(_secret)]
"""Hidden from repr and dumps; None where there is none."""

NeededSecret = Annotated[SecretStr, BeforeValidator(_secret)]
"""Hidden in the same way; without it the reply is worth nothing."""

Number = Annotated[int | None, BeforeValidator(number_of)]
Flag = Annotated[bool | None, BeforeValidator(flag_of)]

Moment = Annotated[datetime | None, BeforeValidator(_moment)]
"""`yyyy-MM-dd HH:mm:ss` without a zone, where the vendor names none."""

MomentInUtc = Annotated[datetime | None, BeforeValidator(_moment_in_utc)]
"""The same of a key that ends in `_utc`: with its zone."""

Day = Annotated[date | None, BeforeValidator(_day)]
"""`yyyy-MM-dd`; a time after it is left out."""

block = BeforeValidator(_block)
"""For an object within an object, of which nothing is required."""

several = BeforeValidator(_several)
"""For a tuple of lines."""
