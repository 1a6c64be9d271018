"""Credentials, bodies, methods, envelopes, switches."""

import http.client
import json
import socket
from urllib.parse import urlencode, urlsplit

import pytest

from coupontools_api.sandbox import Sandbox

from .conftest import Caller, keys

LIST = "/v4/subaccount/list"
SIGN_ON = "/v3/subaccount/sso"
EVERY_PATH = [
    LIST,
    "/v4/subaccount",
    "/v4/subaccount/create",
    "/v4/subaccount/update",
    "/v3/subaccount/reset/url",
    SIGN_ON,
    "/v3/account/sso",
    "/v3/teammate/sso",
]


@pytest.mark.parametrize("path", EVERY_PATH)
@pytest.mark.parametrize(
    "headers",
    [{}, keys("north", "wrong"), keys("nobody", "north-secret"), {"X-Client-Id": "north"}],
)
def test_wrong_credentials_get_the_authentication_envelope(sandbox, path, headers):
    answer = Caller(sandbox.url, headers).post(path, subaccount="sub_1", email="x@y.test")

    assert answer.status == 401
    assert answer.json == {
        "status": {
            "status": "failed",
            "errors": {
                "error_code": 1000,
                "error_message": "HTTP/1.0 401 Unauthorized. Client ID or Secret not correct.",
            },
        }
    }


def test_a_wrong_value_gets_the_validation_envelope(ada):
    answer = ada.post(SIGN_ON, subaccount="sub_12x")

    assert answer.status == 422
    assert answer.json == {
        "status": {
            "status": "failed",
            "errors": {
                "error_message": "HTTP/1.0 422 Unprocessable entity.",
                "error_message_description": ["Invalid character in parameter: subaccount."],
                "error_code": [301],
            },
        }
    }


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b" \n", b"{broken", b'"text"', b"a=b", b'{"a": "\\ud800"}'])
def test_an_empty_set_of_arguments_has_many_forms(ada, body):
    assert ada.send("POST", LIST, body).json["status"] == {"status": "OK"}


def test_credentials_may_stand_in_a_json_body(sandbox):
    caller = Caller(sandbox.url)

    answer = caller.post(LIST, client_id="north", client_secret="north-secret")

    assert answer.status == 200
    (request,) = sandbox.requests()
    assert (request.client_id, request.credentials, request.arguments) == ("north", "body", {})


def test_credentials_and_arguments_may_be_a_form(sandbox, bo):
    form = {"client_id": "north", "client_secret": "north-secret", "subaccount": bo}

    answer = Caller(sandbox.url).send("POST", SIGN_ON, urlencode(form).encode())

    assert answer.json["subaccount"]["ID"] == bo


def test_credentials_in_headers_come_first(sandbox):
    caller = Caller(sandbox.url, keys("north", "north-secret"))

    assert caller.post(LIST, client_id="south", client_secret="wrong").status == 200


@pytest.mark.parametrize("path", EVERY_PATH)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_only_post_is_answered(ada, path, method):
    answer = ada.send(method, path)

    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"


def test_get_is_answered_once_switched_on(ada, sandbox, bo):
    sandbox.settings(allow_get=True)

    assert ada.get(LIST).status == 200
    assert ada.get(f"/v4/subaccount?subaccount={bo}").json["subaccount"]["ID"] == bo


def test_an_unknown_path_is_a_page(ada):
    answer = ada.post("/v9/subaccount/list")

    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_errors_come_with_200_once_switched(ada, sandbox):
    sandbox.settings(real_status=False)

    refused = ada.post(SIGN_ON)
    locked_out = Caller(sandbox.url).post(LIST)

    assert (refused.status, refused.codes) == (200, [200])
    assert (locked_out.status, locked_out.codes) == (200, 1000)


def test_an_expired_account_is_101(ada, sandbox):
    sandbox.add_account("north", "north-secret", expired=True)

    assert ada.post(LIST).codes == [101]


@pytest.mark.parametrize("path", EVERY_PATH)
def test_the_keys_of_a_subaccount_manage_nothing(ada, sandbox, bo, path):
    details = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]
    caller = Caller(sandbox.url, keys(details["api_key"], details["api_secret"]))

    assert caller.post(path).codes == [102]


def test_the_keys_of_a_subaccount_need_their_secret(ada, sandbox, bo):
    details = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]

    assert Caller(sandbox.url, keys(details["api_key"], "wrong")).post(LIST).codes == 1000


def test_one_connection_carries_many_requests(sandbox):
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=5)
    for _ in range(3):
        connection.request("POST", LIST, b"{}", keys("north", "north-secret"))
        assert connection.getresponse().read()
    connection.close()

    assert len({request.connection for request in sandbox.requests()}) == 1


@pytest.mark.parametrize("header", ["Content-Length: x", "Content-Length: 99999999999"])
def test_a_body_of_unknown_size_is_a_bad_request(sandbox, header):
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port), timeout=5) as plug:
        plug.sendall(f"POST {LIST} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())

        assert plug.recv(100).startswith(b"HTTP/1.1 400")


def test_it_listens_on_loopback_only():
    for host in ("0.0.0.0", "192.0.2.1", "example.test"):
        with pytest.raises(ValueError, match="loopback"):
            Sandbox(host=host)


def test_settings_know_their_positions(sandbox, visitor):
    for wrong in ({"email_unique": "maybe"}, {"real_status": 1}, {"nothing": True}):
        with pytest.raises(ValueError, match=r"one of|no setting"):
            sandbox.settings(**wrong)
        assert visitor.control("POST", "/_settings", wrong).status == 400
    assert sandbox.settings().real_status is True


def test_settings_over_http_do_the_same(sandbox, visitor):
    answer = visitor.control("POST", "/_settings", {"email_unique": "none", "id_style": "bare"})

    assert answer.json == visitor.control("GET", "/_settings").json
    assert sandbox.settings().email_unique == "none"


def test_the_ledger_holds_no_secret(ada, sandbox, visitor, bo):
    ada.post("/v4/subaccount/create", email="new@cafe.test", password="p4ssw0rd-x")
    token = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["token"]
    api_secret = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]["api_secret"]

    ledger = visitor.control("GET", "/_ledger").text

    for secret in ("north-secret", "p4ssw0rd-x", token, api_secret):
        assert secret not in ledger
    assert json.loads(ledger)["requests"][0]["arguments"] == {
        "email": "new@cafe.test",
        "password_given": True,
    }


def test_the_ledger_holds_no_password_of_a_batch(ada, stock, visitor):
    path = f"/v4/loyalty/loyalty-cards/{stock.card}/stats/bulk"

    answer = ada.post(path, users=[{"email": "zoe@cafe.test", "password": "p4ssw0rd-x"}])

    ledger = visitor.control("GET", "/_ledger")
    assert answer.status == 200
    assert ledger.json["requests"][-1]["arguments"]["users"] == [{"email": "zoe@cafe.test", "password_given": True}]
    assert "p4ssw0rd-x" not in ledger.text


def test_the_ledger_can_be_narrowed_and_cleared(ada, sandbox, visitor):
    ada.post(LIST)
    ada.post("/v4/subaccount/create", email="new@cafe.test")
    ada.post(LIST)

    first, _, last = visitor.control("GET", "/_ledger").json["requests"]
    by_path = visitor.control("GET", f"/_ledger?path={LIST}").json["requests"]
    since = visitor.control("GET", f"/_ledger?since={first['n']}").json
    visitor.control("DELETE", "/_ledger")

    assert by_path == [first, last]
    assert len(since["requests"]) == 2
    assert [effect["kind"] for effect in since["effects"]] == [
        "subaccount_created",
        "password_mail",
    ]
    assert sandbox.requests() == sandbox.effects() == []
    assert len(sandbox.subaccounts()) == 1


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("GET", "/_nothing", None, 404),
        ("DELETE", "/_state/subaccounts/sub_1", None, 404),
        ("DELETE", "/_state/subaccounts/x", None, 400),
        ("POST", "/_state", {"nothing": []}, 400),
        ("POST", "/_state", {"accounts": [{"client_id": "new"}]}, 400),
        ("POST", "/_state", {"subaccounts": [{"client_id": "nobody", "email": "a@b.test"}]}, 400),
        ("POST", "/_faults", {"path": "/v4/subaccount", "kind": "nonsense"}, 400),
        ("POST", "/_faults", [1], 400),
    ],
)
def test_levers_say_what_is_wrong(visitor, method, path, document, status):
    answer = visitor.control(method, path, document)

    assert answer.status == status
    assert answer.json["error"]
