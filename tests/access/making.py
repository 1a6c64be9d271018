"""How the world of the matrix is made: its agencies, people, things, tokens and sessions."""

import hashlib
from datetime import date, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import operators, views_as
from accounts import people as people_doors
from accounts.models import Agency, Customer, Finding, Host, Invitation, Membership, Package, PanelTask, User, ViewAs
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.access.world import PEOPLE, PLATFORM, Things, World

ACCOUNTS = (("north-id", "north-secret"), ("south-id", "south-secret"), ("stopped-id", "stopped-secret"))


def make(sandbox: Sandbox) -> World:
    """The world, written once; every request is undone after it."""
    for keys in ACCOUNTS:
        sandbox.add_account(*keys, packages=["pac_1", "pac_2"], teammates=["905", "907", "908"])
    agencies = {
        "north": factories.agency("Northcanary", "north.localhost", keys=("north-id", "north-secret")),
        "south": factories.agency(
            "Southcanary", "south.localhost", keys=("south-id", "south-secret"), colour="#ffc629"
        ),
        "stopped": factories.agency("Stoppedcanary", "stopped.localhost", keys=("stopped-id", "stopped-secret")),
    }
    north, south, stopped = agencies.values()
    for agency in agencies.values():
        for package in Package.objects.for_agency(agency):
            package.name = f"{agency.name} {package.name}"
            package.save()
    people = {
        "owner": factories.person(north, "bo@bos-canary.example", first_name="Bo"),
        "unverified": User(agency=north, email="una@una-canary.example"),  # signs up below
        "paused_member": factories.person(north, "pam@pams-canary.example"),
        "other_member": factories.person(north, "kim@kims-canary.example"),
        "foreign_member": factories.person(south, "cy@cys-canary.example"),
        "foreign_staff": factories.staff(south, "sue@southcanary.example", "owner", teammate_id="905"),
        "stopped_member": factories.person(stopped, "sid@sids-canary.example"),
        "stopped_staff": factories.staff(stopped, "stan@stoppedcanary.example", "owner"),
        "suspended_staff": factories.staff(north, "left@northcanary.example", "admin", is_active=False),
        "staff_without_factor": factories.person(north, "new@northcanary.example", staff_role="admin"),
        "operator": factories.operator(),
    }
    for role in ("owner", "admin", "support", "analyst"):
        people[f"staff_{role}"] = factories.staff(north, f"{role}@northcanary.example", role)
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
    colleague = factories.staff(agency, f"dee{number}@{agency.name.lower()}.example", "support", last_name=agency.name)
    Membership.objects.create(person=colleague, customer=customer, role="editor")
    of_staff, of_member = f"i{number}@{agency.name.lower()}.example", f"i@joins-{customer.company_name.lower()}.example"
    return Things(
        agency=agency,
        customer=customer,
        package=packages[0],
        other_package=packages[1],
        task=PanelTask.objects.create(agency=agency, customer=customer, kind=PanelTask.Kind.BLOCK),
        finding=Finding.objects.create(
            agency=agency, kind=Finding.Kind.TWICE, vendor_id=f"sub_99000{number}", subaccount=customer.subaccount
        ),
        colleague=colleague,
        staff_invitation=people_doors.invite_staff(
            agency=agency, email=of_staff, staff_role="analyst", acting_user=None
        ),
        member_invitation=people_doors.invite_member(
            customer=customer, email=of_member, role="viewer", acting_user=None
        ),
        host=Host.objects.create(agency=agency, name=f"spare{number}.{agency.name.lower()}.example"),
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
            email=f"{how}{number}@{agency.name.lower()}.example",
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
            **{"created_at": now + timedelta(hours=3)} | spent
        )
    return tokens


def _session(world: World, name: str) -> str:
    """A session of this person, as it is after they signed in (or asked for the view)."""
    person = world.people[name]
    client = Client(headers={"host": world.host(world.works_at(name))})
    if name == "unverified":
        # Half-way in: signed up, the code is not typed yet.
        about = {"company_name": "Unas", "first_name": "Una", "last_name": "N", "country": "NL"}
        package = {"package": world.things["own"].package.public_id}
        secret = {"email": person.email, "password1": factories.PASSWORD}
        client.post("/account/signup/", about | package | secret)
        world.people[name] = User.objects.get(agency=person.agency, email=person.email)
        return client.cookies["session"].value
    if name == "viewing_operator":
        token = views_as.ask(world.north, person=person, reason="For the matrix.", acting_user=world.people["operator"])
        client.get(f"/view-as/{token}/")
        return client.cookies["session"].value
    if name == "suspended_staff":
        User.objects.filter(pk=person.pk).update(is_active=True)
    session = session_of(person, ago=timedelta(hours=3 if name == "staff_owner_long_ago" else 0))
    if name == "suspended_staff":
        User.objects.filter(pk=person.pk).update(is_active=False)
    return session


def session_of(person: User, *, ago: timedelta = timedelta(0)) -> str:
    """The cookie of somebody who signed in on their host and proved again who they are, so long ago.

    Without `ago` it stays recent until the matrix is through.
    """
    client = Client(headers={"host": person.agency.canonical_host if person.agency else PLATFORM})
    client.force_login(person)
    session: Any = client.session
    proven = timezone.now() - ago if ago else timezone.now() + timedelta(hours=3)
    session["account_authentication_methods_user"] = str(person.pk)
    session["account_authentication_methods"] = [
        {"method": "password", "at": proven.timestamp(), "reauthenticated": True}
    ]
    session.save()
    return str(client.cookies["session"].value)
