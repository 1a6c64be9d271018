"""Fills a production database for the tests that ask a running server. Prints what they need to know, as JSON."""

import io
import json
import os

import django
from PIL import Image

PLATFORM, NORTH, SOUTH, SPARE = (
    "portal.example.com",
    "coupons.north.example",
    "coupons.south.example",
    "old.north.example",
)
UNKNOWN = "nobody.example"


def _session(person: object) -> str:
    from django.test import Client

    client = Client()
    client.force_login(person)
    session = client.session
    session["scope"] = person.scope
    session.save()
    return session.session_key


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

    from accounts import brands, people
    from accounts.crypto import unseal
    from accounts.models import Job
    from tests import factories

    logo = io.BytesIO()
    Image.new("RGBA", (64, 32), "#0f5f5c").save(logo, "PNG")
    north = factories.agency("North", NORTH, keys=("north-id", "north-secret"))
    south = factories.agency("South", SOUTH, keys=("south-id", "south-secret"))
    north.hosts.create(name=SPARE)
    brands.save(north, colour="#0f5f5c", grey="cool", corner=8, logo=logo.getvalue())
    facts: dict[str, dict[str, str]] = {}
    for agency, host in ((north, NORTH), (south, SOUTH)):
        member = factories.person(agency, "bo@shop.example")
        customer = factories.customer(agency, member)
        factories.activate(customer, None)
        owner = factories.staff(agency, f"ada@{agency.name.lower()}.example", "owner")
        people.invite_staff(agency=agency, email="new@staff.example", staff_role="admin", acting_user=owner)
        token = unseal(Job.objects.for_agency(agency).exclude(sealed_secret="").latest("pk").sealed_secret)
        agency.brand.refresh_from_db()
        facts[host] = {
            "member": _session(member),
            "staff": _session(owner),
            "dashboard": f"/c/{customer.public_id}/",
            "package": str(agency.packages.first().public_id),
            "brand": f"/brand/{agency.brand.hash}.css",
            "logo": f"/brand/{agency.brand.hash}.png",
            "invitation": f"/invitation/{token}/",
        }
    facts[PLATFORM] = {"operator": _session(factories.operator())}
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
