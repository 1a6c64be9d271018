"""The packages in the console: who sees and changes them, and what a form refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import packages
from accounts.models import Agency, Customer, Event, Package, User
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/console/packages/"


@pytest.fixture
def ada_client(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def address(package: Package, door: str = "") -> str:
    return f"{LIST}{package.public_id}/{door}"


def filled(**changes: Any) -> dict[str, Any]:
    values = {
        "name": "Chain",
        "text": "For many shops.",
        "points": "50 coupons\n\n  Loyalty cards \n",
        "price": "99.50",
        "currency": "EUR",
        "trial_days": "30",
        "vendor_package_id": "pac_9",
        "who": "everybody",
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def newest(agency: Agency) -> Package:
    return Package.objects.for_agency(agency).order_by("-pk")[0]


def test_a_package_is_made_and_shown_on_the_sign_up_page(ada_client: Client, north: Agency, client_for: Any):
    answer = ada_client.post(f"{LIST}new/", filled())

    assert (answer.status_code, answer["Location"]) == (302, LIST)
    made = newest(north)
    assert (made.points, str(made.price), made.is_visible) == (["50 coupons", "Loyalty cards"], "99.50", True)
    assert "“Chain” is there." in ada_client.get(LIST).text
    assert "€99.50" in client_for(north).get("/start/").text


def test_a_package_by_hand_is_not_on_the_sign_up_page_and_cannot_be_signed_up_for(
    ada_client: Client, north: Agency, client_for: Any
):
    ada_client.post(f"{LIST}new/", filled(who="by_hand"))

    assert "Chain" in ada_client.get(LIST).text
    visitor = client_for(north)
    assert "Chain" not in visitor.get("/start/").text
    answer = visitor.post("/account/signup/", {"package": str(newest(north).public_id)})
    assert answer.status_code == 200
    assert "package" in answer.context["form"].errors


def test_an_archived_package_cannot_be_signed_up_for(
    ada_client: Client, north: Agency, package: Package, client_for: Any
):
    ada_client.post(address(package, "archive/"))

    answer = client_for(north).post("/account/signup/", {"package": str(package.public_id)})
    assert "package" in answer.context["form"].errors
    text = ada_client.get(LIST).text
    assert "Archived" in text
    assert "Bring back" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "n" * 61}, "at most 60"),
        ({"vendor_package_id": "12"}, "such as pac_12"),
        ({"vendor_package_id": "pac_1/../2"}, "such as pac_12"),
        ({"vendor_package_id": "pac_000"}, "such as pac_12"),
        ({"price": "a lot"}, "such as 39 or 39.50"),
        ({"price": "-1"}, "greater than or equal to 0"),
        ({"price": "39.505"}, "2 decimal places"),
        ({"trial_days": "a week"}, "whole days"),
        ({"trial_days": "400"}, "365"),
        ({"currency": "XXX"}, "XXX"),
        ({"who": "friends"}, "friends"),
        ({"who": None}, "This field is required"),
        ({"points": "\n".join("abcdefghi")}, "8 or fewer"),
        ({"points": "x" * 81}, "has 81 characters"),
        ({"trial_days": "0", "sends_expiry_date": "on"}, "there is no date to send"),
    ],
)
def test_bad_input_is_said_and_nothing_is_lost(ada_client: Client, north: Agency, changes: dict[str, Any], says: str):
    count = Package.objects.for_agency(north).count()

    answer = ada_client.post(f"{LIST}new/", filled(**{"text": "A line to keep", **changes}))

    assert answer.status_code == 200
    assert says in answer.text
    assert "A line to keep" in answer.text
    assert Package.objects.for_agency(north).count() == count


def test_fields_that_are_not_in_the_form_change_nothing(
    ada_client: Client, north: Agency, south: Agency, package: Package
):
    before = Package.objects.for_agency(north).filter(pk=package.pk).values().get()

    ada_client.post(
        address(package),
        filled(agency=str(south.pk), id="9", position="7", public_id="x", archived_at="2026-01-01", is_visible="False"),
    )

    after = Package.objects.for_agency(north).filter(pk=package.pk).values().get()
    untouched = ("id", "agency_id", "position", "public_id", "archived_at", "refused_at")
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    assert after["is_visible"] is True


def test_another_vendor_package_says_whom_it_counts_for(ada_client: Client, package: Package, bos_company: Customer):
    assert "The one customer who has this package keeps" in ada_client.get(address(package)).text

    answer = ada_client.post(address(package), filled(vendor_package_id="pac_42"), follow=True)

    assert "New accounts get pac_42 from now on" in answer.text


def test_a_refused_package_is_said_on_the_list_and_on_its_page(ada_client: Client, north: Agency, package: Package):
    Package.objects.for_agency(north).filter(pk=package.pk).update(refused_at=timezone.now())

    assert "The vendor refused pac_1" in " ".join(ada_client.get(LIST).text.split())
    assert "The vendor refused this package" in ada_client.get(address(package)).text


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_staff_without_the_role_read_the_list_and_change_nothing(
    role: str, north: Agency, package: Package, client_for: Any
):
    client = client_for(north, factories.staff(north, f"{role}@north.example", role))

    text = client.get(LIST).text
    assert "Starter" in text
    assert "New package" not in text
    assert address(package) not in text
    assert client.get(address(package)).status_code == 403
    for path in (f"{LIST}new/", *(address(package, door) for door in ("", "archive/", "restore/", "move/"))):
        assert client.post(path, filled(direction="down")).status_code == 403
    assert not Event.objects.for_agency(north).filter(kind__startswith="package.").exists()


def test_packages_of_another_agency_are_not_there(ada_client: Client, south: Agency):
    foreign = newest(south)

    for door in ("", "archive/", "restore/", "move/"):
        assert ada_client.post(address(foreign, door), filled(direction="up")).status_code == 404
    assert ada_client.get(address(foreign)).status_code == 404
    assert str(foreign.public_id) not in ada_client.get(LIST).text


def test_a_second_click_on_archive_or_restore_is_said_kindly(ada_client: Client, package: Package):
    for door, says in (("restore/", "is not archived"), ("archive/", "is archived."), ("archive/", "archived already")):
        assert says in ada_client.post(address(package, door), follow=True).text
    assert (
        "has no place in the list" in ada_client.post(address(package, "move/"), {"direction": "up"}, follow=True).text
    )


def test_a_move_to_nowhere_is_refused(ada_client: Client, package: Package):
    assert ada_client.post(address(package, "move/"), {"direction": "sideways"}).status_code == 400


def test_the_list_needs_as_many_statements_for_many_customers(
    ada_client: Client,
    north: Agency,
    ada: User,
    package: Package,
    bos_company: Customer,
    django_assert_num_queries: Any,
):
    with django_assert_num_queries(4):  # host, session, person, packages
        ada_client.get(LIST)
    for number in range(5):
        factories.customer(north, factories.person(north, f"p{number}@shop.example"))
        packages.create(agency=north, acting_user=ada, name=f"P{number}", vendor_package_id="pac_3")
    with django_assert_num_queries(4):
        assert 'data-label="Customers"' in ada_client.get(LIST).text


def test_customers_that_are_closed_no_longer_count_for_their_package(
    ada_client: Client, north: Agency, bos_company: Customer
):
    gone = factories.customer(north, factories.person(north))
    Customer.objects.for_agency(north).filter(pk=gone.pk).update(closed_at=timezone.now())

    assert "The one who has this package keeps theirs" in ada_client.get(address(bos_company.package)).text
    assert 'num">1</td>' in ada_client.get(LIST).text
