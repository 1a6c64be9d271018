"""Doors that are shut in the matrix's world, each in a situation in which it opens: for whom, and for nobody else."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.access import cells, rows
from tests.access import world as worlds
from tests.access.fields import fields_of_all_models
from tests.access.rules import ANONYMOUS, EVERYBODY, SIGNED_IN
from tests.access.situations import SITUATIONS, Situation
from tests.access.test_matrix import unaudited
from tests.access.test_pollution import effect, passing_columns, without
from tests.access.world import PEOPLE, SAME_AS, Url, World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

URLS = {url.name: url for url in worlds.urls()}
Cell = tuple[str, str, str]
PREPARED = ("paused", "own", "foreign")


@pytest.fixture(params=SITUATIONS)
def situation(request: pytest.FixtureRequest, world: World) -> Iterator[Situation]:
    """The same in both agencies, and at the customer that is paused, until the test is over."""
    found = SITUATIONS[request.param]
    kept = world.rows, world.owners
    with transaction.atomic():
        for whose in PREPARED:
            found.prepare(world.things[whose])
        _look_again(world)
        world.rows, world.owners = rows.all_rows(), rows.owners_of_rows()
        yield found
        transaction.set_rollback(True)
    world.rows, world.owners = kept
    _look_again(world)


def _look_again(world: World) -> None:
    for whose in PREPARED:
        world.things[whose].customer.refresh_from_db()
        world.things[whose].agency.vendor_account.refresh_from_db()


def cells_of(url: Url, situation: Situation, world: World) -> Iterator[Cell]:
    """Person, host and object. Whoever is not signed in at a place is a stranger like every other there."""
    hosts = (
        ("platform",)
        if "agency" not in url.on
        else ("own",)
        if situation.who in (ANONYMOUS, EVERYBODY)
        else ("own", "foreign")
    )
    for host in hosts:
        for person in PEOPLE:
            for which in url.objects:
                yield person, host, which


def lets_in(situation: Situation, url: Url, world: World, cell: Cell) -> bool:
    person, host, which = cell
    is_here = world.is_signed_in(person, host)
    if url.has_object and which != cells.own_object(url, person, host):
        return False
    if person == "unverified" and situation.name in ("account_signup", "account_login"):
        return False  # is led to where the code is typed
    if is_here and person in ("viewing_operator", "staff_without_factor"):
        return False
    if situation.who in (EVERYBODY, ANONYMOUS, SIGNED_IN):
        return situation.who == EVERYBODY or is_here == (situation.who == SIGNED_IN)
    if person == "staff_owner_long_ago" and situation.asks_again:
        return False
    return is_here and SAME_AS.get(person, person) in situation.who


def test_the_door_opens_for_those_and_for_nobody_else(situation: Situation, world: World, record_figure: RecordFigure):
    url = URLS[situation.name]
    wrong, opened, number = [], set(), 0

    for cell in cells_of(url, situation, world):
        person, host, which = cell
        number += 1
        data = situation.send(world.own(person) if world.is_signed_in(person, host) else world.things["own"])
        answer = cells.ask(world, url, person=person, which=which, host=host, method="POST", data=data)
        should = lets_in(situation, url, world, cell)
        if should != bool(answer.changed):
            changed = sorted(rows.names(answer.changed))
            wrong.append(f"{cell}: {answer.status}, {'changes nothing' if should else f'changes {changed}'}")
        if answer.changed and (gap := unaudited(world, answer, person, host)):
            wrong.append(f"{cell}: {gap}")
        if answer.strangers and situation.name != "account_login":  # a password names its person
            wrong.append(f"{cell}: changes what is not theirs: {answer.strangers}")
        if answer.status >= 500:
            wrong.append(f"{cell}: {answer.status}")
        if leaked := [word for word in world.forbidden(person, host) if word in answer.shown and word not in str(data)]:
            wrong.append(f"{cell}: shows {leaked}")
        if should:
            opened.add(person)
            events = {name.removeprefix("+event ") for name in rows.names(answer.changed) if name.startswith("+event")}
            if events != set(situation.events.split()):
                wrong.append(f"{cell}: leaves {sorted(events)}")

    assert opened >= (set(situation.who) if isinstance(situation.who, tuple) else {first_of(situation)})
    assert wrong == []
    positive = len(opened)
    record_figure("Access in situations", {"cells": number, "people who got in": positive, "wrong": len(wrong)})


def first_of(situation: Situation) -> str:
    """Somebody whom it lets in."""
    if isinstance(situation.who, tuple):
        return situation.who[0]
    return "owner" if situation.who == SIGNED_IN else "anonymous"


def test_a_field_that_the_form_does_not_have_changes_nothing_there(
    situation: Situation, world: World, record_figure: RecordFigure
):
    url, person = URLS[situation.name], first_of(situation)
    host = "platform" if "agency" not in url.on else "own"
    data = situation.send(world.things["own"])

    def post(**more: str) -> cells.Answer:
        return cells.ask(world, url, person=person, host=host, method="POST", data=more | data)

    plain, again = post(), post()
    shown = {name for form in plain.forms for name in form.fields}
    alien = {name: value for name, value in fields_of_all_models(world).items() if name not in shown}
    passing = passing_columns(effect(plain), effect(again))

    polluted = post(**alien)

    assert plain.changed
    assert polluted.status == plain.status
    assert without(passing, effect(polluted)) == without(passing, effect(plain))
    record_figure("Access in situations", {"fields of models sent along": len(alien)})
