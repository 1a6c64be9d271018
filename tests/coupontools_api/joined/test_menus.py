"""Every line of the menus in the vendor's two documents can be called, and is answered."""

import os
import re
from pathlib import Path

import pytest

from coupontools_api.coverage import ENDPOINTS
from coupontools_api.sandbox.route import Route
from coupontools_api.sandbox.routes import ROUTES

HEADINGS = ("Account", "Teammate", "Subaccount")
CALLED = {(endpoint.http_method, endpoint.path) for endpoint in ENDPOINTS}


@pytest.fixture(scope="module")
def documents() -> list[str]:
    folder = os.environ.get("VENDOR_DOCS_DIR")
    if not folder:
        pytest.skip("VENDOR_DOCS_DIR does not name the folder with the vendor's documents")
    return [file.read_text() for file in sorted(Path(folder).iterdir()) if file.is_file()]


def menu_lines(document: str) -> list[tuple[str, str]]:
    """Heading and line of the older document's menu: a heading follows a lone dash, its lines begin with one."""
    found, heading, before = [], "", ""
    for line in map(str.strip, document.splitlines()):
        if before == "-":
            heading = line
        elif heading and re.match("- (?![0-9])", line):
            found.append((heading, line.removeprefix("- ")))
        elif line != "-":
            heading = ""
        before = line
    return found


def sections(document: str) -> list[tuple[str, str, str]]:
    """Heading, title and path of each section of the newer document: title, what it does, POST, address."""
    found, heading = [], ""
    lines = [line.strip() for line in document.splitlines()]
    for number, line in enumerate(lines):
        if line == "POST":
            title, address = lines[number - 2], lines[number + 1]
            if lines[number - 3] in HEADINGS:
                heading = lines[number - 3]
            found.append((heading, title, re.sub("^https://[^/]+", "", address)))
    return found


def routes_of(heading: str, line: str) -> list[Route]:
    """The routes that name the line; where two headings have the same line, the heading with it."""
    return [route for route in ROUTES if {line, f"{line} ({heading.lower()})"} & {*route.pages}]


def test_every_menu_line_is_called_and_answered(documents: list[str]):
    lines = [pair for document in documents for pair in menu_lines(document)]

    assert len(lines) == 31
    for heading, line in lines:
        (route,) = routes_of(heading, line)
        assert (route.method, route.path) in CALLED, line


def test_every_section_is_called_and_answered_at_its_address(documents: list[str]):
    found = [section for document in documents for section in sections(document)]

    assert len(found) == 7
    for heading, title, path in found:
        (route,) = routes_of(heading, title)
        assert (route.method, route.path) == ("POST", path), title
        assert ("POST", path) in CALLED, title


def test_every_source_that_is_a_menu_line_is_at_the_path_of_that_line(documents: list[str]):
    lines = {line for document in documents for _, line in menu_lines(document)}
    named = [endpoint for endpoint in ENDPOINTS if endpoint.source in lines]

    assert len(named) > 20
    for endpoint in named:
        heading = {"campaigns": "campaign", "loyalty": "loyalty card"}.get(endpoint.name.partition(".")[0], "")
        assert endpoint.path in [route.path for route in routes_of(heading, endpoint.source)], endpoint.name
