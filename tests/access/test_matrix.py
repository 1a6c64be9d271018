"""The access matrix: every URL × method × person × object × host, generated from the URL configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

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
BATCHES = 12  # each makes its world once
OPEN_WITHOUT_FACTOR = ("/account/2fa/", "/account/logout/", "/account/reauthenticate/", "/brand/")
PACKAGE = {
    "name": "New",
    "currency": "EUR",
    "trial_days": "0",
    "vendor_package_id": "pac_9",
    "who": "everybody",
}
SENT = {
    "customer:launch": {"page": "campaigns"},
    "console:package-move": {"direction": "down"},
    "console:customer-note": {"text": "hello"},
    "console:customer-pause": {"message": "hello"},
    "console:customer-choose": {"do": "retry"},
    "console:customer-new": {
        "company_name": "New",
        "first_name": "N",
        "last_name": "N",
        "email": "n@new.example",
        "country": "NL",
    },
    "console:package-new": PACKAGE,
    "console:package": PACKAGE,
    "console:brand": {
        "name": "Northcanary",
        "product_name": "Changed",
        "support_email": "s@north.example",
        "language": "en",
        "colour": "#206bc4",
        "grey": "cool",
        "corner": "8",
    },
    "console:staff-invite": {"email": "h@h.example", "role": "analyst"},
    "console:customer-invite": {"email": "h@h.example", "role": "viewer"},
    "customer:invite": {"email": "h@h.example", "role": "viewer"},
    "profile": {"first_name": "Changed", "last_name": "Name", "language": "nl"},
    "operator:limits": {"customer_limit": "7", "daily_creates": "7"},
    "operator:hosts": {"name": "another.localhost"},
    "operator:agency-new": {"name": "Third", "host": "third.localhost", "owner_email": "o@third.example"},
    "operator:agency-stop": {"reason": "Because of a test."},
}
OUR_TABLES = ("accounts_", "account_", "mfa_")
# Columns that no form shows, sent with every POST: nothing of it may reach a row.
CANARY = "cafe0000-cafe-4000-8000-00000000cafe"
HIDDEN = dict.fromkeys(
    (
        *("agency", "agency_id", "customer_id", "person_id", "public_id", "vendor_account", "vendor_account_id"),
        *("is_staff", "is_superuser", "username", "session_generation", "state", "bound_at", "paused_at", "closed_at"),
        *("created_at", "accepted_at", "revoked_at", "verified_at", "converted_at", "run_at", "lease_owner"),
        *("token_hash", "sealed_client_id", "sealed_client_secret", "fingerprint", "css", "hash", "actor_id"),
        *("acting_user", "stopped_at", "invited_by_id", "archived_at", "refused_at", "trouble", "vendor_id"),
    ),
    CANARY,
)


@contextmanager
def writes_noted() -> Iterator[list[str]]:
    """The statements on tables of ours that would change a row."""
    noted: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        verb, *rest = sql.split(maxsplit=3)
        if verb in ("INSERT", "UPDATE", "DELETE"):
            table = next((word.strip('"') for word in rest if word.startswith('"')), "")
            if table.startswith(OUR_TABLES):
                noted.append(f"{sql} {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield noted


def expected(url: Url, rule: Rule, world: World, person: str, which: str, host: str, method: str) -> frozenset[int]:
    """The statuses that this cell may answer."""
    if host == "unknown":
        return frozenset({400})
    is_here = signed_in_at(world, person, host)
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


def signed_in_at(world: World, person: str, host: str) -> bool:
    """Whether this person is signed in on that host."""
    return host == world.works_at(person) and person not in ("anonymous", "unverified")


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


def cells_of(url: Url) -> Iterator[tuple[str, str, str, str]]:
    """Host, person, object and method of each cell of a URL.

    On the agency's own host every method is tried on the own object; reading and writing are tried everywhere.
    A host that nobody has, or that does not serve the URL, answers before it knows who asks: three people are
    enough there. Who may do what does not hang on the database: the second one gets the own host and the operators'.
    """
    objects = OBJECTS if url.has_object else ("own",)
    for host in HOSTS if connection.vendor == "sqlite" else ("own", "platform"):
        is_served = host != "unknown" and ("platform" if host == "platform" else "agency") in url.on
        for person in PEOPLE if is_served else ("anonymous", "staff_owner", "operator"):
            for which in objects:
                for method in METHODS if (host, which) == ("own", "own") else ("GET", "POST"):
                    yield host, person, which, method


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_cell(batch: int, sandbox: Sandbox, record_property: Any):
    world = worlds.make(sandbox)
    client = Client(raise_request_exception=False)
    wrong: list[str] = []
    number = 0
    for url in URLS[batch::BATCHES]:
        rule = rule_for(url.name)
        positive: set[str] = set()
        for host, person, which, method in cells_of(url):
            number += 1
            problem, saw = cell(client, url, rule, world, person, which, host, method)
            if problem:
                wrong.append(f"{method} /{url.route} {host} {which} as {person}: {problem}")
            if saw:
                positive.add(person)
        if isinstance(rule.who, tuple) and not positive >= set(rule.who):
            wrong.append(f"/{url.route}: {set(rule.who) - positive} never saw their own or changed a row")
        if rule.kind == "ours" and not isinstance(rule.who, tuple) and rule.get & {200} and not positive:
            wrong.append(f"/{url.route}: nobody ever saw it")
    record_property("cells", number)

    assert wrong == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the whole matrix is gone through on SQLite")
def test_the_matrix_has_twenty_thousand_cells_or_more():
    assert sum(1 for url in URLS for _ in cells_of(url)) >= 20_000


def cell(
    client: Client, url: Url, rule: Rule, world: World, person: str, which: str, host: str, method: str
) -> tuple[str, bool]:
    """One request. What is wrong with its answer, if anything, and whether it was a positive one."""
    cache.clear()
    client.cookies = SimpleCookie({"session": world.sessions[person]} if person in world.sessions else {})
    data = HIDDEN | SENT.get(url.name, {}) if method == "POST" else {}
    with transaction.atomic(), writes_noted() as writes:
        answer = client.generic(
            method,
            world.path(url, which),
            data=urlencode(data),
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
    is_here = signed_in_at(world, person, host)
    if person == "staff_without_factor" and not world.path(url, which).startswith(OPEN_WITHOUT_FACTOR):
        return ("writes without a second factor" if writes else ""), False
    gets_in = rule.lets_in(person, anonymous=not is_here) and (not url.has_object or which == own_object(person))
    if any(CANARY in line or CANARY.replace("-", "") in line for line in writes):
        return "writes a column that its form does not show", False
    if writes and not (rule.writes and gets_in and method == "POST"):
        return f"writes: {writes[0][:80]}", False
    if rule.writes and method == "POST" and gets_in and is_here:
        if not writes:
            return "changes nothing", False
        return ("", True) if any('"accounts_event"' in line for line in writes) else ("leaves no event", False)
    own_words = {"own": "Northcanary", "foreign": "Southcanary", "platform": "Reseller portal"}.get(host, "400")
    is_page = answer.status_code == 200 and "html" in answer.headers.get("Content-Type", "")
    if is_page and method == "GET" and gets_in and own_words not in body.decode():
        return f"a page that does not say {own_words}", False
    return "", gets_in and answer.status_code in (200, 302, 303)
