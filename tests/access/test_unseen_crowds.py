"""No page changes by anything that happens at another agency, and no member's page by what other customers do.

Leaks of words are for the matrix; this finds those of numbers, of order, and of a button that is there or not.
"""

from collections.abc import Callable

import pytest
from django.db import transaction

from tests.access import cells, crowd
from tests.access import world as worlds
from tests.access.world import Url, World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

READERS = ("owner", "viewer", "staff_owner", "staff_analyst")
PASSING = {
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
    "console:connection-pair",
}
PASSING |= {"mfa_login_webauthn", "mfa_reauthenticate_webauthn"}
Page = tuple[int, str, str]


def pages(world: World, readers: tuple[str, ...]) -> dict[tuple[str, str], Page]:
    """Every page of the own host about the own object, as each of the readers gets it."""
    return {(url.name, person): page(world, url, person) for url in URLS.values() for person in readers}


def page(world: World, url: Url, person: str) -> Page:
    answer = cells.ask(world, url, person=person)
    return cells.masked(answer, world, url, "own", person)


def is_about_time(url: Url) -> bool:
    """The health page says how things are at this moment."""
    return url.name in ("healthz", "readyz")


URLS = {url.name: url for url in worlds.urls() if "agency" in url.on and not url.has_token and not is_about_time(url)}


def compared(
    world: World, readers: tuple[str, ...], gather: Callable[[], None], record_figure: RecordFigure, title: str
) -> None:
    before = pages(world, readers)
    with transaction.atomic():
        gather()
        after = pages(world, readers)
        transaction.set_rollback(True)
    differing = [
        (name, person)
        for (name, person), was in before.items()
        # Some differ each time: a new seed, a challenge for a passkey, the minute that has passed.
        if after[name, person] != was and name not in PASSING and page(world, URLS[name], person) == was
    ]
    shown = sum(1 for page in before.values() if page[0] == 200)
    assert shown > len(readers) * 5, "most pages are shown to somebody"
    record_figure(title, {"pages": len(before), "shown": shown, "differ": len(differing)})
    assert not differing


@pytest.mark.parametrize("reader", READERS)
def test_nothing_of_another_agency_is_on_any_page(reader: str, world: World, record_figure: RecordFigure):
    addresses = [world.people[name].email for name in ("owner", "viewer", "other_member", "staff_owner")]

    def gather() -> None:
        crowd.gather_at(world.south, addresses=addresses, staff=world.people["foreign_staff"])

    compared(world, (reader,), gather, record_figure, "Pages before and after a crowd at another agency")


@pytest.mark.parametrize("reader", ["owner", "viewer"])
def test_nothing_of_another_customer_is_on_a_members_page(reader: str, world: World, record_figure: RecordFigure):
    customer = world.things["own"].customer
    members = [
        row.person for row in customer.memberships.select_related("person") if row.person != world.people[reader]
    ]
    assert len(members) > 2

    def gather() -> None:
        crowd.gather_around(world.north, staff=world.people["staff_owner"], members=members)

    compared(world, (reader,), gather, record_figure, "Members' pages before and after a crowd of other customers")
