"""Replies that look like success and are none: about something else, with a no without a code, or without the thing."""

import pickle
from typing import Any

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from coupontools_api.ids import CampaignId, SubaccountId
from coupontools_api.loyalty_v4 import NewLoyaltyUser
from tests.coupontools_api.calls_rpc import CARD, DIRECTORY, GROUP, HOLDER, VISITOR
from tests.coupontools_api.rows import CAMPAIGN, LINK, OK, OTHER, PLAIN, SESSION, SUBACCOUNT, TOKEN
from tests.coupontools_api.scripted import Vendor, answers

OTHER_CAMPAIGN = CampaignId("cam_6")


def refuses(call: Any) -> None:
    with pytest.raises(errors.UnexpectedReply):
        call()


# A no of a v4 REST call, whose form is not published, with a good HTTP status.
NOES = (
    {"success": False, "errors": ["Directory not found"]},
    {"status": "error", "data": []},
    {"status": "failed", "errors": ["x"], "data": None},
    {"status": 404, "data": []},
    {"error": "not found", "data": []},
)
REST_CALLS: dict[str, Any] = {
    "directories": lambda c: c.directories.v4.list(),
    "users": lambda c: list(c.directories.v4.users(PLAIN)),
    "loyalty cards": lambda c: c.loyalty.v4.list(),
    "loyalty users": lambda c: c.loyalty.v4.users(PLAIN),
    "sign-on": lambda c: c.directories.v4.sign_on(PLAIN, PLAIN),
    "many new users": lambda c: c.loyalty.v4.create_users(PLAIN, [NewLoyaltyUser(first_name="Kim")]),
}


@pytest.mark.parametrize("no", NOES, ids=repr)
@pytest.mark.parametrize("name", REST_CALLS)
def test_a_no_is_no_empty_list(name: str, no: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(no | {"token": TOKEN}))

    refuses(lambda: REST_CALLS[name](bold))


@pytest.mark.parametrize("made", [[], [{"id": 1}], [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]], ids=len)
def test_of_three_new_users_three_are_told(made: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(made))

    refuses(lambda: bold.loyalty.v4.create_users(PLAIN, [NewLoyaltyUser(first_name="Kim")] * 3))


@pytest.mark.parametrize("no", [{"status": 404}, {"status": "422"}, {"id": PLAIN, "block": False}, {"block": "0"}])
def test_nobody_is_blocked_by_an_answer_that_says_otherwise(no: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(no))

    refuses(lambda: bold.directories.v4.set_blocked(PLAIN, PLAIN, is_blocked=True))


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda v4: v4.grant_access(PLAIN, PLAIN), False),
        (lambda v4: v4.grant_access(PLAIN, PLAIN), "0"),
        (lambda v4: v4.revoke_access(PLAIN, PLAIN), True),
        (lambda v4: v4.revoke_access(PLAIN, PLAIN), "1"),
    ],
)
def test_nobody_is_let_in_or_out_by_an_answer_that_says_otherwise(
    ask: Any, told: Any, bold: Coupontools, script: Vendor
):
    script.plays(answers({"id": PLAIN, "access": told}))

    refuses(lambda: ask(bold.directories.v4))


@pytest.mark.parametrize(("asked", "told"), [("paid", "unpaid"), ("1", "0"), ("1", False), ("true", "no")])
def test_nobody_has_paid_by_an_answer_that_says_otherwise(asked: str, told: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"user": {"ID": VISITOR, "payment_status": told}}))

    refuses(lambda: bold.directories.set_payment_status(DIRECTORY, user=VISITOR, status=asked))


@pytest.mark.parametrize(
    ("asked", "told"), [("paid", " Paid"), ("1", True), ("true", "paid"), ("paid", "1"), ("paid", None), ("paid", "")]
)
def test_a_payment_status_may_be_told_in_another_way(asked: str, told: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"user": {"ID": VISITOR, "payment_status": told}}))

    assert bold.directories.set_payment_status(DIRECTORY, user=VISITOR, status=asked).raw["user"]["ID"] == VISITOR


def test_zeros_before_a_number_make_no_other_account(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"subaccount": {"ID": "sub_7", "token": TOKEN, "url": LINK}}))

    assert bold.subaccounts.sign_on(SubaccountId("sub_0007")).id == "sub_7"
    refuses(lambda: bold.subaccounts.sign_on(SubaccountId("sub_70")))


MANY = {"campaign": CAMPAIGN, "action": " multiple_single_use_codes_created", "data": [{"single_use_code": SESSION}]}


@pytest.mark.parametrize(
    "contradiction",
    [
        {"data": [{"single_use_code": SESSION, "campaign": OTHER_CAMPAIGN}]},
        {"campaign": OTHER_CAMPAIGN},
        {"campaign": "everywhere"},
        {"action": "error"},
    ],
    ids=repr,
)
def test_links_of_another_campaign_or_action_are_none_of_ours(
    contradiction: dict[str, Any], bold: Coupontools, script: Vendor
):
    script.plays(answers(OK | MANY | contradiction))

    refuses(lambda: bold.single_use.create_many(CAMPAIGN, amount=10))


@pytest.mark.parametrize("told", [CAMPAIGN, "50001", "", " ", None], ids=repr)
def test_each_of_many_links_has_its_campaign(told: str | None, bold: Coupontools, script: Vendor):
    script.plays(answers(OK | MANY | {"campaign": told}))

    assert [link.campaign for link in bold.single_use.create_many(CAMPAIGN, amount=10)] == [CAMPAIGN]


@pytest.mark.parametrize("deep", [150, 300, 495, 900, 5000])
@pytest.mark.parametrize("nul", ["", "\\u0000"], ids=["quick reader", "thorough reader"])
def test_no_depth_of_a_body_gives_another_error_than_ours(deep: int, nul: str, bold: Coupontools, script: Vendor):
    inner = '{"a":' * deep + "1" + "}" * deep
    script.plays(answers(f'{{"id": {PLAIN}, "note": "{nul}", "deep": {inner}}}'.encode()))

    if deep == 150:
        assert bold.directories.v4.get(PLAIN).id == PLAIN
    else:
        refuses(lambda: bold.directories.v4.get(PLAIN))


ABOUT_OTHERS: dict[str, tuple[Any, Any]] = {
    "loyalty.get": (lambda c: c.loyalty.get(CARD), OK | {"loyaltycard": {"ID": "77"}}),
    "directories.get": (lambda c: c.directories.get(DIRECTORY), OK | {"directory": {"ID": "dir_8"}}),
    "directories.v4.get": (lambda c: c.directories.v4.get(PLAIN), {"id": OTHER}),
    "directories.v4.user": (lambda c: c.directories.v4.user(PLAIN, PLAIN), {"id": OTHER}),
    "directories.v4.set_blocked": (
        lambda c: c.directories.v4.set_blocked(PLAIN, PLAIN, is_blocked=True),
        {"id": OTHER, "block": False},
    ),
    "loyalty.v4.user": (lambda c: c.loyalty.v4.user(PLAIN, PLAIN), {"id": OTHER}),
    "loyalty.v4.add_stamps": (lambda c: c.loyalty.v4.add_stamps(PLAIN, PLAIN, amount=1), {"id": OTHER}),
    "single_use.create": (
        lambda c: c.single_use.create(CAMPAIGN),
        OK | {"single_use_code": SESSION, "campaign": OTHER_CAMPAIGN},
    ),
    "messages.send_sms": (
        lambda c: c.messages.send_sms(CAMPAIGN, phone="+3247", message="Hello"),
        OK | {"campaign": OTHER_CAMPAIGN},
    ),
    "messages.sms_contacts": (lambda c: c.messages.sms_contacts(GROUP), OK | {"group_id": "gro_99", "contact": []}),
    "messages.send_email": (
        lambda c: c.messages.send_email(CAMPAIGN, email="a@b.example"),
        OK | {"action": "email_not_sent"},
    ),
    "directories.v4.sign_on": (
        lambda c: c.directories.v4.sign_on(PLAIN, PLAIN),
        {"id": OTHER, "token": TOKEN, "url": LINK},
    ),
    "subaccounts.update": (
        lambda c: c.subaccounts.update(SUBACCOUNT, company_name="New"),
        OK | {"subaccount": {"ID": "sub_6"}},
    ),
    "loyalty.update_user": (
        lambda c: c.loyalty.update_user(CARD, user=HOLDER, amount=1),
        OK | {"user": {"ID": "35"}},
    ),
    "loyalty.update_user, the card": (
        lambda c: c.loyalty.update_user(CARD, user=HOLDER, amount=1),
        OK | {"loyaltycard": "13"},
    ),
    "directories.set_payment_status": (
        lambda c: c.directories.set_payment_status(DIRECTORY, user=VISITOR, status="paid"),
        OK | {"user": {"ID": "reg_8", "payment_status": "paid"}},
    ),
    "directories.set_payment_status, the directory": (
        lambda c: c.directories.set_payment_status(DIRECTORY, user=VISITOR, status="paid"),
        OK | {"directory": {"ID": "dir_8"}},
    ),
    "single_use.remove": (
        lambda c: c.single_use.remove(CAMPAIGN, code=SESSION),
        OK | {"campaign": CAMPAIGN, "single_use_code": SESSION[::-1]},
    ),
    "single_use.remove, the campaign": (
        lambda c: c.single_use.remove(CAMPAIGN, code=SESSION),
        OK | {"campaign": OTHER_CAMPAIGN},
    ),
    "sessions.update": (lambda c: c.sessions.update(SESSION), OK | {"session": SESSION[::-1]}),
}


@pytest.mark.parametrize("name", ABOUT_OTHERS)
def test_an_answer_about_something_else_is_refused(name: str, bold: Coupontools, script: Vendor):
    ask, answer = ABOUT_OTHERS[name]
    script.plays(answers(answer))

    refuses(lambda: ask(bold))


@pytest.mark.parametrize("told", ["10010", 10010, "loy_10010", "loy_010010"])
@pytest.mark.parametrize("asked", ["10010", 10010, "010010", "loy_10010", "loy_010010"])
def test_a_loyalty_card_is_known_by_its_number(asked: Any, told: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"loyaltycard": {"ID": told}}))

    assert bold.loyalty.get(asked).id == str(told)
    refuses(lambda: bold.loyalty.get("loy_10011"))


def test_a_number_under_another_prefix_is_another_thing(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"loyaltycard": {"ID": "loy_10010"}}))

    refuses(lambda: bold.loyalty.get("crd_10010"))


def test_a_campaign_is_known_by_its_number(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"coupon_info": {"ID": CAMPAIGN}}))

    assert bold.campaigns.get("cam_050001").id == CAMPAIGN
    refuses(lambda: bold.campaigns.get("cam_5001"))


@pytest.mark.parametrize("nothing", [{}, [], True, "", None, {"ID": ""}, [{"name": "Kim"}]], ids=repr)
def test_an_answer_that_does_not_say_what_it_is_about_is_taken(nothing: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(OK | dict.fromkeys(("subaccount", "user", "loyaltycard", "directory", "campaign"), nothing)))

    bold.subaccounts.update(SUBACCOUNT, company_name="New")
    bold.loyalty.update_user(CARD, user=HOLDER, amount=1)
    bold.directories.set_payment_status(DIRECTORY, user=VISITOR, status="paid")
    bold.single_use.remove(CAMPAIGN, code=SESSION)


def test_an_id_may_come_in_the_other_way_of_writing(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"directory": {"ID": DIRECTORY.removeprefix("dir_")}}))

    assert bold.directories.get(DIRECTORY).id == DIRECTORY


@pytest.mark.parametrize(
    "no",
    [
        *(False, 0, "error"),
        *({"status": "failed"}, {"error": "not found"}, {"errors": {"error_message": "x"}}, {"success": False}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["set_blocked", "grant_access", "revoke_access", "send_email"])
def test_a_no_without_a_code_is_no_success(call: str, no: Any, bold: Coupontools, script: Vendor):
    v4 = bold.directories.v4
    ask = {
        "set_blocked": lambda: v4.set_blocked(PLAIN, PLAIN, is_blocked=True),
        "grant_access": lambda: v4.grant_access(PLAIN, PLAIN),
        "revoke_access": lambda: v4.revoke_access(PLAIN, PLAIN),
        "send_email": lambda: v4.send_email(PLAIN, email="a@b.example"),
    }[call]
    script.plays(answers(no))

    refuses(ask)


@pytest.mark.parametrize("yes", [{}, [], True, {"id": PLAIN, "status": "active"}, {"success": "1"}], ids=repr)
def test_whatever_says_no_no_is_a_success_of_a_call_that_tells_nothing(yes: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(yes))

    assert bold.directories.v4.set_blocked(PLAIN, PLAIN, is_blocked=True) is None


@pytest.mark.parametrize(
    "contradiction",
    [
        {"status": {"status": "OK", "errors": {"error_message": "HTTP/1.0 422"}}},
        {"status": {"status": "OK"}, "errors": ["Missing parameter"]},
        {"status": "OK", "errors": "no"},
    ],
    ids=repr,
)
def test_ok_beside_errors_is_not_ok(contradiction: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(contradiction | {"subaccounts": []}))

    refuses(lambda: bold.campaigns.push(CAMPAIGN, session=SESSION, message="Hello"))
    refuses(lambda: bold.subaccounts.list(brief=True))


@pytest.mark.parametrize("empty", [{}, [], None, "", {"error_code": [], "error_message": ""}], ids=repr)
def test_ok_beside_errors_that_are_empty_is_ok(empty: Any, bold: Coupontools, script: Vendor):
    script.plays(answers({"status": {"status": "OK", "errors": empty}, "errors": empty, "subaccounts": []}))

    assert bold.subaccounts.list(brief=True) == ()
    assert len(bold.subaccounts.list()) == 0


@pytest.mark.parametrize("lack", [{"token": ""}, {"url": ""}, {"token": None}, {"url": " "}], ids=repr)
def test_a_sign_on_without_its_token_or_link_is_none(lack: dict[str, Any], bold: Coupontools, script: Vendor):
    whole = {"ID": SUBACCOUNT, "token": TOKEN, "url": LINK} | lack
    script.plays(answers(OK | {"subaccount": whole, "account": whole, "teammate": whole}))

    refuses(lambda: bold.subaccounts.sign_on(SUBACCOUNT))
    refuses(bold.account.sign_on)


def test_a_link_for_a_password_that_is_empty_is_none(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"subaccount": {"ID": SUBACCOUNT, "url": ""}}))

    refuses(lambda: bold.subaccounts.password_reset_url(SUBACCOUNT))


def test_bare_codes_are_read_where_one_says_more_than_the_status_of_a_rest_call(bold: Coupontools, script: Vendor):
    script.plays(answers({"error_code": [304, 999]}, 422))

    with pytest.raises(errors.EmailTaken):
        bold.directories.v4.create_user(PLAIN, email="a@b.example")
    with pytest.raises(errors.InvalidInput):
        bold.directories.v4.set_blocked(PLAIN, PLAIN, is_blocked=True)
    refuses(lambda: bold.subaccounts.create(email="a@b.example"))


def test_many_links_are_at_least_one(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"data": []}))

    refuses(lambda: bold.single_use.create_many(CAMPAIGN, amount=10))


def test_a_text_is_not_taken_for_several_tags(bold: Coupontools):
    with pytest.raises(ValueError, match="several texts"):
        bold.campaigns.list(tags="summer")


def test_every_error_can_be_handed_to_another_process():
    for problem in (
        errors.Throttled("/v4/subaccount/list", 12.5),
        errors.NotFound("/v4/subaccount", (510,), missing="subaccount"),
        errors.UnexpectedReply("/v4/subaccount", (999,), "unknown code"),
    ):
        again = pickle.loads(pickle.dumps(problem))
        assert (type(again), str(again), vars(again)) == (type(problem), str(problem), vars(problem))
