"""Operators' list of events: what is found in it, and how each is told."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts import staff, views_as
from accounts.models import (
    Agency,
    Campaign,
    Customer,
    Event,
    SearchWord,
    User,
    VendorAccount,
    VendorCall,
    Worker,
)
from accounts.models.events import type_of
from portal.wording_events import OBJECTS
from tests import factories

pytestmark = pytest.mark.django_db


def test_events_are_found_by_agency_kind_person_customer_and_day(
    olu_client: Client, north: Agency, south: Agency, ada: User, bos_company: Customer
):
    Event.objects.record("customer.paused", agency=north, acting_user=ada, customer=bos_company)
    Event.objects.record("customer.resumed", agency=south)

    def found(query: str) -> tuple[bool, bool]:
        text = olu_client.get(f"/operator/events/?{query}").content.decode()
        return '<code class="ms-1">customer.paused' in text, '<code class="ms-1">customer.resumed' in text

    today = timezone.localdate()
    assert found("") == (True, True)
    assert found(f"agency={north.pk}") == (True, False)
    assert found("kind=customer.resumed") == (False, True)
    assert found(f"actor={ada.email}") == (True, False)
    assert found(f"actor={ada.pk}") == (True, False)
    assert found(f"customer={bos_company.public_id}") == (True, False)
    assert found(f"customer={bos_company.pk}") == (True, False)
    assert found("customer=nonsense") == (False, False)
    assert found(f"first_day={today}&last_day={today}") == (True, True)
    assert found(f"last_day={today - timedelta(days=1)}") == (False, False)
    assert "is-invalid" in olu_client.get("/operator/events/?first_day=yesterday").content.decode()


def test_events_come_in_pages(olu_client: Client, north: Agency):
    for _ in range(60):
        Event.objects.record("customer.paused", agency=north)

    first = olu_client.get("/operator/events/?kind=customer.paused")
    following = olu_client.get(f"/operator/events/?{first.context['next_query']}")

    assert len(first.context["lines"]) == 50
    assert len(following.context["lines"]) == 10


@pytest.mark.parametrize(
    "query",
    [
        f"before={'9' * 30}",
        f"before={'9' * 4500}",
        "before=9223372036854775807",
        "first_day=0001-01-01",
        "last_day=9999-12-31",
    ],
)
def test_a_strange_place_among_the_events_is_no_error(olu_client: Client, north: Agency, query: str):
    assert olu_client.get(f"/operator/events/?{query}").status_code == 200


def test_an_event_says_what_it_is_about(olu_client: Client, north: Agency, account: VendorAccount):
    Event.objects.record("vendor_account.changed", agency=north, about=account)

    for path in ("events/?kind=vendor_account.changed", f"agencies/{north.pk}/"):
        text = olu_client.get(f"/operator/{path}").content.decode()
        assert f'vendor account <span class="text-break">{account.pk}</span>' in text


def test_whatever_an_event_may_be_about_has_a_word():
    called_otherwise = {Agency, Customer, User}
    never = {Campaign, Event, SearchWord, VendorCall, Worker}
    ours = {*apps.get_app_config("accounts").get_models(), EmailAddress, Authenticator}
    models = ours - called_otherwise - never

    assert {type_of(model()) for model in models} <= OBJECTS.keys()


def test_an_event_names_the_person_whom_it_is_about(olu_client: Client, north: Agency, ada: User):
    zed = factories.staff(north, "zed@north.example", "support", first_name="Zed", last_name="Zulu")
    gone = factories.staff(north, "gone@north.example", "support")
    staff.suspend(zed, acting_user=ada)
    staff.suspend(gone, acting_user=ada)
    gone.delete()
    views_as.ask(north, person=zed, reason="look at it", acting_user=factories.operator("two@platform.example"))

    for path in ("events/?kind=staff.suspended", "events/?kind=view_as.asked", f"agencies/{north.pk}/"):
        text = olu_client.get(f"/operator/{path}").content.decode()
        assert "about Zed Zulu" in text, path
        assert "gone@" not in text
