"""Spoiled answers to every endpoint: nothing but our own errors, and a no is never taken for a yes.

A few thousand in every run; `./run prove` takes MUTATED_ANSWERS of them.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from coupontools_api import errors, listing, subaccounts
from coupontools_api.client import Coupontools
from coupontools_api.coverage import ENDPOINTS
from coupontools_api.endpoints import Dialect, Endpoint
from coupontools_api.replies import Answer
from tests.coupontools_api.calls import CALLS
from tests.coupontools_api.spoiled import REFUSALS, Played, says_no
from tests.figures import RecordFigure
from tests.hostile.mutations import Mutator, Spoiled

FEW = 4_000
MANY = int(os.environ.get("MUTATED_ANSWERS", "100000"))
PARTS = 4
SAYS_NO = frozenset({401, 403, 429})
REST_SAYS_NO = SAYS_NO | {400, 404, 422}


def spoil(mutator: Mutator, answer: Any) -> Spoiled:
    """A list is spoiled within an object that also tells how it is paged, or in its bytes."""
    if isinstance(answer, dict):
        return mutator.answer(answer)
    if mutator.chance.random() < 0.5:
        return mutator.answer({"data": answer, "pagination": {"page": 1}})
    return Spoiled(200, mutator.chance.choice(Mutator._in_the_bytes)(mutator, json.dumps(answer).encode()))


def asked(client: Coupontools, endpoint: Endpoint) -> Any:
    """What the call gives back, every line of it, or its error."""
    try:
        result = CALLS[endpoint.name].ask(client)
        return list(result) if isinstance(result, Sequence) else result
    except errors.CoupontoolsError as problem:
        return problem


def anything(body: bytes) -> Any:
    """What the body says to a reader that knows JSON and nothing of the vendor; None if it is not JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def may_be_a_success(endpoint: Endpoint, spoiled: Spoiled, document: Any) -> bool:
    if spoiled.status == 204 and not spoiled.body and endpoint.dialect is Dialect.V4_REST:
        return True
    if not 200 <= spoiled.status < 300 or document is None or (isinstance(document, dict) and says_no(document)):
        return False
    if endpoint.dialect is Dialect.V4_REST:
        # A list that says so is none; a thing by itself may have a status.
        is_no = isinstance(document, dict) and "id" not in document and document.get("status") in ("failed", "error")
        if is_no or (isinstance(document, dict) and (document.get("error") or document.get("success") is False)):
            return False
        return isinstance(document, dict | list) or CALLS[endpoint.name].answer == {}
    status = document.get("status") if isinstance(document, dict) else None
    word = status.get("status") if isinstance(status, dict) else status
    return str(word).strip().upper() == "OK"


def prove(seed: int, bodies: int) -> Counter[str]:
    mutator, counted = Mutator(seed), Counter[str]()
    client = Coupontools(client_id="id", client_secret="s", base_url="http://127.0.0.1:9", allow_undocumented=True)
    transport = Played(client_id="id", client_secret="s", base_url="http://127.0.0.1:9", deadline=1)
    for resource in (client, *vars(client).values(), client.loyalty.v4, client.directories.v4):
        if hasattr(resource, "_transport"):
            resource._transport = transport
    for number in range(bodies):
        endpoint = ENDPOINTS[number % len(ENDPOINTS)]
        transport.next = spoiled = spoil(mutator, CALLS[endpoint.name].answer)
        document = anything(spoiled.body)
        result = asked(client, endpoint)
        if isinstance(result, errors.CoupontoolsError):
            codes = says_no(document) & REFUSALS if isinstance(document, dict) else set()
            statuses = REST_SAYS_NO if endpoint.dialect is Dialect.V4_REST else SAYS_NO
            assert result.may_have_happened or codes or spoiled.status in statuses, (endpoint.name, spoiled, result)
            counted["errors"] += 1
        else:
            assert may_be_a_success(endpoint, spoiled, document), (endpoint.name, spoiled)
            counted["successes"] += 1
    assert counted["errors"]
    assert counted["successes"]
    return counted


def test_spoiled_answers_give_only_our_own_errors():
    prove(seed=6_000, bodies=FEW)


def address(line: listing.ListedSubaccount | listing.SubaccountSummary) -> str | None:
    """As the vendor gave it, less what stands around it; None where it gave none."""
    told = line.email if isinstance(line, listing.ListedSubaccount) else line.raw.get("email")
    return told.strip() if isinstance(told, str) else None


def test_the_brief_reading_of_a_list_is_the_whole_one_less_the_rest():
    mutator, agreed = Mutator(seed=6_500), Counter[str]()
    rows = [{"ID": "sub_1001", "email": "kim@shop.example", "name": "Kim"}, {"ID": "12", "email": "é@x.example"}]
    for _ in range(FEW):
        spoiled = mutator.answer({"status": {"status": "OK"}, "subaccounts": rows})
        answer = Answer(spoiled.status, {}, spoiled.body)
        found: list[list[tuple[Any, Any]]] = []
        for read in (listing.brief, listing.whole):
            try:
                found.append([(line.id, address(line)) for line in read(subaccounts.LIST, answer)])
            except errors.CoupontoolsError as problem:
                found.append([(type(problem), problem.codes)])
        # The brief one takes no line without an address.
        lacks_one = any(told is None for _, told in found[1])
        assert found[0] == ([(errors.UnexpectedReply, ())] if lacks_one else found[1]), spoiled
        agreed["lines" if found[0] and isinstance(found[0][0][0], str) else "errors"] += 1
    assert min(agreed["lines"], agreed["errors"]) > FEW // 20


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_spoiled_answers_by_the_thousand_give_only_our_own_errors(part: int, record_figure: RecordFigure):
    counted = prove(seed=6_100 + part, bodies=MANY // PARTS)

    record_figure("Spoiled answers to every call", {"bodies": sum(counted.values()), **counted, "false successes": 0})
