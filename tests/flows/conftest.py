import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail

from accounts import jobs, provisioning
from portal.celery import app
from tests.factories import PASSWORD
from tests.flows.visitor import Page, Visitor


@pytest.fixture
def visit(live_server: Any, settings: Any) -> Iterator[Callable[[str], Visitor]]:
    """Opens a browser at a host of the portal, which really listens."""
    settings.PORT = int(live_server.url.rpartition(":")[2])
    visitors: list[Visitor] = []

    def open_at(host: str) -> Visitor:
        visitors.append(Visitor(live_server.url, host))
        return visitors[-1]

    yield open_at
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def work() -> Callable[[], None]:
    """The worker, until nothing is due."""

    def run() -> None:
        while provisioning.attempt() or jobs.run():
            pass

    return run


@pytest.fixture
def eager() -> Iterator[None]:
    """Messages are worked off as they are sent: a pool that is never behind."""
    app.conf.task_always_eager = True
    try:
        yield
    finally:
        app.conf.task_always_eager = False


def code_for(address: str) -> str:
    """The newest code that was mailed to the address."""
    for message in reversed(mail.outbox):
        found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", message.body, re.M)
        if message.to == [address] and found:
            return found.group(1)
    raise AssertionError(f"no code for {address} in {[(m.to, m.subject) for m in mail.outbox]}")


def sign_up(visitor: Visitor, work: Callable[[], None], email: str = "kim@shop.example", **changes: str) -> Page:
    """From the package to the page that asks for the code."""
    start = visitor.get("/start/")
    package = re.search(r"signup/\?package=([0-9a-f-]{36})", start.text)
    assert package, start.text
    page = visitor.get(f"/account/signup/?package={package.group(1)}")
    values = {
        "company_name": "Kim's Kiosk",
        "first_name": "Kim",
        "last_name": "Kist",
        "country": "NL",
        "email": email,
        "password1": PASSWORD,
    } | changes
    page = visitor.send(page, field="company_name", **values)
    work()
    return page


def sign_in(visitor: Visitor, email: str, password: str = PASSWORD) -> Page:
    return visitor.send(visitor.get("/account/login/"), field="login", login=email, password=password)
