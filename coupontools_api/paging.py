"""Lists that the vendor gives in pages, as one lazy row of lines."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from coupontools_api.assumed import FIRST_PAGE
from coupontools_api.endpoints import Endpoint
from coupontools_api.replies import Payload, Reply, lines, listed, only_list, rest_items
from coupontools_api.transport import Transport

_Line = TypeVar("_Line", bound=Reply)


def all_pages(
    transport: Transport,
    endpoint: Endpoint,
    arguments: Mapping[str, Any],
    model: type[_Line],
    *,
    key: str | None = None,
) -> Iterator[_Line]:
    """Every line of every page, each page asked for when its first line is wanted.

    `key` is the name of the list, None where it is not published. No size of a page is assumed: the end is a page
    without any line that an earlier page did not have, so an empty one, or one that the vendor gives again and again.
    """

    def read(page: int) -> list[Any]:
        return _items(endpoint, transport.call(endpoint, {**arguments, "page": page}), key)

    return _new_lines(endpoint, read, model)


def all_rest_pages(
    transport: Transport, endpoint: Endpoint, ids: Mapping[str, int], model: type[_Line]
) -> Iterator[_Line]:
    """The same of a REST call; `ids` are put into its path."""

    def read(page: int) -> list[Any]:
        return rest_items(endpoint, transport.call_rest(endpoint, {"page": page}, ids=ids))

    return _new_lines(endpoint, read, model)


def _new_lines(endpoint: Endpoint, read: Callable[[int], list[Any]], model: type[_Line]) -> Iterator[_Line]:
    seen: set[int] = set()
    page = FIRST_PAGE
    while True:
        items = read(page)
        marks = [hash(json.dumps(item, sort_keys=True)) for item in items]
        new = [item for item, mark in zip(items, marks, strict=True) if mark not in seen]
        if not new:
            return
        yield from lines(endpoint, new, model)
        seen.update(marks)
        page += 1


def _items(endpoint: Endpoint, payload: Payload, key: str | None) -> list[Any]:
    found: Any
    if key is None:
        found = only_list(endpoint, payload)
    else:
        found = payload.get(key, [] if str(payload.get("amount_of_results")) == "0" else False)
    return listed(endpoint, found)
