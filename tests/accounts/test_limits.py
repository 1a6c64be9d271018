"""How often something may be asked, wherever the windows of the clock begin."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache

from accounts import limits

RATE = "20/3600"
FULL_HOUR = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def let_through(at: datetime, tries: int) -> int:
    """How many of so many tries at a moment."""
    through = 0
    with time_machine.travel(at, tick=False):
        for _ in range(tries):
            try:
                limits.count("x", "y", RATE)
            except limits.TooMany:
                continue
            through += 1
    return through


def test_nobody_gets_twice_the_number_across_the_edge_of_a_window():
    before = let_through(FULL_HOUR - timedelta(seconds=1), 40)
    after = let_through(FULL_HOUR + timedelta(seconds=1), 40)

    assert (before, after) == (20, 0)


def test_what_was_long_ago_counts_less_and_then_no_more():
    let_through(FULL_HOUR - timedelta(seconds=1), 20)

    assert let_through(FULL_HOUR + timedelta(minutes=30), 40) == 10
    assert let_through(FULL_HOUR + timedelta(hours=3), 40) == 20


@pytest.mark.parametrize("minutes", [0, 12, 30, 59])
def test_who_waits_as_long_as_is_said_is_let_in_and_not_before(minutes: int):
    """In this window or the next."""
    let_through(FULL_HOUR - timedelta(minutes=10), 15)
    at = FULL_HOUR + timedelta(minutes=minutes)
    let_through(at, 15)
    let_through(at, 4)  # until there is no room, for one or two of them
    with time_machine.travel(at, tick=False), pytest.raises(limits.TooMany) as refused:
        limits.count("x", "y", RATE)

    assert 0 < refused.value.retry_after <= 3600 + 180
    assert let_through(at + timedelta(seconds=refused.value.retry_after), 1) == 1
