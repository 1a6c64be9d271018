"""What is taken for a line of a list and what is not, and whether an answer is about what was asked for."""

import json
from typing import Any

import pytest

from coupontools_api import errors, listing
from coupontools_api.client import Coupontools
from coupontools_api.replies import Answer
from coupontools_api.subaccounts import LIST
from tests.coupontools_api.calls_rpc import CARD, DIRECTORY, EVENT, GROUP
from tests.coupontools_api.rows import OK, SESSION, ids
from tests.coupontools_api.scripted import Vendor, answers

ITSELF = {"loyaltycard": {"ID": "77", "name": "Card"}}


@pytest.mark.parametrize(
    "none",
    [{"user": None}, {"user": ""}, {"user": []}, {"amount_of_users": 0}, {"amount_of_users": "0", "user": None}],
    ids=str,
)
def test_what_a_list_is_of_is_no_line_of_it(none: dict[str, Any], bold: Coupontools, script: Vendor):
    script.plays(answers(OK | ITSELF | none))

    assert bold.loyalty.users(CARD) == ()


def test_a_lone_line_under_a_usual_name_is_one_whatever_stands_beside_it(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"user": {"ID": "5"}, "next": None}))

    assert ids(bold.loyalty.users(CARD)) == ["5"]


def test_a_lone_contact_is_one(bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"group_id": GROUP, "contact": {"phone": "+3212"}}))

    assert [contact.phone for contact in bold.messages.sms_contacts(GROUP)] == ["+3212"]


BESIDE = [{}, {"next_page": None}, {"message": ""}]
LISTS_OF_ONE: dict[str, tuple[Any, dict[str, Any]]] = {
    "directories": (lambda c: c.directories.list(), {"directory": {"ID": "dir_5"}, "amount_of_directories": "1"}),
    "categories": (lambda c: c.directories.categories(), {"category": {"ID": "cat_5"}}),
    "loyalty cards": (lambda c: c.loyalty.list(), {"loyaltycard": {"ID": "5"}}),
    "e-mail groups": (lambda c: c.messages.email_groups(), {"group": {"ID": "gro_5"}, "amount_of_groups": 1}),
    "campaigns": (lambda c: c.directories.campaigns(DIRECTORY), {"campaign": {"ID": "cam_5"}}),
}


@pytest.mark.parametrize("beside", BESIDE, ids=str)
@pytest.mark.parametrize("name", LISTS_OF_ONE)
def test_a_lone_line_is_one_whatever_is_empty_beside_it(
    name: str, beside: dict[str, Any], bold: Coupontools, script: Vendor
):
    ask, answer = LISTS_OF_ONE[name]
    script.plays(answers(OK | answer | beside))

    assert len(ask(bold)) == 1


def test_a_lone_object_of_a_rest_call_is_its_line(bold: Coupontools, script: Vendor):
    script.plays(answers({"id": 5, "name": "A", "owner": {"id": 9}, "note": None}))

    assert ids(bold.directories.v4.list()) == [5]


@pytest.mark.parametrize("part", [{"category": ""}, {"category": []}, {"category": [{"ID": "cat_1"}]}], ids=str)
def test_a_list_that_counts_more_than_it_holds_is_refused(part: dict[str, Any], bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"amount_of_categories": "5"} | part))

    with pytest.raises(errors.UnexpectedReply):
        bold.directories.categories()


@pytest.mark.parametrize("none", [{"amount_of_groups": 0}, {"amount_of_groups": "0", "group": None}, {"group": []}])
def test_an_account_may_have_no_groups(none: dict[str, Any], bold: Coupontools, script: Vendor):
    script.plays(answers(OK | none))

    assert bold.messages.sms_groups() == bold.messages.email_groups() == ()


@pytest.mark.parametrize("part", [{"amount_of_groups": 2, "group": [{"ID": "gro_3"}]}, {}], ids=str)
def test_a_part_of_the_groups_is_not_taken_for_all(part: dict[str, Any], bold: Coupontools, script: Vendor):
    script.plays(answers(OK | part))

    for ask in (bold.messages.sms_groups, bold.messages.email_groups):
        with pytest.raises(errors.UnexpectedReply):
            ask()


@pytest.mark.parametrize("line", [{"ID": "sub_2", "email": None}, {"ID": "sub_2"}], ids=str)
def test_a_line_without_an_address_is_refused_only_where_that_is_all_that_is_read(
    line: dict[str, Any], bold: Coupontools, script: Vendor
):
    script.plays(answers(OK | {"subaccounts": [{"ID": "sub_1", "email": "a@b.example"}, line]}))

    assert [(row.id, row.email) for row in bold.subaccounts.list()] == [("sub_1", "a@b.example"), ("sub_2", "")]
    with pytest.raises(errors.UnexpectedReply, match="without address"):
        bold.subaccounts.list(brief=True)


@pytest.mark.parametrize("line", [{"email": "a@b.example"}, {"ID": "cam_1", "email": "a@b.example"}, 5], ids=str)
def test_a_line_without_an_id_is_always_refused(line: Any, bold: Coupontools, script: Vendor):
    script.plays(answers(OK | {"subaccounts": [line]}))

    for brief in (True, False):
        with pytest.raises(errors.UnexpectedReply, match="without id"):
            bold.subaccounts.list(brief=brief)


@pytest.mark.parametrize("total", [{"amount_of_subaccounts": "3"}, {"amount_of_results": 3}], ids=str)
def test_a_part_of_the_list_is_not_taken_for_the_whole(total: dict[str, Any], bold: Coupontools, script: Vendor):
    rows = [{"ID": f"sub_{number}", "email": f"{number}@b.example"} for number in (1, 2)]
    script.plays(answers(OK | total | {"subaccounts": rows}))

    for brief in (True, False):
        with pytest.raises(errors.UnexpectedReply, match="a part of the list"):
            bold.subaccounts.list(brief=brief)


@pytest.mark.parametrize("written", [("sub_1", "sub_2", "sub_1", "sub_2"), ("sub_1", "sub_2", "1", 2)], ids=str)
@pytest.mark.parametrize("total", ["amount_of_subaccounts", "amount_of_results"])
def test_lines_that_are_repeated_do_not_make_the_list_whole(
    total: str, written: tuple[Any, ...], bold: Coupontools, script: Vendor
):
    rows = [{"ID": number, "email": f"{number}@b.example"} for number in written]

    for brief in (True, False):
        script.plays(answers(OK | {total: 4, "subaccounts": rows}))
        with pytest.raises(errors.UnexpectedReply, match="a part of the list"):
            bold.subaccounts.list(brief=brief)


@pytest.mark.parametrize("total", [{}, {"amount_of_subaccounts": 2}, {"amount_of_results": "0"}], ids=str)
def test_a_line_that_is_repeated_in_a_whole_list_is_taken(total: dict[str, Any], bold: Coupontools, script: Vendor):
    rows = [{"ID": number, "email": "a@b.example"} for number in ("sub_1", "sub_2", "sub_1")]

    for brief in (True, False):
        script.plays(answers(OK | total | {"subaccounts": rows}))
        assert len(bold.subaccounts.list(brief=brief)) == 3


@pytest.mark.parametrize("total", ["2", 2, "", None, "many", 1], ids=repr)
def test_a_total_that_says_no_more_than_came_is_no_contradiction(total: Any, bold: Coupontools, script: Vendor):
    rows = [{"ID": f"sub_{number}", "email": f" {number}@b.example "} for number in (1, 2)]
    script.plays(answers(OK | {"amount_of_subaccounts": total, "subaccounts": rows}))

    for brief in (True, False):
        assert [row.email for row in bold.subaccounts.list(brief=brief)] == ["1@b.example", "2@b.example"]


COMPANIES = ["Infinity Nails", "Nails, Infinity, Inc", 'The "NaN" \\\\', "\\u0000", 'NaN\\" : NaN, ']


@pytest.mark.parametrize("company", COMPANIES)
def test_no_name_of_a_company_makes_a_look_slow(company: str, monkeypatch: pytest.MonkeyPatch):
    rows = [{"ID": "sub_1", "email": "1@b.example", "company_name": company}] * 2
    body = json.dumps(OK | {"subaccounts": rows}).replace("\\\\u0000", "\\u0000").encode()
    monkeypatch.setattr(listing, "_rows", lambda *_: pytest.fail("read thoroughly"))

    assert len(listing.brief(LIST, Answer(200, {}, body))) == 2


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity"])
@pytest.mark.parametrize("name", [b"NaN", b'a \\" quote', b"a backslash \\\\"])
def test_what_is_no_number_is_no_json_whatever_stands_before_it(name: bytes, value: bytes):
    row = b'{"ID": "sub_1", "email": "1@b.example", "name": "%b", "points": %b}' % (name, value)

    with pytest.raises(errors.UnexpectedReply):
        listing.brief(LIST, Answer(200, {}, b'{"status": "OK", "subaccounts": [%b]}' % row))


def test_a_look_gives_an_address_as_a_database_can_keep_it():
    body = b'{"status": "OK", "subaccounts": [{"ID": "sub_1", "email": "bo\\u0000@b.example"}]}'

    assert [row.email for row in listing.brief(LIST, Answer(200, {}, body))] == ["bo\ufffd@b.example"]


def verification(session: str | None) -> dict[str, Any]:
    return OK | {"result": "valid", "webhook": EVENT, "session": session}


def test_a_delivery_is_known_by_its_session(bold: Coupontools, script: Vendor):
    script.plays(answers(verification(SESSION)))

    assert bold.webhooks.verify(EVENT, SESSION).session == SESSION


@pytest.mark.parametrize(
    ("asked", "told"),
    [(SESSION, told) for told in (SESSION[::-1], SESSION[:6], SESSION[:5], "", None)] + [(SESSION[:6], SESSION)],
)
def test_a_delivery_of_another_session_or_of_a_part_of_it_is_not_verified(
    asked: Any, told: str | None, bold: Coupontools, script: Vendor
):
    script.plays(answers(verification(told)))

    with pytest.raises(errors.UnexpectedReply):
        bold.webhooks.verify(EVENT, asked)
