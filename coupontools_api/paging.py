"""Lists that the vendor gives in pages, as one lazy row of lines."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from coupontools_api.assumed import FIRST_PAGE
from coupontools_api.endpoints import Endpoint
from coupontools_api.errors import UnexpectedReply
from coupontools_api.replies import Payload, Reply, lines, only_list
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
    seen: set[int] = set()
    page = FIRST_PAGE
    while True:
        items = _items(endpoint, transport.call(endpoint, {**arguments, "page": page}), key)
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
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list) and found not in (None, ""):
        raise UnexpectedReply(endpoint.path, detail="no list in the reply")
    return list(found or ())
