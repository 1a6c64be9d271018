"""Lists that the vendor gives in pages, as one lazy row of lines."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

from coupontools_api.assumed import FIRST_PAGE
from coupontools_api.contents import lines, listed, only_list, rest_items
from coupontools_api.endpoints import Endpoint
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import number_of
from coupontools_api.replies import Payload, Reply
from coupontools_api.transport import Transport

_Line = TypeVar("_Line", bound=Reply)
_Page = tuple[list[Any], int]
"""The lines of a page, and of how many in all its answer speaks."""

TOTALS = ("amount_of_results", "amount_of_users")
MOST_REPEATED_PAGES = 2


def all_pages(
    transport: Transport,
    endpoint: Endpoint,
    arguments: Mapping[str, Any],
    model: type[_Line],
    *,
    known_by: Callable[[_Line], Hashable],
    key: str | None = None,
) -> Iterator[_Line]:
    """Every line of every page, each page asked for when its first line is wanted.

    `key` is the name of the list, None where it is not published. No size of a page is assumed: the end is an empty
    page, or one without any line that an earlier page did not have. Lines are told apart by `known_by` alone: what
    else a line says may change between two pages.

    Newest first, a whole page may come again because as many arrived meanwhile: where the answer's own total says
    that there are more, the next page is asked for. Raises UnexpectedReply if that is such a page, too, or if an empty
    page comes before as many lines as the first answer counted.
    """

    def read(page: int) -> _Page:
        payload = transport.call(endpoint, {**arguments, "page": page})
        return _items(endpoint, payload, key), _total(payload)

    return _new_lines(endpoint, read, model, known_by)


def all_rest_pages(
    transport: Transport,
    endpoint: Endpoint,
    ids: Mapping[str, int],
    model: type[_Line],
    *,
    known_by: Callable[[_Line], Hashable],
) -> Iterator[_Line]:
    """The same of a REST call; `ids` are put into its path."""

    def read(page: int) -> _Page:
        payload = transport.call_rest(endpoint, {"page": page}, ids=ids)
        return rest_items(endpoint, payload), _total(payload)

    return _new_lines(endpoint, read, model, known_by)


def _new_lines(
    endpoint: Endpoint, read: Callable[[int], _Page], model: type[_Line], known_by: Callable[[_Line], Hashable]
) -> Iterator[_Line]:
    seen: set[Hashable] = set()
    given = repeated = at_first = 0
    page = FIRST_PAGE
    while True:
        items, total = read(page)
        at_first = total if page == FIRST_PAGE else at_first
        found = lines(endpoint, items, model)
        new = [line for line in found if known_by(line) not in seen]
        repeated = 0 if new else repeated + 1
        if not found and given < at_first:
            raise UnexpectedReply(endpoint.path, detail=f"{given} of {at_first} lines, then an empty page")
        if not found or (repeated and given >= total):
            return
        if repeated == MOST_REPEATED_PAGES:
            raise UnexpectedReply(endpoint.path, detail=f"{given} of {total} lines, then the same again")
        yield from new
        seen.update(map(known_by, new))
        given += len(new)
        page += 1


def _total(payload: object) -> int:
    """How many lines there are by the answer's own word; 0 where it has none."""
    named = [number_of(payload.get(name)) or 0 for name in TOTALS] if isinstance(payload, dict) else []
    return max(named, default=0)


def _items(endpoint: Endpoint, payload: Payload, key: str | None) -> list[Any]:
    found: Any
    if key is None:
        found = only_list(endpoint, payload)
    else:
        found = payload.get(key, [] if str(payload.get("amount_of_results")) == "0" else False)
    return listed(endpoint, found)
