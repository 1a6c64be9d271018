"""Every endpoint over a socket: what is asked, what is read from a good answer, and what each refusal becomes."""

import json
import re
from collections.abc import Iterator
from enum import Enum
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import pytest
from pydantic import BaseModel

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.coverage import ENDPOINTS
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from tests.coupontools_api.calls import CALLS
from tests.coupontools_api.scripted import Request, Vendor, answers

EVERY = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
UNDOCUMENTED = [endpoint for endpoint in ENDPOINTS if endpoint.evidence is not Evidence.DOCUMENTED]
RPC = [endpoint for endpoint in ENDPOINTS if endpoint.dialect is not Dialect.V4_REST]
KINDS: dict[int, type[errors.CoupontoolsError]] = {
    1000: errors.Unauthorized,
    101: errors.AccountExpired,
    102: errors.WrongKindOfKey,
    103: errors.NoIntegration,
    104: errors.NoIntegration,
    200: errors.InvalidInput,
    300: errors.InvalidInput,
    301: errors.InvalidInput,
    302: errors.InvalidInput,
    303: errors.InvalidInput,
    304: errors.EmailTaken,
    305: errors.InvalidEmail,
    502: errors.NotFound,
    503: errors.NotFound,
    505: errors.NotFound,
    507: errors.NotFound,
    509: errors.NotFound,
    510: errors.NotFound,
    514: errors.NotFound,
    515: errors.NotFound,
    604: errors.NotDelivered,
}
REFUSALS = [(endpoint, code) for endpoint in ENDPOINTS for code in (1000, 101, *endpoint.codes)]


def methods(resource: object, name: str = "") -> Iterator[str]:
    """The names of all calls of a client, as `campaigns.push`."""
    for attribute in (each for each in dir(resource) if not each.startswith("_")):
        value = getattr(resource, attribute)
        if callable(value) and name:
            yield f"{name}{attribute}"
        elif type(value).__module__.startswith("coupontools_api."):
            yield from methods(value, f"{name}{attribute}.")


def sent(request: Request) -> Any:
    if request.headers.get("content-type") == "application/x-www-form-urlencoded":
        return dict(parse_qsl(request.body.decode()))
    return json.loads(request.body) if request.body else {}


def refused(codes: list[int], envelope: str) -> dict[str, Any]:
    several = {"error_message": "HTTP/1.0 422 Unprocessable entity.", "error_code": codes}
    return {
        "E-AUTH": {"status": {"status": "failed", "errors": {"error_message": "HTTP/1.0 401", "error_code": codes[0]}}},
        "E-VALID": {"status": {"status": "failed", "errors": several}},
        "E-TOP": {"status": {"status": "failed"}, "errors": several},
    }[envelope]


def test_every_method_has_its_endpoint_and_its_row(bold: Coupontools):
    named = [endpoint.name for endpoint in ENDPOINTS]

    assert sorted(methods(bold)) == sorted(named) == sorted(CALLS)


def words_of(endpoint: Endpoint, client: Coupontools) -> str:
    """The docstring of a method in one line."""
    return " ".join((attrgetter(endpoint.name)(client).__doc__ or "").split())


def codes_said(endpoint: Endpoint, client: Coupontools) -> dict[int, str]:
    """The class that a docstring names for each code: "NotFound (503; 502 for the campaign)"."""
    named = re.findall(r"(\w+) \((\d[^)]*)\)", words_of(endpoint, client))
    return {int(code): kind for kind, codes in named if hasattr(errors, kind) for code in re.findall(r"\d+", codes)}


@EVERY
def test_a_method_says_what_it_raises(endpoint: Endpoint, bold: Coupontools):
    said = words_of(endpoint, bold)
    raised = {"Throttled", "NotSent", "NoAnswer", "UnexpectedReply"} | (
        {"Undocumented"} if endpoint in UNDOCUMENTED else set()
    )

    assert raised <= set(re.findall(r"\w+", said))
    assert f'"{endpoint.source}"' in said.partition("Source: ")[2]
    if endpoint in RPC:
        assert codes_said(endpoint, bold) == {code: KINDS[code].__name__ for code in (1000, 101, *endpoint.codes)}


def allowed(hint: Any) -> set[str]:
    """The values that a parameter is limited to: those of the enums and literals in its type."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {str(each.value) for each in hint}
    if get_origin(hint) is Literal:
        return set(map(str, get_args(hint)))
    return set[str]().union(*map(allowed, get_args(hint)))


@EVERY
def test_a_method_says_what_a_parameter_may_be(endpoint: Endpoint, bold: Coupontools):
    method = attrgetter(endpoint.name)(bold)
    parameters = {name: hint for name, hint in get_type_hints(method).items() if name != "return"}
    said = words_of(endpoint, bold)

    for name, values in ((name, allowed(hint)) for name, hint in parameters.items()):
        assert {f"`{word}`" for word in ({name} | values if values else set())} <= set(re.findall("`[^`]*`", said))
    assert "deadline" not in parameters or "seconds" in said


def test_the_allowed_values_are_found_wherever_they_stand_in_a_type():
    hint = get_type_hints(Coupontools(client_id="i", client_secret="s").single_use.create)

    assert allowed(hint["duplicate_check"]) == {"email", "phone", "customid"}
    assert allowed(hint["utm"]) == {"campaign", "source", "medium", "term", "content"}
    assert allowed(hint["email"]) == set()


@EVERY
def test_it_asks_as_the_documents_say(endpoint: Endpoint, bold: Coupontools, script: Vendor):
    call = CALLS[endpoint.name]
    script.plays(answers(call.answer))

    call.ask(bold)

    request, (path, _, query) = script.requests[0], script.requests[0].path.partition("?")
    assert (request.method, path) == (endpoint.http_method, call.path or endpoint.path)
    paged = {"page": "1" if endpoint.is_form or query else 1}
    is_paged = len(script.requests) > 1
    asked = dict(parse_qsl(query)) if is_paged and query else query or sent(request)
    assert asked == (call.sends | paged if is_paged else call.sends)


@EVERY
def test_it_reads_a_good_answer(endpoint: Endpoint, bold: Coupontools, script: Vendor):
    call = CALLS[endpoint.name]
    script.plays(answers(call.answer))
    read, expected = call.reads

    assert read(call.ask(bold)) == expected


@EVERY
def test_credentials_go_in_the_headers_of_the_dialect(endpoint: Endpoint, bold: Coupontools, script: Vendor):
    script.plays(answers(CALLS[endpoint.name].answer))

    CALLS[endpoint.name].ask(bold)

    request = script.requests[0]
    names = {name for name, value in request.headers.items() if "canary" in value}
    assert names == (
        {"x-api-key", "x-api-secret"} if endpoint.dialect is Dialect.V4_REST else {"x-client-id", "x-client-secret"}
    )
    assert b"client-secret-canary" not in request.body


@pytest.mark.parametrize("endpoint", UNDOCUMENTED, ids=lambda endpoint: endpoint.name)
def test_an_undocumented_call_needs_leave_and_takes_another_path(endpoint: Endpoint, script: Vendor):
    call = CALLS[endpoint.name]
    with Coupontools(client_id="id", client_secret="s", base_url=script.url) as cautious:
        script.plays(answers(call.answer))
        with pytest.raises(errors.Undocumented, match=endpoint.name):
            call.ask(cautious)
        assert script.requests == []

    holders = "/".join(f"{{{name}}}" for name in re.findall("{(.*?)}", endpoint.path))
    paths = {endpoint.name: f"/v9/elsewhere/{holders}"}
    with Coupontools(
        client_id="id", client_secret="s", base_url=script.url, allow_undocumented=True, paths=paths
    ) as bold:
        call.ask(bold)
        assert script.requests[0].path.startswith("/v9/elsewhere/")


@pytest.mark.parametrize(("endpoint", "code"), REFUSALS, ids=[f"{endpoint.name}-{code}" for endpoint, code in REFUSALS])
@pytest.mark.parametrize("envelope", ["E-AUTH", "E-VALID", "E-TOP"])
def test_each_refusal_is_named_by_its_cause(
    endpoint: Endpoint, code: int, envelope: str, bold: Coupontools, script: Vendor
):
    script.plays(answers(refused([code], envelope), 200 if envelope == "E-TOP" else 422))

    with pytest.raises(errors.Refused) as caught:
        CALLS[endpoint.name].ask(bold)

    assert type(caught.value) is KINDS[code]
    assert (caught.value.codes, caught.value.endpoint) == ((code,), endpoint.path)
    assert not caught.value.may_have_happened
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("name", "code", "missing"),
    [
        ("campaigns.push", 505, "session"),
        ("loyalty.users", 505, "loyalty card"),
        ("directories.get", 507, "directory"),
        ("loyalty.get", 507, "loyalty card"),
        ("campaigns.get", 502, "campaign"),
        ("messages.send_email", 502, "campaign or directory"),
        ("subaccounts.get", 510, "subaccount"),
        ("teammates.sign_on", 503, "teammate"),
        ("webhooks.verify", 509, "webhook"),
        ("messages.sms_contacts", 514, "group"),
        ("campaigns.list", 515, "folder"),
    ],
)
def test_a_code_of_two_meanings_is_read_by_its_endpoint(
    name: str, code: int, missing: str, bold: Coupontools, script: Vendor
):
    script.plays(answers(refused([code], "E-VALID"), 422))

    with pytest.raises(errors.NotFound) as caught:
        CALLS[name].ask(bold)

    assert caught.value.missing == missing


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, errors.NotFound), (400, errors.InvalidInput), (422, errors.InvalidInput), (401, errors.Unauthorized)],
)
@pytest.mark.parametrize("name", [endpoint.name for endpoint in ENDPOINTS if endpoint.dialect is Dialect.V4_REST])
def test_rest_says_no_by_its_status(
    name: str, status: int, kind: type[errors.Refused], bold: Coupontools, script: Vendor
):
    script.plays(answers({"message": "no"}, status))

    with pytest.raises(kind) as caught:
        CALLS[name].ask(bold)

    assert type(caught.value) is kind


def test_no_content_is_an_answer_of_rest(bold: Coupontools, script: Vendor):
    script.plays(answers(b"", 204))

    CALLS["directories.v4.revoke_access"].ask(bold)

    assert script.requests[0].method == "DELETE"


def everything_shown(result: Any) -> str:
    if not isinstance(result, BaseModel):
        return repr(result) + "".join(everything_shown(row) for row in (result or ()))
    return repr(result) + str(result.model_dump()) + result.model_dump_json() + repr(getattr(result, "raw", ""))


def with_secrets(value: Any) -> Any:
    """The same with secrets in every object, where no document has them."""
    if isinstance(value, list):
        return [with_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: with_secrets(item) for key, item in value.items()} | {"api_key": "k-canary", "password": ["p-canary"]}


@EVERY
def test_no_secret_shows_in_what_is_read(endpoint: Endpoint, bold: Coupontools, script: Vendor):
    answer = CALLS[endpoint.name].answer
    is_rpc = endpoint.dialect is not Dialect.V4_REST
    script.plays(answers({key: with_secrets(item) for key, item in answer.items()} if is_rpc else with_secrets(answer)))

    assert "canary" not in everything_shown(CALLS[endpoint.name].ask(bold))
