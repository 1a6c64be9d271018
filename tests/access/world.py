"""Everybody who may come by, everything they may ask for, and what each must never see."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts import operators, views_as
from accounts import people as people_doors
from accounts.models import Agency, Customer, Host, Invitation, Membership, Package, PanelTask, User, ViewAs
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.access.rows import Owners, Rows, all_rows, owners_of_rows

PLATFORM = "platform.localhost"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MEMBERS = ("owner", "editor", "viewer")
STAFF = ("staff_owner", "staff_admin", "staff_support", "staff_analyst")
OWNER = ("staff_owner",)
MANAGERS = ("staff_owner", "staff_admin")
SUPPORTERS = ("staff_owner", "staff_admin", "staff_support")
PEOPLE = (
    "anonymous",
    "unverified",
    *MEMBERS,
    "suspended_member",
    "paused_member",  # whose customer the agency has paused
    "other_member",
    "foreign_member",
    *STAFF,
    "staff_owner_long_ago",  # whose password was typed too long ago for what asks again
    "staff_without_factor",
    "suspended_staff",
    "viewing_operator",  # who looks at the console as its owner
    "foreign_staff",
    "operator",
)
STOPPED_PEOPLE = ("anonymous", "stopped_member", "stopped_staff")  # on the host of an agency that is stopped
# Whose rights somebody has, where the name does not say it.
SAME_AS = {
    "paused_member": "owner",
    "foreign_member": "owner",
    "staff_owner_long_ago": "staff_owner",
    "viewing_operator": "staff_owner",
    "foreign_staff": "staff_owner",
}
QUERIES = {"console:brand-preview-css": "?colour=%23206bc4&grey=cool&corner=8"}
OBJECTS = ("own", "foreign", "nonexistent")
SPENT = ("expired", "withdrawn", "used")  # tokens that opened something once
NOWHERE = uuid.UUID(int=7)


@dataclass(frozen=True)
class Url:
    """One address of the URL configuration: `on` says whose hosts serve it (agency, platform)."""

    on: tuple[str, ...]
    name: str
    route: str

    @property
    def has_object(self) -> bool:
        return "<uuid:" in self.route or self.has_token

    @property
    def is_own_account(self) -> bool:
        """Whether it is about nobody but the person who asks: allauth's pages, and our profile."""
        return self.route.startswith("account/")

    @property
    def has_token(self) -> bool:
        return "<str:token>" in self.route

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects that it may be asked for: whose they are, or how a token was spent."""
        if "agency" not in self.on and self.has_object:
            return ("own", "nonexistent")  # operators serve every agency
        if self.has_token:
            return (*OBJECTS, *SPENT)
        return OBJECTS if self.has_object else ("own",)


def urls() -> list[Url]:
    """Every URL of both configurations. The first of two with one address wins, as it does in Django."""
    found: dict[str, Url] = {}
    for on, configuration in (("agency", "portal.urls"), ("platform", "portal.platform_urls")):
        for name, route in _walk(get_resolver(configuration)):
            known = found.setdefault(route, Url((), name, route))
            if on not in known.on:
                found[route] = Url((*known.on, on), known.name, route)
    return list(found.values())


def _walk(resolver: URLResolver, route: str = "", namespace: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for line in resolver.url_patterns:
        here = route + str(line.pattern)
        if isinstance(line, URLPattern):
            lines.append((f"{namespace}{line.name or here}", here))
        else:
            lines += _walk(line, here, f"{namespace}{line.namespace}:" if line.namespace else namespace)
    return lines


@dataclass
class Things:
    """One customer with all that an address or a form may name of it and of its agency."""

    agency: Agency
    customer: Customer
    package: Package
    other_package: Package
    task: PanelTask
    colleague: User  # works for the agency and is a member of the customer
    staff_invitation: Invitation
    member_invitation: Invitation
    host: Host
    campaign: str
    invitation_tokens: dict[str, str]
    view_tokens: dict[str, str]

    @cached_property
    def canaries(self) -> set[str]:
        """Words that stand for this customer and for nobody else."""
        note = f"{self.customer.company_name}-note"
        return {self.customer.company_name, self.customer.email, self.vendor_id, f"{self.campaign_name}", note}

    @cached_property
    def vendor_id(self) -> str:
        return str(self.customer.subaccount.vendor_id)

    @property
    def campaign_name(self) -> str:
        return f"{self.customer.company_name}-campaign"

    def value(self, converter: str) -> str:
        """What stands in an address for `<uuid:customer>` and the like."""
        return str(
            {
                "uuid:customer": self.customer.public_id,
                "uuid:task": self.task.public_id,
                "uuid:package": self.package.public_id,
                "uuid:person": self.colleague.pk,
                "uuid:agency": self.agency.pk,
                "int:host": self.host.pk,
                "slug:campaign": self.campaign,
            }[converter]
        )


@dataclass
class World:
    """Agency North with three customers, agency South with one, a stopped agency, and all their people."""

    things: dict[str, Things]  # own (Bo's), other (Kim's, same agency), paused (Pam's), foreign (Cy's), stopped
    people: dict[str, User]
    sessions: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @cached_property
    def rows(self) -> Rows:
        """Every row of the world, as it is before and after each request."""
        return all_rows()

    @cached_property
    def owners(self) -> Owners:
        return owners_of_rows()

    @property
    def north(self) -> Agency:
        return self.things["own"].agency

    @property
    def south(self) -> Agency:
        return self.things["foreign"].agency

    def host(self, which: str) -> str:
        return {
            "own": "north.localhost",
            "foreign": "south.localhost",
            "stopped": "stopped.localhost",
            "platform": PLATFORM,
            "unknown": "nobody.example",
        }[which]

    def path(self, url: Url, which: str, person: str = "", instead: dict[str, str] | None = None) -> str:
        """A concrete address of the URL, with values that exist where the object is its own.

        `instead` names another owner for one of the values: `{"person": "foreign"}` in an address with two ids.
        """
        instead = instead or {}
        if which == "own" and person == "paused_member" and not url.has_token:
            which = "paused"
        route = url.route
        for converter in ("uuid:customer", "uuid:task", "uuid:package", "uuid:person", "uuid:agency", "int:host"):
            owner = self.things.get(instead.get(converter.partition(":")[2], which))
            # A host is named by a small number: one that exists nowhere is a large one.
            nowhere = "999999999" if converter == "int:host" else str(NOWHERE)
            route = route.replace(f"<{converter}>", owner.value(converter) if owner else nowhere)
        if "<uuid:invitation>" in route:
            owner = self.things.get(instead.get("invitation", which))
            row = (
                (owner.staff_invitation if route.startswith("console/staff/") else owner.member_invitation)
                if owner
                else None
            )
            route = route.replace("<uuid:invitation>", str(row.public_id if row else NOWHERE))
        if url.has_token:
            route = route.replace("<str:token>", self._token(url, which))
        for pattern, value in {
            "<slug:page>/<slug:campaign>": f"update_campaign/{self._campaign(instead.get('campaign', which))}",
            "<slug:page>": "campaigns",
            "<slug:digest>": self.north.brand.hash,
            "<int:pk>": "1",
            "<int:slot>": "1",
            "<path:object_id>": "1",
            "<slug:app_label>": "accounts",
        }.items():
            route = route.replace(pattern, value)
        return f"/{route}{QUERIES.get(url.name, '')}"

    def _campaign(self, which: str) -> str:
        return self.things[which].campaign if which in self.things else "cam_777"

    def _token(self, url: Url, which: str) -> str:
        owner = self.things["foreign" if which == "foreign" else "own"]
        tokens = owner.view_tokens if url.name == "view_as_open" else owner.invitation_tokens
        return tokens.get("open" if which in ("own", "foreign") else which, "no-such-token")

    def own(self, person: str) -> Things:
        """The things of this person's own place."""
        return self.things[
            "foreign" if person.startswith("foreign_") else "paused" if person == "paused_member" else "own"
        ]

    def works_at(self, person: str) -> str:
        """The host kind that this person's sign-in belongs to."""
        for prefix, where in (("foreign_", "foreign"), ("stopped_", "stopped")):
            if person.startswith(prefix):
                return where
        return "platform" if person == "operator" else "own"

    def is_signed_in(self, person: str, host: str) -> bool:
        """Whether this person's session counts on that host."""
        return host == self.works_at(person) and person not in ("anonymous", "unverified", "suspended_staff")

    def own_things(self, person: str) -> list[Things]:
        """Whose words this person may read where they are signed in."""
        things = self.things
        if person in MEMBERS:
            return [things["own"]]
        if person == "operator":
            return list(things.values())
        if person in STAFF or (SAME_AS.get(person) == "staff_owner" and person != "foreign_staff"):
            return [things["own"], things["other"], things["paused"]]
        named = {
            "paused_member": "paused",
            "other_member": "other",
            "foreign_member": "foreign",
            "foreign_staff": "foreign",
        }
        return [things[named[person]]] if person in named else []

    def forbidden(self, person: str, host: str) -> set[str]:
        """The words that must not stand in what this person gets on that host."""
        agencies = {"own": "Northcanary", "foreign": "Southcanary", "stopped": "Stoppedcanary"}
        words = set().union(*(things.canaries for things in self.things.values())) | set(agencies.values())
        if self.is_signed_in(person, host):
            for things in self.own_things(person):
                words -= things.canaries
            if person == "operator":
                words -= set(agencies.values())
        return words - {agencies.get(host, "")}


def make(sandbox: Sandbox) -> World:
    """The world, written once; every request is undone after it."""
    agencies = {
        "north": factories.agency("Northcanary", "north.localhost", keys=("north-id", "north-secret")),
        "south": factories.agency(
            "Southcanary", "south.localhost", keys=("south-id", "south-secret"), colour="#ffc629"
        ),
        "stopped": factories.agency("Stoppedcanary", "stopped.localhost", keys=("stopped-id", "stopped-secret")),
    }
    north, south, stopped = agencies.values()
    people = {
        "owner": factories.person(north, "bo@bos-canary.example", first_name="Bo"),
        "unverified": factories.person(north, "una@una-canary.example", verified=False),
        "paused_member": factories.person(north, "pam@pams-canary.example"),
        "other_member": factories.person(north, "kim@kims-canary.example"),
        "foreign_member": factories.person(south, "cy@cys-canary.example"),
        "foreign_staff": factories.staff(south, "sue@south.example", "owner", teammate_id="905"),
        "stopped_member": factories.person(stopped, "sid@sids-canary.example"),
        "stopped_staff": factories.staff(stopped, "stan@stopped.example", "owner"),
        "suspended_staff": factories.staff(north, "left@north.example", "admin", is_active=False),
        "staff_without_factor": factories.person(north, "new@north.example", staff_role="admin"),
        "operator": factories.operator(),
    }
    for role in ("owner", "admin", "support", "analyst"):
        people[f"staff_{role}"] = factories.staff(north, f"{role}@north.example", role)
        people[f"staff_{role}"].teammate_id = f"90{len(role)}"
        people[f"staff_{role}"].save()
    people["staff_owner_long_ago"] = people["viewing_operator"] = people["staff_owner"]
    things = {}
    for which, agency, owner, company, number in (
        ("own", north, "owner", "Bos-canary", 1),
        ("other", north, "other_member", "Kims-canary", 2),
        ("paused", north, "paused_member", "Pams-canary", 3),
        ("foreign", south, "foreign_member", "Cys-canary", 4),
        ("stopped", stopped, "stopped_member", "Sids-canary", 5),
    ):
        customer = factories.customer(agency, people[owner], company_name=company)
        things[which] = _things(customer, sandbox, people, number)
    people["editor"] = factories.member(things["own"].customer, "editor", "ed@bos-editor.example")
    people["viewer"] = factories.member(things["own"].customer, "viewer", "vi@bos-viewer.example")
    people["suspended_member"] = factories.member(things["own"].customer, "owner", "gone@bos-gone.example")
    people["suspended_member"].memberships.update(suspended_at="2026-01-01T00:00Z")
    Customer.objects.for_agency(north).filter(pk=things["paused"].customer.pk).update(paused_at="2026-01-01T00:00Z")
    world = World(things, people)
    for name in (*PEOPLE, "stopped_member", "stopped_staff"):
        if name != "anonymous":
            world.sessions[name] = _session(world, name)
    operators.stop(stopped, reason="For the matrix.", acting_user=people["operator"])
    return world


def _things(customer: Customer, sandbox: Sandbox, people: dict[str, User], number: int) -> Things:
    agency, prefix = customer.agency, customer.agency.name.removesuffix("canary").lower()
    staff = people[{"north": "staff_owner", "south": "foreign_staff", "stopped": "stopped_staff"}[prefix]]
    factories.activate(customer, sandbox, f"{prefix}-id", campaigns=[f"{customer.company_name}-campaign"])
    campaign = customer.subaccount.campaigns.get().vendor_id
    Customer.objects.for_agency(agency).filter(pk=customer.pk).update(trial_ends_on=date.today() + timedelta(days=9))
    customer.notes.create(agency=agency, author_id=staff.pk, text=f"{customer.company_name}-note")
    packages = list(Package.objects.for_agency(agency).order_by("position"))
    colleague = factories.staff(agency, f"dee{number}@dees.example", "support")
    Membership.objects.create(person=colleague, customer=customer, role="editor")
    email = f"i{number}@i.example"
    return Things(
        agency=agency,
        customer=customer,
        package=packages[0],
        other_package=packages[1],
        task=PanelTask.objects.create(agency=agency, customer=customer, kind=PanelTask.Kind.BLOCK),
        colleague=colleague,
        staff_invitation=people_doors.invite_staff(agency=agency, email=email, staff_role="analyst", acting_user=None),
        member_invitation=people_doors.invite_member(customer=customer, email=email, role="viewer", acting_user=None),
        host=Host.objects.create(agency=agency, name=f"spare{number}.localhost"),
        campaign=campaign,
        invitation_tokens=_invitation_tokens(agency, number),
        view_tokens=_view_tokens(agency, staff, people["operator"]),
    )


def _invitation_tokens(agency: Agency, number: int) -> dict[str, str]:
    """Tokens of invitations in every condition; the rows keep a hash of them only."""
    now, tokens = timezone.now(), {}
    for how, spent in {
        "open": {},
        "expired": {"expires_at": now - timedelta(seconds=1)},
        "withdrawn": {"revoked_at": now},
        "used": {"accepted_at": now},
    }.items():
        tokens[how] = f"invitation-token-{how}-{number}"
        Invitation.objects.create(
            agency=agency,
            email=f"{how}{number}@joins.example",
            staff_role="analyst",
            token_hash=hashlib.sha256(tokens[how].encode()).hexdigest(),
            **{"expires_at": now + timedelta(days=7)} | spent,
        )
    return tokens


def _view_tokens(agency: Agency, staff: User, operator: User) -> dict[str, str]:
    """Tokens of views in every condition. They open within a minute: these were asked for in the future."""
    now, tokens = timezone.now(), {}
    for how, spent in {
        "open": {},
        "expired": {"created_at": now - timedelta(hours=1)},
        "withdrawn": {"ended_at": now},
        "used": {"opened_at": now},
    }.items():
        tokens[how] = views_as.ask(agency, person=staff, reason="For the matrix.", acting_user=operator)
        newest = ViewAs.objects.for_agency(agency).order_by("-pk")[0]
        ViewAs.objects.for_agency(agency).filter(pk=newest.pk).update(
            **{"created_at": now + timedelta(hours=1)} | spent
        )
    return tokens


def _session(world: World, name: str) -> str:
    """A session of this person, as it is after they signed in (or asked for the view)."""
    person = world.people[name]
    client = Client(headers={"host": world.host(world.works_at(name))})
    if name == "unverified":
        # Half-way in: the password was right, the code is not typed yet.
        client.post("/account/login/", {"login": person.email, "password": factories.PASSWORD})
    elif name == "viewing_operator":
        token = views_as.ask(world.north, person=person, reason="For the matrix.", acting_user=world.people["operator"])
        client.get(f"/view-as/{token}/")
    else:
        get_user_model().objects.filter(pk=person.pk, is_active=False).update(is_active=True)
        client.force_login(person)
        session: Any = client.session
        ago = timedelta(hours=-3 if name == "staff_owner_long_ago" else 3)  # recent until the matrix is through
        session["account_authentication_methods_user"] = str(person.pk)
        session["account_authentication_methods"] = [
            {"method": "password", "at": (timezone.now() + ago).timestamp(), "reauthenticated": True}
        ]
        session.save()
        if name == "suspended_staff":
            get_user_model().objects.filter(pk=person.pk).update(is_active=False)
    return client.cookies["session"].value
