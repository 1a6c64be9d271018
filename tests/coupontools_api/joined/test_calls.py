"""Every endpoint of the client at the sandbox: what it does, and each of its errors."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from coupontools_api import errors
from coupontools_api.assumed import REST_INVALID_INPUT
from coupontools_api.client import Coupontools
from coupontools_api.coverage import ENDPOINTS
from coupontools_api.endpoints import Dialect, Endpoint
from coupontools_api.sandbox import Sandbox
from coupontools_api.sandbox.route import Route
from coupontools_api.sandbox.routes import ROUTES
from coupontools_api.transport import Transport
from tests.conftest import NORTH_KEYS
from tests.coupontools_api.joined.conftest import DEADLINE_SECONDS, World, client_of, route_of
from tests.coupontools_api.joined.successes import SUCCESSES
from tests.coupontools_api.test_every_call import KINDS, codes_said
from tests.sandbox.conftest import Stock
from tests.sandbox.route_calls import Arguments, key_of, prepare, steps, taken

EVERY = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
EVERY_ERROR = pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        (endpoint, code)
        for endpoint in ENDPOINTS
        for code in sorted({*endpoint.codes, *route_of(endpoint).codes} - {102})
    ],
    ids=lambda value: str(value) if isinstance(value, int) else value.name,
)
WITHOUT_METHOD = {
    "POST /v3/coupon/create": "third parties alone call it, with parameters that differ from one to the next",
    "POST /v3/loyaltyusers/link": "gone from the newest copy of the vendor's page",
}
NOBODY = Stock("cam_999999", "nobodys-session", "loy_999999", "usr_999999", "dir_999999", "reg_999999", "gro_999999")
NAMED = {
    "subaccount": "subaccount",
    "campaign": "campaign",
    "couponsession": "session",
    "couponsessions": "session",
    "loyaltycard": "loyalty card",
    "card": "loyalty card",
    "directory": "directory",
    "smsgroup": "group",
    "webhook": "webhook",
}
# Codes whose causes have no HTTP status.
SAY_MORE = {103, 104, 304, 305, 604}
# Of the route that both searches share; the search without a campaign cannot have them.
OF_THE_CAMPAIGN = {"sessions.search": {301, 502}}


def kind_of(endpoint: Endpoint, code: int) -> type[errors.CoupontoolsError]:
    """The error that a code is. v4 REST publishes no codes: there the HTTP status tells, unless the code says more."""
    if endpoint.dialect is not Dialect.V4_REST or code in SAY_MORE:
        return KINDS[code]
    return errors.NotFound if 500 <= code < 600 else errors.InvalidInput


def names_what(endpoint: Endpoint) -> str:
    """What the first id of a call is of, "" for a call without ids."""
    route = route_of(endpoint)
    named = [*(route.ids(route.path) or {}), *route.required]
    if endpoint.name == "sessions.search_in_campaign":
        return "campaign"
    return next((NAMED[name] for name in named if name in NAMED), "")


@pytest.fixture
def transport(sandbox: Sandbox) -> Iterator[Transport]:
    """Sends what the typed methods would refuse before any call."""
    made = Transport(
        client_id=NORTH_KEYS[0],
        client_secret=NORTH_KEYS[1],
        base_url=sandbox.url,
        deadline=DEADLINE_SECONDS,
        allow_undocumented=True,
    )
    yield made
    made.close()


def send(transport: Transport, endpoint: Endpoint, arguments: Arguments) -> object:
    if endpoint.dialect is not Dialect.V4_REST:
        return transport.call(endpoint, arguments)
    ids = route_of(endpoint).ids(endpoint.path) or {}
    rest = {name: value for name, value in arguments.items() if name not in ids}
    return transport.call_rest(endpoint, rest, ids={name: arguments[name] for name in ids})


def given_to(route: Route, world: World) -> Arguments:
    given = taken(route, world.stock, world.bo)
    return given | ({"webhook": world.event, "session": world.stock.session} if "webhook" in route.required else {})


def test_every_endpoint_has_its_row_and_every_route_its_method():
    reached = {key_of(route_of(endpoint)) for endpoint in ENDPOINTS}

    assert sorted(SUCCESSES) == sorted(endpoint.name for endpoint in ENDPOINTS)
    assert {key_of(route) for route in ROUTES} - reached == WITHOUT_METHOD.keys()


@EVERY
def test_the_client_says_no_more_and_no_less_than_the_sandbox_can_refuse(endpoint: Endpoint, ada: Coupontools):
    route = route_of(endpoint)
    refused = {*route.codes, *([102] if route.manages else [])} - OF_THE_CAMPAIGN.get(endpoint.name, set())

    if endpoint.dialect is not Dialect.V4_REST:
        assert {*endpoint.codes} == refused
    else:
        assert {*endpoint.codes} == refused & SAY_MORE
        kinds = {kind_of(endpoint, code) for code in refused}
        assert codes_said(endpoint, ada) == {
            401: "Unauthorized",
            101: "AccountExpired",
            **({404: "NotFound"} if errors.NotFound in kinds else {}),
            **(dict.fromkeys(REST_INVALID_INPUT, "InvalidInput") if errors.InvalidInput in kinds else {}),
            **{code: KINDS[code].__name__ for code in endpoint.codes},
        }


@EVERY
def test_both_sides_say_the_same_of_where_a_call_is_known_from(endpoint: Endpoint):
    assert endpoint.evidence == route_of(endpoint).evidence


@EVERY
def test_what_is_right_is_done_and_read(endpoint: Endpoint, ada: Coupontools, world: World):
    success = SUCCESSES[endpoint.name]
    world.sandbox.clear_ledger()

    found = success.ask(ada, world)

    assert success.shows(found, world), found
    asked = {(request.method, request.status, request.credentials) for request in world.sandbox.requests()}
    assert asked == {(endpoint.http_method, 200, "headers")}
    assert not success.effect or world.sandbox.effects(success.effect)


@EVERY_ERROR
def test_each_error_has_its_class(endpoint: Endpoint, code: int, transport: Transport, world: World):
    route = route_of(endpoint)
    given = given_to(route, world)
    prepare(world.sandbox, NORTH_KEYS, route, code, given)
    *before, last = steps(route, code, given)
    for arguments in before:
        send(transport, endpoint, arguments)

    with pytest.raises(errors.Refused) as caught:
        send(transport, endpoint, last)

    assert type(caught.value) is kind_of(endpoint, code)
    assert endpoint.dialect is Dialect.V4_REST or code in caught.value.codes
    assert not caught.value.may_have_happened


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if names_what(each)], ids=lambda endpoint: endpoint.name
)
@pytest.mark.parametrize("rest_errors", ["bare", "status"])
def test_what_is_not_there_is_not_found_by_name(endpoint: Endpoint, rest_errors: str, ada: Coupontools, world: World):
    world.sandbox.settings(rest_errors=rest_errors)
    world.sandbox.clear_ledger()

    with pytest.raises(errors.NotFound) as caught:
        SUCCESSES[endpoint.name].ask(ada, replace(world, stock=NOBODY, bo="sub_999999", event="evt_nobody"))

    if endpoint.dialect is Dialect.V4_REST:
        assert caught.value.missing == ""
    else:
        assert names_what(endpoint) in caught.value.missing
    assert world.sandbox.effects() == []


@EVERY
@pytest.mark.parametrize("envelope", ["documented", "E-VALID", "E-TOP"])
@pytest.mark.parametrize("has_real_status", [True, False])
def test_credentials_are_refused_in_every_envelope(
    endpoint: Endpoint, envelope: str, has_real_status: bool, world: World
):
    world.sandbox.settings(error_envelope=envelope, real_status=has_real_status)

    with client_of(world.sandbox, NORTH_KEYS[0], "wrong") as stranger, pytest.raises(errors.Unauthorized):
        SUCCESSES[endpoint.name].ask(stranger, world)


@EVERY
def test_an_expired_account_is_told(endpoint: Endpoint, ada: Coupontools, world: World):
    world.sandbox.add_account(*NORTH_KEYS, expired=True)

    with pytest.raises(errors.AccountExpired):
        SUCCESSES[endpoint.name].ask(ada, world)


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if route_of(each).manages], ids=lambda endpoint: endpoint.name
)
def test_the_keys_of_a_subaccount_are_of_the_wrong_kind(endpoint: Endpoint, bos_client: Coupontools, world: World):
    with pytest.raises(errors.WrongKindOfKey):
        SUCCESSES[endpoint.name].ask(bos_client, world)


@EVERY
def test_a_path_that_the_vendor_does_not_know_is_no_answer(endpoint: Endpoint, ada: Coupontools, world: World):
    """A page of the web server's about a path must not be taken for an id that is not there."""
    world.sandbox.settings(versions="v4" if endpoint.path.startswith("/v3/") else "v3")

    with pytest.raises(errors.UnexpectedReply):
        SUCCESSES[endpoint.name].ask(ada, world)
