"""The form that a customer signs up with: what it takes, what it refuses and why, and what is kept of it."""

from typing import Any

import pytest

from accounts.models import Agency, User
from tests.factories import sign_up_form

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "has 5 characters"),
        ("password1234", "too common"),
        ("kim@shop.example", "is your e-mail address"),
        ("a" * 1001, "1,000 characters or fewer"),
    ],
)
def test_a_weak_password_is_refused_with_a_reason(password: str, says: str, north: Agency, client_for: Any):
    answer = client_for(north).post("/account/signup/", sign_up_form(north, password1=password))

    assert answer.status_code == 200
    assert says in answer.text.replace("&#x27;", "'")
    assert 'value="Kim&#x27;s Kiosk"' in answer.text, "what was typed is kept"
    assert not User.objects.filter(agency=north, email="kim@shop.example").exists()


@pytest.mark.parametrize("password", ["oven window bicycle", "é" * 12, "x7" * 32, "passphrase with spaces"])
def test_a_long_password_is_accepted_without_rules_of_composition(password: str, north: Agency, client_for: Any):
    assert client_for(north).post("/account/signup/", sign_up_form(north, password1=password)).status_code == 302


@pytest.mark.parametrize("package", ["", "nonsense", "00000000-0000-0000-0000-000000000007"])
def test_a_package_that_is_not_on_offer_is_refused(package: str, north: Agency, client_for: Any):
    answer = client_for(north).post("/account/signup/", sign_up_form(north, package=package))

    assert answer.status_code == 200
    assert not User.objects.filter(agency=north).exists()
    assert "Select a valid choice" not in answer.text
    assert ("This package is no longer offered" in answer.text) == bool(package)


def test_a_package_of_another_agency_is_refused(north: Agency, south: Agency, client_for: Any):
    answer = client_for(north).post(
        "/account/signup/", sign_up_form(north, package=str(south.packages.first().public_id))
    )

    assert answer.status_code == 200
    assert not User.objects.filter(agency=north).exists()


def test_consent_is_kept_with_the_terms_that_were_linked(north: Agency, client_for: Any):
    page = client_for(north).get("/account/signup/")
    client_for(north).post("/account/signup/", sign_up_form(north))

    customer = north.customers.get()
    assert "https://north.example/terms" in page.text
    assert customer.terms_accepted_at is not None
    assert customer.terms_url == "https://north.example/terms"


def test_sign_ups_from_one_network_are_limited(north: Agency, client_for: Any, settings: Any):
    settings.LIMIT_SIGN_UP = "2/3600"

    statuses = [
        client_for(north).post("/account/signup/", sign_up_form(north, email=f"n{n}@shop.example")).status_code
        for n in range(3)
    ]

    assert statuses == [302, 302, 429]
