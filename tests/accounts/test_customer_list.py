"""Finding customers: words, filters, pages that neither repeat nor leave out."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import customer_list
from accounts.customer_list import BadCursor, Filters, Launch, Step, Trial
from accounts.models import Agency, Customer, Event, State, Subaccount, User
from tests import factories

pytestmark = pytest.mark.django_db


def names(agency: Agency, size: int = 50, **narrowed: Any) -> list[str]:
    """All pages, one after the other."""
    found, after = [], ""
    while True:
        page = customer_list.page(agency, Filters(**narrowed), now=timezone.now(), after=after, size=size)
        found += [customer.company_name for customer in page.customers]
        after = page.next
        if not after:
            return found


@pytest.fixture
def shops(north: Agency, south: Agency) -> dict[str, Customer]:
    made = {}
    for name, address in (("Café Zuid", "noor@zuid.example"), ("Bakkerij De Vries", "bo@vries.example")):
        made[name] = factories.customer(north, factories.person(north, address), company_name=name)
        factories.activate(made[name], None)
    factories.customer(south, factories.person(south, "noor@zuid.example"), company_name="Café Noord")
    return made


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("cafe", ["Café Zuid"]),
        ("CAFÉ", ["Café Zuid"]),
        ("zuid", ["Café Zuid"]),
        ("noor@zuid.ex", ["Café Zuid"]),
        ("vries", ["Bakkerij De Vries"]),
        ("de bakk", ["Bakkerij De Vries"]),
        ("bakkerij zuid", []),
        ("uid", []),
        ("%", []),
        ("sub_", ["Café Zuid", "Bakkerij De Vries"]),
        ("   ", ["Bakkerij De Vries", "Café Zuid"]),
    ],
)
def test_words_are_found_by_how_they_begin(q: str, found: list[str], north: Agency, shops: dict[str, Customer]):
    assert sorted(names(north, q=q)) == sorted(found)


def test_the_vendors_number_is_found_with_and_without_its_prefix(north: Agency, shops: dict[str, Customer]):
    number = shops["Café Zuid"].subaccount.vendor_id

    assert names(north, q=number) == names(north, q=number.removeprefix("sub_")) == ["Café Zuid"]


def test_another_agencys_customers_are_never_found(south: Agency, shops: dict[str, Customer]):
    assert names(south, q="cafe") == names(south) == ["Café Noord"]


@pytest.mark.parametrize("q", ["", "shop"])
def test_pages_neither_repeat_nor_leave_out(q: str, north: Agency):
    for number in range(23):
        person = factories.person(north, f"shop{number}@shop.example", first_name="Shop")
        factories.customer(north, person, company_name=f"Shop shopping {number}")

    found = names(north, size=5, q=q)

    assert sorted(set(found)) == sorted(f"Shop shopping {number}" for number in range(23))
    if not q:
        assert len(found) == 23


def test_a_customer_stands_once_however_many_of_its_words_fit(north: Agency):
    for number in range(12):
        person = factories.person(north, f"anna{number}@anna.example", first_name="Anna")
        factories.customer(north, person, company_name=f"Anna {number}", last_name="Annable")

    found = names(north, size=5, q="anna")

    assert len(found) == len(set(found)) == 12


def test_a_long_address_is_found_by_itself(north: Agency):
    address = f"{'very-' * 12}long@shop.example"
    factories.customer(north, factories.person(north, address), company_name="Long")

    assert names(north, q=address) == ["Long"]


HOSTILE = ("9" * 40, "Ym8=.999999999999999999999999999", "x", "-1", "1.5", "²", "a.b", "YWJj", "%00")


@pytest.mark.parametrize("after", HOSTILE)
def test_a_place_in_the_list_that_nobody_gave_is_refused(after: str, north: Agency):
    for q in ("", "shop"):
        with pytest.raises(BadCursor):
            customer_list.page(north, Filters(q=q), now=timezone.now(), after=after)


def test_filters_narrow(north: Agency, shops: dict[str, Customer]):
    now = timezone.now()
    cafe, bakery = shops["Café Zuid"], shops["Bakkerij De Vries"]
    rows = Customer.objects.for_agency(north)
    rows.filter(pk=cafe.pk).update(
        trial_ends_on=now.date() + timedelta(days=10), first_sign_in_at=now, first_launch_at=now, last_launch_at=now
    )
    rows.filter(pk=bakery.pk).update(paused_at=now, trial_ends_on=now.date() - timedelta(days=1))
    Subaccount.objects.for_agency(north).filter(customer=cafe).update(expiry_date=now.date() + timedelta(days=3))

    assert names(north, state="paused") == ["Bakkerij De Vries"]
    assert names(north, state="active") == ["Café Zuid"]
    assert names(north, trial=Trial.WEEK) == []
    assert names(north, trial=Trial.TWO_WEEKS) == ["Café Zuid"]
    assert names(north, trial=Trial.OVER) == ["Bakkerij De Vries"]
    assert names(north, expiry=Trial.WEEK) == ["Café Zuid"]
    assert names(north, launch=Launch.WEEK) == ["Café Zuid"]
    assert names(north, launch=Launch.NEVER) == ["Bakkerij De Vries"]
    assert names(north, step=Step.NO_CAMPAIGN) == ["Café Zuid"]
    assert names(north, package=cafe.package.public_id) == ["Bakkerij De Vries", "Café Zuid"]
    assert names(north, attention=True) == []
    Subaccount.objects.for_agency(north).filter(customer=cafe).update(state=State.NEEDS_REVIEW)
    assert names(north, attention=True) == ["Café Zuid"]
    assert names(north, q="zuid", attention=True) == ["Café Zuid"]


def test_an_export_says_who_took_it(north: Agency, shops: dict[str, Customer], ada: User):
    found = customer_list.export(north, Filters(), now=timezone.now(), acting_user=ada)

    assert len(list(found)) == 2
    assert Event.objects.for_agency(north).get(kind="customers.exported").actor_id == ada.pk
