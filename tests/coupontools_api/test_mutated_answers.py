"""Spoiled answers by the hundred thousand: the client gives its own errors, and takes neither ruin nor no for a yes."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.ids import SubaccountId, TeammateId
from coupontools_api.sandbox import Sandbox
from tests.coupontools_api.spoiled import REFUSALS, Played, says_no, strictly
from tests.figures import RecordFigure
from tests.hostile.mutations import Json, Mutator, Spoiled

pytestmark = pytest.mark.prove

BODIES = int(os.environ.get("MUTATED_BODIES", "200000"))
PARTS = 8
PATHS = {
    "create": ("/v4/subaccount/create", "subaccount"),
    "list": ("/v4/subaccount/list", "subaccounts"),
    "get": ("/v4/subaccount", "subaccount"),
    "sign_on": ("/v3/subaccount/sso", "subaccount"),
    "reset": ("/v3/subaccount/reset/url", "subaccount"),
    "account": ("/v3/account/sso", "account"),
    "teammate": ("/v3/teammate/sso", "teammate"),
}


@pytest.fixture(scope="module")
def good() -> dict[str, Json]:
    """A good answer of each kind, as the sandbox gives it."""
    with Sandbox() as sandbox:
        sandbox.add_account("id", "secret", packages=["pac_1"], teammates=["77"])
        known = sandbox.add_subaccount("id", email="kim@shop.example", campaigns=[{"name": "X", "status": "active"}])
        sandbox.add_subaccount("id", email="lou@shop.example")
        questions: dict[str, Json] = {
            "create": {"email": "new@shop.example", "password": "p", "package": "pac_1"},
            "teammate": {"teammate": "77"},
            "list": {},
            "account": {},
        }
        keys = {"X-Client-Id": "id", "X-Client-Secret": "secret"}
        return {
            name: requests.post(
                f"{sandbox.url}{path}", json=questions.get(name, {"subaccount": known}), headers=keys, timeout=5
            ).json()
            for name, (path, _key) in PATHS.items()
        }


@pytest.fixture
def played() -> Iterator[tuple[Coupontools, Played]]:
    client = Coupontools(client_id="id", client_secret="secret", base_url="http://127.0.0.1:9")
    transport = Played(client_id="id", client_secret="secret", base_url="http://127.0.0.1:9", deadline=1)
    for resource in (client.subaccounts, client.account, client.teammates):
        resource._transport = transport
    yield client, transport
    client.close()


def asked(client: Coupontools, name: str, about: SubaccountId) -> Any:
    """What the call of that name gives back: its reply, or its error."""
    try:
        return ask(client, name, about)
    except errors.CoupontoolsError as problem:
        return problem


def ask(client: Coupontools, name: str, about: SubaccountId) -> Any:
    match name:
        case "create":
            return client.subaccounts.create(email="new@shop.example", password="p", package="pac_1")
        case "list":
            return client.subaccounts.list()
        case "get":
            return client.subaccounts.get(about, with_keys=True)
        case "sign_on":
            return client.subaccounts.sign_on(about)
        case "reset":
            return client.subaccounts.password_reset_url(about)
        case "account":
            return client.account.sign_on()
        case _:
            return client.teammates.sign_on(TeammateId("77"))


def is_success(spoiled: Spoiled, document: Json, key: str) -> bool:
    """What every success has to be: 2xx, a JSON object that says OK and no error, and the thing that was asked for."""
    status = document.get("status")
    word = status.get("status") if isinstance(status, dict) else status
    kind = list if key == "subaccounts" else dict
    things = [document.get(key), document.get("subaccount")] if kind is list else [document.get(key)]
    return (
        200 <= spoiled.status < 300
        and str(word).strip().upper() == "OK"
        and not says_no(document)
        and any(isinstance(thing, kind) for thing in things)
    )


def digits(value: object) -> str:
    return str(value).removeprefix("sub_")


@pytest.mark.parametrize("part", range(PARTS))
def test_spoiled_answers_are_neither_a_crash_nor_a_false_success(
    part: int, good: dict[str, Json], played: tuple[Coupontools, Played], record_figure: RecordFigure
):
    client, transport = played
    mutator = Mutator(seed=4_000 + part)
    about = SubaccountId(good["get"]["subaccount"]["ID"])
    names = list(PATHS)
    counted: Counter[str] = Counter()

    for number in range(BODIES // PARTS):
        name = names[number % len(names)]
        key = PATHS[name][1]
        transport.next = spoiled = mutator.answer(good[name])
        document = strictly(spoiled.body)
        reply = asked(client, name, about)
        if isinstance(reply, errors.CoupontoolsError):
            # "Nothing happened" may only be said where the vendor, or the server before it, said so.
            is_no = says_no(document) & REFUSALS or spoiled.status in (401, 403, 429)
            assert reply.may_have_happened or is_no, (name, spoiled)
            counted["errors"] += 1
            continue
        assert is_success(spoiled, document, key), (name, spoiled)
        if name == "list":
            rows = document.get("subaccounts") if isinstance(document.get("subaccounts"), list) else document[key[:-1]]
            assert [digits(row["ID"]) for row in rows] == [digits(listed.id) for listed in reply], spoiled
        elif name == "create":
            assert digits(document[key]["ID"]) == digits(reply.id), spoiled
        elif name in ("get", "sign_on", "reset"):
            assert digits(document[key]["ID"]) == digits(about), spoiled
        counted["successes that were whole"] += 1
    assert counted["errors"] > counted["successes that were whole"] > BODIES // PARTS // 20
    record_figure("Spoiled vendor answers", {"bodies": sum(counted.values()), **counted, "false successes": 0})


@pytest.mark.parametrize("name", PATHS)
def test_an_answer_nested_without_end_is_an_unexpected_reply(
    name: str, good: dict[str, Json], played: tuple[Coupontools, Played]
):
    client, transport = played
    transport.next = Mutator(seed=1).deep(good[name])

    assert isinstance(asked(client, name, SubaccountId("sub_1")), errors.UnexpectedReply)
