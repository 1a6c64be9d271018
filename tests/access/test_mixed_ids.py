"""My object and yours in one request: every pair of ids in an address, and every id in a form."""

import re
from typing import Any

import pytest
from django import forms

from tests.access import cells, rows
from tests.access import world as worlds
from tests.access.rules import rule_for
from tests.access.sent import sent
from tests.access.world import NOWHERE, Things, Url, World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

CONVERTER = re.compile(r"<uuid:(\w+)>|<int:(host)>|<slug:(campaign)>")
URLS = {url.name: url for url in worlds.urls() if url.name}
SHARED = {"package", "other_package", "host", "colleague"}  # kinds of things that a whole agency owns, not one customer


def ids_in(url: Url) -> list[str]:
    return ["".join(found) for found in CONVERTER.findall(url.route)]


PAIRS = [url for url in URLS.values() if len(ids_in(url)) > 1]


def asker(url: Url) -> tuple[str, str]:
    """Somebody who reaches the URL with their own ids, and the host they do it on."""
    rule = rule_for(url.name)
    person = rule.who[0] if isinstance(rule.who, tuple) else "anonymous" if rule.who == "anonymous" else "owner"
    return person, "platform" if person == "operator" else "own"


@pytest.mark.parametrize("name", [url.name for url in PAIRS])
def test_two_ids_of_different_owners_are_like_one_that_does_not_exist(
    name: str, world: World, record_figure: RecordFigure
):
    url = URLS[name]
    (person, host), (outer, inner) = asker(url), ids_in(url)
    methods = [m for m, answers in (("GET", rule_for(name).get), ("POST", rule_for(name).post)) if answers]
    cases = 0
    for method in methods:
        own = _ask(world, url, person, host, method)
        assert own.status != 404, "with two ids of one owner it is there"
        for stranger in ("foreign", "other"):
            for instead in ({inner: stranger}, {outer: stranger}):
                if stranger == "other" and set(instead) & {*SHARED, "agency"}:
                    continue  # the same agency's
                mixed = _ask(world, url, person, host, method, instead)
                nowhere = _ask(world, url, person, host, method, dict.fromkeys(instead, "nonexistent"))
                where = f"{method} with {instead}"
                assert mixed.status == nowhere.status == 404, where
                assert mixed.writes == [], where
                assert not [word for word in world.forbidden(person, host) if word in mixed.shown], where
                cases += 1
    record_figure("Mixed ids in addresses", {"requests": cases})


def _ask(
    world: World, url: Url, person: str, host: str, method: str, instead: dict[str, str] | None = None
) -> cells.Answer:
    data = sent(url.name, world.own(person)) if method == "POST" else {}
    return cells.ask(world, url, person=person, host=host, method=method, data=data, instead=instead)


@pytest.mark.parametrize("name", [name for name, url in URLS.items() if not name.startswith("admin:")])
def test_an_id_in_a_form_that_is_not_ones_own_is_like_one_that_does_not_exist(
    name: str, world: World, record_figure: RecordFigure
):
    url, cases = URLS[name], 0
    person, host = ("operator", "platform") if "agency" not in url.on else asker(url)
    for method in ("POST", "GET"):
        own = sent(name, world.own(person))
        made = cells.ask(world, url, person=person, host=host, method=method, data=own if method == "POST" else {})
        for field, kind in id_fields(made.forms, world.own(person)).items():
            if name == "operator:agency-new" or (person == "operator" and kind == "agency"):
                continue  # every agency is an operator's
            nowhere = _with(world, url, person, host, method, field, str(NOWHERE))
            strangers = ["foreign"] if kind in SHARED else ["foreign", "other"]
            for stranger in strangers:
                value = ids_of(world.things[stranger])[kind]
                mixed = _with(world, url, person, host, method, field, value)
                where = f"{method} /{url.route} {field}={stranger}'s {kind}"
                assert (mixed.status, rows.names(mixed.changed)) == (nowhere.status, rows.names(nowhere.changed)), where
                assert rows.names(mixed.changed) <= {"+event customers.exported"}, where  # of nothing
                assert not [word for word in world.forbidden(person, host) if word in mixed.shown], where
                cases += 1
    record_figure("Mixed ids in forms", {"requests": cases})


def _with(world: World, url: Url, person: str, host: str, method: str, field: str, value: str) -> cells.Answer:
    fields = sent(url.name, world.own(person)) | {field: value}
    if method == "POST":
        return cells.ask(world, url, person=person, host=host, method=method, data=fields)
    return cells.ask(world, url, person=person, host=host, method=method, query=fields)


def id_fields(made: list[forms.BaseForm], things: Things) -> dict[str, str]:
    """The fields whose choices name things, with the kind of thing; found in the forms that a page made."""
    known = {value: kind for kind, value in ids_of(things).items()}
    found: dict[str, str] = {}
    for form in made:
        for name, field in form.fields.items():
            for value, _label in getattr(field, "choices", ()):
                if str(value) in known:
                    found[name] = known[str(value)]
    return found


def ids_of(things: Things) -> dict[str, str]:
    """What a form may call each thing."""
    named: dict[str, Any] = {
        "customer": things.customer.public_id,
        "package": things.package.public_id,
        "colleague": things.colleague.pk,
        "agency": things.agency.pk,
        "campaign": things.campaign,
    }
    return {kind: str(value) for kind, value in named.items()}


def test_the_forms_with_ids_are_found(world: World):
    """The search in the forms is not blind: these are known to have one."""
    found = {}
    for name in (
        "customer:launch",
        "console:customer-new",
        "console:customer-package",
        "operator:view-as",
        "account_signup",
    ):
        url = URLS[name]
        person, host = asker(url)
        data = sent(name, world.own(person))
        made = cells.ask(world, url, person=person, host=host, method="POST", data=data)
        found[name] = id_fields(made.forms, world.own(person))

    assert found == {
        "customer:launch": {"campaign": "campaign"},
        "console:customer-new": {"package": "package"},
        "console:customer-package": {"package": "package"},
        "operator:view-as": {"person": "colleague"},
        "account_signup": {"package": "package"},
    }
