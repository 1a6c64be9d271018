"""The access matrix: every URL × method × person × object × host, generated from the URL configuration."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.access import cells, rows
from tests.access import world as worlds
from tests.access.changes import CHANGES
from tests.access.fields import fields_of_all_models
from tests.access.rules import Rule, rule_for
from tests.access.sent import sent
from tests.access.world import METHODS, PEOPLE, STOPPED_PEOPLE, Url, World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

URLS = {f"{url.name or 'unnamed'}:{number}": url for number, url in enumerate(worlds.urls())}
REFERENCE = re.compile("[0-9A-F]{8}")
HOSTS = ("own", "foreign", "stopped", "platform", "unknown")
ABROAD = ("anonymous", "owner", "suspended_member", "staff_owner", "foreign_member", "foreign_staff", "operator")


def test_every_url_is_classified():
    missing = []
    for title, url in URLS.items():
        try:
            rule_for(url.name)
        except KeyError:
            missing.append(title)

    assert missing == []


def cells_of(url: Url) -> Iterator[tuple[str, str, str, str]]:
    """Host, person, object and method of each cell of a URL.

    On the agency's own host every method is tried on the own object; reading and writing are tried everywhere.
    A host that nobody has, or that does not serve the URL, answers before it knows who asks: three people are
    enough there. Nor does another agency's host know more of our people than that their session is not its own.

    Who may do what does not hang on the database: the second one gets the own host and the operators', and what the
    database is asked for, reading and writing.
    """
    is_whole = connection.vendor == "sqlite"
    for host in HOSTS if is_whole else ("own", "platform"):
        is_served = host != "unknown" and ("platform" if host == "platform" else "agency") in url.on
        people = ("anonymous", "staff_owner", "operator")
        if is_served:
            people = ABROAD if host == "foreign" else PEOPLE
        for person in STOPPED_PEOPLE if host == "stopped" else people:
            for which in url.objects:
                for method in METHODS if is_whole and (host, which) == ("own", "own") else ("GET", "POST"):
                    yield host, person, which, method


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the whole matrix is gone through on SQLite")
def test_the_matrix_has_twenty_thousand_cells_or_more():
    assert sum(1 for url in URLS.values() for _ in cells_of(url)) >= 20_000


@pytest.mark.parametrize("title", URLS)
def test_cells_of(title: str, world: World, record_figure: RecordFigure):
    url = URLS[title]
    rule = rule_for(url.name)
    alien = alien_fields(world, url, rule)
    wrong: list[str] = []
    positive: dict[str, int] = {}
    unlike: dict[tuple[str, str, str], Any] = {}
    changed: set[str] = set()
    number = 0
    for host, person, which, method in cells_of(url):
        number += 1
        data = alien | sent(url.name, world.own(person)) if method == "POST" else {}
        answer = cells.ask(world, url, person=person, which=which, host=host, method=method, data=data)
        where = f"{method} {host} {which} as {person}"
        changed |= rows.names(answer.changed)
        problem, is_positive = judge(world, url, rule, answer, person, which, host, method)
        if problem:
            wrong.append(f"{where}: {problem}")
        if is_positive:
            positive[person] = positive.get(person, 0) + 1
        if which in ("foreign", "nonexistent") and cells.own_object(url, person, host) == "own":
            seen = cells.masked(answer, world, url, which, person)
            if unlike.setdefault((host, person, method), seen) != seen:
                wrong.append(f"{where}: can be told from one that does not exist")
    if isinstance(rule.who, tuple) and not positive.keys() >= set(rule.who):
        wrong.append(f"{set(rule.who) - positive.keys()} never saw their own or changed a row")
    if rule.kind == "ours" and not isinstance(rule.who, tuple) and rule.get & {200} and not positive:
        wrong.append("nobody ever saw it")
    if changed != CHANGES.get(url.name, set()):
        wrong.append(f"changes other rows or columns than written down: {sorted(changed)}")
    good = sum(positive.values())
    record_figure("Access matrix", {"cells": number, "positive": good, "negative": number - good, "wrong": len(wrong)})

    assert not wrong, "\n".join([f"/{url.route}", *wrong])


def alien_fields(world: World, url: Url, rule: Rule) -> dict[str, str]:
    """Every field of every model that no form of this page has, each with a value that it would take."""
    person = rule.who[0] if isinstance(rule.who, tuple) else "anonymous" if rule.who == "anonymous" else "owner"
    host = "" if "agency" in url.on or person == "operator" else "platform"
    probe = cells.ask(world, url, person=person, host=host, method="POST", data=sent(url.name, world.own(person)))
    shown = {name for form in probe.forms for name in form.fields} | sent(url.name, world.own(person)).keys()
    return {name: value for name, value in fields_of_all_models(world).items() if name not in shown}


def judge(
    world: World, url: Url, rule: Rule, answer: cells.Answer, person: str, which: str, host: str, method: str
) -> tuple[str, bool]:
    """What is wrong with a cell, if anything, and whether it was a positive one."""
    allowed = cells.expected(url, rule, world, person, which, host, method)
    if answer.status not in allowed:
        return f"{answer.status}, expected {sorted(allowed)}", False
    if leaked := [word for word in world.forbidden(person, host) if word in answer.shown]:
        return f"shows {leaked}", False
    if answer.strangers:
        return f"changes what is not theirs: {answer.strangers}", False
    if answer.changed and (gap := unaudited(world, answer, person, host)):
        return gap, False
    is_here = world.is_signed_in(person, host)
    gets_in = (
        host not in ("stopped", "unknown")
        and ("platform" if host == "platform" else "agency") in url.on
        and rule.lets_in(person, anonymous=not is_here)
        and (not url.has_object or which == cells.own_object(url, person, host))
        and answer.status in rule.answers(person, method)
    )
    if rule.asks_again and person in ("staff_owner_long_ago", "viewing_operator"):
        return ("writes without the password" if answer.writes else ""), False
    if rule.kind in ("allauth", "admin") and is_here and rule.lets_in(person, anonymous=False):
        return "", gets_in and answer.status in (200, 302)
    if answer.writes and not (
        gets_in and ((rule.writes and method == "POST") or (rule.writes_on_get and method == "GET"))
    ):
        return f"writes: {answer.writes[0][:80]}", False
    if rule.writes and method == "POST" and gets_in and answer.status < 400:
        return ("", True) if answer.writes else ("changes nothing", False)
    own_words = {"own": "Northcanary", "foreign": "Southcanary", "platform": "Reseller portal"}.get(host, "400")
    is_page = answer.status == 200 and "html" in answer.headers.get("Content-Type", "")
    if is_page and method == "GET" and gets_in and own_words not in answer.body:
        return f"a page that does not say {own_words}", False
    return "", gets_in and answer.status in (200, 302, 303)


def unaudited(world: World, answer: cells.Answer, person: str, host: str) -> str:
    """What is missing in the events of a request that changed rows."""
    events = [columns for table, verb, _key, columns in answer.changed if (table, verb) == ("accounts_event", "insert")]
    if not events:
        return f"leaves no event: {sorted(rows.names(answer.changed))}"
    actors = {world.people[name].pk for name in (person, "operator") if name in world.people}
    actors |= {key for table, verb, key, _columns in answer.changed if (table, verb) == ("accounts_user", "insert")}
    for event in events:
        if not REFERENCE.fullmatch(event["request"]) or not event["object_type"] or not event["outcome"]:
            return f"leaves an event without request, object or outcome: {event}"
        if world.is_signed_in(person, host) and event["actor_id"] not in actors:
            return f"leaves an event that does not say who: {event}"
        if host != "platform" and event["agency_id"] is None:
            return f"leaves an event without its agency: {event}"
    return ""
