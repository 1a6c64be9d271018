"""What is refused before any call, and what a reply may look like and still be read."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coupontools_api import campaigns, errors, ids
from coupontools_api.campaigns import Campaign
from coupontools_api.client import Coupontools
from coupontools_api.replies import Reply
from coupontools_api.sessions import GET, Session, SessionLine
from coupontools_api.single_use import AutomaticCode
from coupontools_api.subaccounts import SubaccountDetails
from tests.coupontools_api.calls_rpc import CARD, GROUP
from tests.coupontools_api.rows import CAMPAIGN, PLAIN, SESSION, SUBACCOUNT
from tests.coupontools_api.scripted import Vendor, answers

BAD: list[Any] = ["", " ", "1 ", "１", None, [], True, "0", "-1", "1.0", "a b", "../1", "sub_1\n", "cam_"]
KINDS = [
    kind
    for kind in vars(ids).values()
    if isinstance(kind, type) and issubclass(kind, ids.VendorId | ids.PlainId) and kind is not ids.VendorId
]
REFUSED: dict[str, Callable[[Coupontools], Any]] = {
    "a foreign id": lambda client: client.campaigns.get("sub_1"),
    "a subaccount as a card": lambda client: client.loyalty.push_all(SUBACCOUNT, message="Hi"),
    "a text of a subaccount as a card": lambda client: client.loyalty.users(str(SUBACCOUNT)),
    "a card as its holder": lambda client: client.loyalty.push(CARD, user=CARD, message="Hi"),
    "a campaign as a folder": lambda client: client.campaigns.list(folder=str(CAMPAIGN)),
    "a blank id": lambda client: client.subaccounts.sign_on(""),
    "a REST id with a prefix": lambda client: client.directories.v4.get("dir_1"),
    "a path as a REST id": lambda client: client.directories.v4.get("1/users"),
    "a page that is none": lambda client: client.subaccounts.sign_on(ids.SubaccountId(1), page="settings"),
    "a status that is none": lambda client: client.subaccounts.create(email="a@b.c", password="p", status="paid"),
    "no links": lambda client: client.single_use.create_many(CAMPAIGN, amount=0),
    "too many links": lambda client: client.single_use.create_many(CAMPAIGN, amount=100_001),
    "a short code": lambda client: client.single_use.create_many(CAMPAIGN, code_length=9),
    "two kinds of code": lambda client: client.single_use.create(
        CAMPAIGN, validation_code="x", automatic_code=AutomaticCode.SIX_DIGITS
    ),
    "a link's end in UTC": lambda client: client.single_use.create(
        CAMPAIGN, expires_at=datetime(2026, 1, 1, tzinfo=UTC)
    ),
    "eight custom fields": lambda client: client.messages.add_sms_contact(GROUP, phone="1", custom_fields=["x"] * 8),
    "a long id of one's own": lambda client: client.single_use.create(CAMPAIGN, custom_id="x" * 51),
    "a long custom field": lambda client: client.single_use.create(CAMPAIGN, custom_fields=["x", "y" * 51]),
    "a long code": lambda client: client.single_use.create(CAMPAIGN, validation_code="x" * 101),
    "an unknown utm": lambda client: client.single_use.create(CAMPAIGN, utm={"bogus": "1"}),
    "a long name": lambda client: client.loyalty.v4.copy(PLAIN, name="x" * 51),
    "a tag with a comma": lambda client: client.campaigns.list(tags=["a,b"]),
    "a short search": lambda client: client.loyalty.search_users(CARD, "ab"),
    "an empty search": lambda client: client.sessions.search(" "),
    "no session at all": lambda client: client.sessions.update_many([]),
    "nobody to create": lambda client: client.loyalty.v4.create_users(PLAIN, []),
    "no stamps": lambda client: client.loyalty.v4.add_stamps(PLAIN, PLAIN, amount=0),
    "access without a time zone": lambda client: client.directories.v4.grant_access(
        PLAIN, PLAIN, expires_at=datetime(2026, 1, 1)
    ),
    # Left as it is written: a line a case, to be read as a table.
}  # a line each is read best  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_before_any_call(name: str, bold: Coupontools, script: Vendor):
    with pytest.raises(ValueError, match=r"\w"):
        REFUSED[name](bold)

    assert script.requests == []


@pytest.mark.parametrize(
    ("ask", "sent"),
    [
        (
            lambda client: client.single_use.create(
                CAMPAIGN, custom_id="x" * 50, custom_fields=["y" * 50], validation_code="z" * 100, utm={"term": "t"}
            ),
            {
                "campaign": CAMPAIGN,
                "customid": "x" * 50,
                "customfield1": "y" * 50,
                "customvalcode": "z" * 100,
                "utm_term": "t",
            },
        ),
        (lambda client: client.loyalty.v4.copy(PLAIN, name="x" * 50), {"name": "x" * 50}),
        (
            lambda client: client.subaccounts.update(SUBACCOUNT, expiry_date=date(2030, 1, 31)),
            {"subaccount": SUBACCOUNT, "expiry_date": "2030-01-31"},
        ),
        (
            lambda client: client.teammates.sign_on(ids.TeammateId(77), campaign=CAMPAIGN),
            {"teammate": "77", "campaign": CAMPAIGN},
        ),
        (lambda client: client.subaccounts.create(email="a@b.example"), {"email": "a@b.example"}),
    ],
    ids=["a link with all that it can hold", "a copy", "an update with a date", "a teammate's campaign", "no password"],
)
def test_what_is_optional_goes_out_as_the_vendor_writes_it(
    ask: Callable[[Coupontools], Any], sent: dict[str, Any], bold: Coupontools, script: Vendor
):
    script.plays(answers({"status": {"status": "failed", "errors": {"error_code": 101}}}))

    with pytest.raises(errors.AccountExpired):
        ask(bold)

    assert json.loads(script.requests[0].body) == sent


EARLIEST = datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))
LATEST = datetime.max.replace(tzinfo=timezone(-timedelta(hours=2)))


@pytest.mark.parametrize("moment", [EARLIEST, LATEST, datetime(2026, 1, 1)], ids=str)
def test_a_moment_that_is_none_in_utc_is_refused_by_its_name(moment: datetime, bold: Coupontools, script: Vendor):
    for ask in (bold.campaigns.usage, bold.campaigns.opens, bold.campaigns.claims, bold.campaigns.validations):
        with pytest.raises(ValueError, match="start "):
            ask(CAMPAIGN, start=moment)
        with pytest.raises(ValueError, match="end "):
            ask(CAMPAIGN, end=moment)
    with pytest.raises(ValueError, match="expires_at "):
        bold.directories.v4.grant_access(PLAIN, PLAIN, expires_at=moment)

    assert script.requests == []


LATE = datetime(2030, 1, 31, 23, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda client: client.subaccounts.create(email="a@b.example", expiry_date=LATE), "expiry_date"),
        (lambda client: client.subaccounts.update(SUBACCOUNT, expiry_date=LATE), "expiry_date"),
        (lambda client: client.loyalty.create_user(email="a@b.example", password="p", birthday=LATE), "birthday"),
        (lambda client: client.messages.add_sms_contact(GROUP, phone="1", birthday=LATE), "birthday"),
        (lambda client: client.directories.v4.create_user(PLAIN, email="a@b.example", birth_date=LATE), "birth_date"),
    ],
    ids=["a subaccount", "a change of one", "a loyalty user", "a contact", "a directory user"],
)
def test_a_moment_in_place_of_a_day_goes_out_as_its_day(
    ask: Callable[[Coupontools], Any], name: str, bold: Coupontools, script: Vendor
):
    script.plays(answers({"status": {"status": "failed", "errors": {"error_code": 101}}}))

    with pytest.raises(errors.AccountExpired):
        ask(bold)

    assert json.loads(script.requests[0].body)[name] == "2030-01-31"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_no_id_is_blank_or_of_another_kind(kind: type, bad: Any):
    with pytest.raises(ValueError, match=f"not a {kind.__name__}"):
        kind(bad)


def test_an_unknown_endpoint_has_no_path():
    with pytest.raises(ValueError, match=r"campaigns\.delete"):
        Coupontools(client_id="i", client_secret="s", paths={"campaigns.delete": "/v3/x"})


def test_another_path_holds_the_same_ids():
    with pytest.raises(ValueError, match="ids"):
        Coupontools(client_id="i", client_secret="s", paths={"directories.v4.get": "/v5/directory/{id}"})


flags = st.sampled_from([(True, True), ("1", True), ("true", True), (0, False), ("0", False), ("", None), (None, None)])
numbers = st.integers(0, 10**9).flatmap(lambda number: st.sampled_from([(number, number), (f" {number}", number)]))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda when: when.replace(microsecond=0))
junk = st.dictionaries(
    st.text("ABC", min_size=1),
    st.integers() | st.text() | st.lists(st.integers()),
    max_size=3,
)


# A text of any characters needs a table of all of Unicode, which takes its time where it has not been made before.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flags, numbers, moments, st.booleans(), junk)
def test_values_are_read_however_the_vendor_writes_them(
    flag: tuple[Any, Any], number: tuple[Any, Any], moment: datetime, is_unset: bool, unknown: dict[str, Any]
):
    written = "" if is_unset else f"{moment:%Y-%m-%d %H:%M:%S}"
    status = {"opened": flag[0], "open_date_utc": written, "claim_date_utc": None}
    item = unknown | {"session": SESSION, "sequenceid": number[0], "data": {"status": status}}

    session = Session.of(GET, item)

    assert session.status.is_opened is flag[1]
    assert session.sequence_id == number[1]
    assert session.status.opened_at == (None if is_unset else moment.replace(tzinfo=UTC))
    assert session.raw == item


def test_a_name_may_come_with_its_underscore():
    expiry = {"expiry_date": "2030-12-31 23:59:00"}

    assert Campaign.of(campaigns.GET, {"ID": 5} | expiry).expires_at == datetime(2030, 12, 31, 23, 59)
    for model in (Session, SessionLine):
        assert model.of(GET, {"session": SESSION, "sequence_id": "12"}).sequence_id == 12


def test_an_empty_object_may_be_a_list_and_a_day_a_moment():
    assert Session.of(GET, {"session": SESSION, "data": []}).status.is_opened is None

    details = SubaccountDetails.of(GET, {"ID": 5, "expiry_date": "2030-12-31 00:00:00", "campaigns": ""})
    assert (details.id, details.expiry_date, details.campaigns) == ("sub_5", date(2030, 12, 31), ())


@pytest.mark.parametrize("model", Reply.__subclasses__(), ids=lambda model: model.__name__)
def test_every_reply_is_one_that_dict_takes(model: type[Reply]):
    assert "raw" in dict(model.model_construct())


@pytest.mark.parametrize("path", ["v4/subaccount/edit", "@elsewhere.example/x", "//elsewhere.example/x", ""])
def test_no_path_leads_to_another_host(path: str):
    with pytest.raises(ValueError, match="starts with one slash"):
        Coupontools(client_id="i", client_secret="s", paths={"subaccounts.update": path})
