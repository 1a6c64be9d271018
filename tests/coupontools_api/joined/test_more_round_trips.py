"""What the client reads without loss besides what `test_round_trips` has: groups, categories, messages, ways in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from pydantic import SecretStr

from coupontools_api.ids import CampaignId, DirectoryId, EventId, GroupId, SessionCode, SubaccountId, TeammateId
from coupontools_api.replies import Reply
from coupontools_api.subaccounts import Page
from tests.coupontools_api.joined.wires import (
    OWNER,
    Wire,
    any_text,
    clean,
    cleaned,
    moments,
    some_text,
    values,
    with_any,
)

names = st.lists(any_text, max_size=4)
session_codes = st.from_regex(r"\A[a-z0-9]{21}\Z")
phones = st.from_regex(r"\A\+[1-9][0-9]{5,14}\Z")
contacts = st.fixed_dictionaries(
    {"phone": any_text},
    optional=dict.fromkeys(("first_name", "last_name", "birthday", "customfield1", "customfield7"), any_text),
)


@with_any(names, names)
def test_groups(wire: Wire, sms: list[str], email: list[str]):
    records = wire.emptied().vendor.records
    made = {
        kind: [records.add(kind, OWNER, {"name": name}) for name in given]
        for kind, given in (("sms_group", sms), ("email_group", email))
    }

    found = {"sms_group": wire.client.messages.sms_groups(), "email_group": wire.client.messages.email_groups()}

    for kind, groups in found.items():
        assert [values(group) for group in groups] == [
            {"id": record.id, "name": clean(record.data["name"])} for record in made[kind]
        ]


@with_any(st.lists(contacts, max_size=4))
def test_contacts(wire: Wire, given: list[dict[str, str]]):
    records = wire.emptied().vendor.records
    group = records.add("sms_group", OWNER, {"name": "Regulars"})
    for contact in given:
        records.add("sms_contact", OWNER, contact, group.number)

    found = wire.client.messages.sms_contacts(GroupId(group.id))

    assert [values(contact) for contact in found] == [
        cleaned(contact, "phone", "first_name", "last_name") for contact in given
    ]
    assert [{name: text for name, text in contact.raw.items() if name != "ID"} for contact in found] == [
        {name: text.replace("\x00", "\ufffd") for name, text in contact.items()} for contact in given
    ]


@with_any(names, names)
def test_categories(wire: Wire, upper: list[str], third: list[str]):
    records = wire.emptied().vendor.records
    made = {
        kind: [records.add(kind, OWNER, {"name": name}) for name in given]
        for kind, given in (("category", upper), ("third_level_category", third))
    }

    directories = wire.client.directories
    found = {"category": directories.categories(), "third_level_category": directories.third_level_categories()}

    for kind, categories in found.items():
        assert [values(category) for category in categories] == [
            {"id": record.id, "name": clean(record.data["name"])} for record in made[kind]
        ]


@with_any(session_codes, some_text, moments)
def test_verifications(wire: Wire, session: str, kind: str, happened: str):
    vendor = wire.emptied().vendor
    campaign = vendor.campaigns.add(OWNER, {"name": "Bread"})
    event = vendor.campaigns.record_event(OWNER, campaign.number, session, kind)
    vendor.database.write("UPDATE event SET at = ? WHERE id = ?", happened, event.id)

    found = wire.client.webhooks.verify(EventId(event.id), SessionCode(session))

    assert values(found) == {
        "result": "valid",
        "event": event.id,
        "happened_at": datetime.fromisoformat(happened),
        "campaign": campaign.id,
        "session": session,
        "type": clean(kind),
    }


@with_any(phones, any_text, st.none() | some_text)
def test_messages_by_sms(wire: Wire, phone: str, message: str, sender: str | None):
    campaign = wire.emptied().vendor.campaigns.add(OWNER, {"name": "Bread"})

    sent = wire.client.messages.send_sms(CampaignId(campaign.id), phone=phone, message=message, sender=sender)

    (session,) = wire.vendor.campaigns.sessions(campaign.number, "created", "0", "9")
    assert values(sent) == {
        "action": "sms_sent",
        "campaign": campaign.id,
        "phone": phone,
        "message": clean(message),
        "single_use_code": session.code,
        "single_use_url": f"{wire.sandbox.url}/p/{campaign.code}/{session.code}",
    }


@with_any(st.emails(), st.none() | any_text, any_text, any_text)
def test_messages_by_email(wire: Wire, email: str, subject: str | None, first_name: str, last_name: str):
    vendor = wire.emptied().vendor
    campaign = vendor.campaigns.add(OWNER, {"name": "Bread"})
    directory = vendor.records.add("directory", OWNER, {"name": "Town", "status": "active", "created": "2026-01-01"})
    send = wire.client.messages.send_email

    sent = [
        send(about, email=email, subject=subject, first_name=first_name, last_name=last_name)
        for about in (CampaignId(campaign.id), DirectoryId(directory.id))
    ]

    assert [values(each) for each in sent] == [{"action": "email_sent"}] * 2
    (session,) = vendor.campaigns.sessions(campaign.number, "created", "0", "9")
    given = {"email": email, "firstname": first_name, "lastname": last_name}
    assert session.fields == {name: text.strip() for name, text in given.items() if text.strip()}


hosts = st.none() | st.from_regex(r"\A[a-z][a-z0-9-]{0,20}\.(test|example)\Z")
blanks = st.sampled_from(["absent", None, ""])


def shown(found: Reply) -> dict[str, Any]:
    """The fields of a model with its secrets in clear."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values(found).items()
    }


def links(wire: Wire, host: str | None, path: str) -> dict[str, str | None]:
    scheme = wire.sandbox.url.partition("://")[0]
    return {"url": wire.sandbox.url + path, "url_whitelabel": f"{scheme}://{host}{path}" if host else None}


def last_token(wire: Wire) -> str:
    row = wire.vendor.database.row("SELECT token FROM token ORDER BY rowid DESC LIMIT 1")
    assert row is not None
    return str(row["token"])


@with_any(hosts, blanks, st.booleans(), st.none() | st.sampled_from([*Page]))
def test_sign_ons(wire: Wire, host: str | None, blank: str | None, is_in_url: bool, page: Page | None):
    wire.emptied().sandbox.settings(whitelabel_blank=blank, token_in_url=is_in_url)
    wire.sandbox.add_account("north", "secret", whitelabel_host=host, teammates=["77"])
    subaccount = SubaccountId(wire.sandbox.add_subaccount("north", email="bo@bakery.test"))
    campaign = CampaignId(wire.sandbox.add_campaign(subaccount, name="Bread")) if page == Page.UPDATE_CAMPAIGN else None
    calls: list[tuple[Callable[[], Reply], dict[str, str]]] = [
        (lambda: wire.client.subaccounts.sign_on(subaccount, page=page, campaign=campaign), {"id": subaccount}),
        (lambda: wire.client.account.sign_on(), {}),
        (lambda: wire.client.teammates.sign_on(TeammateId(77), campaign=campaign), {}),
    ]

    for call, named in calls:
        found = call()

        token = last_token(wire)
        assert shown(found) == {
            **named,
            "token": token if is_in_url else token[::-1],
            **links(wire, host, f"/index.php?action=login&logintype=sso&token={token}"),
        }


@with_any(hosts, blanks)
def test_links_to_a_new_password(wire: Wire, host: str | None, blank: str | None):
    wire.emptied().sandbox.settings(whitelabel_blank=blank)
    wire.sandbox.add_account("north", "secret", whitelabel_host=host)
    subaccount = SubaccountId(wire.sandbox.add_subaccount("north", email="bo@bakery.test"))

    found = wire.client.subaccounts.password_reset_url(subaccount)

    assert shown(found) == {"id": subaccount, **links(wire, host, f"/reset?token={last_token(wire)}")}
