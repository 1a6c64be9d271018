"""Pages for browsers: what a visit is, and the frame around a page."""

from dataclasses import dataclass
from html import escape

from .replies import Reply

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = (("Content-Security-Policy", POLICY), ("Referrer-Policy", "no-referrer"))
STYLE = """
body { margin: 0; padding: 0 .75rem; font: 1rem/1.5 system-ui, sans-serif; color: #1d2733; background: #f4f6f8; }
header, main { max-width: 46rem; margin: 0 auto; padding: 1rem 1.5rem; }
h1 { margin: .5rem 0 1rem; line-height: 1.25; }
main { background: #fff; border: 1px solid #d5dce3; border-radius: .5rem; }
nav a { margin-right: 1rem; color: #0b5cad; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
input, button { font: inherit; padding: .4rem .6rem; }
"""


@dataclass(frozen=True)
class Visit:
    """A request by a browser. `query` and `form` hold the first value of each name."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    cookies: str
    secure: bool


def fact_list(facts: dict[str, str]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value) or '-'}</dd>" for name, value in facts.items())
    return f"<dl>{rows}</dl>"


def whole_page(
    status: int,
    title: str,
    content: str,
    marks: dict[str, str] | None = None,
    *,
    site: str,
    menu: list[tuple[str, str]] | None = None,
) -> Reply:
    """`content` is markup; `marks` become data- attributes of `<main>`; `menu` holds addresses and their texts."""
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in (marks or {}).items())
    links = "".join(f'<a href="{address}">{text}</a> ' for address, text in menu or ())
    nav = f'<nav aria-label="Pages">{links}</nav>' if links else ""
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · {site}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/panel/style.css"></head>'
        f"<body><header><p>{site}</p>{nav}</header>"
        f"<main{attributes}><h1>{escape(title)}</h1>{content}</main></body></html>\n"
    )
    return Reply(status, page.encode(), headers=HEADERS)
