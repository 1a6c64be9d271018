"""Visitors whose every answer is kept, as are the forms that they sent and the cookies that they got."""

import html
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tests.canaries.installation import Installation
from tests.flows.visitor import Page, Visitor

LINK = re.compile(r'(?:href|src|action)="(/[^"#?]*)')
# The page that shows a person's recovery codes is there for that; single events are many, and hold ids only.
NOT_FOLLOWED = re.compile(r"/account/logout/|/account/2fa/recovery-codes/|/static/|/view-as/|/operator/all/event/.")


class _NamedElsewhere(HTTPAdapter):
    """Speaks to loopback, and wants the certificate of the host that the page is of."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, assert_hostname=self.host, **kwargs)


class Visits:
    """All visitors of one run. `pages` is what they were answered, by number, method, host and path."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.pages: dict[str, bytes] = {}
        self.sent: dict[str, bytes] = {}
        self.cookies: dict[str, bytes] = {}
        self.latest = ""

    def at(self, host: str) -> Visitor:
        visitor = Visitor(self.installation.url, host)
        visitor.session.hooks["response"].append(self._keep)
        if self.installation.authority is not None:
            visitor.session.verify = str(self.installation.authority)
            visitor.session.headers["Referer"] = f"https://{host}/"
            visitor.session.mount("https://", _NamedElsewhere(host))
        return visitor

    def _keep(self, response: requests.Response, **kwargs: object) -> None:
        number, request = len(self.pages) + 1, response.request
        path = urlsplit(str(request.url)).path
        self.latest = f"page {number} {request.method} {request.headers['Host']}{path} {response.status_code}"
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items() if name != "Set-Cookie")
        self.pages[self.latest] = headers.encode() + b"\n\n" + response.content
        self.cookies[f"cookies of {self.latest}"] = response.headers.get("Set-Cookie", "").encode()
        body = request.body or b""
        self.sent[f"form of {self.latest}"] = body.encode() if isinstance(body, str) else body

    def look_around(self, visitor: Visitor, *paths: str, most: int = 60) -> int:
        """Opens those pages and everything that they link to, each once. Returns how many."""
        waiting, seen = list(paths), set(paths)
        opened = 0
        while waiting and opened < most:
            page = visitor.get(waiting.pop(0))
            opened += 1
            for link in LINK.findall(page.text):
                path = html.unescape(link)
                if path not in seen and not NOT_FOLLOWED.match(path):
                    seen.add(path)
                    waiting.append(path)
        return opened


def text_of(page: Page, element: str) -> str:
    """What stands in the element of that id."""
    found = re.search(rf'<(\w+)[^>]*\bid="{element}"[^>]*>(.*?)</\1>', page.text, re.S)
    assert found, f"no #{element} on {page.path}: {page.status} {page.title}"
    return html.unescape(found.group(2)).strip()
