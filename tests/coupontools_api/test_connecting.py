"""The way to the host: its name, and however many addresses it has, take no longer than the deadline allows."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from tests.coupontools_api.rows import OK, SUBACCOUNT, TOKEN
from tests.coupontools_api.scripted import Vendor, answers

Address = tuple[str, int]


@pytest.fixture
def silent() -> Iterator[Address]:
    """An address where nobody answers: its queue is full, so that what asks for a connection is dropped."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address: Address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield address
        for each in waiting:
            each.close()


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: Address, seconds: float = 0) -> None:
    """From here on every name stands for these addresses, and it takes its time to find them."""

    def found(*_: Any, **__: Any) -> list[Any]:
        time.sleep(seconds)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_all_addresses_of_a_host_share_one_deadline(
    hasty: Coupontools, silent: Address, monkeypatch: pytest.MonkeyPatch
):
    resolves(monkeypatch, *[silent] * 20)
    started = time.monotonic()

    with pytest.raises(errors.NotSent):
        hasty.account.sign_on()

    assert time.monotonic() - started < 4  # one deadline is a quarter of a second, twenty are five


def test_the_next_address_is_tried_where_one_refuses(
    bold: Coupontools, script: Vendor, monkeypatch: pytest.MonkeyPatch
):
    script.plays(answers(OK | {"account": {"token": TOKEN, "url": "https://panel.example/"}}))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()
    resolves(monkeypatch, closed, ("127.0.0.1", int(script.url.rpartition(":")[2])))

    assert bold.account.sign_on().token.get_secret_value() == TOKEN


@pytest.mark.parametrize("changes", [True, False])
def test_nobody_is_connected_with_after_a_look_up_that_took_too_long(
    changes: bool, hasty: Coupontools, monkeypatch: pytest.MonkeyPatch
):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        resolves(monkeypatch, listener.getsockname(), seconds=1.2)

        with pytest.raises(errors.NotSent, match="deadline"):
            hasty.account.sign_on() if changes else hasty.subaccounts.get(SUBACCOUNT)

        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
