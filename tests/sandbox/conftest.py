"""A sandbox with Ada's account North and Cy's account South, and callers in plain HTTP."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from coupontools_api.sandbox import Sandbox

from .stages import staged


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def codes(self) -> Any:
        errors = self.json["status"].get("errors") or self.json["errors"]
        return errors["error_code"]


@dataclass
class Caller:
    """Whoever calls. `headers` go along with every request; nothing is followed or retried."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    timeout: float = 5

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=self.timeout)
        try:
            all_headers = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
            connection.request(method, path, body, all_headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, /, **arguments: object) -> Answer:
        return self.send("POST", path, json.dumps(arguments).encode())

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def control(self, method: str, path: str, document: object = None) -> Answer:
        return self.send(method, path, b"" if document is None else json.dumps(document).encode())


def keys(client_id: str, secret: str) -> dict[str, str]:
    return {"X-Client-Id": client_id, "X-Client-Secret": secret}


@pytest.fixture(scope="package")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    running.add_account("north", "north-secret", packages=["pac_1", "pac_2"], teammates=["77"])
    running.add_account("south", "south-secret", packages=["pac_9"])
    return running


@pytest.fixture
def ada(sandbox: Sandbox) -> Caller:
    return Caller(sandbox.url, keys("north", "north-secret"))


@pytest.fixture
def cy(sandbox: Sandbox) -> Caller:
    return Caller(sandbox.url, keys("south", "south-secret"))


@pytest.fixture
def bo(sandbox: Sandbox) -> str:
    """Bo's subaccount at North."""
    return sandbox.add_subaccount("north", email="bo@bakery.test", company_name="Bo's Bakery")


@pytest.fixture
def visitor(sandbox: Sandbox) -> Caller:
    return Caller(sandbox.url)


@dataclass(frozen=True)
class Stock:
    """What Ada's account has: one of everything, by the ids that calls name it with."""

    campaign: str
    session: str
    card: str
    card_user: str
    directory: str
    directory_user: str
    group: str


def stock_of(caller: Caller) -> Stock:
    """Asks for the first of everything that the caller's keys see, and for a session that nothing has happened to.

    Of a directory's users, for the first who is let in: who has paid differs with the day on which the past is told.
    """
    campaign = caller.post("/v3/coupon/list").json["coupon_info"][0]["ID"]
    session = caller.post("/v3/singleuse/create", campaign=campaign).json["single_use_code"]
    card = caller.post("/v3/loyalty/list").json["loyaltycard"][0]["ID"]
    card_user = caller.post("/v3/loyaltyusers/list", loyaltycard=card).json["user"][0]["ID"]
    directory = caller.post("/v3/directory/list").json["directory"][0]["ID"]
    users = caller.post("/v3/directoryusers/list", directory=directory).json["user"]
    directory_user = next(row["ID"] for row in users if (row["payment_status"], row["blocked"]) == ("paid", "0"))
    group = caller.post("/v3/smstool/grouplist").json["group"][0]["ID"]
    return Stock(campaign, session, card, card_user, directory, directory_user, group)


@pytest.fixture
def stock(sandbox: Sandbox, ada: Caller) -> Stock:
    def set_up() -> Stock:
        sandbox.settings(world_seed=7, world_days=3)
        return stock_of(ada)

    return staged(sandbox, set_up, "stock")


@pytest.fixture
def bos_keys(sandbox: Sandbox, ada: Caller, bo: str) -> Caller:
    """Whoever holds the keys of Bo's subaccount."""
    details = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]
    return Caller(sandbox.url, keys(details["api_key"], details["api_secret"]))
