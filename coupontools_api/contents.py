"""The lists and objects within an answer: the vendor publishes no name for many of its lists and objects."""

from typing import Any, TypeVar

from coupontools_api.assumed import USUAL_NAMES
from coupontools_api.endpoints import Endpoint
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import number_of
from coupontools_api.replies import Payload, Reply

TOTAL = "amount_of_"
"""How the names of totals start."""
_Line = TypeVar("_Line", bound=Reply)


def lines(endpoint: Endpoint, items: object, model: type[_Line]) -> tuple[_Line, ...]:
    """Every line of what `listed` takes for a list. Raises UnexpectedReply."""
    return tuple([model.of(endpoint, item) for item in listed(endpoint, items)])


def listed(endpoint: Endpoint, items: object) -> list[Any]:
    """A list, which may also be a single object, or empty as null or "". Raises UnexpectedReply."""
    if isinstance(items, dict):
        return [items]
    if not isinstance(items, list) and items not in (None, ""):
        raise UnexpectedReply(endpoint.path, detail="no list in the reply")
    return items if isinstance(items, list) else []


def rest_lines(endpoint: Endpoint, payload: object, model: type[_Line]) -> tuple[_Line, ...]:
    """Every line of a REST answer. Raises UnexpectedReply."""
    return lines(endpoint, rest_items(endpoint, payload), model)


def rest_items(endpoint: Endpoint, payload: object) -> list[Any]:
    """The list of a REST answer: bare, a line by itself, or the one list of an object that tells how it is paged."""
    is_line = isinstance(payload, dict) and "id" in payload
    return listed(endpoint, only_list(endpoint, payload) if isinstance(payload, dict) and not is_line else payload)


def whole_list(endpoint: Endpoint, payload: Payload, model: type[_Line], *own: str) -> tuple[_Line, ...]:
    """Every line of `only_list` in an answer that has no pages.

    Raises UnexpectedReply also where it counts more lines than came.
    """
    found = lines(endpoint, only_list(endpoint, payload, *own), model)
    if max(_totals(payload), default=0) > len(found):
        raise UnexpectedReply(endpoint.path, detail="a part of the list only")
    return found


def only_list(endpoint: Endpoint, payload: Payload, *own: str) -> object:
    """The list of an answer that gives it a name which is not published. Raises UnexpectedReply if there is none.

    An empty one may come as null or "", a list of one as an object. An object of another name than the lines' `own` or
    a usual one, beside such a null or a total of 0, is what the list is of and no line of it.
    """
    named, totals = _named(payload), _totals(payload)
    found = _one_of(named, list, own)
    if found is None:
        found = _one_of(named, dict, own)
        is_line = any(isinstance(named.get(name), dict) for name in (*own, *USUAL_NAMES)) or any(totals)
        has_null = any(value in (None, "") for value in named.values())
        if (totals and not any(totals)) or (found is not None and has_null and not is_line):
            return []
    if found is None and (not named or any(named.values())):
        raise UnexpectedReply(endpoint.path, detail="no list in the reply")
    return found or []


def _totals(payload: Payload) -> list[int]:
    """What an answer counts, by each of its totals that is a number."""
    told = (number_of(value) for key, value in payload.items() if key.startswith(TOTAL))
    return [number for number in told if number is not None]


def only_object(endpoint: Endpoint, payload: Payload) -> object:
    """The object of an answer that gives it a name which is not published, or the one line of a list."""
    named = _named(payload)
    found = _one_of(named, dict) or _one_of(named, list)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise UnexpectedReply(endpoint.path, detail="no object in the reply")
    return found


def _named(payload: Payload) -> Payload:
    """What stands beside the envelope, totals not among it."""
    return {
        key: value for key, value in payload.items() if key not in ("status", "errors") and not key.startswith(TOTAL)
    }


def _one_of(named: Payload, kind: type, own: tuple[str, ...] = ()) -> Any:
    found = {key: value for key, value in named.items() if isinstance(value, kind)}
    usual = [name for name in (*own, *USUAL_NAMES) if name in found]
    if len(found) > 1 and not usual:
        return None
    return found[usual[0]] if usual else next(iter(found.values()), None)
