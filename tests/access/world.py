"""Everybody who may come by, everything they may ask for, and what each must never see."""

import uuid
from dataclasses import dataclass, field
from functools import cached_property

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Agency, Customer, Finding, Host, Invitation, Package, PanelTask, User
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
# The words of each agency: in its name, its packages', hosts', staff's, and in the addresses that staff have.
AGENCIES = {
    "own": {"Northcanary", "northcanary"},
    "foreign": {"Southcanary", "southcanary"},
    "stopped": {"Stoppedcanary", "stoppedcanary"},
}
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
    finding: Finding
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
        words = {self.customer.company_name, self.customer.email, self.vendor_id, f"{self.campaign_name}", note}
        return words | {self.member_invitation.email}

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
                "uuid:finding": self.finding.public_id,
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
        for converter in (
            "uuid:customer",
            "uuid:task",
            "uuid:finding",
            "uuid:package",
            "uuid:person",
            "uuid:agency",
            "int:host",
        ):
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
        words = set().union(*(things.canaries for things in self.things.values()), *AGENCIES.values())
        if self.is_signed_in(person, host):
            for things in self.own_things(person):
                words -= things.canaries
            if person == "operator":
                words = words.difference(*AGENCIES.values())
        return words - AGENCIES.get(host, set())
