"""Who types, where it is sent, and which pages show it again."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import jobs, people
from accounts.crypto import unseal
from accounts.models import Agency, Customer, Job, State, Subaccount, User
from tests import factories
from tests.browser.walking import reauthenticate
from tests.hostile.places import FORMS, Place

NORTH, PLATFORM = "north.localhost", "platform.localhost"

# Who sees what was typed, and where. The names stand for paths, as in the places.
SHOWN: dict[str, tuple[str, ...]] = {
    "anonymous": ("/start/", "/account/login/"),
    "member": ("{bos}", "{bos}people/", "/account/activity/", "/account/sessions/"),
    "paused": ("{paused}",),
    "declined": ("{declined}",),
    "staff": (*("/console/customers/", "/console/staff/", "/console/packages/", "{active}", "{review}"),),
    "operator": ("{agency}",),
}
# The same words in the same frame of other pages: shown with every fifth payload.
SHOWN_TOO: dict[str, tuple[str, ...]] = {
    "anonymous": ("/account/signup/", "/account/password/reset/", "/nothing/"),
    "staff": (
        *(
            "/console/",
            "/console/brand/",
            "{pausing}",
            "/console/attention/",
            "/console/approvals/",
            "/console/connection/",
        ),
        *("/console/customers/new/", "{colleague}", "{active}people/"),
    ),
    "operator": ("/operator/events/", "/operator/", "/operator/health/", "{agency}hosts/", "/operator/all/customer/"),
}


@dataclass
class Answer:
    """A page as it was answered: what was typed, and what a browser gets."""

    payload: str
    path: str
    body: bytes
    policy: str


@dataclass
class World:
    north: Agency
    ada: User
    clients: dict[str, Client] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def named(self, text: object) -> Any:
        return text.format(**self.paths) if isinstance(text, str) and text[:1] in "{/" and "{" in text else text

    def type_in(self, place: Place, payload: str, *, fitting: bool) -> tuple[Client, Any]:
        """Sends one form, with the payload in each of its fields."""
        values = {name: self.named(value) for name, value in place.values.items()}
        values |= dict.fromkeys(place.text, payload)
        if fitting:
            values |= {name: fit(payload) for name, fit in place.fits.items()}
        client = self.clients[place.who]
        send = client.get if place.method == "get" else client.post
        return client, send(self.named(place.path), values, headers={"user-agent": _header(payload)})


def _header(payload: str) -> str:
    """What of a payload can be sent in a header line."""
    return "".join(letter for letter in payload if " " <= letter <= "~") or "x"


def make() -> World:
    north = factories.agency("North", NORTH, keys=("north-id", "north-secret"))
    ada = factories.staff(north, "ada@north.example", "owner")
    world = World(north, ada)
    owners = {name: factories.person(north, f"{name}@shop.example") for name in ("bo", "pausing", "waiting")}
    customers = {name: factories.customer(north, owner, company_name=name.title()) for name, owner in owners.items()}
    for name in ("closing", "review", "missing", "invited"):
        customers[name] = factories.customer(north, factories.person(north), company_name=name.title())
    for name in ("bo", "pausing"):
        factories.activate(customers[name], None)
    _place_in(customers["waiting"], state=State.AWAITING_APPROVAL, run_at=None)
    _place_in(customers["review"], state=State.NEEDS_REVIEW, cause="email_taken", candidates=["sub_777"], run_at=None)
    _place_in(customers["missing"], state=State.MISSING, vendor_id="sub_888", run_at=None)
    _place_in(customers["invited"], state=State.AWAITING_EMAIL, run_at=None)
    later = timezone.localdate() + timedelta(days=20)
    Customer.objects.for_agency(north).filter(pk=customers["bo"].pk).update(trial_ends_on=later)
    Customer.objects.for_agency(north).filter(pk=customers["invited"].pk).update(terms_accepted_at=None)
    colleague = factories.staff(north, "dee@north.example", "support")
    people.invite_member(customer=customers["bo"], email="new@shop.example", role="viewer", acting_user=ada)
    token = unseal(Job.objects.for_agency(north).exclude(sealed_secret="").latest("pk").sealed_secret)
    world.paths = {name: f"/console/customers/{customer.public_id}/" for name, customer in customers.items()}
    world.paths |= {
        "active": world.paths["bo"],
        "new": "/console/customers/new/",
        "bos": f"/c/{customers['bo'].public_id}/",
        "paused": f"/c/{customers['pausing'].public_id}/",
        "declined": f"/c/{customers['waiting'].public_id}/",
        "package": str(north.packages.first().public_id),
        "invitation": f"/invitation/{token}/",
        "colleague": f"/console/staff/{colleague.pk}/",
        "agency": f"/operator/agencies/{north.pk}/",
        "ada": str(ada.pk),
    }
    operator = factories.operator()
    for name, host, person in (
        ("anonymous", NORTH, None),
        ("member", NORTH, owners["bo"]),
        ("paused", NORTH, owners["pausing"]),
        ("declined", NORTH, owners["waiting"]),
        ("staff", NORTH, ada),
        ("operator", PLATFORM, operator),
    ):
        world.clients[name] = Client(headers={"host": host}, raise_request_exception=False)
        if person is not None:
            world.clients[name].force_login(person)
            reauthenticate(world.clients[name].session.session_key or "", person)
    return world


def _place_in(customer: Customer, **facts: Any) -> None:
    Subaccount.objects.for_agency(customer.agency).filter(customer=customer).update(**facts)


def _shapes(place: Place, *, everywhere: bool) -> tuple[bool, ...]:
    """Whether to type a payload as it is (False), and in the shape that fits (True)."""
    if not place.fits:
        return (False,)
    return (False, True) if everywhere else (True,)


def _trace(payload: str) -> bytes:
    """What of a payload stands on a page that shows it, escaped or not."""
    return max(re.findall(r"[0-9A-Za-z]+", payload), key=len, default="")[:12].encode()


def forget_limits() -> None:
    cache.clear()


def answers_to(world: World, payload: str, *, everywhere: bool) -> tuple[list[Answer], int]:
    """Types one payload into everything; the pages that show it, and how many forms took it.

    `everywhere` also types it as it is where that is refused, keeps the forms that show it again, and the pages
    that repeat what others show.
    """
    answers, taken = [], 0

    def keep(path: str, response: Any) -> None:
        body = b"".join(response) if response.streaming else response.content
        assert response.status_code != 500, f"{path} with {payload!r}: {body[:300]!r}"
        if body and _trace(payload) in body:
            answers.append(Answer(payload, path, body, response.headers["Content-Security-Policy"]))

    for place in FORMS:
        forget_limits()
        for fitting in _shapes(place, everywhere=everywhere):
            _client, response = world.type_in(place, payload, fitting=fitting)
            if everywhere:
                keep(world.named(place.path), response)
            taken += response.status_code in (302, 303)
        if place.who == "anonymous":
            world.clients["anonymous"].cookies.clear()
    while jobs.run():
        pass
    for who, paths in (*SHOWN.items(), *(SHOWN_TOO.items() if everywhere else ())):
        for path in paths:
            keep(world.named(path), world.clients[who].get(world.named(path)))
    return answers, taken


def style_sheets(answer: Answer) -> list[str]:
    """The agency's own style sheets that a page asks for."""
    return re.findall(r'href="(/brand/[0-9a-f]+\.css)"', answer.body.decode(errors="replace"))
