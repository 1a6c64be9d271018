"""A canary in every column that is classified as personal, and a look for them everywhere."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts import search
from accounts.crypto import seal
from accounts.models import Campaign, Customer, Event, Invitation, Job, Note, Subaccount, User

SECRETS = ("canary-confirmation-key", "canary-seed", "canary-vendor-key", "canary-token", "canary-session")


def moment(number: int) -> datetime:
    return datetime(2001, 2, 3, 4, 5, number, tzinfo=UTC)


def plant(person: User, customer: Customer) -> dict[tuple[str, str], str]:
    """Fills every personal column of a person who owns a customer. What stands where, by table and column."""
    agency, address = customer.agency, "canary-bo@canary.example"
    User.objects.filter(pk=person.pk).update(
        first_name="canary-first",
        last_name="canary-last",
        email=address,
        username=f"{person.scope}:{address}",
        language="x-can",
        teammate_id="canary-mate",
        last_login=moment(1),
        date_joined=moment(2),
    )
    EmailAddress.objects.filter(user=person).update(email=address)
    second = EmailAddress.objects.create(user=person, email="canary-second@canary.example", verified=False)
    EmailConfirmation.objects.create(email_address=second, key=SECRETS[0])
    Authenticator.objects.create(user=person, type="webauthn", data={"name": "canary-passkey", "credential": {}})
    Authenticator.objects.create(user=person, type="totp", data={"secret": seal(SECRETS[1])})
    UserSession.objects.create(
        user=person,
        ip="203.0.113.77",
        user_agent="canary-browser",
        session_key=SECRETS[4],
        created_at=moment(3),
        last_seen_at=moment(4),
        data={"canary": "canary-data"},
    )
    _half_way_in(address)
    Customer.objects.for_agency(agency).filter(pk=customer.pk).update(
        company_name="canary-company",
        first_name="canary-contact-first",
        last_name="canary-contact-last",
        email="canary-company@canary.example",
        message="canary-message",
    )
    Subaccount.objects.for_agency(agency).filter(customer=customer).update(
        email="canary-sub@canary.example", facts={"company_name": "canary-fact"}, sealed_keys=seal(SECRETS[2])
    )
    Campaign.objects.create(
        subaccount=customer.subaccount,
        vendor_id="cam_77",
        name="canary-campaign",
        code="canary-code",
        url="https://canary-url.example/",
        seen_at=timezone.now(),
    )
    search.index(Customer.objects.for_agency(agency).get(pk=customer.pk))
    Invitation.objects.create(
        agency=agency,
        email=address,
        customer=customer,
        member_role="viewer",
        token_hash=SECRETS[3],
        expires_at=timezone.now() + timedelta(days=1),
    )
    Invitation.objects.create(
        agency=agency,
        email="canary-guest@canary.example",
        customer=customer,
        member_role="viewer",
        invited_by_id=person.pk,
        token_hash="x",
        expires_at=timezone.now() + timedelta(days=1),
    )
    for done_at in (None, timezone.now()):
        Job.objects.create(
            agency=agency,
            kind="mail",
            payload={"mail": "invitation", "to": address, "invited_to": "canary-payload"},
            done_at=done_at,
        )
    Job.objects.create(
        agency=agency, kind="mail", payload={"mail": "x", "to": "y@y.example", "deleted_email": address}, run_at=None
    )
    Note.objects.create(agency=agency, customer=customer, text="canary-note")
    reset = Event.objects.record("staff.second_factor_reset", agency=agency, about=person)
    Note.objects.create(agency=agency, text="canary-reason", event=reset)
    LogEntry.objects.create(user=person, action_flag=1, object_repr="canary-repr", change_message="canary-change")
    return {
        **{("accounts.User", column): value for column, value in _of_person(address).items()},
        ("account.EmailAddress", "email"): "canary-second@canary.example",
        ("usersessions.UserSession", "ip"): "203.0.113.77",
        ("usersessions.UserSession", "user_agent"): "canary-browser",
        ("usersessions.UserSession", "created_at"): moment(3).isoformat(),
        ("usersessions.UserSession", "last_seen_at"): moment(4).isoformat(),
        ("usersessions.UserSession", "data"): "canary-data",
        ("accounts.Invitation", "email"): address,
        ("admin.LogEntry", "object_repr"): "canary-repr",
        ("admin.LogEntry", "change_message"): "canary-change",
        ("accounts.Customer", "company_name"): "canary-company",
        ("accounts.Customer", "first_name"): "canary-contact-first",
        ("accounts.Customer", "last_name"): "canary-contact-last",
        ("accounts.Customer", "email"): "canary-company@canary.example",
        ("accounts.Customer", "message"): "canary-message",
        ("accounts.Subaccount", "email"): "canary-sub@canary.example",
        ("accounts.Subaccount", "facts"): "canary-fact",
        ("accounts.Campaign", "name"): "canary-campaign",
        ("accounts.Campaign", "code"): "canary-code",
        ("accounts.Campaign", "url"): "canary-url",
        ("accounts.SearchWord", "word"): "canary-contact-last",
        ("accounts.Note", "text"): "canary-note",
        ("accounts.Job", "payload"): "canary-payload",
    }


def _of_person(address: str) -> dict[str, str]:
    return {
        "first_name": "canary-first",
        "last_name": "canary-last",
        "email": address,
        "username": f":{address}",
        "language": "x-can",
        "teammate_id": "canary-mate",
        "last_login": moment(1).isoformat(),
        "date_joined": moment(2).isoformat(),
    }


def _half_way_in(address: str) -> None:
    """A session of somebody who did not type the code yet: it holds the address."""
    session = SessionStore()
    session["account_email_verification_code"] = {"email": address, "code": "x"}
    session.save()


def everything() -> str:
    """Every table of the database as text, sessions also opened, and the cache."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            texts += [f"{table} {' '.join(_text(value) for value in row)}" for row in cursor.fetchall()]
    texts += [json.dumps(session.get_decoded(), default=str) for session in Session.objects.all()]
    texts += [f"{key} {value!r}" for key, value in getattr(cache, "_cache", {}).items()]
    return "\n".join(texts)


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
