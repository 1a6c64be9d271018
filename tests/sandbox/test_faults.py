"""Every way in which a call goes wrong."""

import http.client
import json
import time

import pytest

from coupontools_api.sandbox.faults import KINDS
from coupontools_api.sandbox.mishaps import MISHAPS, SPOILED_ANSWERS

LIST = "/v4/subaccount/list"
CREATE = "/v4/subaccount/create"
SIGN_ON = "/v3/subaccount/sso"
NEW = {"email": "new@cafe.test", "password": "long-enough-password"}


def emails(sandbox) -> list[str]:
    return [row["email"] for row in sandbox.subaccounts()]


def test_every_kind_has_its_doing():
    assert KINDS.keys() == MISHAPS.keys() | SPOILED_ANSWERS.keys()
    assert not MISHAPS.keys() & SPOILED_ANSWERS.keys()


class TestWhen:
    def test_the_next_call_meets_it_and_the_one_after_does_not(self, ada, sandbox):
        sandbox.fault(LIST, "html")

        assert [ada.post(LIST).status for _ in range(3)] == [502, 200, 200]
        assert [request.fault for request in sandbox.requests()] == ["html", None, None]
        assert sandbox.faults() == []

    def test_it_waits_for_its_call(self, ada, sandbox):
        sandbox.fault(LIST, "html", call=2, times=2)

        assert [ada.post(LIST).status for _ in range(4)] == [200, 502, 502, 200]

    def test_it_stays_until_it_is_cleared(self, ada, sandbox):
        sandbox.fault(LIST, "html", times=None)

        before = [ada.post(LIST).status for _ in range(3)]
        sandbox.clear_faults()

        assert before == [502] * 3
        assert ada.post(LIST).status == 200

    def test_two_for_the_same_call_come_one_after_the_other(self, ada, sandbox):
        sandbox.fault(LIST, "html", status=503)
        sandbox.fault(LIST, "html", status=504)

        assert [ada.post(LIST).status for _ in range(3)] == [503, 504, 200]

    def test_it_meets_its_path_and_account_only(self, ada, cy, sandbox):
        sandbox.fault(LIST, "html", client_id="south")
        sandbox.fault(CREATE, "html")

        assert ada.post(LIST).status == 200
        assert cy.post(LIST).status == 502

    def test_it_can_meet_every_path(self, ada, sandbox):
        sandbox.fault("*", "html", times=None)

        assert {ada.post(path).status for path in (LIST, CREATE, SIGN_ON, "/v3/other")} == {502}

    def test_it_is_told_over_http(self, ada, sandbox, visitor):
        script = [
            {"path": LIST, "call": 1, "times": 1, "kind": "html", "status": 500},
            {"path": LIST, "call": 2, "times": None, "kind": "empty"},
        ]

        told = visitor.control("POST", "/_faults", script).json["faults"]

        assert told == visitor.control("GET", "/_faults").json["faults"]
        assert [ada.post(LIST).status for _ in range(2)] == [500, 200]
        assert visitor.control("DELETE", "/_faults").status == 200
        assert sandbox.faults() == []

    @pytest.mark.parametrize(
        ("kind", "wrong"),
        [
            ("nonsense", {}),
            ("html", {"colour": "red"}),
            ("html", {"call": 0}),
            ("html", {"times": -1}),
            ("hang", {"seconds": "long"}),
            ("late_effect", {"then": "dance"}),
            ("status", {"codes": []}),
        ],
    )
    def test_nonsense_is_refused(self, sandbox, kind, wrong):
        with pytest.raises(ValueError, match=r"."):
            sandbox.fault(LIST, kind, **wrong)

    def test_a_path_begins_with_a_slash(self, sandbox):
        with pytest.raises(ValueError, match="path"):
            sandbox.fault("v4/subaccount", "html")


class TestOtherAnswers:
    def test_a_status(self, ada, sandbox):
        sandbox.fault(CREATE, "status", status=503, body="closed")

        answer = ada.post(CREATE, **NEW)

        assert (answer.status, answer.body) == (503, b"closed")
        assert emails(sandbox) == []

    def test_a_status_after_the_effect(self, ada, sandbox):
        sandbox.fault(CREATE, "status", after_effect=True)

        assert ada.post(CREATE, **NEW).status == 500
        assert emails(sandbox) == ["new@cafe.test"]

    @pytest.mark.parametrize(("envelope", "status"), [("E-AUTH", 401), ("E-VALID", 422), ("E-TOP", 422)])
    def test_codes_in_each_envelope(self, ada, sandbox, envelope, status):
        sandbox.fault(LIST, "status", codes=[509, 301], envelope=envelope)

        answer = ada.post(LIST)

        errors = (answer.json if envelope == "E-TOP" else answer.json["status"])["errors"]
        assert answer.status == status
        assert errors["error_code"] == (509 if envelope == "E-AUTH" else [509, 301])
        assert answer.json["status"]["status"] == "failed"

    @pytest.mark.parametrize("after_effect", [False, True])
    def test_a_page(self, ada, sandbox, after_effect):
        sandbox.fault(CREATE, "html", after_effect=after_effect)

        answer = ada.post(CREATE, **NEW)

        assert answer.status == 502
        assert "<html" in answer.text
        assert len(sandbox.subaccounts()) == after_effect

    @pytest.mark.parametrize("kind", ["empty", "not_json"])
    def test_nothing_that_can_be_read(self, ada, sandbox, kind):
        sandbox.fault(CREATE, kind)

        answer = ada.post(CREATE, **NEW)

        assert answer.status == 200
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(answer.body)
        assert len(sandbox.subaccounts()) == 1

    @pytest.mark.parametrize("retry_after", [7, "Fri, 31 Dec 2027 23:59:59 GMT", "soon", None])
    def test_too_many_requests(self, ada, sandbox, retry_after):
        sandbox.settings(real_status=False)
        sandbox.fault(CREATE, "throttle", retry_after=retry_after)

        answer = ada.post(CREATE, **NEW)

        assert answer.status == 429
        assert answer.headers["Retry-After"] == (None if retry_after is None else str(retry_after))
        assert emails(sandbox) == []

    def test_a_redirect(self, ada, sandbox):
        sandbox.fault(CREATE, "redirect", location="http://elsewhere.test/")

        answer = ada.post(CREATE, **NEW)

        assert (answer.status, answer.headers["Location"]) == (307, "http://elsewhere.test/")
        assert emails(sandbox) == []

    def test_revoked_credentials(self, ada, sandbox):
        sandbox.fault("*", "revoked", client_id="north")

        answer = ada.post(LIST)

        assert (answer.status, answer.codes) == (401, 1000)
        assert sandbox.requests()[0].codes == (1000,)

    def test_an_address_that_is_taken_by_nobody(self, ada, sandbox):
        sandbox.fault(CREATE, "email_taken")

        assert ada.post(CREATE, **NEW).codes == [304]
        assert emails(sandbox) == []


class TestOnTheWay:
    def test_half_an_answer(self, ada, sandbox):
        sandbox.fault(CREATE, "truncated")

        with pytest.raises(http.client.IncompleteRead):
            ada.post(CREATE, **NEW)
        assert len(sandbox.subaccounts()) == 1

    @pytest.mark.parametrize("headers", [False, True])
    def test_an_answer_in_drops(self, ada, sandbox, headers):
        sandbox.fault(CREATE, "slow_drip", seconds=0.4, interval=0.05, headers=headers)

        start = time.monotonic()
        answer = ada.post(CREATE, **NEW)

        assert 0.3 < time.monotonic() - start < 2
        assert answer.json["subaccount"]["ID"]
        assert len(sandbox.subaccounts()) == 1

    def test_drops_of_nothing(self, ada, sandbox):
        sandbox.fault(CREATE, "slow_drip", seconds=0.1, interval=0.05, after_effect=False)

        assert ada.post(CREATE, **NEW).body.strip() == b""
        assert emails(sandbox) == []

    @pytest.mark.parametrize("after_effect", [False, True])
    def test_silence(self, ada, sandbox, after_effect):
        ada.timeout = 0.3
        sandbox.fault(CREATE, "hang", seconds=5, after_effect=after_effect)

        with pytest.raises(TimeoutError):
            ada.post(CREATE, **NEW)
        (request,) = sandbox.requests()
        assert (request.fault, request.status) == ("hang", None)
        assert len(sandbox.subaccounts()) == after_effect

    def test_silence_ends_without_an_answer(self, ada, sandbox):
        sandbox.fault(CREATE, "hang", seconds=0.1)

        with pytest.raises(http.client.RemoteDisconnected):
            ada.post(CREATE, **NEW)

    @pytest.mark.parametrize(("kind", "made"), [("reset_before", 0), ("reset_after", 1)])
    def test_a_reset(self, ada, sandbox, kind, made):
        sandbox.fault(CREATE, kind)

        with pytest.raises(ConnectionResetError):
            ada.post(CREATE, **NEW)
        assert len(sandbox.subaccounts()) == made
        assert sandbox.requests()[0].status is None

    @pytest.mark.parametrize(
        ("then", "error"),
        [("hang", http.client.RemoteDisconnected), ("reset", ConnectionResetError)],
    )
    def test_an_effect_that_comes_late(self, ada, sandbox, then, error):
        sandbox.fault(CREATE, "late_effect", seconds=0.3, then=then, hang_seconds=0.05)

        with pytest.raises(error):
            ada.post(CREATE, **NEW)
        at_once = emails(sandbox)
        time.sleep(0.5)

        assert at_once == []
        assert emails(sandbox) == ["new@cafe.test"]

    def test_a_late_effect_obeys_the_rules_of_then(self, ada, sandbox):
        sandbox.fault(CREATE, "late_effect", seconds=0.2, then="html")

        assert ada.post(CREATE, **NEW).status == 502
        assert ada.post(CREATE, **NEW).status == 200
        time.sleep(0.4)

        assert emails(sandbox) == ["new@cafe.test"]


class TestWrongContent:
    def test_another_id(self, ada, sandbox, bo):
        sandbox.fault(SIGN_ON, "wrong_id")
        sandbox.fault(CREATE, "wrong_id", id=bo)

        assert ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["ID"] not in (bo, "")
        assert ada.post(CREATE, **NEW).json["subaccount"]["ID"] == bo
        assert len(sandbox.subaccounts()) == 2

    def test_no_id(self, ada, sandbox, bo):
        for path in (LIST, CREATE):
            sandbox.fault(path, "missing_id")

        assert ada.post(CREATE, **NEW).json["subaccount"] == {"email": "new@cafe.test"}
        assert all("ID" not in row for row in ada.post(LIST).json["subaccounts"])

    def test_a_token_that_is_not_the_links(self, ada, sandbox, bo):
        sandbox.fault(SIGN_ON, "wrong_token")

        answer = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]

        assert answer["token"] not in answer["url"]

    def test_a_link_to_another_host(self, ada, sandbox, bo):
        sandbox.add_account("north", "north-secret", whitelabel_host="login.north.test")
        sandbox.fault(SIGN_ON, "wrong_host", host="https://evil.test:8443")

        answer = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]

        for key in ("url", "url_whitelabel"):
            assert answer[key].startswith("https://evil.test:8443/index.php?action=login")

    def test_an_answer_that_is_too_big(self, ada, sandbox, bo):
        sandbox.fault(SIGN_ON, "oversize", bytes=3_000_000)

        answer = ada.post(SIGN_ON, subaccount=bo)

        assert len(answer.body) > 3_000_000
        assert answer.json["subaccount"]["ID"] == bo

    def test_a_refusal_is_not_spoiled(self, ada, sandbox):
        sandbox.fault(SIGN_ON, "wrong_id")

        assert ada.post(SIGN_ON).codes == [200]

    @pytest.mark.parametrize("with_bo", [False, True])
    def test_a_huge_list(self, ada, sandbox, with_bo):
        if with_bo:
            sandbox.add_subaccount("north", email="bo@bakery.test")
        sandbox.fault(LIST, "huge_list", rows=1201)

        answer = ada.post(LIST)

        rows = answer.json["subaccounts"]
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert len({row["ID"] for row in rows}) == len(rows) == 1201 + with_bo
        assert answer.json["amount_of_subaccounts"] == str(len(rows))

    def test_a_list_from_the_past(self, ada, sandbox, bo):
        time.sleep(0.3)
        ada.post(CREATE, **NEW)
        sandbox.remove_subaccount(bo)
        sandbox.fault(LIST, "stale_list", seconds=0.2)

        stale, fresh = (ada.post(LIST).json["subaccounts"] for _ in range(2))

        assert [row["email"] for row in stale] == ["bo@bakery.test"]
        assert [row["email"] for row in fresh] == ["new@cafe.test"]

    def test_rows_that_come_twice(self, ada, sandbox, bo):
        sandbox.fault(LIST, "duplicate_rows")

        assert [row["ID"] for row in ada.post(LIST).json["subaccounts"]] == [bo, bo]
