"""The search sees: a secret that is planted in any shape, between other words, is found."""

import base64
import html
import json
import pickle
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest

from tests.canaries.forms import Canary, hits

TOKEN = "s3same-Open_77x9Qq"
ADDRESS = f"https://panel.example/index.php?action=login&logintype=sso&token={TOKEN}"

LEAKS: dict[str, Callable[[str], bytes]] = {
    "raw": lambda secret: f"opened {secret} just now".encode(),
    "hex, as in a dump of binary columns": lambda secret: f"\\x00{secret.encode().hex()}".encode(),
    "hex in capitals": lambda secret: secret.encode().hex().upper().encode(),
    "URL-encoded": lambda secret: f"/login/?next={quote(secret, safe='')}".encode(),
    "a form": lambda secret: urlencode({"was": "x", "is": secret}).encode(),
    "JSON": lambda secret: json.dumps({"args": [secret]}).encode(),
    "JSON with slashes escaped": lambda secret: json.dumps({"args": [secret]}).replace("/", "\\/").encode(),
    "JSON within JSON": lambda secret: json.dumps({"body": json.dumps([secret])}).encode(),
    "HTML": lambda secret: f"<p>{html.escape(secret)}</p>".encode(),
    "repr": lambda secret: repr({"secret": secret}).encode(),
    "the body of a task": lambda secret: base64.b64encode(json.dumps([[7], {}, secret]).encode()),
    **{
        f"base64 after {n} letters": lambda secret, n=n: base64.b64encode(f"{'x' * n}{secret} and more".encode())
        for n in range(6)
    },
    **{
        f"URL-safe base64 after {n} letters": lambda secret, n=n: base64.urlsafe_b64encode(
            f"{'>' * n}{secret}".encode()
        )
        for n in range(3)
    },
    **{
        f"pickled, protocol {n}": lambda secret, n=n: pickle.dumps({"cached": (1, secret)}, protocol=n)
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("secret", [TOKEN, ADDRESS, 'odd "quotes" & <signs>/é'], ids=["token", "address", "odd"])
@pytest.mark.parametrize("shape", LEAKS)
def test_a_planted_leak_is_found_in_every_shape(shape: str, secret: str):
    places = {"its place": secret.encode(), "log": LEAKS[shape](secret)}

    assert hits(Canary("token", secret, seen="its place"), places)


def test_where_nothing_leaked_nothing_is_found():
    places = {"its place": TOKEN.encode(), "log": b"s3same-Open is the beginning of it", "mail": b""}

    assert hits(Canary("token", TOKEN, seen="its place"), places) == []


def test_a_page_that_may_show_it_is_no_leak_and_another_one_is():
    places = {"its place": TOKEN.encode(), "page 1": TOKEN.encode(), "page 2": TOKEN.encode()}

    found = hits(Canary("token", TOKEN, seen="its place", also={"page 1"}), places)

    assert {hit.rpartition(", in ")[2] for hit in found} == {"page 2"}
