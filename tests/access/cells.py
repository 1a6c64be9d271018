"""One request in the world: what came back, what it wrote, and what is wrong with that."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connection, transaction
from django.forms.forms import BaseForm

from accounts.models import Job
from portal import mails
from tests.access import rows
from tests.access.rules import OPEN_WITHOUT_FACTOR, WHILE_VIEWING, Rule
from tests.access.world import MEMBERS, STAFF, Url, World
from tests.told import WRITES

OUR_TABLES = ("accounts_", "account_", "mfa_", "usersessions_")
# What differs from answer to answer whoever asks: tokens against forgery, nonces, reference numbers, the time and how
# much of it is left.
PASSING = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|nonce-[\w+/=-]+|\b[0-9A-F]{8}\b|"csrfToken": "\w+"'
    r"|<time [^>]*>[^<]*</time>|\d+\xa0minutes?"
)


@dataclass
class Answer:
    """What one request got and did. Nothing of it is kept in the database."""

    status: int
    headers: dict[str, str]
    body: str
    writes: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    changed: list[tuple[str, str, Any, dict[str, Any]]] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    forms: list[BaseForm] = field(default_factory=list)

    @property
    def shown(self) -> str:
        return "\n".join([self.body, str(self.headers), *self.mails])


@contextmanager
def writes_noted() -> Iterator[list[str]]:
    """The statements on tables of ours that would change a row."""
    noted: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = WRITES.match(sql)
        if found and found[2].startswith(OUR_TABLES) and not found[2].startswith("usersessions_"):
            noted.append(f"{sql} {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield noted


@contextmanager
def commits_assumed() -> Iterator[None]:
    """Nothing is committed here; what waits for a commit happens at once instead, inside its request."""
    with mock.patch.object(connection, "on_commit", lambda func, robust=False: func()):
        yield


@contextmanager
def forms_noted() -> Iterator[list[BaseForm]]:
    """The forms that are made meanwhile."""
    made: list[BaseForm] = []
    original = BaseForm.__init__

    def note(form: BaseForm, *args: Any, **kwargs: Any) -> None:
        original(form, *args, **kwargs)
        made.append(form)

    BaseForm.__init__ = note
    try:
        yield made
    finally:
        BaseForm.__init__ = original


def ask(
    world: World,
    url: Url,
    *,
    person: str,
    which: str = "own",
    host: str = "",
    method: str = "GET",
    data: dict[str, Any] | None = None,
    query: dict[str, Any] | None = None,
    instead: dict[str, str] | None = None,
) -> Answer:
    """Sends one request and undoes it. Says what it wrote, whose rows those are, and which mails it leads to."""
    cache.clear()
    client = world.client
    client.cookies = SimpleCookie({"session": world.sessions[person]} if person in world.sessions else {})
    path = world.path(url, which, person, instead)
    if query:
        path += ("&" if "?" in path else "?") + urlencode(query, doseq=True)
    host = host or world.works_at(person)
    with transaction.atomic(), commits_assumed(), writes_noted() as writes, forms_noted() as forms:
        reply = client.generic(
            method,
            path,
            data=urlencode(data or {}, doseq=True),
            content_type="application/x-www-form-urlencoded",
            headers={"host": world.host(host)},
        )
        body = b"".join(reply) if reply.streaming else reply.content
        answer = Answer(reply.status_code, dict(reply.headers), body.decode(errors="replace"), writes, forms=forms)
        if writes:
            answer.mails = _mails(known=world.rows["accounts_job"].keys())
            answer.changed = rows.changes(world.rows, rows.all_rows())
            answer.strangers = _strangers(world, url, person, host, answer.changed)
        transaction.set_rollback(True)
    return answer


def _mails(known: Collection[int]) -> list[str]:
    """The mails that wait and did not before, as they would be sent."""
    found = []
    waiting = Job.objects.across_agencies().filter(kind=Job.Kind.MAIL, done_at=None).exclude(pk__in=known)
    for job in waiting.select_related("agency"):
        message = mails.render(job.payload, agency=job.agency, secret="the-secret")
        if message is not None:
            found.append(f"{message.subject} {message.to} {message.from_email} {message.body}")
    return found


def _strangers(world: World, url: Url, person: str, host: str, changed: list[Any]) -> list[str]:
    """The changed rows that belong to another agency, or to another customer or person than the address names."""
    if not changed:
        return []
    now = rows.owners_of_rows()
    known = world.owners
    agency = world.south if host == "foreign" else world.north
    named = world.own(person).customer.pk if "<uuid:customer>" in url.route else None
    own = world.people[person].pk if world.is_signed_in(person, host) else None
    others = known["accounts_user"].keys() - {own}  # whoever signs up is not among them
    found = []
    for table, verb, key, columns in changed:
        of_agency, of_customer, of_person = now[table].get(key) or known[table][key]
        is_new_agency = person == "operator" and url.name == "operator:agency-new"
        if of_agency not in (agency.pk, None) and not is_new_agency:
            found.append(f"{verb} of {table} of another agency: {sorted(columns)}")
        elif named is not None and of_customer not in (named, None):
            found.append(f"{verb} of {table} of another customer: {sorted(columns)}")
        elif url.is_own_account and of_person in others:
            found.append(f"{verb} of {table} of another person: {sorted(columns)}")
    return found


def masked(answer: Answer, world: World, url: Url, which: str, person: str) -> tuple[int, str, str]:
    """The answer without what differs each time, and without the address that was asked for."""
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("Set-Cookie", "Content-Length", "Expires")
    }
    texts = str(headers), answer.body
    for part in sorted(world.path(url, which, person).partition("?")[0].split("/"), key=len, reverse=True):
        if len(part) > 4 or part.isdigit():
            texts = tuple(text.replace(part, "<id>") for text in texts)
    return answer.status, *(PASSING.sub("*", text) for text in texts)


def expected(url: Url, rule: Rule, world: World, person: str, which: str, host: str, method: str) -> frozenset[int]:
    """The statuses that this cell may answer."""
    if host in ("unknown", "stopped"):
        return frozenset({400})
    is_here = world.is_signed_in(person, host)
    path = world.path(url, which, person)
    reads = method in ("GET", "HEAD")
    if person == "viewing_operator" and is_here and not may_while_viewing(path, method):
        return frozenset({403})
    if person == "staff_without_factor" and is_here and not path.startswith(OPEN_WITHOUT_FACTOR):
        return frozenset({303 if reads else 403})
    served_on = "platform" if host == "platform" else "agency"
    if served_on not in url.on or (url.name, served_on) == ("account_signup", "platform"):
        return frozenset({404})
    if rule.kind == "admin":
        return _expected_of_admin(rule, person, is_here, method)
    lets_in = rule.lets_in(person, anonymous=not is_here)
    if rule.kind == "ours":
        if not (rule.get if reads else rule.post if method == "POST" else frozenset()):
            return frozenset({405})
        if url.name.startswith("brand_") and host != "own":
            return frozenset({404})  # the hash of another agency's brand
        if rule.asks_again and is_here and person in ("staff_owner_long_ago", "viewing_operator"):
            return frozenset({302})  # to the password first, before it looks for the object
        if not lets_in:
            if url.name.startswith("customer:") and is_here and which == "own" and person in MEMBERS:
                return frozenset({403})  # a member who may look, not launch; not decide about people
            if url.name.startswith("console:") and is_here and person in STAFF:
                return frozenset({403})  # staff in another role
            return frozenset({404}) if is_here else frozenset({302})
        if url.has_object and which != own_object(url, person, host):
            return frozenset({404})
        return rule.answers(person if is_here else "anonymous", method)
    allowed = rule.get if reads else rule.post if method == "POST" else rule.post | {200, 302, 405, 404}
    return allowed if lets_in else allowed | {302}


def may_while_viewing(path: str, method: str) -> bool:
    """What somebody who looks at a console as one of its staff reaches: its pages, and the way out."""
    if path.startswith(("/static/", "/brand/", "/view-as/")):
        return True
    return (
        method in ("GET", "HEAD") and path.startswith("/console/") and not any(part in path for part in WHILE_VIEWING)
    )


def own_object(url: Url, person: str, host: str) -> str:
    """Which of the objects answers to this person. A token answers to whoever has it, on its own host."""
    if url.has_token:
        return "foreign" if host == "foreign" else "own"
    return "foreign" if person.startswith("foreign_") else "own"


def _expected_of_admin(rule: Rule, person: str, is_here: bool, method: str) -> frozenset[int]:
    if person == "operator" and is_here:
        return rule.get if method in ("GET", "HEAD") else rule.post
    return frozenset({200, 302, 405})  # 200 is the script catalogue, which holds words only
