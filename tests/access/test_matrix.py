"""The access matrix: every URL × method × person × object × host, generated from the URL configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client

from coupontools_api.sandbox import Sandbox
from tests.access import world as worlds
from tests.access.rules import Rule, rule_for
from tests.access.world import METHODS, OBJECTS, PEOPLE, STAFF, Url, World

pytestmark = pytest.mark.django_db

URLS = worlds.urls()
HOSTS = ("own", "foreign", "platform", "unknown")
OPEN_WITHOUT_FACTOR = ("/account/2fa/", "/account/logout/", "/account/reauthenticate/", "/brand/")
SENT = {
    "customer:launch": {"page": "campaigns"},
    "console:package-move": {"direction": "down"},
    "console:customer-note": {"text": "hello"},
    "console:customer-pause": {"message": "hello"},
    "console:customer-choose": {"do": "retry"},
}
OUR_TABLES = ("accounts_", "account_", "mfa_")


@contextmanager
def writes_noted() -> Iterator[list[str]]:
    """The statements on tables of ours that would change a row."""
    noted: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        verb, *rest = sql.split(maxsplit=3)
        if verb in ("INSERT", "UPDATE", "DELETE"):
            table = next((word.strip('"') for word in rest if word.startswith('"')), "")
            if table.startswith(OUR_TABLES):
                noted.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield noted


def expected(url: Url, rule: Rule, world: World, person: str, which: str, host: str, method: str) -> frozenset[int]:
    """The statuses that this cell may answer."""
    if host == "unknown":
        return frozenset({400})
    is_here = host == world.works_at(person) and person not in ("anonymous", "unverified")
    path = world.path(url, which)
    reads = method in ("GET", "HEAD")
    if person == "staff_without_factor" and is_here and not path.startswith(OPEN_WITHOUT_FACTOR):
        return frozenset({303 if reads else 403})
    served_on = "platform" if host == "platform" else "agency"
    if served_on not in url.on or (url.name, served_on) == ("account_signup", "platform"):
        return frozenset({404})
    if rule.kind == "admin":
        return _expected_of_admin(rule, person, is_here, method)
    lets_in = rule.lets_in(person, anonymous=not is_here)
    if rule.kind == "ours":
        allowed = rule.get if reads else rule.post if method == "POST" else frozenset()
        if not allowed:
            return frozenset({405})
        if url.name.startswith("brand_") and host != "own":
            return frozenset({404})  # the hash of another agency's brand
        if not lets_in:
            if url.name.startswith("customer:") and is_here and which == "own" and person in worlds.MEMBERS:
                return frozenset({403})  # a member who may look, not launch; not decide about people
            if url.name.startswith("console:") and is_here and person in STAFF:
                return frozenset({403})  # staff in another role
            return frozenset({404}) if is_here else frozenset({302})
        if url.has_object and which != own_object(person) and not rule.asks_again:
            return frozenset({404})
        return allowed
    allowed = rule.get if reads else rule.post if method == "POST" else rule.post | {200, 302, 405, 404}
    return allowed if lets_in else allowed | {302}


def own_object(person: str) -> str:
    """Which of the objects is this person's own."""
    return "foreign" if person.startswith("foreign_") else "own"


def _expected_of_admin(rule: Rule, person: str, is_here: bool, method: str) -> frozenset[int]:
    if person == "operator" and is_here:
        return rule.get if method in ("GET", "HEAD") else rule.post
    return frozenset({200, 302, 405})  # 200 is the script catalogue, which holds words only


def forbidden_canaries(world: World, person: str, host: str) -> set[str]:
    """What this person must not read on this host."""
    is_here = host == world.works_at(person)
    everything = world.canaries(world.bos) | world.canaries(world.others) | world.canaries(world.souths)
    everything |= {"Northcanary", "Southcanary"}
    if not is_here:
        own: set[str] = set()
    elif person in worlds.MEMBERS:
        own = world.canaries(world.bos)
    elif person == "other_member":
        own = world.canaries(world.others)
    elif person == "foreign_member":
        own = world.canaries(world.souths)
    elif person in STAFF:
        own = world.canaries(world.bos) | world.canaries(world.others)
    elif person == "foreign_staff":
        own = world.canaries(world.souths)
    elif person == "operator":
        own = everything
    else:
        own = set()
    if host == "own":
        own |= {"Northcanary"}
    elif host == "foreign":
        own |= {"Southcanary"}
    return everything - own


def test_every_url_is_classified():
    missing = []
    for url in URLS:
        try:
            rule_for(url.name)
        except KeyError:
            missing.append(f"{url.name} {url.route}")

    assert missing == []


@pytest.mark.parametrize("url", URLS, ids=[url.route or "home" for url in URLS])
def test_every_cell(url: Url, sandbox: Sandbox, settings: Any, record_property: Any):
    rule = rule_for(url.name)
    world = worlds.make(sandbox)
    client = Client(raise_request_exception=False)
    wrong: list[str] = []
    positive: set[str] = set()
    cells = 0
    for host in HOSTS:
        for person in PEOPLE:
            for which in OBJECTS if url.has_object else ("own",):
                for method in METHODS:
                    cells += 1
                    problem, saw = cell(client, url, rule, world, person, which, host, method)
                    if problem:
                        wrong.append(f"{method} {host} {which} as {person}: {problem}")
                    if saw:
                        positive.add(person)
    record_property("cells", cells)

    assert wrong == []
    if isinstance(rule.who, tuple):
        assert positive >= set(rule.who), "somebody who may do this never saw their own or changed a row"
    else:
        assert positive or not rule.get & {200}


def cell(
    client: Client, url: Url, rule: Rule, world: World, person: str, which: str, host: str, method: str
) -> tuple[str, bool]:
    """One request. What is wrong with its answer, if anything, and whether it was a positive one."""
    cache.clear()
    client.cookies = SimpleCookie({"session": world.sessions[person]} if person in world.sessions else {})
    data = SENT.get(url.name, {}) if method == "POST" else {}
    with transaction.atomic(), writes_noted() as writes:
        answer = client.generic(
            method,
            world.path(url, which),
            data="&".join(f"{name}={value}" for name, value in data.items()),
            content_type="application/x-www-form-urlencoded",
            headers={"host": world.host(host)},
        )
        transaction.set_rollback(True)
    allowed = expected(url, rule, world, person, which, host, method)
    if answer.status_code not in allowed:
        return f"{answer.status_code}, expected {sorted(allowed)}", False
    body = b"".join(answer) if answer.streaming else answer.content
    shown = body.decode(errors="replace") + str(answer.headers)
    if leaked := [canary for canary in forbidden_canaries(world, person, host) if canary in shown]:
        return f"shows {leaked}", False
    is_here = host == world.works_at(person)
    gets_in = rule.lets_in(person, anonymous=not is_here) and (not url.has_object or which == own_object(person))
    if writes and not (rule.writes and gets_in and method == "POST"):
        return f"writes: {writes[0][:80]}", False
    if rule.writes and method == "POST" and gets_in and is_here:
        return ("", True) if writes else ("changes nothing", False)
    own_words = {"own": "Northcanary", "foreign": "Southcanary", "platform": "Reseller portal"}.get(host, "400")
    is_page = answer.status_code == 200 and "html" in answer.headers.get("Content-Type", "")
    if is_page and method == "GET" and gets_in and own_words not in body.decode():
        return f"a page that does not say {own_words}", False
    return "", gets_in and answer.status_code in (200, 302, 303)
