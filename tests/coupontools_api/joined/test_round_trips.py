"""Whatever the sandbox can hold, the client reads without loss: every field of every model, both ways of writing."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from coupontools_api.ids import CampaignId, DirectoryId, LoyaltyCardId, PlainId, SessionCode, SubaccountId
from coupontools_api.sandbox.campaign_store import Session
from tests.coupontools_api.joined.wires import (
    OWNER,
    PAGE,
    Wire,
    any_text,
    bits,
    clean,
    cleaned,
    counts,
    in_utc,
    maybe_moment,
    moment,
    moments,
    people,
    some_text,
    values,
    with_any,
)

campaigns = st.fixed_dictionaries(
    {"name": some_text, "status": some_text, "code": st.from_regex(r"\A[a-z]{6}\Z")},
    optional={
        **dict.fromkeys(("title", "subtitle", "description", "type", "category", "tags"), any_text),
        "expirydate": maybe_moment,
    },
)
sessions = st.builds(
    Session,
    code=st.from_regex(r"\A[a-z0-9]{21}\Z"),
    campaign=st.just(0),
    sequence=st.integers(1, 10**15),
    created=moments,
    opened=maybe_moment,
    claimed=maybe_moment,
    validated=maybe_moment,
    voided=maybe_moment,
    fields=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("played", "saved_to_passbook", "locked"), bits),
            **dict.fromkeys(("claimtype", "validation_value", "value", "own_validation_code", "customid"), any_text),
        },
    ),
)
cards = st.fixed_dictionaries(
    {**dict.fromkeys(("code", "name", "type", "domain", "status"), any_text), "created": moments}
)
memberships = st.fixed_dictionaries({"points": counts, "stamps": counts, "voided": st.booleans(), "created": moments})
directories = st.fixed_dictionaries({"name": any_text, "status": any_text, "created": moments})
visitors = st.fixed_dictionaries({**people, "payment_status": any_text, "blocked": st.booleans(), "created": moments})


@with_any(campaigns)
def test_campaigns(wire: Wire, fields: dict[str, str]):
    campaign = wire.emptied().vendor.campaigns.add(OWNER, fields)

    (listed,) = wire.client.campaigns.list()

    assert values(listed) == {
        "id": campaign.id,
        **cleaned(fields, "code", "name", "subtitle", "description", "status"),
        "title": clean(fields.get("title", fields["name"])),
        "type": clean(fields.get("type", "coupon")),
        "url": f"{wire.sandbox.url}/p/{fields['code']}",
        "expires_at": moment(fields.get("expirydate", "")),
        "category_name": clean(fields.get("category", "")),
        "tags": clean(fields.get("tags", "")),
        "image": "",
    }
    assert wire.client.campaigns.get(CampaignId(campaign.id)) == listed


def status_of(session: Session) -> dict[str, Any]:
    played, saved, locked = (session.field(name) == "1" for name in ("played", "saved_to_passbook", "locked"))
    return {
        "created_at": in_utc(session.created),
        "opened_at": in_utc(session.opened),
        "played_at": in_utc(session.opened) if played else None,
        "claimed_at": in_utc(session.claimed),
        "validated_at": in_utc(session.validated),
        "voided_at": in_utc(session.voided),
        "is_opened": session.opened != "",
        "is_played": played,
        "is_claimed": session.claimed != "",
        "is_saved_to_wallet": saved,
        "is_locked": locked,
        "claim_type": clean(session.field("claimtype")),
        **cleaned(session.fields or {}, "validation_value", "value", "own_validation_code"),
    }


@with_any(st.lists(sessions, max_size=2 * PAGE + 1, unique_by=(lambda each: each.code, lambda each: each.sequence)))
def test_sessions(wire: Wire, made: list[Session]):
    campaign = wire.emptied().vendor.campaigns.add(OWNER, {"name": "Bread"})
    kept = sorted(
        (Session(**{**vars(session), "campaign": campaign.number}) for session in made),
        key=lambda session: session.sequence,
    )
    wire.vendor.campaigns.save(*kept)
    id_ = CampaignId(campaign.id)
    lists = {
        "created": wire.client.campaigns.usage(id_),
        "opened": wire.client.campaigns.opens(id_),
        "claimed": wire.client.campaigns.claims(id_),
        "validated": wire.client.campaigns.validations(id_),
    }

    for name, found in lists.items():
        reached = [session for session in kept if getattr(session, name)]
        assert [(line.session, line.sequence_id, values(line.status)) for line in found] == [
            (session.code, session.sequence, status_of(session)) for session in reached
        ]
    for session in kept:
        whole = wire.client.sessions.get(SessionCode(session.code))
        assert values(whole.status) == status_of(session)
        assert {name: value for name, value in values(whole).items() if name != "data"} == {
            "session": session.code,
            "campaign": campaign.id,
            "url": f"{wire.sandbox.url}/p/{campaign.code}/{session.code}",
            "sequence_id": session.sequence,
            "custom_id": clean(session.field("customid")),
        }


@with_any(cards, st.lists(st.tuples(st.fixed_dictionaries(people), memberships), max_size=4))
def test_loyalty_cards_and_their_users(wire: Wire, fields: dict[str, str], members: list[tuple[Any, Any]]):
    records = wire.emptied().vendor.records
    card = records.add("card", OWNER, fields)
    expected: list[tuple[str, dict[str, Any]]] = []
    for person, held in members:
        user = records.add("card_user", OWNER, person)
        records.add("membership", OWNER, {**held, "user": user.number}, card.number)
        read = {name: held[name] for name in ("points", "stamps")} | {"is_voided": held["voided"]}
        expected.append((user.id, cleaned(person, *people) | read))

    (listed,) = wire.client.loyalty.list()
    (rest,) = wire.client.loyalty.v4.list()
    number, users_v4 = (
        PlainId(card.number),
        list(wire.client.loyalty.v4.users(PlainId(card.number), include_voided=True)),
    )

    assert values(listed) == {"id": wire.shown(card.id), **cleaned(fields, "code", "name", "type", "status")}
    assert wire.client.loyalty.get(listed.id) == listed
    assert values(rest) == {"id": number, **cleaned(fields, "code", "name", "domain", "type")}
    assert [values(user) for user in wire.client.loyalty.users(LoyaltyCardId(card.id))] == [
        {"id": wire.shown(id_), **read} for id_, read in expected
    ]
    assert [values(user) for user in users_v4] == [
        {"id": int(id_.rpartition("_")[2]), **read} for id_, read in expected
    ]
    assert [wire.client.loyalty.v4.user(number, user.id) for user in users_v4] == users_v4


@with_any(directories, st.lists(visitors, max_size=2 * PAGE + 1))
def test_directories_and_their_users(wire: Wire, fields: dict[str, str], registered: list[dict[str, Any]]):
    records = wire.emptied().vendor.records
    directory = records.add("directory", OWNER, fields)
    users = [records.add("directory_user", OWNER, data, directory.number) for data in registered]
    users.sort(key=lambda user: (user.data["created"], user.number), reverse=True)

    (listed,) = wire.client.directories.list()
    (rest,) = wire.client.directories.v4.list()
    users_v4 = list(wire.client.directories.v4.users(rest.id))

    assert values(listed) == {"id": directory.id, "name": clean(fields["name"]), "code": "", "url": ""}
    assert wire.client.directories.get(listed.id) == listed
    assert values(rest) == {"id": directory.number, "name": clean(fields["name"])}
    assert wire.client.directories.v4.get(rest.id) == rest
    assert [values(user) for user in wire.client.directories.users(DirectoryId(directory.id))] == [
        {
            "id": user.id,
            **cleaned(user.data, *people, "payment_status"),
            "created_at": in_utc(user.data["created"]),
        }
        for user in users
    ]
    assert [values(user) for user in users_v4] == [
        {
            "id": user.number,
            **cleaned(user.data, *people),
            "created_at": moment(user.data["created"]),
            "is_blocked": user.data["blocked"],
        }
        for user in users
    ]
    assert [wire.client.directories.v4.user(rest.id, user.id) for user in users_v4] == users_v4


PRELOADED = {"first_name": "firstname", "last_name": "lastname", "phone": "phone", "custom_id": "customid"}


@with_any(
    st.fixed_dictionaries({}, optional=dict.fromkeys(PRELOADED, any_text) | {"validation_code": any_text}),
    st.lists(any_text, max_size=7),
    st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda when: when.replace(microsecond=0)),
)
def test_single_use_links(wire: Wire, given_texts: dict[str, str], custom: list[str], expires_at: datetime | None):
    campaign = wire.emptied().vendor.campaigns.add(OWNER, {"name": "Bread"})

    link = wire.client.single_use.create(
        CampaignId(campaign.id),
        custom_fields=custom,
        expires_at=expires_at,
        **given_texts,
    )

    (session,) = wire.vendor.campaigns.sessions(campaign.number, "created", "0", "9")
    texts = {wired: given_texts.get(name, "") for name, wired in PRELOADED.items()}
    texts |= {"own_validation_code": given_texts.get("validation_code", "")}
    texts |= {f"customfield{number}": text for number, text in enumerate(custom, 1)}
    texts |= {"expiry_date": f"{expires_at:%Y-%m-%d %H:%M:%S}" if expires_at else ""}
    assert session.fields == {name: text.strip() for name, text in texts.items() if text.strip()}
    assert values(link) == {
        "code": session.code,
        "url": f"{wire.sandbox.url}/p/{campaign.code}/{session.code}",
        "campaign": campaign.id,
        "action": "single_use_code_created",
        "sequence_id": None,
        "widget_validation_code": session.code[:6],
        "custom_validation_code": clean(session.field("own_validation_code")),
        "custom_id": clean(session.field("customid")),
    }


subaccount_fields = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("first_name", "last_name", "company_name", "language", "currency", "webhook_endpoint"), any_text
        ),
        "expiry_date": st.dates(datetime(2000, 1, 1).date(), datetime(2100, 1, 1).date()).map(str) | st.just(""),
    },
)


@with_any(st.emails(), subaccount_fields, campaigns)
def test_subaccounts(wire: Wire, email: str, fields: dict[str, str], campaign: dict[str, str]):
    subaccount = wire.emptied().sandbox.add_subaccount("north", email=email, **fields)
    made = wire.vendor.campaigns.add(subaccount, campaign)

    found = wire.client.subaccounts.get(SubaccountId(subaccount))

    (whole,), (brief,) = wire.client.subaccounts.list(), wire.client.subaccounts.list(brief=True)
    assert (whole.id, whole.email) == (brief.id, brief.email) == (subaccount, email)
    expiry = fields.get("expiry_date", "")
    assert {name: value for name, value in values(found).items() if name != "campaigns"} == {
        "id": subaccount,
        "email": email,
        "username": email,
        **cleaned(fields, "first_name", "last_name", "company_name", "webhook_endpoint"),
        "language": clean(fields.get("language", "en")),
        "currency": clean(fields.get("currency", "EUR")),
        "expiry_date": datetime.fromisoformat(expiry).date() if expiry else None,
        "last_login": None,
        "logins": 0,
        "max_campaigns": 10,
        "available_campaigns": "all",
        "access_dashboard": True,
        "access_directory": False,
        "key_pair": None,
    }
    assert [values(row) for row in found.campaigns] == [
        {"id": made.id, "name": "", "url": f"{wire.sandbox.url}/p/{made.code}", **cleaned(campaign, "code", "status")}
    ]
