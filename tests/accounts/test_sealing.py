"""Sealing keys are changed while everything runs; no sealed column is forgotten."""

import base64
import re
import threading
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections

from accounts import sealing
from accounts.crypto import reseal, seal, unseal
from accounts.models import Agency, Credential, Event, Job, Subaccount, User
from accounts.personal_data import TABLES

# Columns that are never shown and hold no sealed value: hashes, and what Django and allauth keep of sessions.
OTHERWISE_SAFE = {
    "accounts.User.password",
    "account.EmailConfirmation.key",  # stays empty: addresses are proven by codes
    "usersessions.UserSession.session_key",
    "sessions.Session.session_key",
    "sessions.Session.session_data",
    "accounts.Invitation.token_hash",
    "accounts.ViewAs.token_hash",
    "accounts.Credential.fingerprint",
}
SEALED = re.compile(r"gAAAAA[\w-]{50,}")


def new_key() -> str:
    return Fernet.generate_key().decode()


def rotate(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_sealing_keys", *arguments, stdout=out)
    return out.getvalue()


def second_factor_of(person: User) -> tuple[str, list[str]]:
    seed = base64.b32encode(b"twenty bytes of seed").decode()
    TOTP.activate(person, seed)
    return seed, RecoveryCodes.activate(person).get_unused_codes()


@pytest.fixture
def _filled(north: Agency, bo: User, bos_subaccount: Subaccount) -> None:
    """Something in every place."""
    second_factor_of(bo)
    Job.objects.create(kind=Job.Kind.MAIL, agency=north, sealed_secret=seal("a code"))
    Subaccount.objects.for_agency(north).filter(pk=bos_subaccount.pk).update(sealed_keys=seal("key:secret"))


def test_every_column_that_is_never_shown_is_sealed_or_known_to_be_safe_otherwise():
    never_shown = {f"{label}.{column}" for label, table in TABLES.items() for column in table.never_shown.split()}

    assert never_shown - OTHERWISE_SAFE == {str(place) for place in sealing.places()}


@pytest.mark.django_db
@pytest.mark.usefixtures("_filled")
def test_no_table_holds_a_sealed_value_in_another_place():
    """Read from the tables themselves, so that what a library seals somewhere new is seen, too."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        columns = [field.column for field in model._meta.concrete_fields]
        with connection.cursor() as cursor:
            names = ", ".join(connection.ops.quote_name(column) for column in columns)
            cursor.execute(f"SELECT {names} FROM {connection.ops.quote_name(model._meta.db_table)}")
            for row in cursor.fetchall():
                found |= {
                    f"{model._meta.label}.{column}"
                    for column, value in zip(columns, row, strict=True)
                    if SEALED.search(str(value))
                }

    assert found == {str(place) for place in sealing.places()}


@pytest.mark.django_db
def test_a_new_key_takes_over_and_the_old_one_can_go(north: Agency, bo: User, settings: Any):
    seed, codes = second_factor_of(bo)
    Job.objects.create(kind=Job.Kind.MAIL, agency=north, sealed_secret=seal("a code"))
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]

    with pytest.raises(CommandError, match="An older key is still needed: 8 left"):
        rotate("--check")
    said = rotate()
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]

    assert "accounts.Credential.sealed_client_secret: 2 with the first key, 0 with an older one" in said
    assert "the others may be removed" in rotate("--check")
    credential = Credential.objects.get(vendor_account__agency=north)
    assert (credential.client_id, credential.client_secret) == ("north-id", "north-secret")
    assert unseal(Job.objects.for_agency(north).latest("pk").sealed_secret) == "a code"
    totp, recovery = Authenticator.objects.filter(user=bo).order_by("pk")
    assert unseal(totp.data["secret"]) == seed
    assert RecoveryCodes(recovery).get_unused_codes() == codes
    rotated = Event.objects.across_agencies().filter(kind="sealing.rotated")
    assert {event.data["column"]: event.data["rows"] for event in rotated} == {
        # With those of the agency next door.
        "accounts.Credential.sealed_client_id": 2,
        "accounts.Credential.sealed_client_secret": 2,
        "accounts.Subaccount.sealed_keys": 1,
        "accounts.Job.sealed_secret": 1,
        "mfa.Authenticator.data": 2,
    }


@pytest.mark.django_db
def test_a_second_time_changes_nothing(north: Agency, settings: Any):
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]
    rotate()
    before = Credential.objects.values().get(vendor_account__agency=north)

    rotate()

    assert Credential.objects.values().get(vendor_account__agency=north) == before
    assert Event.objects.across_agencies().filter(kind="sealing.rotated").count() == 3


@pytest.mark.django_db
def test_codes_of_another_program_are_sealed_anew_one_by_one(bo: User, settings: Any):
    """allauth keeps recovery codes that were taken over as a list."""
    moved = Authenticator.objects.create(
        user=bo, type=Authenticator.Type.RECOVERY_CODES, data={"migrated_codes": [seal("one"), seal("two")]}
    )
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]

    rotate()

    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    moved.refresh_from_db()
    assert [unseal(code) for code in moved.data["migrated_codes"]] == ["one", "two"]


@pytest.mark.django_db
def test_a_name_of_a_passkey_is_left_alone_whatever_it_looks_like(bo: User, settings: Any):
    named = {"name": seal("not ours"), "credential": {}}
    passkey = Authenticator.objects.create(user=bo, type=Authenticator.Type.WEBAUTHN, data=named)
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]

    assert "Nothing is left" in rotate()
    passkey.refresh_from_db()
    assert passkey.data == named


@pytest.mark.django_db
def test_what_opens_with_no_key_is_named_and_kept(north: Agency, south: Agency, settings: Any):
    lost = Credential.objects.get(vendor_account__agency=south)
    Credential.objects.filter(pk=lost.pk).update(sealed_client_id=Fernet(new_key()).encrypt(b"lost").decode())
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]
    out = StringIO()

    with pytest.raises(CommandError, match="1 secrets open with no key"):
        call_command("rotate_sealing_keys", stdout=out)

    assert f"open with no key: {lost.pk}\n" in out.getvalue()
    assert Credential.objects.get(pk=lost.pk).sealed_client_id != ""
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    assert Credential.objects.get(vendor_account__agency=north).client_id == "north-id"


@pytest.mark.django_db
def test_work_is_done_in_batches(north: Agency, settings: Any):
    Job.objects.bulk_create(Job(kind=Job.Kind.MAIL, agency=north, sealed_secret=seal(str(n))) for n in range(7))
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]
    [place] = [place for place in sealing.places() if place.model is Job]
    told: list[int] = []

    assert sealing.rotate(place, batch=3, progress=told.append) == 7

    assert told == [3, 6, 7]
    assert sealing.standing(place) == sealing.Standing(current=7, old=0, unreadable=[])


@pytest.mark.django_db(transaction=True)
def test_what_is_written_meanwhile_is_not_overwritten(north: Agency, settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.SEALING_KEYS = [new_key(), *settings.SEALING_KEYS]
    row = Credential.objects.get(vendor_account__agency=north)

    def somebody_stores_another() -> None:
        Credential.objects.filter(pk=row.pk).update(sealed_client_secret=seal("a newer secret"))
        connections.close_all()

    writer = threading.Thread(target=somebody_stores_another)

    seen: list[str] = []

    def reseal_while_it_is_written(sealed: str) -> str:
        seen.append(sealed)
        if seen.count(row.sealed_client_secret) == 3:  # looked at, looked at behind the lock, and about to be written
            writer.start()
            writer.join(timeout=0.5)  # time enough for it, if nothing held it back
        return reseal(sealed)

    monkeypatch.setattr(sealing, "reseal", reseal_while_it_is_written)
    [place] = [place for place in sealing.places() if place.column == "sealed_client_secret"]
    sealing.rotate(place)
    writer.join()

    row.refresh_from_db()
    assert row.client_secret == "a newer secret"
