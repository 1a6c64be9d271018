"""Faults on the endpoints that have ids in their path, lists of their own, or bare answers."""

import pytest

CARDS = "/v4/loyalty/loyalty-cards"
USERS = "/v4/directory/{directory}/users"


def test_a_path_with_ids_is_named_as_in_the_table_or_as_it_is_called(ada, stock, sandbox):
    path = USERS.format(directory=stock.directory)
    sandbox.fault(USERS, "html")
    sandbox.fault(path, "html")

    assert [ada.get(path).status for _ in range(3)] == [502, 502, 200]
    assert [request.fault for request in sandbox.requests(path)] == ["html", "html", None]


def test_a_fault_can_meet_one_method_of_a_path(ada, stock, sandbox):
    path = USERS.format(directory=stock.directory)
    sandbox.fault(f"POST {USERS}", "html")

    assert ada.get(path).status == 200
    assert ada.post(path, email="zoe@cafe.test").status == 502
    assert ada.post(path, email="zoe@cafe.test").status == 200


def test_an_effect_can_come_without_its_answer(ada, stock, sandbox):
    sandbox.fault("/v3/singleuse/create", "reset_after")

    with pytest.raises(ConnectionError):
        ada.post("/v3/singleuse/create", campaign=stock.campaign, customid="K-1")

    repeated = ada.post("/v3/singleuse/create", campaign=stock.campaign, customid="K-1", duplicate_check="customid")
    assert repeated.json["single_use_code"] == sandbox.effects("single_use_created")[-1]["session"]


def test_keys_can_be_revoked_in_the_words_of_each_dialect(ada, stock, sandbox):
    sandbox.fault("*", "revoked", times=2)

    rest, rpc = ada.get(CARDS), ada.post("/v3/coupon/list")

    assert (rest.status, rest.json["error_code"]) == (401, [1000])
    assert (rpc.status, rpc.codes) == (401, 1000)


@pytest.mark.parametrize("method_and_path", ["GET /v4/directory", f"GET {CARDS}", "POST /v3/coupon/list"])
class TestSpoiledLists:
    def ask(self, caller, method_and_path):
        document = caller.send(*method_and_path.split()).json
        return document if isinstance(document, list) else document["coupon_info"]

    def test_ids_are_wrong(self, ada, stock, sandbox, method_and_path):
        good = self.ask(ada, method_and_path)
        sandbox.fault(method_and_path, "wrong_id")

        spoiled = self.ask(ada, method_and_path)

        name = "id" if "id" in good[0] else "ID"
        assert not {row[name] for row in good} & {row[name] for row in spoiled}
        assert len(spoiled) == len(good)

    def test_ids_are_missing(self, ada, stock, sandbox, method_and_path):
        sandbox.fault(method_and_path, "missing_id")

        assert not any({"id", "ID"} & row.keys() for row in self.ask(ada, method_and_path))

    def test_rows_come_twice(self, ada, stock, sandbox, method_and_path):
        good = self.ask(ada, method_and_path)
        sandbox.fault(method_and_path, "duplicate_rows")

        assert self.ask(ada, method_and_path) == good * 2

    def test_lists_are_huge(self, ada, stock, sandbox, method_and_path):
        good = self.ask(ada, method_and_path)
        sandbox.fault(method_and_path, "huge_list", rows=1200)

        huge = self.ask(ada, method_and_path)

        assert huge[: len(good)] == good
        assert len(huge) == len(good) + 1200

    def test_answers_are_too_large(self, ada, stock, sandbox, method_and_path):
        sandbox.fault(method_and_path, "oversize", bytes=100_000)

        assert len(ada.send(*method_and_path.split()).body) > 100_000


def test_a_single_object_of_the_rest_dialect_is_spoiled_too(ada, stock, sandbox):
    path = f"/v4/directory/{stock.directory}"
    good = ada.get(path).json
    sandbox.fault("/v4/directory/{directory}", "wrong_id")

    assert ada.get(path).json == {**good, "id": good["id"] + 500_000}


def test_a_list_without_rows_stays_empty_however_huge(ada, sandbox):
    sandbox.fault("/v3/coupon/list", "huge_list", rows=10)

    assert ada.post("/v3/coupon/list").json["coupon_info"] == []
