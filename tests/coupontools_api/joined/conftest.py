"""The client and the sandbox, which know nothing of each other, over a real socket."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from coupontools_api.client import Coupontools
from coupontools_api.endpoints import Endpoint
from coupontools_api.sandbox import Sandbox
from coupontools_api.sandbox.route import Route
from tests.conftest import NORTH_KEYS
from tests.coupontools_api.joined.wires import PAGE, WAYS, Wire
from tests.sandbox.conftest import Caller, Stock, keys, stock_of
from tests.sandbox.route_calls import BY_KEY
from tests.sandbox.stages import staged

DEADLINE_SECONDS = 30.0


def client_of(sandbox: Sandbox, key: str, secret: str) -> Coupontools:
    return Coupontools(
        client_id=key,
        client_secret=secret,
        base_url=sandbox.url,
        deadline=DEADLINE_SECONDS,
        list_deadline=DEADLINE_SECONDS,
        allow_undocumented=True,
    )


def route_of(endpoint: Endpoint) -> Route:
    """The route that answers an endpoint. KeyError where none does."""
    return BY_KEY[f"{endpoint.http_method} {endpoint.path}"]


@dataclass(frozen=True)
class World:
    """What there is to call about: one of everything of Ada's account, and Bo's subaccount with a campaign."""

    sandbox: Sandbox
    stock: Stock
    bo: str
    bos_campaign: str
    event: str
    """About the stock's session, which was claimed and validated."""


@pytest.fixture
def ada(sandbox: Sandbox) -> Iterator[Coupontools]:
    """Ada's client of the sandbox; it makes undocumented calls, too."""
    with client_of(sandbox, *NORTH_KEYS) as client:
        yield client


@pytest.fixture
def by_hand(sandbox: Sandbox) -> Caller:
    """Ada's keys in plain HTTP."""
    return Caller(sandbox.url, keys(*NORTH_KEYS), timeout=DEADLINE_SECONDS)


@pytest.fixture
def world(sandbox: Sandbox, by_hand: Caller) -> World:
    def set_up() -> World:
        sandbox.settings(world_seed=7, world_days=3)
        sandbox.add_account(*NORTH_KEYS, teammates=["77"])
        bo = sandbox.add_subaccount("north-id", email="bo@bakery.test", company_name="Bo's Bakery")
        sandbox.add_subaccount("north-id", email="other@bakery.test")
        campaign = sandbox.add_campaign(bo, name="Bread")
        stock = stock_of(by_hand)
        by_hand.post("/v3/couponsession/update", couponsession=stock.session, action="validate", email="eve@cafe.test")
        return World(sandbox, stock, bo, campaign, sandbox.events()[0]["id"])

    return staged(sandbox, set_up, "world")


@pytest.fixture
def bos_client(sandbox: Sandbox, by_hand: Caller, world: World) -> Iterator[Coupontools]:
    """A client with the keys of Bo's subaccount."""
    details = by_hand.post("/v4/subaccount", subaccount=world.bo).json["subaccount"]
    with client_of(sandbox, details["api_key"], details["api_secret"]) as client:
        yield client


@pytest.fixture(scope="module", params=WAYS.values(), ids=list(WAYS))
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with Sandbox() as sandbox:
        sandbox.add_account("north", "secret")
        sandbox.settings(**request.param, page_size=PAGE, directory_page_size=PAGE)
        with client_of(sandbox, "north", "secret") as client:
            # The levers make no past; dates and numbers of any size are put where the sandbox keeps them.
            yield Wire(sandbox, sandbox._vendor, client, request.param["id_style"] == "bare")
