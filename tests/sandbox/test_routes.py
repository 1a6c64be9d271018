"""Every route of the table: what it answers, what it refuses, who may ask, and in which forms."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from coupontools_api.sandbox import assumed
from coupontools_api.sandbox.route import REST, RPC, Route
from coupontools_api.sandbox.routes import ROUTES

from .conftest import Answer, Caller, keys
from .route_calls import BY_KEY, IDS, SECOND_TIME, TAKEN, WRONG, key_of, prepare, steps, taken

MENUS = """
Retrieve a list of subaccounts; Retrieve info of a subaccount; Create a subaccount; Update a subaccount;
Create password reset url for subaccount; Single sign on for subaccounts; Retrieve a list of your campaigns;
Retrieve information from a campaign; Retrieve all usage data from a campaign;
Retrieve all data from one coupon session; Update data from a coupon session;
Update data from multiple coupon sessions; Search coupon session; Search coupon session from a campaign;
Send single push notification (campaign); Send push notification to all (campaign);
Retrieve a list of your loyalty cards; Retrieve a list of users from a loyalty card; Update loyalty card user;
Send single push notification (loyalty card); Send push notification to all (loyalty card);
Retrieve a list of your directories; Retrieve information from a directory;
Retrieve all campaigns from a directory; Retrieve registered users from a directory;
Update directory user payment status; Retrieve a list of categories; Retrieve a list of 3rd level categories;
Create a single use access URL; Create multiple single use access URLs; Remove a single use access URL;
Create single sign on (account); Create single sign on (teammate); List subaccounts; Get subaccount;
Create subaccount; Create password reset URL; Create single sign on (subaccount)
"""
every_route = pytest.mark.parametrize("route", ROUTES, ids=key_of)
rpc_routes = pytest.mark.parametrize("route", [route for route in ROUTES if route.dialect == RPC], ids=key_of)
rest_routes = pytest.mark.parametrize("route", [route for route in ROUTES if route.dialect == REST], ids=key_of)
every_error = pytest.mark.parametrize(
    ("route", "code"),
    [(route, code) for route in ROUTES for code in route.codes],
    ids=lambda value: str(value) if isinstance(value, int) else key_of(value),
)


def call(caller: Caller, route: Route, arguments: dict[str, Any], *, form: bool = False) -> Answer:
    """Ids into the path, the rest into the query of a GET or the body."""
    ids = route.ids(route.path) or {}
    path = route.path.format(**{name: quote(str(arguments[name]), safe="") for name in ids})
    rest = {name: value for name, value in arguments.items() if name not in ids}
    if route.method == "GET":
        return caller.send("GET", f"{path}?{urlencode(rest)}" if rest else path)
    body = json.dumps(rest)
    if form:
        body = urlencode({name: ",".join(value) if isinstance(value, list) else value for name, value in rest.items()})
    return caller.send(route.method, path, body.encode())


def codes_of(answer: Answer) -> list[int]:
    """The codes of any of the error shapes."""
    document = answer.json
    errors = document if "error_code" in document else document.get("errors") or document["status"]["errors"]
    return errors["error_code"] if isinstance(errors["error_code"], list) else [errors["error_code"]]


@pytest.fixture
def others(sandbox) -> None:
    sandbox.add_subaccount("north", email="other@bakery.test")


@pytest.fixture
def event(sandbox, ada, stock) -> dict[str, str]:
    """A webhook event, with its session."""
    ada.post("/v3/couponsession/update", couponsession=stock.session, action="claim")
    return {"webhook": sandbox.events()[0]["id"], "session": stock.session}


@pytest.fixture
def arguments(route, stock, bo, others, request):
    given = taken(route, stock, bo)
    if route.path == "/v3/webhook/verification":
        given |= request.getfixturevalue("event")
    return given


class TestTheTable:
    def test_every_line_of_both_menus_has_a_route(self):
        lines = {" ".join(line.split()) for line in MENUS.split(";")}

        assert lines - {page for route in ROUTES for page in route.pages} == set()

    def test_no_call_has_two_routes(self):
        assert len(BY_KEY) == len(ROUTES)

    def test_what_the_tests_know_is_in_it(self):
        assert {*TAKEN, *WRONG, *SECOND_TIME} <= BY_KEY.keys()
        assert all(codes.keys() <= {*BY_KEY[key].codes} for key, codes in WRONG.items())

    @every_route
    def test_every_row_says_where_it_is_from(self, route):
        assert route.evidence in ("documented", "third party", "inferred")
        assert "Source: " in (route.run.__doc__ or "")


class TestAnswers:
    @every_route
    def test_what_is_right_is_answered(self, ada, route, arguments):
        answer = call(ada, route, arguments)

        assert answer.status == 200
        if route.dialect == RPC:
            assert answer.json["status"] == {"status": "OK"}
        else:
            assert isinstance(answer.json, list) or answer.json.keys() & {"id", "action"}

    @every_error
    def test_each_error_can_be_brought_about(self, ada, sandbox, route, code, arguments):
        prepare(sandbox, ("north", "north-secret"), route, code, arguments)
        answer = [call(ada, route, given) for given in steps(route, code, arguments)][-1]

        assert codes_of(answer) == [code]
        assert answer.status == (404 if route.dialect == REST and 500 <= code < 600 else 422)

    @every_route
    def test_all_that_is_missing_is_said_at_once(self, ada, route, arguments):
        ids = {name: arguments[name] for name in route.ids(route.path) or {}}

        answer = call(ada, route, ids)

        if route.required:
            assert codes_of(answer) == [200] * len(route.required)
        else:
            assert answer.status == 200 or codes_of(answer) == [200]


class TestForms:
    @rpc_routes
    @pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
    @pytest.mark.parametrize("body_keys", [False, True], ids=["headers", "body"])
    def test_it_takes_both_encodings_and_both_ways_of_credentials(
        self, sandbox, ada, route, arguments, form, body_keys
    ):
        caller = Caller(sandbox.url) if body_keys else ada
        credentials = {"client_id": "north", "client_secret": "north-secret"} if body_keys else {}

        answer = call(caller, route, arguments | credentials, form=form)

        assert answer.json["status"] == {"status": "OK"}
        assert sandbox.requests()[-1].credentials == ("body" if body_keys else "headers")

    @pytest.mark.parametrize("route", [row for row in ROUTES if row.dialect == RPC and not row.codes], ids=key_of)
    @pytest.mark.parametrize("body", [b"", b"[]", b"{}"])
    def test_an_empty_set_of_arguments_has_three_forms(self, ada, route, body):
        assert ada.send("POST", route.path, body).json["status"] == {"status": "OK"}

    @rest_routes
    def test_rest_takes_both_pairs_of_headers(self, sandbox, ada, route, arguments):
        new = Caller(sandbox.url, {"x-api-key": "north", "x-api-secret": "north-secret"})

        assert call(new, route, arguments).status == 200

    @rest_routes
    def test_rest_takes_no_credentials_in_the_body(self, sandbox, route, arguments):
        credentials = {"client_id": "north", "client_secret": "north-secret"}

        assert call(Caller(sandbox.url), route, arguments | credentials).status == 401

    @every_route
    def test_other_methods_are_refused_and_the_right_ones_named(self, ada, route):
        arguments = dict.fromkeys(route.ids(route.path) or {}, "1")

        answer = call(ada, replace(route, method="PUT"), arguments)

        assert answer.status == 405
        assert route.method in answer.headers["Allow"].split(", ")


class TestWhoMayAsk:
    @every_route
    def test_wrong_credentials_are_refused(self, sandbox, route):
        arguments = dict.fromkeys((*route.required, *(route.ids(route.path) or {})), "1")

        for headers in ({}, keys("north", "wrong"), keys("nobody", "north-secret")):
            answer = call(Caller(sandbox.url, headers), route, arguments)
            assert (answer.status, codes_of(answer)) == (401, [1000])

    @every_route
    def test_an_expired_account_is_101(self, ada, sandbox, route):
        arguments = dict.fromkeys((*route.required, *(route.ids(route.path) or {})), "1")
        sandbox.add_account("north", "north-secret", expired=True)

        assert codes_of(call(ada, route, arguments)) == [101]

    @every_route
    def test_the_keys_of_a_subaccount_manage_none_but_see_their_own(self, bos_keys, route, arguments):
        answer = call(bos_keys, route, arguments)

        if route.manages:
            assert codes_of(answer) == [102]
        elif arguments.keys() & {*IDS, "couponsession", "couponsessions", "webhook"}:
            assert codes_of(answer)[0] > 500
        else:
            assert answer.status == 200

    @every_route
    def test_nothing_of_another_account_is_seen_or_changed(self, cy, ada, sandbox, route, arguments):
        before = len(sandbox.effects())

        if arguments.keys() & {"campaign", "subaccount", "loyaltycard", "card", "directory", "smsgroup", "teammate"}:
            assert codes_of(call(cy, route, arguments))[0] > 500
            assert len(sandbox.effects()) == before
        elif arguments.keys() & {"couponsession", "couponsessions", "webhook"}:
            assert codes_of(call(cy, route, arguments)) in ([505], [509])
            assert len(sandbox.effects()) == before
        else:
            assert "North" not in call(cy, route, arguments).text

    @every_route
    def test_every_call_is_in_the_ledger_without_secrets(self, ada, sandbox, route, arguments):
        call(ada, route, arguments)

        request = sandbox.requests()[-1]
        assert (request.method, request.status, request.client_id) == (route.method, 200, "north")
        assert "password" not in request.arguments


class TestSwitches:
    @pytest.mark.parametrize("path", ["/v3/couponsession/update", "/v4/loyalty/loyalty-cards/{card}/stats/bulk"])
    def test_a_path_that_is_published_is_known_whatever_its_parameters_are(self, ada, sandbox, stock, bo, path):
        route = BY_KEY[f"POST {path}"]
        sandbox.settings(inferred_paths=False)

        assert call(ada, route, taken(route, stock, bo)).status == 200

    @pytest.mark.parametrize("route", [row for row in ROUTES if row.path in assumed.PATHS], ids=key_of)
    def test_inferred_paths_can_be_unknown(self, ada, sandbox, route, arguments):
        sandbox.settings(inferred_paths=False)

        assert call(ada, route, arguments).status in (404, 405)

    @pytest.mark.parametrize(("answered", "other"), [("v3", "v4"), ("v4", "v3")])
    def test_the_host_can_answer_on_one_version(self, ada, sandbox, answered, other):
        sandbox.settings(versions=answered)
        paths = {"v3": "/v3/coupon/list", "v4": "/v4/subaccount/list"}

        assert ada.post(paths[answered]).status == 200
        assert ada.post(paths[other]).status == 404
