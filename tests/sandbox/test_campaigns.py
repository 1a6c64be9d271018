"""Campaigns and their sessions: numbers that follow what happens, pages, periods, searches."""

import re
from datetime import UTC, datetime, timedelta

import pytest

SESSION_STATUS = {
    "created_date_utc",
    "opened",
    "open_date_utc",
    "played",
    "played_date_utc",
    "claimed",
    "claim_date_utc",
    "claimtype",
    "saved_to_passbook",
}
UPDATE = "/v3/couponsession/update"
UPDATE_MANY = "/v3/multiplecouponsession/update"
SEARCH = "/v3/couponsession/search"
DATA, OPENS, CLAIMS, VALIDATIONS = (f"/v3/campaign/{kind}" for kind in ("data", "opens", "claims", "validations"))


@pytest.fixture
def spring(sandbox, bo) -> str:
    """Bo's campaign, which nothing has happened to."""
    return sandbox.add_campaign(bo, name="Spring", tags="flowers, Sale", category="Shopping")


def new_sessions(caller, campaign, amount) -> list[str]:
    answer = caller.post("/v3/multiplesingleuse/create", campaign=campaign, amount=amount)
    return [row["single_use_code"] for row in answer.json["data"]]


def amounts(caller, campaign) -> list[str]:
    """Of usage, opens, claims and validations."""
    return [
        caller.post(path, campaign=campaign).json["amount_of_results"] for path in (DATA, OPENS, CLAIMS, VALIDATIONS)
    ]


class TestUsage:
    def test_what_happens_to_a_session_shows_in_the_numbers(self, bos_keys, spring):
        first, second, third = new_sessions(bos_keys, spring, 3)

        before = amounts(bos_keys, spring)
        bos_keys.post(UPDATE, couponsession=first, action="open")
        bos_keys.post(UPDATE, couponsession=second, action="claim")
        bos_keys.post(UPDATE, couponsession=third, action="validate")

        assert before == ["3", "0", "0", "0"]
        assert amounts(bos_keys, spring) == ["3", "3", "2", "1"]

    def test_the_first_time_counts(self, bos_keys, spring, sandbox):
        (code,) = new_sessions(bos_keys, spring, 1)

        for _ in range(2):
            bos_keys.post(UPDATE, couponsession=code, validated="true")

        assert amounts(bos_keys, spring) == ["1", "1", "1", "1"]
        assert [event["kind"] for event in sandbox.events()] == ["coupon_claimed", "coupon_validated"]

    def test_pages_hold_all_once_and_end_with_an_empty_one(self, bos_keys, spring, sandbox):
        sandbox.settings(page_size=2)
        codes = new_sessions(bos_keys, spring, 5)

        pages = [bos_keys.post(DATA, campaign=spring, page=page).json for page in (1, 2, 3, 4)]

        assert [[row["session"] for row in page["data"]] for page in pages] == [codes[:2], codes[2:4], codes[4:], []]
        assert {page["amount_of_results"] for page in pages} == {"5"}
        assert bos_keys.post(DATA, campaign=spring).json == pages[0]
        assert bos_keys.post(DATA, campaign=spring, page=0).json == pages[0]

    def test_a_page_holds_five_thousand(self, bos_keys, spring):
        new_sessions(bos_keys, spring, 5001)

        pages = [bos_keys.post(DATA, campaign=spring, page=page).json["data"] for page in (1, 2)]

        assert [len(page) for page in pages] == [5000, 1]

    def test_pages_can_be_counted_from_zero_and_each_for_itself(self, bos_keys, spring, sandbox):
        sandbox.settings(page_size=2, first_page=0, results_counted="page")
        codes = new_sessions(bos_keys, spring, 3)

        first, second = (bos_keys.post(DATA, campaign=spring, page=page).json for page in (0, 1))

        assert [row["session"] for row in second["data"]] == codes[2:]
        assert (first["amount_of_results"], second["amount_of_results"]) == ("2", "1")

    def test_numbers_are_text_and_moments_are_utc(self, bos_keys, spring):
        (code,) = new_sessions(bos_keys, spring, 1)
        bos_keys.post(UPDATE, couponsession=code, action="claim")

        (row,) = bos_keys.post(CLAIMS, campaign=spring).json["data"]

        assert (row["session"], row["sequenceid"]) == (code, "1")
        assert row["status"].keys() >= SESSION_STATUS
        assert (row["status"]["opened"], row["status"]["claimed"], row["status"]["played"]) == ("1", "1", "0")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["status"]["claim_date_utc"])
        assert row["status"]["validation_date_utc"] == ""

    @pytest.mark.parametrize(
        ("start", "end", "found"),
        [(0, 0, "1"), (-1, 0, "1"), (0, 1, "1"), (1, 1, "0"), (-1, -1, "0"), (None, -1, "0"), (0, None, "1")],
    )
    def test_periods_include_both_their_days(self, bos_keys, spring, start, end, found):
        new_sessions(bos_keys, spring, 1)
        row = bos_keys.post(DATA, campaign=spring).json["data"][0]
        made = datetime.fromisoformat(row["status"]["created_date_utc"])
        days = {
            name: (made + timedelta(days=days)).strftime("%Y-%m-%d")
            for name, days in {"start_date": start, "end_date": end}.items()
            if days is not None
        }

        assert bos_keys.post(DATA, campaign=spring, **days).json["amount_of_results"] == found

    @pytest.mark.parametrize(("switch", "taken"), [("both", "-:"), ("dash", "-"), ("colon", ":")])
    def test_periods_may_name_minutes_in_the_form_of_the_switch(self, bos_keys, spring, sandbox, switch, taken):
        sandbox.settings(filter_time=switch)
        minute = datetime.now(UTC).strftime("%Y-%m-%d %H{}%M")

        answers = {mark: bos_keys.post(DATA, campaign=spring, end_date=minute.format(mark)) for mark in "-:"}

        assert [mark for mark in "-:" if answers[mark].status == 200] == list(taken)
        assert all(answer.codes == [303] for mark, answer in answers.items() if mark not in taken)

    @pytest.mark.parametrize(("switch", "found"), [("obeyed", "0"), ("ignored", "1"), ("nothing", "0")])
    def test_a_period_to_come_is_looked_at_as_the_switch_says(self, bos_keys, spring, sandbox, switch, found):
        new_sessions(bos_keys, spring, 1)
        sandbox.settings(date_filters=switch)

        assert bos_keys.post(DATA, campaign=spring, start_date="2037-01-02 03-45").json["amount_of_results"] == found

    @pytest.mark.parametrize(("switch", "found"), [("obeyed", "1"), ("ignored", "1"), ("nothing", "0")])
    def test_so_is_a_period_that_is_past_in_part(self, bos_keys, spring, sandbox, switch, found):
        new_sessions(bos_keys, spring, 1)
        sandbox.settings(date_filters=switch)

        assert bos_keys.post(DATA, campaign=spring, start_date="2010-01-02 03-45").json["amount_of_results"] == found
        assert bos_keys.post(DATA, campaign=spring).json["amount_of_results"] == "1"


class TestCampaigns:
    def test_a_list_agrees_with_the_subaccount(self, ada, bos_keys, bo, spring, sandbox):
        sandbox.add_campaign(bo, name="Example", status="example")

        listed = bos_keys.post("/v3/coupon/list").json["coupon_info"]
        told = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]["campaigns"]

        kept = ("ID", "code", "url", "status")
        assert [{name: row[name] for name in kept} for row in listed] == told
        assert {row["subaccount"] for row in listed} == {bo}

    @pytest.mark.parametrize(
        ("narrowing", "found"),
        [
            ({}, ["Spring", "Example"]),
            ({"only_active": "true"}, ["Spring"]),
            ({"only_active": False}, ["Spring", "Example"]),
            ({"tags": "sale"}, ["Spring"]),
            ({"tags": "toys,flowers"}, ["Spring"]),
            ({"tags": "toys"}, []),
            ({"folder": "3"}, ["Example"]),
        ],
    )
    def test_a_list_can_be_narrowed(self, bos_keys, bo, spring, sandbox, narrowing, found):
        sandbox.add_campaign(bo, name="Example", status="example", folder="3")

        rows = bos_keys.post("/v3/coupon/list", **narrowing).json["coupon_info"]

        assert [row["name"] for row in rows] == found

    def test_a_list_can_be_narrowed_to_a_category(self, ada, stock):
        category = ada.post("/v3/category/list").json["category"][1]

        rows = ada.post("/v3/coupon/list", category=category["ID"]).json["coupon_info"]

        assert [row["coupon_category_name"] for row in rows] == [category["name"]]
        assert ada.post("/v3/coupon/list", category="cat_1").json["coupon_info"] == []

    def test_information_counts_custom_codes_when_asked(self, bos_keys, spring):
        bos_keys.post("/v3/singleuse/create", campaign=spring)
        made = bos_keys.post("/v3/singleuse/create", campaign=spring, autovalcode="6digits").json
        bos_keys.post(UPDATE, couponsession=made["single_use_code"], action="claim")

        plain = bos_keys.post("/v3/coupon/info", campaign=spring).json["coupon_info"]
        counted = bos_keys.post("/v3/coupon/info", campaign=spring, show_usage_stats="true").json["coupon_info"]

        assert plain["ID"] == spring
        assert counted.items() - plain.items() == {
            ("total_custom_validation_codes", "1"),
            ("claimed_custom_validation_codes", "1"),
        }

    def test_a_campaign_from_a_template_belongs_to_the_subaccount_named(self, ada, bos_keys, bo, sandbox):
        answer = ada.post("/v3/coupon/create", template=1, name="Summer", subaccount=bo, expiry_date="2030-12-31 18:00")

        (row,) = bos_keys.post("/v3/coupon/list").json["coupon_info"]
        assert row["ID"] == answer.json["campaign"]
        assert row["expirydate"] == "2030-12-31 18:00:00"
        assert ada.post("/v3/coupon/list").json["coupon_info"] == []
        assert [event["kind"] for event in sandbox.events()] == ["coupon_created"]

    def test_a_subaccount_makes_none_for_its_neighbour(self, bos_keys, bo):
        assert bos_keys.post("/v3/coupon/create", template=1, name="Summer", subaccount=bo).codes == [510]

    def test_a_removed_subaccount_takes_its_campaigns_along(self, ada, sandbox, bo, bos_keys, spring):
        new_sessions(bos_keys, spring, 1)
        sandbox.remove_subaccount(bo)

        again = sandbox.add_subaccount("north", email="bo@bakery.test", ID=bo)

        assert ada.post("/v4/subaccount", subaccount=again).json["subaccount"]["campaigns"] == []

    def test_push_is_refused_in_the_envelope_with_errors_beside_status(self, bos_keys, spring):
        answer = bos_keys.post(
            "/v3/coupon/pushnotification/single", campaign=spring, couponsession="nobody", message="Hello"
        )

        assert answer.json == {
            "status": {"status": "failed"},
            "errors": {
                "error_message": "HTTP/1.0 422 Unprocessable entity.",
                "error_message_description": ["Coupon session not found"],
                "error_code": [505],
            },
        }

    def test_a_push_is_an_effect(self, bos_keys, spring, sandbox):
        (code,) = new_sessions(bos_keys, spring, 1)

        one = bos_keys.post(
            "/v3/coupon/pushnotification/single", campaign=spring, couponsession=code[:6], message="Hello"
        )
        everybody = bos_keys.post("/v3/coupon/pushnotification/all", campaign=spring, message="Hello all")

        assert one.json == everybody.json == {"status": {"status": "OK"}}
        assert sandbox.effects("push")[0]["session"] == code
        assert sandbox.effects("push_to_all")[0]["sessions"] == 1


class TestSessions:
    def test_one_is_told_as_documented(self, bos_keys, spring, sandbox):
        made = bos_keys.post("/v3/singleuse/create", campaign=spring, customid="K-1", email="eve@cafe.test").json

        answer = bos_keys.post("/v3/couponsession/data", couponsession=made["single_use_code"]).json

        assert answer["action"] == "retrieve_all_session_data"
        assert (answer["campaign"], answer["customid"], answer["sequenceid"]) == (spring, "K-1", "1")
        assert answer["session_url"] == made["single_use_url"]
        assert answer["data"]["status"].keys() >= SESSION_STATUS
        assert answer["data"]["customer"]["email"] == "eve@cafe.test"

    def test_the_first_six_characters_will_do(self, bos_keys, spring):
        (code,) = new_sessions(bos_keys, spring, 1)

        assert bos_keys.post(UPDATE, couponsession=code[:6], action="claim").json["session"] == code

    def test_a_voided_one_can_not_be_claimed_until_it_is_taken_back(self, bos_keys, spring):
        (code,) = new_sessions(bos_keys, spring, 1)

        voided = bos_keys.post(UPDATE, couponsession=code, action="void").json
        refused = bos_keys.post(UPDATE, couponsession=code, claimed="1")
        bos_keys.post(UPDATE, couponsession=code, voided="0")

        assert voided["data"]["status"]["voided_date_utc"]
        assert refused.codes == [300]
        assert bos_keys.post(UPDATE, couponsession=code, claimed="1").json["data"]["status"]["claimed"] == "1"

    def test_an_update_without_a_change_is_refused(self, bos_keys, spring):
        (code,) = new_sessions(bos_keys, spring, 1)

        assert bos_keys.post(UPDATE, couponsession=code).codes == [200]

    def test_many_are_updated_or_none(self, bos_keys, spring):
        codes = new_sessions(bos_keys, spring, 3)

        refused = bos_keys.post(UPDATE_MANY, couponsessions=[*codes, "nobody"], action="claim")
        before = amounts(bos_keys, spring)
        done = bos_keys.post(UPDATE_MANY, couponsessions=",".join(codes), action="claim").json

        assert refused.codes == [505]
        assert before == ["3", "0", "0", "0"]
        assert (done["amount_of_results"], amounts(bos_keys, spring)[2]) == ("3", "3")

    def test_one_that_is_named_twice_is_changed_once(self, bos_keys, spring, sandbox):
        (code,) = new_sessions(bos_keys, spring, 1)

        done = bos_keys.post(UPDATE_MANY, couponsessions=[code, code[:6], code], action="claim").json

        assert done["amount_of_results"] == "1"
        assert [effect["session"] for effect in sandbox.effects("coupon_claimed")] == [code]

    @pytest.mark.parametrize("wrong", [[1], {"a": 1}, ["x"] * 1001])
    def test_many_are_named_in_a_list_of_text(self, bos_keys, wrong):
        assert bos_keys.post(UPDATE_MANY, couponsessions=wrong, action="claim").codes == [300]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"email": "eve@cafe.test"},
            {"phone": "+32470123456"},
            {"own_validation_code": "X-99"},
            {"search": "X-99"},
            {"search": "eve@cafe.test"},
        ],
    )
    def test_they_are_found_by_what_is_known_of_the_customer(self, bos_keys, spring, sandbox, bo, wanted):
        person = {"email": "eve@cafe.test", "phone": "+32470123456", "customvalcode": "X-99"}
        other = sandbox.add_campaign(bo, name="Summer")
        codes = [
            bos_keys.post("/v3/singleuse/create", campaign=campaign, **person).json["single_use_code"]
            for campaign in (spring, other)
        ]
        new_sessions(bos_keys, spring, 1)

        everywhere = bos_keys.post(SEARCH, **wanted).json
        in_one = bos_keys.post(SEARCH, campaign=other, **wanted).json

        assert [row["session"] for row in everywhere["data"]] == codes
        assert everywhere["amount_of_results"] == "2"
        assert [row["session"] for row in in_one["data"]] == codes[1:]

    def test_nobody_else_finds_them(self, ada, bos_keys, spring):
        bos_keys.post("/v3/singleuse/create", campaign=spring, email="eve@cafe.test")

        assert ada.post(SEARCH, email="eve@cafe.test").json["data"] == []
