"""The past that is made up: the same from the same seed, with the rhythm of a shop, and only where it belongs."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from coupontools_api.sandbox import Sandbox

from .conftest import Caller, keys, stock_of


def usage(caller: Caller) -> list[dict]:
    """Every session of every campaign that the caller sees."""
    campaigns = [row["ID"] for row in caller.post("/v3/coupon/list").json["coupon_info"]]
    return [row for campaign in campaigns for row in caller.post("/v3/campaign/data", campaign=campaign).json["data"]]


@pytest.fixture(scope="module")
def half_a_year() -> list[dict]:
    with Sandbox() as sandbox:
        sandbox.settings(world_seed=1)
        sandbox.add_account("north", "north-secret")
        return usage(Caller(sandbox.url, keys("north", "north-secret")))


def test_nothing_is_made_up_without_a_seed(ada, sandbox):
    for path, key in (("coupon", "coupon_info"), ("loyalty", "loyaltycard"), ("directory", "directory")):
        assert ada.post(f"/v3/{path}/list").json[key] == []
    assert sandbox.effects() == []


def test_the_same_seed_tells_the_same_story():
    stories = []
    for seed in (3, 3, 4):
        with Sandbox() as sandbox:
            sandbox.settings(world_seed=seed, world_days=5)
            sandbox.add_account("north", "north-secret")
            caller = Caller(sandbox.url, keys("north", "north-secret"))
            stories.append((usage(caller), caller.get("/v4/directory").json))

    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_a_story_is_told_once(ada, stock):
    before = usage(ada)

    assert usage(ada) == before
    assert len(ada.post("/v3/coupon/list").json["coupon_info"]) == 6


def test_it_reaches_back_half_a_year_and_ends_yesterday(half_a_year):
    days = sorted(row["status"]["created_date_utc"][:10] for row in half_a_year)
    now = datetime.now(UTC)

    assert (now.date() - datetime.fromisoformat(days[0]).date()).days in (180, 181)
    moments = [value for row in half_a_year for name, value in row["status"].items() if name.endswith("_date_utc")]
    assert max(moments) < now.strftime("%Y-%m-%d %H:%M:%S")


def test_it_has_the_rhythm_of_a_shop(half_a_year):
    made = [datetime.fromisoformat(row["status"]["created_date_utc"]) for row in half_a_year]
    weekdays, hours = Counter(moment.weekday() for moment in made), Counter(moment.hour for moment in made)

    assert weekdays[5] > weekdays[0] * 1.5  # Saturday, Monday
    assert hours[12] > hours[20] > hours[3] == 0


def test_what_comes_later_happens_less_and_never_before(half_a_year):
    steps = ("created_date_utc", "open_date_utc", "claim_date_utc", "validation_date_utc")
    amounts = [sum(row["status"][step] != "" for row in half_a_year) for step in steps]

    assert amounts[0] > amounts[1] > amounts[2] > amounts[3] > 0
    for row in half_a_year:
        happened = [row["status"][step] for step in steps if row["status"][step]]
        assert happened == sorted(happened)


def test_the_numbers_agree_with_the_sessions(ada, stock):
    campaigns = [row["ID"] for row in ada.post("/v3/coupon/list").json["coupon_info"]]
    flags = {"opens": "opened", "claims": "claimed", "validations": "validated"}

    for campaign in campaigns:
        rows = ada.post("/v3/campaign/data", campaign=campaign).json["data"]
        for kind, flag in flags.items():
            counted = ada.post(f"/v3/campaign/{kind}", campaign=campaign).json["amount_of_results"]
            assert int(counted) == sum(row["status"][flag] == "1" for row in rows)


def test_a_subaccount_gets_a_past_for_the_campaigns_it_has(ada, sandbox, bo, bos_keys):
    sandbox.settings(world_seed=7, world_days=10)
    campaign = sandbox.add_campaign(bo, name="Spring")

    stock = stock_of(bos_keys)

    (told,) = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]["campaigns"]
    assert stock.campaign == campaign == told["ID"]
    assert usage(bos_keys)


def test_coupons_that_were_taken_before_the_first_call_are_numbered_after_the_past(sandbox, bo, bos_keys, visitor):
    sandbox.settings(world_seed=7, world_days=10)
    sandbox.add_campaign(bo, name="Spring", code="spring")
    for _ in range(2):
        visitor.send("POST", "/p/spring", b"action=take")
    taken = [effect["session"] for effect in sandbox.effects("coupon_taken")]

    rows = usage(bos_keys)

    assert [int(row["sequenceid"]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) > len(taken) == 2
    assert [row["session"] for row in rows[-2:]] == taken
    made = [row["status"]["created_date_utc"] for row in rows]
    assert made == sorted(made)
    visitor.send("POST", "/p/spring", b"action=take")
    assert usage(bos_keys)[-1]["sequenceid"] == str(len(rows) + 1)


def test_a_subaccount_that_has_just_been_made_stays_empty(ada, sandbox, bo, bos_keys):
    sandbox.settings(world_seed=7, world_days=10)

    assert bos_keys.post("/v3/coupon/list").json["coupon_info"] == []
    assert bos_keys.get("/v4/directory").json == []


def test_neighbours_have_pasts_of_their_own(ada, cy, stock):
    ours, theirs = ({row["session"] for row in usage(caller)} for caller in (ada, cy))

    assert ours
    assert theirs
    assert not ours & theirs


def test_managing_subaccounts_makes_nothing_up(ada, sandbox, bo):
    sandbox.settings(world_seed=7, world_days=10)
    ada.post("/v4/subaccount/list")
    ada.post("/v4/subaccount", subaccount=bo)
    sandbox.settings(world_seed=None)

    assert ada.post("/v3/coupon/list").json["coupon_info"] == []
