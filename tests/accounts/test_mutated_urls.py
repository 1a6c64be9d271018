"""Sign-on URLs spoiled a hundred thousand times: none that we would follow leads a browser elsewhere."""

import json
import os
import subprocess
from typing import Any

import pytest

from accounts import handoff
from tests.figures import RecordFigure
from tests.hostile.mutations import Mutator

pytestmark = pytest.mark.prove

URLS = int(os.environ.get("MUTATED_URLS", "100000"))
HOSTS = ("www.controlpanel.center", "coupons.northlight.example")
GOOD = tuple(f"https://{host}/login/sso?token=t0ken&page=campaigns" for host in HOSTS)
# How a browser reads an address: the URL standard, by an implementation that shares nothing with ours.
BROWSER = """
const urls = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(urls.map((url) => {
  try {
    const { protocol, username, password, host } = new URL(url);
    return { protocol, username, password, host };
  } catch { return null; }
})));
"""


def as_browsers_read(urls: list[str]) -> list[dict[str, str] | None]:
    done = subprocess.run(["node", "-e", BROWSER], input=json.dumps(urls), capture_output=True, text=True, check=True)
    read: list[dict[str, str] | None] = json.loads(done.stdout)
    return read


def test_no_spoiled_url_leads_elsewhere(settings: Any, record_figure: RecordFigure):
    settings.DEPLOYMENT = "production"
    mutator = Mutator(seed=7_000)
    spoiled = [mutator.url(mutator.chance.choice(GOOD)) for _ in range(URLS)]

    followed = [url for url in spoiled if handoff._may_be_followed(url, HOSTS)]
    read = as_browsers_read(followed)

    led_astray = [
        url
        for url, parts in zip(followed, read, strict=True)
        if parts is None
        or parts["protocol"] != "https:"
        or parts["host"] not in HOSTS
        or parts["username"]
        or parts["password"]
    ]
    assert led_astray == []
    # Many are spoiled behind the host only, and lead where they should: the check is not one that refuses everything.
    assert len(followed) > URLS // 100
    elsewhere = sum(1 for parts in as_browsers_read(spoiled) if parts and parts["host"] not in HOSTS)
    assert elsewhere > URLS // 4
    record_figure(
        "Spoiled sign-on URLs",
        f"{URLS:,}, of which {elsewhere:,} lead a browser to another host and {len(followed):,} were followed;"
        f" {len(led_astray)} of those led elsewhere",
    )


def test_good_ones_are_followed():
    assert all(handoff._may_be_followed(url, HOSTS) for url in GOOD)
