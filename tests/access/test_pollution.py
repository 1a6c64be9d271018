"""The same field twice, or in the address beside the body, with somebody else's value: it means what it meant."""

import re
from typing import Any

import pytest

from tests.access import cells
from tests.access import world as worlds
from tests.access.fields import fields_of_all_models
from tests.access.rules import rule_for
from tests.access.sent import sent
from tests.access.world import World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

URLS = {url.name: url for url in worlds.urls() if url.name and not url.name.startswith("admin:")}
WRITING = [name for name in URLS if rule_for(name).writes and isinstance(rule_for(name).who, tuple)]
MILLISECONDS = re.compile(r"'ms': \d+")
Effect = list[tuple[str, str, dict[str, str]]]


def effect(answer: cells.Answer) -> Effect:
    """What was changed, without keys of new rows: table by table in the order in which the rows were made.

    No moment decides about the order: two rows of one request bear the same millisecond, or they do not.
    """
    rows = [
        (table, verb, {name: MILLISECONDS.sub("", str(value)) for name, value in new.items()})
        for table, verb, _key, new in answer.changed
    ]
    return sorted(rows, key=lambda row: row[:2])


def without(passing: set[tuple[str, str]], found: Effect) -> Effect:
    return [
        (table, verb, {name: value for name, value in columns.items() if (table, name) not in passing})
        for table, verb, columns in found
    ]


def passing_columns(one: Effect, other: Effect) -> set[tuple[str, str]]:
    """The columns that differ from one time to the next by themselves: moments, tokens, references, sealed values."""
    return {("accounts_vendorcall", "milliseconds")} | {
        (table, name)
        for (table, _verb, columns), (_table, _again, again) in zip(one, other, strict=True)
        for name in columns
        if columns[name] != again[name]
    }


@pytest.mark.parametrize("name", WRITING)
def test_a_field_that_comes_twice_changes_nothing_else(name: str, world: World, record_figure: RecordFigure):
    url, rule = URLS[name], rule_for(name)
    person = rule.who[0]
    fields = sent(name, world.own(person))
    strange = fields_of_all_models(world) | dict.fromkeys(fields, "evil-canary")

    def post(data: dict[str, Any], query: dict[str, Any] | None = None) -> cells.Answer:
        return cells.ask(world, url, person=person, method="POST", data=data, query=query)

    plain, again = post(fields), post(fields)
    passing = passing_columns(effect(plain), effect(again))
    polluted = {
        "in the address": post(fields, strange),
        "before it": post({name: [strange[name], value] for name, value in fields.items()}),
        "in the address, twice": post(fields, {name: [value, "evil-canary"] for name, value in strange.items()}),
    }

    for where, answer in polluted.items():
        assert answer.status == plain.status, where
        assert without(passing, effect(answer)) == without(passing, effect(plain)), where
    record_figure("Polluted requests", {"requests": len(polluted)})
