"""The cast: Ada owns agency North, Bo is her customer, Cy belongs to agency South and always gets 404."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import factory.random
import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.core.cache import cache
from django.db import connection
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.test import Client
from django.test.utils import override_settings

from accounts import vendor
from accounts.models import Agency, Customer, Package, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import copies, factories, shadow, told
from tests.copies import Copy
from tests.run import PLACES

pytest_plugins = ["tests.figures"]
NORTH_KEYS = ("north-id", "north-secret")
SOUTH_KEYS = ("south-id", "south-secret")
CHEAP_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_configure() -> None:
    """Thousands of tests lie in memory for the whole run: to walk them again and again took a twelfth of it."""
    gc.set_threshold(100_000, 20, 100)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that is looked for elsewhere than it is would never be run."""
    for mark, places in PLACES.items():
        marked = [item.nodeid for item in items if item.get_closest_marker(mark)]
        if outside := [name for name in marked if not name.startswith(places)]:
            raise pytest.UsageError(f"{outside[0]} is marked {mark}, and not in {' or '.join(places)} (tests/run.py)")


@receiver(connection_created)
def _do_not_wait_for_the_disk(connection: Any, **_: Any) -> None:
    """A database of tests need not outlive a power cut. What must is proved in processes of their own."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """After a test that commits all tables are emptied; that the kinds of rows are written anew each time takes long.

    Permissions and content types are of use to nobody here: an operator may do everything.
    """
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    if connection.vendor == "postgresql":
        # TRUNCATE writes new files for every table and index: ten times as long as to delete a few rows.
        connection.ops.sql_flush = lambda style, tables, **_: [
            "; ".join(f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables)
        ]


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _names_are_the_same_each_time() -> None:
    """Made-up names are found by a search, too, and are longer or shorter."""
    factory.random.reseed_random("portal")


@pytest.fixture
def sandbox(running_sandbox: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """The vendor's stand-in over real sockets, empty but for the two agencies' accounts."""
    running_sandbox.reset()
    settings.COUPONTOOLS_API_URL = running_sandbox.url
    settings.COUPONTOOLS_PANEL_HOSTS = [running_sandbox.panel_host]
    running_sandbox.add_account(*NORTH_KEYS, packages=["pac_1", "pac_2"])
    running_sandbox.add_account(*SOUTH_KEYS, packages=["pac_1", "pac_2"])
    yield running_sandbox
    vendor.clients.forget()
    running_sandbox.clear_faults()


@pytest.fixture(scope="session", autouse=True)
def _cheap(django_test_environment: None) -> Iterator[None]:
    """A cheap hasher, static files that are looked up when asked for, not listed for every test client, and more hands
    than those two that the agency next door holds for ever.

    Once for all tests: each setting that is changed is one more place where every other is looked for first.
    """
    with override_settings(PASSWORD_HASHERS=CHEAP_HASHERS, WHITENOISE_AUTOREFRESH=True, WORKER_THREADS=8):
        yield


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """No counts left from another test."""
    cache.clear()
    vendor.clients.forget()  # an account has the same key in the next test, and the vendor may be somewhere else
    yield
    cache.clear()


@pytest.fixture(scope="session")
def watched_workers() -> Iterator[told.Watch]:
    with told.watched_workers() as watch:
        yield watch


@pytest.fixture(autouse=True)
def _workers_tell(watched_workers: told.Watch, record_figure: Callable[..., None]) -> Iterator[None]:
    """What a worker does in any test is told by an event. See tests/told.py."""
    yield
    numbers, untold = watched_workers.report()
    if numbers:
        record_figure("Transactions of workers", numbers)
    assert untold == [], "a worker changed something and recorded no event"


@pytest.fixture(scope="session")
def begun(django_db_setup: None, django_db_blocker: Any) -> dict[str, Copy]:
    """What most tests begin with. Made before the first of them, whatever the time is in that one."""
    with django_db_blocker.unblock():
        copies.keys_from(1)
        next_door = Copy(shadow.stand_beside)
        north = Copy(lambda: factories.agency("North", "north.localhost", keys=NORTH_KEYS), beside=(next_door,))
        bo = Copy(lambda: _bo(Agency.objects.get(pk=north.key)), beside=(next_door, north))
        company = Copy(
            lambda: factories.customer(
                Agency.objects.get(pk=north.key), User.objects.get(pk=bo.key), company_name="Bo's Bakery"
            ),
            beside=(next_door, north, bo),
        )
        copies.keys_from(copies.KEYS_OF_OTHERS)
    return {"next door": next_door, "North": north, "Bo": bo, "Bo's Bakery": company}


def _bo(north: Agency) -> User:
    return factories.person(north, "bo@shop.example", first_name="Bo")


@pytest.fixture
def next_door(begun: dict[str, Copy], db: None, request: pytest.FixtureRequest) -> Iterator[Agency]:
    """An agency that no test is about, and that none changes. See tests/shadow.py."""
    agency = Agency.objects.get(pk=begun["next door"].write())
    before = shadow.rows_of(agency)
    yield agency
    if request.node.get_closest_marker("installation") is None:
        assert shadow.rows_of(agency) == before, "a door changed rows of another agency"


@pytest.fixture
def north(begun: dict[str, Copy], next_door: Agency) -> Agency:
    return Agency.objects.get(pk=begun["North"].write())


@pytest.fixture
def south(db: None) -> Agency:
    return factories.agency("South", "south.localhost", keys=SOUTH_KEYS, colour="#ffc629")


@pytest.fixture
def package(north: Agency) -> Package:
    return Package.objects.for_agency(north).on_offer()[0]


@pytest.fixture
def account(north: Agency) -> VendorAccount:
    return VendorAccount.objects.select_related("active_credential").get(agency=north)


@pytest.fixture
def bo(begun: dict[str, Copy], north: Agency) -> User:
    person = User.objects.get(pk=begun["Bo"].write())
    person.agency = north
    return person


@pytest.fixture
def bos_company(begun: dict[str, Copy], north: Agency, bo: User) -> Customer:
    """Bo's company, with its mailbox proven and its wish in the queue."""
    return factories.customer_of(north, begun["Bo's Bakery"].write())


@pytest.fixture
def bos_subaccount(bos_company: Customer) -> Subaccount:
    return bos_company.subaccount


@pytest.fixture
def active(bos_company: Customer, sandbox: Sandbox) -> Subaccount:
    """Bo's subaccount, active, known to the sandbox, with two campaigns that the worker has read."""
    return factories.activate(bos_company, sandbox, NORTH_KEYS[0], campaigns=["Spring", "Summer"])


@pytest.fixture
def ada(north: Agency) -> User:
    return factories.staff(north, "ada@north.example", "owner", first_name="Ada")


@pytest.fixture
def cy(south: Agency) -> User:
    return factories.person(south, "cy@south.example", first_name="Cy")


@pytest.fixture
def client_for() -> Callable[..., Client]:
    """A browser on an agency's host (or the platform's), signed in as a person if one is given."""

    def make(where: Agency | str, person: User | None = None, **options: Any) -> Client:
        host = where if isinstance(where, str) else where.canonical_host
        client = Client(headers={"host": host}, **options)
        if person is not None:
            client.force_login(person)
            session = client.session
            session["scope"] = person.scope
            session.save()
        return client

    return make


@pytest.fixture
def bo_client(client_for: Callable[..., Client], north: Agency, bo: User) -> Client:
    return client_for(north, bo)


@pytest.fixture
def cy_client(client_for: Callable[..., Client], south: Agency, cy: User) -> Client:
    return client_for(south, cy)
