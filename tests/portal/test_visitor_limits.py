"""Everything that somebody who is not signed in can change or open has a limit, and nobody gets round it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import resolve

from accounts.models import Agency, User
from portal.visitors import BEGINS_ON_GET, OWN_RATE
from tests.addresses import Address, every_address
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

TRIES = 3
Ask = Callable[[Address, str], list[int]]
HOSTS = {"agency": "north.localhost", "platform": "platform.localhost"}
ADDRESSES = every_address()
WITH_TOKEN = [address for address in ADDRESSES if "<str:" in address.route]


@pytest.fixture
def few(settings: Any) -> None:
    """Three tries of anything, a day."""
    for name in {"LIMIT_VISITOR", *OWN_RATE.values()}:
        setattr(settings, name, f"{TRIES}/86400")


@pytest.fixture
def ask() -> Ask:
    """Asks for an address as somebody unknown, once more than is allowed; the statuses."""
    client = Client(raise_request_exception=False)

    def ask_for(address: Address, method: str) -> list[int]:
        path, host = address.path(token="guess", page="campaigns"), {"host": HOSTS[address.on]}
        client.cookies.clear()
        cache.clear()
        return [client.generic(method, path, headers=host).status_code for _ in range(TRIES + 1)]

    return ask_for


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_address_limits_what_may_change_something(
    method: str, ask: Ask, north: Agency, few: None, record_figure: RecordFigure
):
    """One that is added tomorrow, too: the limit stands before the views."""
    answers = {(address.on, address.route): ask(address, method) for address in ADDRESSES}

    assert {key: codes for key, codes in answers.items() if codes[-1] != 429} == {}
    assert {key: codes for key, codes in answers.items() if 429 in codes[:-1]} == {}
    record_figure("Limits for visitors", {f"addresses refuse the fourth {method}": len(answers)})


@pytest.mark.parametrize("address", WITH_TOKEN, ids=lambda address: address.name)
def test_every_address_with_a_token_limits_those_who_guess(address: Address, ask: Ask, north: Agency, few: None):
    assert ask(address, "GET") == [404, 404, 404, 429]


def test_what_looks_like_a_token_is_called_one():
    """The limit knows tokens by that name. Digests, pages and campaigns are no secrets."""
    assert [address.name for address in WITH_TOKEN] == ["accept_invitation", "view_as_open"]
    assert all("<str:token>" in address.route for address in WITH_TOKEN)
    parts = {part.partition(">")[0] for address in ADDRESSES for part in address.route.split("<")[1:]}
    kinds = {part for part in parts if not part.startswith(("uuid:", "int:"))}
    assert kinds == {
        *("str:token", "slug:page", "slug:campaign", "slug:digest", "slug:app_label", "path:object_id"),
    }


def test_looking_is_not_limited(ask: Ask, north: Agency, few: None):
    for address in ADDRESSES:
        if address not in WITH_TOKEN and address.name not in BEGINS_ON_GET:
            assert 429 not in ask(address, "GET"), address


def test_whoever_looks_leaves_no_row_without_a_limit(north: Agency, few: None):
    """As a browser asks, and as a script does: some addresses answer a script otherwise."""
    client, kept = Client(raise_request_exception=False), set()
    scripts: dict[str, str] = {"x-requested-with": "XMLHttpRequest", "accept": "application/json"}
    for address in ADDRESSES:
        cache.clear()
        codes = []
        for headers in [{}, *[scripts] * TRIES]:
            client.cookies.clear()
            before = Session.objects.count()
            path = address.path(token="guess", page="campaigns")
            codes.append(client.get(path, headers={"host": HOSTS[address.on], **headers}).status_code)
            if Session.objects.count() > before:
                kept.add(address.name)
        if address.name in kept:
            assert codes[-1] == 429, address

    assert kept == BEGINS_ON_GET


def test_all_hosts_count_together(north: Agency, south: Agency, client_for: Any, few: None):
    """Or one password would be tried at every agency."""
    answers = [
        client_for(host).post("/account/login/", {"login": "x@x.example"}).status_code
        for host in (north, south, "platform.localhost", north)
    ]

    assert answers[TRIES:] == [429]


def test_people_who_are_signed_in_are_not_counted_as_visitors(north: Agency, bo: User, client_for: Any, few: None):
    client = client_for(north, bo)

    answers = [client.post("/account/profile/", {"first_name": "Bo", "language": ""}).status_code for _ in range(6)]

    assert answers == [302] * 6


SPOOFED = [
    {"x-forwarded-for": "198.51.100.{}"},
    {"x-forwarded-for": "198.51.100.{}, 198.51.100.1"},
    {"forwarded": "for=198.51.100.{}"},
    {"x-real-ip": "198.51.100.{}"},
    {"x-client-ip": "198.51.100.{}"},
    {"client-ip": "198.51.100.{}"},
    {"true-client-ip": "198.51.100.{}"},
    {"cf-connecting-ip": "198.51.100.{}"},
    {"x-cluster-client-ip": "198.51.100.{}"},
    {"x-originating-ip": "198.51.100.{}"},
    {"x-remote-addr": "198.51.100.{}"},
    {"via": "198.51.100.{}"},
]


def login(client: Client, number: int, headers: dict[str, str]) -> int:
    filled = {name: value.format(number) for name, value in headers.items()}
    return client.post("/account/login/", {"login": f"n{number}@x.example"}, headers=filled).status_code


@pytest.mark.parametrize("headers", SPOOFED, ids=str)
def test_without_a_proxy_no_header_makes_somebody_else_of_a_visitor(
    headers: dict[str, str], north: Agency, client_for: Any, few: None
):
    client = client_for(north)

    assert [login(client, number, headers) for number in range(5)][TRIES:] == [429, 429]


@pytest.mark.parametrize("headers", SPOOFED, ids=str)
def test_behind_a_proxy_only_what_the_proxy_added_counts(
    headers: dict[str, str], north: Agency, client_for: Any, few: None, settings: Any
):
    """What came before the last address was written by whoever asked."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    claimed = headers.get("x-forwarded-for", "203.0.113.77")
    others = {name: value for name, value in headers.items() if name != "x-forwarded-for"}
    client = client_for(north)

    answers = [login(client, number, others | {"x-forwarded-for": f"{claimed}, 192.0.2.5"}) for number in range(5)]
    neighbour = login(client, 9, {"x-forwarded-for": f"{claimed}, 192.0.2.6"})

    assert answers[TRIES:] == [429, 429]
    assert neighbour == 200


@pytest.mark.parametrize(
    ("addresses", "is_one"),
    [
        ([f"2001:db8:1:2:{n:x}::1" for n in range(5)], True),
        ([f"2001:db8:1:{n:x}::1" for n in range(5)], False),
        ([f"::ffff:198.51.100.{n}" for n in range(5)], False),
        ([f"198.51.100.{n}" for n in range(5)], False),
        (["::ffff:198.51.100.7", "198.51.100.7", "0:0:0:0:0:ffff:c633:6407", " 198.51.100.7", "198.51.100.7:80"], True),
    ],
)
def test_an_ipv6_network_is_one_visitor_and_ipv4_is_never_one_network(
    addresses: list[str], is_one: bool, north: Agency, client_for: Any, few: None, settings: Any
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client = client_for(north)

    answers = [login(client, n, {"x-forwarded-for": address}) for n, address in enumerate(addresses)]

    assert (429 in answers) is is_one


@pytest.mark.parametrize("claimed", ["garbage", "<script>", "1.2.3", "x" * 5000])
def test_an_address_that_makes_no_sense_is_refused_and_not_counted_as_everybody(
    claimed: str, north: Agency, client_for: Any, settings: Any
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client = client_for(north, raise_request_exception=False)

    answer = client.post("/account/login/", {"login": "x"}, headers={"x-forwarded-for": claimed})

    assert answer.status_code == 403


def test_the_names_of_the_limits_are_those_of_pages():
    assert set(OWN_RATE) <= {address.name for address in ADDRESSES}
    assert resolve("/account/signup/", "portal.urls").view_name in OWN_RATE
