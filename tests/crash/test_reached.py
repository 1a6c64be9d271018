"""A run proves nothing about a point where no worker was killed: it sends workers there, or fails and names it."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.crash import figures, kills
from tests.crash.failpoints import HOLDS_NOTHING, POINTS, RANDOM, Plan, unreached
from tests.crash.kills import kill_plans
from tests.crash.nursery import Report
from tests.crash.stage import Stage
from tests.crash.test_counting import effects, held_by, outcome, stage  # noqa: F401 -- fixtures

pytestmark = pytest.mark.django_db


def kill_everywhere(stage: Stage) -> None:  # noqa: F811 -- not the fixture, but what it made
    stage.kills.update(dict.fromkeys(set(POINTS) - set(HOLDS_NOTHING), 1))
    stage.idle_kills.update(dict.fromkeys(HOLDS_NOTHING, 1))


@pytest.mark.parametrize("point", POINTS)
def test_a_point_where_nobody_was_killed_fails_the_run_and_is_named(
    point: str,
    stage: Stage,  # noqa: F811 -- the fixture
    capsys: pytest.CaptureFixture[str],
):
    kill_everywhere(stage)
    assert figures.summary("sqlite", "again", [outcome(stage)], 1.0, points=POINTS) == 0
    assert "No worker came to" not in capsys.readouterr().out
    for counter in (stage.kills, stage.idle_kills):
        counter[point] = 0

    assert figures.summary("sqlite", "again", [outcome(stage)], 1.0, points=POINTS) == 1
    said = capsys.readouterr().out
    assert f"No worker came to: {point}\n" in said
    assert "FAILED: again" in said


@pytest.mark.parametrize("point", POINTS)
def test_who_is_killed_with_nothing_in_its_hands_reached_no_point_where_it_should_hold_something(point: str):
    assert unreached([point], Counter(), Counter([point])) == ([] if point in HOLDS_NOTHING else [point])
    assert unreached([point], Counter([point]), Counter()) == []


def test_what_another_profile_reached_is_reached(stage: Stage):  # noqa: F811 -- the fixture
    kill_everywhere(stage)
    empty = Stage(stage.sandbox, stage.folder)

    assert figures.summary("sqlite", "again", [outcome(empty), outcome(stage)], 1.0, points=POINTS) == 0


def test_where_points_are_sought_every_second_worker_is_sent_there_and_the_others_anywhere():
    sought = ["before a row is let go", "before another attempt is committed"]
    plan_for = kill_plans("7", 0.6, sought=sought)
    plans = [plan_for(serial) for serial in range(400)]

    for point in sought:
        assert plans.count(Plan("kill", point)) > 70
    assert {plan.point for plan in plans} >= set(POINTS)
    assert plans == [plan_for(serial) for serial in range(400)]


def test_points_are_sought_until_somebody_was_killed_there_with_a_claim(
    stage: Stage,  # noqa: F811 -- the fixture
    monkeypatch: pytest.MonkeyPatch,
):
    held_by(stage.subaccounts.first(), "w3")
    ends = iter([Report("w1", "killed", "before the look"), Report("w2", "killed", RANDOM)])
    late = Report("w3", "killed", "before the look")
    nursery: Any = SimpleNamespace(reports=lambda seconds: [next(ends, late)])

    kills._kill(stage, nursery, 0, sought=["before the look"])

    assert (stage.kills, stage.idle_kills) == ({"before the look": 1}, {"before the look": 1, RANDOM: 1})

    monkeypatch.setattr(kills, "SEEK_SECONDS", 0.0)
    kills._kill(stage, nursery, 0, sought=["after the look"])
    assert stage.kills["after the look"] == 0, "and not for ever"
