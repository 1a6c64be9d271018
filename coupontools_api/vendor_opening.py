"""A sign-on URL that `vendor_check` opens: what a browser without cookies comes to."""

import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

DEADLINE_SECONDS = 15.0
MAX_REDIRECTS = 5
MAX_PAGE_BYTES = 1024 * 1024
PASSWORD_FIELD = re.compile(rb"<input[^>]+type\s*=\s*[\"']?password", re.IGNORECASE)


@dataclass(frozen=True)
class Opening:
    """What came of opening a sign-on URL in a browser without cookies."""

    signs_in: bool
    summary: str
    is_answer: bool = True  # an outage says nothing of the URL


def opened(url: str) -> Opening:
    """Opens a sign-on URL as a browser without cookies does, redirects included.

    Taken for signed in: the last page is there (HTTP 200) and does not ask for a password.
    """
    with requests.Session() as browser:
        browser.trust_env = False
        browser.max_redirects = MAX_REDIRECTS
        try:
            with browser.get(url, timeout=DEADLINE_SECONDS, stream=True) as page:
                content = _beginning(page)
        # What is raised carries the URL, and with it the token.
        except (requests.RequestException, HTTPError) as problem:
            return Opening(signs_in=False, summary=f"no answer: {type(problem).__name__}", is_answer=False)
    asks = PASSWORD_FIELD.search(content) is not None
    summary = f"HTTP {page.status_code}{', asks for a password' if asks else ''}"
    is_outage = page.status_code == 429 or page.status_code >= 500
    return Opening(page.status_code == 200 and not asks, summary, is_answer=not is_outage)


def _beginning(page: requests.Response) -> bytes:
    """What has come of a page when enough of it has, or when the time is up: it may drip for ever."""
    ends, content = time.monotonic() + DEADLINE_SECONDS, b""
    while len(content) < MAX_PAGE_BYTES and time.monotonic() < ends:
        part = page.raw.read1(MAX_PAGE_BYTES, decode_content=True)
        if not part:
            break
        content += part
    return content


def host_of(url: object) -> str:
    """`host` or `host:port` of a URL, "" for what is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() if isinstance(url, str) else ""
    except ValueError:
        return ""
