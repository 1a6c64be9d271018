"""The operator's commands."""

import doctest
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.core.management import CommandError, call_command

from accounts import brand_colours, demo_data, jobs, vendor_accounts
from accounts.crypto import CannotOpen, seal, unseal
from accounts.models import Agency, Credential, Customer, Host, Package, State, Subaccount, User, VendorAccount
from tests import factories

pytestmark = pytest.mark.django_db


def create_agency(**changes: Any) -> str:
    out = StringIO()
    options = {
        "name": "East",
        "host": "East.localhost",
        "owner": "eve@east.example",
        "client_id": "east-id",
        "client_secret_env": "EAST_SECRET",
        "package": ["pac_7:Basic:19.50:usd:30", "pac_8:Free"],
    } | changes
    call_command("create_agency", stdout=out, **options)
    return out.getvalue()


def test_an_agency_is_made_and_its_owner_invited(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EAST_SECRET", "east-secret")

    said = create_agency()
    while jobs.run():
        pass

    agency = Agency.objects.get(name="East")
    packages = list(Package.objects.for_agency(agency).on_offer())
    assert agency.canonical_host == "east.localhost"
    assert [(p.vendor_package_id, p.name, str(p.price), p.currency, p.trial_days) for p in packages] == [
        ("pac_7", "Basic", "19.50", "USD", 30),
        ("pac_8", "Free", "None", "EUR", 0),
    ]
    credential = VendorAccount.objects.get(agency=agency).active_credential
    assert (credential.client_id, credential.client_secret) == ("east-id", "east-secret")
    assert "east-secret" not in credential.sealed_client_secret + said
    assert mail.outbox[0].to == ["eve@east.example"]
    assert "http://east.localhost:8000/invitation/" in mail.outbox[0].body


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"package": ["pac_7"]}, "expected pac_1:Name"),
        ({"package": ["pac_000:Starter"]}, "expected pac_1:Name"),
        ({"package": ["pac_7:Basic:much"]}, "must be numbers"),
        ({"client_secret_env": "UNSET_VARIABLE"}, "--client-secret-env"),
        ({"host": "not a host"}, "valid value"),
        ({"host": "north.localhost"}, "already in use"),
        ({"client_id": "north-id"}, "already in use here"),
    ],
)
def test_bad_input_makes_nothing_and_says_why(
    changes: dict[str, Any], says: str, north: Agency, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("EAST_SECRET", "east-secret")

    with pytest.raises(CommandError, match=says):
        create_agency(**changes)

    assert not Agency.objects.filter(name="East").exists()
    assert Credential.objects.exclude(vendor_account__agency__name="Next Door").count() == 1


def test_credentials_can_be_connected_later(north: Agency, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET", "a-newer-secret")

    out = StringIO()
    call_command("connect_vendor", host="north.localhost", client_id="north-id", client_secret_env="SECRET", stdout=out)

    assert "North is connected" in out.getvalue()
    assert VendorAccount.objects.get(agency=north).active_credential.client_secret == "a-newer-secret"
    for changes, says in (({"host": "x.example"}, "no agency"), ({"client_secret_env": "UNSET"}, "is not set")):
        options = {"host": "north.localhost", "client_id": "north-id", "client_secret_env": "SECRET"} | changes
        with pytest.raises(CommandError, match=says):
            call_command("connect_vendor", **options)


@pytest.mark.parametrize("pairs", [1, 2])
def test_an_agency_enters_its_credentials_again_when_the_sealing_key_is_lost(
    pairs: int, north: Agency, ada: User, bos_company: Customer, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SECRET", "a-newer-secret")
    factories.activate(bos_company, None)
    if pairs == 2:  # of one client id: the one in use has no fingerprint of its own
        second = vendor_accounts.store(north, client_id="north-id", client_secret="a-second-secret", acting_user=ada)
        VendorAccount.objects.filter(agency=north).update(active_credential=second)
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    options = {"host": "north.localhost", "client_id": "north-id", "client_secret_env": "SECRET"}
    with pytest.raises(CommandError, match="not the one in use"):
        call_command("connect_vendor", **options | {"client_id": "another-id"})
    call_command("connect_vendor", **options, stdout=StringIO())

    credential = VendorAccount.objects.get(agency=north).active_credential
    assert (credential.client_id, credential.client_secret) == ("north-id", "a-newer-secret")


def test_an_operator_is_made_with_a_decent_password(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOOD", "oven window bicycle")
    monkeypatch.setenv("BAD", "short")

    call_command("create_operator", "olu@platform.example", password_env="GOOD", stdout=StringIO())
    with pytest.raises(CommandError, match="5 characters"):
        call_command("create_operator", "second@platform.example", password_env="BAD")
    with pytest.raises(CommandError, match="already"):
        call_command("create_operator", "OLU@platform.example", password_env="GOOD")

    assert User.objects.get().is_operator


def test_a_sealing_key_can_be_rotated(settings: Any):
    out = StringIO()
    call_command("make_sealing_key", stdout=out)
    sealed = seal("a secret")
    settings.SEALING_KEYS = [out.getvalue().strip(), *settings.SEALING_KEYS]

    assert unseal(sealed) == "a secret"
    assert unseal(seal("newer")) == "newer"
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    with pytest.raises(CannotOpen):
        unseal(sealed)


def test_the_demo_has_customers_in_every_state():
    assert demo_data.seed() is True
    assert demo_data.seed() is False

    north = Host.objects.get(name="northlight.localhost").agency
    states = set(Subaccount.objects.for_agency(north).values_list("state", flat=True))
    assert states == set(State)
    assert Customer.objects.for_agency(north).exclude(paused_at=None).count() == 1
    assert User.objects.filter(email="bo@devries.example").count() == 2


def test_the_brand_rule_holds_for_its_examples():
    assert doctest.testmod(brand_colours).failed == 0


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#ffc629", "#0f5f5c", "#ff0000", "#00ff00", "#0000ff", "#808080"]
)
def test_every_colour_becomes_readable(colour: str):
    made = brand_colours.palette(colour)

    assert brand_colours.contrast(made["ink"], made["fill"]) >= 4.5
    assert brand_colours.contrast(made["accent"], "#ffffff") >= 4.5
    assert brand_colours.contrast(made["dark_ink"], made["dark_fill"]) >= 4.5
    assert brand_colours.contrast(made["dark_accent"], "#22262e") >= 4.5
