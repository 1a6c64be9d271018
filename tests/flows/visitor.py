"""A visitor with a cookie jar who reads pages and sends their forms, over real sockets."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import requests


@dataclass
class Form:
    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif not self.forms:
            return
        elif tag in ("input", "textarea") and given.get("name"):
            if given.get("type") not in ("submit", "checkbox", "radio"):
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
            self.forms[-1].options[self._select] = []
        elif tag == "option" and self._select:
            self.forms[-1].options[self._select].append(given.get("value", ""))
            if "selected" in given:
                self.forms[-1].fields[self._select] = given["value"]


class Page:
    """An answer, read as a person would."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.text = response.text
        self.headers = response.headers

    @property
    def state(self) -> str:
        found = re.search(r'<main[^>]*\bdata-state="([^"]*)"', self.text)
        return found.group(1) if found else ""

    @property
    def title(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.S)
        return re.sub(r"<[^>]+>|\s+", " ", found.group(1)).strip() if found else ""

    @property
    def path(self) -> str:
        return requests.utils.urlparse(self.response.url).path

    def form(self, *, field: str = "", action: str = "") -> Form:
        """The form that has such a field, or leads to such an address."""
        reader = _Forms()
        reader.feed(self.text)
        for form in reader.forms:
            has_field = not field or field in {*form.fields, *form.options}
            if form.method == "post" and has_field and action in form.action:
                return form
        raise AssertionError(f"no form with {field or action} on {self.response.url}: {self.title}")


class Visitor:
    """One browser at one host. The address is always the server's; the Host header says whose page it is."""

    def __init__(self, server: str, host: str) -> None:
        self.server, self.host = server, host
        self.session = requests.Session()
        self.session.trust_env = False
        port = server.rpartition(":")[2]
        self.session.headers["Host"] = f"{host}:{port}"

    def request(self, method: str, path: str, data: dict[str, Any] | None = None, **options: Any) -> Page:
        follow = options.pop("follow", True)
        response = self.session.request(
            method, f"{self.server}{path}", data=data, allow_redirects=False, timeout=20, **options
        )
        for _ in range(6):
            target = response.headers.get("Location", "")
            if not (follow and response.is_redirect and target.startswith("/")):
                break
            response = self.session.get(f"{self.server}{target}", allow_redirects=False, timeout=20)
        return Page(response)

    def get(self, path: str, **options: Any) -> Page:
        return self.request("GET", path, **options)

    def send(self, page: Page, /, *, field: str = "", action: str = "", follow: bool = True, **values: Any) -> Page:
        """Fills in a form of the page and sends it."""
        form = page.form(field=field, action=action)
        return self.request("POST", form.action or page.path, {**form.fields, **values}, follow=follow)

    def close(self) -> None:
        self.session.close()
