"""What goes back over the wire."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One HTTP answer. A body that is an iterator is sent in chunks."""

    status: int
    body: bytes | Iterator[bytes] = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def as_json(document: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode(), "application/json")


def as_page(status: int, title: str, text: str, *headers: tuple[str, str]) -> Reply:
    """A plain page with one sentence, as web servers put in front of an API."""
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(text)}</p></main></body></html>\n"
    )
    return Reply(status, page.encode(), headers=headers)
