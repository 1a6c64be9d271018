"""Lists in pages: asked for one by one, of any size, and with an end whatever the vendor does."""

import json
from datetime import datetime
from typing import Any

import pytest

from coupontools_api import errors
from coupontools_api.client import Coupontools
from tests.coupontools_api.calls_rpc import DIRECTORY
from tests.coupontools_api.rows import CAMPAIGN, OK, PLAIN
from tests.coupontools_api.scripted import Script, Vendor, answers


def page(*codes: str) -> Script:
    return answers(OK | {"data": [{"session": f"session{code}", "sequenceid": code} for code in codes]})


def registered(total: int, *numbers: int) -> Script:
    return answers(OK | {"amount_of_users": str(total), "users": [{"ID": f"reg_{number}"} for number in numbers]})


def pages_asked_for(script: Vendor) -> list[int]:
    return [json.loads(request.body)["page"] for request in script.requests]


def codes(found: Any) -> list[int | None]:
    return [line.sequence_id for line in found]


def test_pages_of_any_size_follow_each_other(bold: Coupontools, script: Vendor):
    script.plays(page("1", "2", "3"), page("4"), page("5", "6"), page())

    assert codes(bold.campaigns.opens(CAMPAIGN)) == [1, 2, 3, 4, 5, 6]
    assert pages_asked_for(script) == [1, 2, 3, 4]


def test_a_page_is_asked_for_when_its_first_line_is_wanted(bold: Coupontools, script: Vendor):
    script.plays(page("1", "2"), page("3"), page())
    lines = bold.campaigns.opens(CAMPAIGN)
    assert script.requests == []

    next(lines)
    next(lines)
    assert pages_asked_for(script) == [1]

    next(lines)
    assert pages_asked_for(script) == [1, 2]


def test_a_vendor_that_knows_no_pages_gives_each_line_once(bold: Coupontools, script: Vendor):
    script.plays(page("1", "2"))

    assert codes(bold.campaigns.claims(CAMPAIGN)) == [1, 2]
    assert pages_asked_for(script) == [1, 2]


def test_a_last_page_that_comes_again_and_again_is_the_end(bold: Coupontools, script: Vendor):
    script.plays(page("1", "2"), page("3"))

    assert codes(bold.campaigns.validations(CAMPAIGN)) == [1, 2, 3]


def test_a_line_that_slips_to_the_next_page_is_given_once(bold: Coupontools, script: Vendor):
    """Newest first: whoever came meanwhile pushes a line over the edge."""
    script.plays(page("3", "2"), page("2", "1"), page())

    assert codes(bold.campaigns.opens(CAMPAIGN)) == [3, 2, 1]


def test_a_page_that_comes_again_is_not_the_end_where_the_total_says_more(bold: Coupontools, script: Vendor):
    """Newest first: a page's worth came meanwhile."""
    script.plays(registered(4, 4, 3), registered(6, 4, 3), registered(6, 2, 1), registered(6))

    assert [user.id for user in bold.directories.users(DIRECTORY)] == ["reg_4", "reg_3", "reg_2", "reg_1"]


def test_fewer_lines_than_the_total_are_not_taken_for_all(bold: Coupontools, script: Vendor):
    script.plays(registered(6, 4, 3))
    users = bold.directories.users(DIRECTORY)

    assert [next(users).id, next(users).id] == ["reg_4", "reg_3"]
    with pytest.raises(errors.UnexpectedReply, match="2 of 6"):
        next(users)
    assert pages_asked_for(script) == [1, 2, 3]


def test_an_empty_page_is_not_the_end_where_the_first_answer_counted_more(bold: Coupontools, script: Vendor):
    script.plays(registered(6, 4, 3), registered(6))
    users = bold.directories.users(DIRECTORY)

    assert [next(users).id, next(users).id] == ["reg_4", "reg_3"]
    with pytest.raises(errors.UnexpectedReply, match="2 of 6 lines, then an empty page"):
        next(users)


def test_who_registers_meanwhile_is_not_missed(bold: Coupontools, script: Vendor):
    script.plays(registered(3, 3, 2), registered(4, 2, 1), registered(4))

    assert [user.id for user in bold.directories.users(DIRECTORY)] == ["reg_3", "reg_2", "reg_1"]


def test_a_line_that_changed_is_no_other_line(bold: Coupontools, script: Vendor):
    """A vendor that takes no notice of pages would be asked without end."""
    script.plays(
        *(answers(OK | {"data": [{"session": "session1", "status": {"value": str(turn)}}]}) for turn in range(3)),
        answers(b"", 500),
    )

    assert [line.session for line in bold.campaigns.opens(CAMPAIGN)] == ["session1"]


def test_two_equal_lines_of_one_page_are_two(bold: Coupontools, script: Vendor):
    script.plays(page("1", "1"), page())

    assert codes(bold.campaigns.opens(CAMPAIGN)) == [1, 1]


@pytest.mark.parametrize("nothing", [{"data": []}, {"data": ""}, {"data": None}, {"amount_of_results": "0"}])
def test_no_line_at_all_is_an_answer(nothing: dict[str, Any], bold: Coupontools, script: Vendor):
    script.plays(answers(OK | nothing))

    assert codes(bold.campaigns.opens(CAMPAIGN)) == []
    assert len(script.requests) == 1


@pytest.mark.parametrize("nonsense", [{}, {"data": 5}, {"data": "x"}, {"amount_of_results": "7"}])
def test_a_missing_list_is_not_taken_for_an_empty_one(nonsense: dict[str, Any], bold: Coupontools, script: Vendor):
    script.plays(answers(OK | nonsense))

    with pytest.raises(errors.UnexpectedReply):
        list(bold.campaigns.opens(CAMPAIGN))


def test_a_page_that_fails_ends_the_lines_with_its_error(bold: Coupontools, script: Vendor):
    script.plays(page("1"), answers(b"", 500))
    lines = bold.campaigns.opens(CAMPAIGN)

    assert next(lines).sequence_id == 1
    with pytest.raises(errors.UnexpectedReply):
        next(lines)


def test_users_of_a_directory_come_in_pages_too(bold: Coupontools, script: Vendor):
    script.plays(
        *(answers(OK | {"users": [{"ID": f"reg_{number}"}]}) for number in (1, 2)), answers(OK | {"users": []})
    )

    assert [user.id for user in bold.directories.users(DIRECTORY)] == ["reg_1", "reg_2"]


def test_a_rest_list_that_takes_no_notice_of_pages_is_read_once(bold: Coupontools, script: Vendor):
    script.plays(answers([{"id": 1}, {"id": 2}]))

    assert [user.id for user in bold.directories.v4.users(PLAIN)] == [1, 2]
    assert [request.path for request in script.requests] == [f"/v4/directory/7/users?page={page}" for page in (1, 2)]


def test_a_moment_without_a_time_zone_is_refused_before_any_call(bold: Coupontools, script: Vendor):
    with pytest.raises(ValueError, match="time zone"):
        bold.campaigns.opens(CAMPAIGN, start=datetime(2026, 1, 1))

    assert script.requests == []
