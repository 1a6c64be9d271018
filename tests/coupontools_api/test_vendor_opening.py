"""A sign-on URL that `./run vendor-check --open-token` opens: what counts as signed in, and as an answer."""

import time

import pytest

from coupontools_api import vendor_opening
from coupontools_api.vendor_opening import Opening, opened
from tests.coupontools_api.scripted import Script, Vendor, answers, drips, resets


@pytest.mark.parametrize(
    ("page", "summary"),
    [
        (answers(b"<h1>Home</h1>"), "HTTP 200"),
        (answers(b'<form><input name="p" type="password"></form>'), "HTTP 200, asks for a password"),
        (answers(b"<h1>Gone</h1>", 403), "HTTP 403"),
        (answers(b"", 302, Location="/index.php?token=a-token"), "no answer: TooManyRedirects"),
        (resets, "no answer: ConnectionError"),
    ],
    ids=["home", "login", "403", "in circles", "reset"],
)
def test_signed_in_is_a_page_that_asks_for_no_password(script: Vendor, page: Script, summary: str):
    script.plays(page)

    done = opened(f"{script.url}/index.php?token=a-token")

    assert done == Opening(summary == "HTTP 200", summary, is_answer="no answer" not in summary)


def test_a_page_that_drips_ends_with_the_deadline(script: Vendor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vendor_opening, "DEADLINE_SECONDS", 1.0)
    script.plays(drips)
    began = time.monotonic()

    opened(f"{script.url}/index.php?token=a-token")

    assert time.monotonic() - began < 6  # of eight
