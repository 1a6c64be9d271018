"""Everybody who may come by, everything they may ask for, and what each must never see."""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import people as people_doors
from accounts.models import Agency, Customer, Host, Membership, Package, PanelTask, User
from coupontools_api.sandbox import Sandbox
from tests import factories

PLATFORM = "platform.localhost"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MEMBERS = ("owner", "editor", "viewer")
STAFF = ("staff_owner", "staff_admin", "staff_support", "staff_analyst")
OWNER = ("staff_owner",)
MANAGERS = ("staff_owner", "staff_admin")
PEOPLE = (
    "anonymous",
    "unverified",
    *MEMBERS,
    "suspended_member",
    "other_member",
    "foreign_member",
    *STAFF,
    "staff_without_factor",
    "foreign_staff",
    "operator",
)
SUPPORTERS = ("staff_owner", "staff_admin", "staff_support")
QUERIES = {"console:brand-preview-css": "?colour=%23206bc4&grey=cool&corner=8"}
OBJECTS = ("own", "foreign", "nonexistent")


@dataclass(frozen=True)
class Url:
    """One address of the URL configuration: `on` says whose hosts serve it (agency, platform)."""

    on: tuple[str, ...]
    name: str
    route: str

    @property
    def has_object(self) -> bool:
        return "<uuid:" in self.route


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
class World:
    """Two agencies with all their people. Bo's company is what everybody asks for."""

    north: Agency
    south: Agency
    bos: Customer
    others: Customer
    souths: Customer
    people: dict[str, User]
    sessions: dict[str, str] = field(default_factory=dict)
    spare_host: int = 0
    colleagues: dict[str, User] = field(default_factory=dict)
    tasks: dict[str, uuid.UUID] = field(default_factory=dict)
    invited: dict[str, tuple[uuid.UUID, uuid.UUID]] = field(default_factory=dict)

    def host(self, which: str) -> str:
        return {
            "own": "north.localhost",
            "foreign": "south.localhost",
            "platform": PLATFORM,
            "unknown": "nobody.example",
        }[which]

    def object_id(self, which: str) -> uuid.UUID:
        return {"own": self.bos.public_id, "foreign": self.souths.public_id, "nonexistent": uuid.UUID(int=7)}[which]

    def package_id(self, which: str) -> uuid.UUID:
        agencies = {"own": self.north, "foreign": self.south}
        if which not in agencies:
            return uuid.UUID(int=7)
        return Package.objects.for_agency(agencies[which]).order_by("position")[0].public_id

    def path(self, url: Url, which: str) -> str:
        """A concrete address of the URL, with values that exist where the object is its own."""
        route = url.route.replace("<uuid:customer>", str(self.object_id(which)))
        route = route.replace("<uuid:task>", str(self.tasks.get(which, uuid.UUID(int=7))))
        route = route.replace("<uuid:package>", str(self.package_id(which)))
        person, (staff, member) = self.colleagues.get(which), self.invited.get(which, (uuid.UUID(int=7),) * 2)
        route = route.replace("<uuid:person>", str(person.pk if person else uuid.UUID(int=7)))
        route = route.replace("<uuid:invitation>", str(staff if route.startswith("console/staff/") else member))
        route = route.replace("<uuid:agency>", str(self.north.pk if which == "own" else uuid.UUID(int=7)))
        route = route.replace("<int:host>", str(self.spare_host))
        for pattern, value in {
            "<slug:page>/<slug:campaign>": "update_campaign/cam_1",
            "<slug:page>": "campaigns",
            "<slug:digest>": self.north.brand.hash,
            "<str:token>": "no-such-token",
            "<int:pk>": "1",
            "<int:slot>": "1",
            "<path:object_id>": "1",
            "<slug:app_label>": "accounts",
        }.items():
            route = route.replace(pattern, value)
        return f"/{route}{QUERIES.get(url.name, '')}"

    def works_at(self, person: str) -> str:
        """The host kind that this person's sign-in belongs to."""
        if person.startswith("foreign_"):
            return "foreign"
        return "platform" if person == "operator" else "own"

    def canaries(self, customer: Customer) -> set[str]:
        return {customer.company_name, customer.email}


def make(sandbox: Sandbox) -> World:
    north = factories.agency("Northcanary", "north.localhost", keys=("north-id", "north-secret"))
    south = factories.agency("Southcanary", "south.localhost", keys=("south-id", "south-secret"), colour="#ffc629")
    people = {
        "owner": factories.person(north, "bo@bos-canary.example", first_name="Bo"),
        "unverified": factories.person(north, "una@una-canary.example", verified=False),
        "other_member": factories.person(north, "kim@kims-canary.example"),
        "foreign_member": factories.person(south, "cy@cys-canary.example"),
        "foreign_staff": factories.staff(south, "sue@south.example", "owner"),
        "staff_without_factor": factories.person(north, "new@north.example", staff_role="admin"),
        "operator": factories.operator(),
    }
    for role in ("owner", "admin", "support", "analyst"):
        people[f"staff_{role}"] = factories.staff(north, f"{role}@north.example", role)
    bos = factories.customer(north, people["owner"], company_name="Bos-canary")
    others = factories.customer(north, people["other_member"], company_name="Kims-canary")
    souths = factories.customer(south, people["foreign_member"], company_name="Cys-canary")
    for customer, keys in ((bos, "north-id"), (others, "north-id"), (souths, "south-id")):
        factories.activate(customer, sandbox, keys, campaigns=["Spring"])
    for customer in (bos, souths):
        customer.subaccount.campaigns.update(vendor_id="cam_1")
    people["editor"] = factories.member(bos, "editor", "ed@bos-editor.example")
    people["viewer"] = factories.member(bos, "viewer", "vi@bos-viewer.example")
    people["suspended_member"] = factories.member(bos, "owner", "gone@bos-gone.example")
    people["suspended_member"].memberships.update(suspended_at="2026-01-01T00:00Z")
    world = World(north, south, bos, others, souths, people)
    world.spare_host = Host.objects.create(agency=north, name="spare.localhost").pk
    for which, agency, customer in (("own", north, bos), ("foreign", south, souths)):
        trial_ends_on = date.today() + timedelta(days=9)
        Customer.objects.for_agency(agency).filter(pk=customer.pk).update(trial_ends_on=trial_ends_on)
        task = PanelTask.objects.create(agency=agency, customer=customer, kind=PanelTask.Kind.BLOCK)
        world.tasks[which] = task.public_id
        # Somebody who works there and is a member of the customer, and an invitation to each.
        world.colleagues[which] = factories.staff(agency, "dee@dees.example", "support")
        Membership.objects.create(person=world.colleagues[which], customer=customer, role="editor")
        invitations = (
            people_doors.invite_staff(agency=agency, email="i@i.example", staff_role="analyst", acting_user=None),
            people_doors.invite_member(customer=customer, email="i@i.example", role="viewer", acting_user=None),
        )
        world.invited[which] = (invitations[0].public_id, invitations[1].public_id)
    for name, person in people.items():
        client = Client(headers={"host": world.host(world.works_at(name))})
        if name == "unverified":
            # Half-way in: the password was right, the code is not typed yet.
            client.post("/account/login/", {"login": person.email, "password": factories.PASSWORD})
        else:
            client.force_login(person)
        world.sessions[name] = client.cookies["session"].value
    return world
