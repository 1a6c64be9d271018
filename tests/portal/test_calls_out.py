"""Whatever host somebody types, the portal opens connections to the vendor and to nobody else."""

import socket
from typing import Any

import pytest
from django.db import transaction

from coupontools_api.sandbox import Sandbox
from tests.figures import RecordFigure
from tests.hostile import payloads_of, world

pytestmark = [pytest.mark.django_db, pytest.mark.prove]

ADDRESSES = [
    *("127.0.0.1", "127.1", "0177.0.0.1", "2130706433", "0x7f000001", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"),
    *("localhost", "localhost.localdomain", "169.254.169.254", "metadata.google.internal", "10.0.0.1"),
    *("192.168.0.1", "[fd00::1]", "[fe80::1]", "100.64.0.1", "kubernetes.default.svc", "evil.example"),
    *(
        "127.0.0.1.nip.io",
        "evil.example:22",
        "127.0.0.1:6379",
        "user@evil.example",
        "www.controlpanel.center.evil.example",
    ),
]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> set[tuple[Any, ...]]:
    """Every address that this process asks for or connects to."""
    seen: set[tuple[Any, ...]] = set()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def watched(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            seen.add(tuple(address[:2]))
        connect(self, address)

    def watched_look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        seen.add((host, port))
        return look_up(host, port, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.setattr(socket, "getaddrinfo", watched_look_up)
    return seen


def test_no_field_makes_the_portal_call_another_host(
    sandbox: Sandbox, connected: set[tuple[Any, ...]], record_figure: RecordFigure
):
    shown = world.make()
    known = {("127.0.0.1", int(sandbox.url.rpartition(":")[2])), *connected}  # with the database's, by now
    connected.clear()

    typed = [*payloads_of("url")[::6], *(f"https://{address}/x" for address in ADDRESSES[:6])]
    for text in typed:
        with transaction.atomic():
            world.answers_to(shown, text, everywhere=True)
            transaction.set_rollback(True)
    for address in ADDRESSES:
        world.forget_limits()
        shown.clients["staff"].post("/console/connection/panel-host/", {"host": address})
        shown.clients["operator"].post(shown.named("{agency}hosts/"), {"name": address})

    assert connected, "the connection was tried, so the vendor was asked"
    assert connected <= known
    record_figure("Addresses typed into every field", f"{len(typed) + len(ADDRESSES)}, 0 calls to another host")
