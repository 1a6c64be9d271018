"""The rows of the RPC calls."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from coupontools_api.campaigns import Campaigns
from coupontools_api.ids import (
    CategoryId,
    DirectoryId,
    DirectoryUserId,
    EventId,
    FolderId,
    GroupId,
    LoyaltyCardId,
    LoyaltyUserId,
    PackageId,
    SessionCode,
    TeammateId,
)
from coupontools_api.loyalty import Gender, Sorting
from coupontools_api.sessions import SessionAction
from coupontools_api.single_use import AutomaticCode, CodeType, Duplicate, LinkStatus
from coupontools_api.subaccounts import AccountStatus, Page
from tests.coupontools_api.rows import CAMPAIGN, LINK, OK, SESSION, SUBACCOUNT, TOKEN, Call, ids

CARD, HOLDER, DIRECTORY, VISITOR = (
    LoyaltyCardId("12"), LoyaltyUserId("34"), DirectoryId("dir_7"), DirectoryUserId("reg_9"),
    # Left as it is written: a line a case, to be read as a table.
)  # a line each is read best  # fmt: skip
GROUP, EVENT = GroupId("gro_3"), EventId("evt_Ab12")
STATUS = {
    "created_date_utc": "2026-01-02 03:04:05",
    "open_date_utc": "2026-01-02 03:05:00",
    "claim_date_utc": "",
    "opened": "1",
    "claimed": "0",
    "claimtype": "",
}
LINE = {"session": SESSION, "sequenceid": "12", "status": STATUS}
CAMPAIGN_ROW = {
    "ID": CAMPAIGN,
    "code": "abc",
    "name": " Two for one ",
    "status": "active",
    "expirydate": "2030-12-31 23:59:00",
    "coupon_tags": "a,b",
}
SIGN_ON = {"ID": SUBACCOUNT, "token": TOKEN, "url": LINK, "url_whitelabel": ""}
SINGLE = {"single_use_code": SESSION, "single_use_url": "https://c.example/p/x", "sequence_id": 1, "customid": "k"}
DETAILS = {
    "ID": SUBACCOUNT,
    "email": "kim@shop.example",
    "lastlogin": "2024-01-26 19:29:00",
    "amountlogin": "5",
    "expiry_date": "2030-12-31",
    "max_campaigns": "4",
    "api_key": "key-canary",
    "api_secret": "secret-canary",
    "campaigns": [{"ID": CAMPAIGN, "code": "abc", "url": "https://c.example/p/abc", "status": "example"}],
    "access_dashboard": True,
    "access_directory": "0",
}


def usage(ask: Callable[[Campaigns], Iterable[Any]]) -> Call:
    return Call(
        lambda client: list(ask(client.campaigns)),
        OK | {"amount_of_results": "1", "data": [LINE]},
        {"campaign": CAMPAIGN, "start_date": "2026-01-01", "end_date": "2026-01-31 23-59"},
        reads=(
            lambda found: [
                (line.session, line.sequence_id, line.status.opened_at, line.status.claimed_at) for line in found
            ],
            [(SESSION, 12, datetime(2026, 1, 2, 3, 5, tzinfo=UTC), None)],
        ),
    )


DAYS: dict[str, Any] = {"start": date(2026, 1, 1), "end": datetime(2026, 1, 31, 23, 59, tzinfo=UTC)}


RPC_CALLS: dict[str, Call] = {
    "account.sign_on": Call(
        lambda client: client.account.sign_on(),
        OK | {"account": {"token": TOKEN, "url": LINK}},
        reads=(lambda found: (found.token.get_secret_value(), found.url_whitelabel), (TOKEN, None)),
    ),
    "teammates.sign_on": Call(
        lambda client: client.teammates.sign_on(TeammateId("77")),
        OK | {"teammate": {"token": TOKEN, "url": LINK, "url_whitelabel": LINK}},
        {"teammate": "77"},
        reads=(lambda found: found.url_whitelabel.get_secret_value(), LINK),
    ),
    "subaccounts.list": Call(
        lambda client: client.subaccounts.list(),
        OK | {"subaccounts": [{"ID": "sub_1001", "email": "kim@shop.example", "new": "field"}]},
        reads=(lambda found: [(row.id, row.email, row.raw["new"]) for row in found],
               [(SUBACCOUNT, "kim@shop.example", "field")]),
    ),
    "subaccounts.get": Call(
        lambda client: client.subaccounts.get(SUBACCOUNT),
        OK | {"subaccount": DETAILS},
        {"subaccount": SUBACCOUNT},
        reads=(
            lambda found: (
                found.email, found.last_login, found.logins, found.expiry_date, found.max_campaigns,
                found.access_dashboard, found.access_directory, ids(found.campaigns), found.key_pair,
            ),
            ("kim@shop.example", datetime(2024, 1, 26, 19, 29), 5, date(2030, 12, 31), 4, True, False, [CAMPAIGN],
             None),
        ),
    ),
    "subaccounts.create": Call(
        lambda client: client.subaccounts.create(
            email="kim@shop.example", password="p", package=PackageId("pac_1"), status=AccountStatus.TRIAL,
            country="NL", expiry_date=date(2030, 12, 31),
        ),
        OK | {"subaccount": {"ID": "sub_1001"}},
        {"email": "kim@shop.example", "password": "p", "package": "pac_1", "status": "trial", "country": "NL",
         "expiry_date": "2030-12-31"},
        reads=(lambda found: (found.id, found.email), (SUBACCOUNT, "")),
    ),
    "subaccounts.update": Call(
        lambda client: client.subaccounts.update(SUBACCOUNT, company_name="New"),
        sends={"subaccount": SUBACCOUNT, "company_name": "New"},
    ),
    "subaccounts.password_reset_url": Call(
        lambda client: client.subaccounts.password_reset_url(SUBACCOUNT),
        OK | {"subaccount": {"ID": "1001", "url": LINK}},
        {"subaccount": SUBACCOUNT},
        reads=(lambda found: (found.id, found.url.get_secret_value()), (SUBACCOUNT, LINK)),
    ),
    "subaccounts.sign_on": Call(
        lambda client: client.subaccounts.sign_on(SUBACCOUNT, page=Page.UPDATE_CAMPAIGN, campaign=CAMPAIGN),
        OK | {"subaccount": SIGN_ON},
        {"subaccount": SUBACCOUNT, "page": "update_campaign", "campaign": CAMPAIGN},
        reads=(lambda found: (found.url.get_secret_value(), found.url_whitelabel), (LINK, None)),
    ),
    "campaigns.list": Call(
        lambda client: client.campaigns.list(
            only_active=True, folder=FolderId("5"), tags=["a", "b"], category=CategoryId("cat_2")
        ),
        OK | {"coupon_info": [CAMPAIGN_ROW]},
        {"only_active": True, "folder": "5", "tags": "a,b", "category": "cat_2"},
        reads=(
            lambda found: [(row.id, row.name, row.expires_at) for row in found],
            [(CAMPAIGN, "Two for one", datetime(2030, 12, 31, 23, 59))],
        ),
    ),
    "campaigns.get": Call(
        lambda client: client.campaigns.get(CAMPAIGN, show_usage_stats=True),
        OK | {"coupon_info": CAMPAIGN_ROW | {"claimed_codes": "3"}},
        {"campaign": CAMPAIGN, "show_usage_stats": True},
        reads=(lambda found: (found.tags, found.raw["claimed_codes"]), ("a,b", "3")),
    ),
    "campaigns.usage": usage(lambda campaigns: campaigns.usage(CAMPAIGN, **DAYS)),
    "campaigns.opens": usage(lambda campaigns: campaigns.opens(CAMPAIGN, **DAYS)),
    "campaigns.claims": usage(lambda campaigns: campaigns.claims(CAMPAIGN, **DAYS)),
    "campaigns.validations": usage(lambda campaigns: campaigns.validations(CAMPAIGN, **DAYS)),
    "campaigns.push": Call(
        lambda client: client.campaigns.push(CAMPAIGN, session=SessionCode("a1b2c3"), message="Hi"),
        sends={"campaign": CAMPAIGN, "couponsession": "a1b2c3", "message": "Hi"},
    ),
    "campaigns.push_all": Call(
        lambda client: client.campaigns.push_all(CAMPAIGN, message="Hi"), sends={"campaign": CAMPAIGN, "message": "Hi"}
    ),
    "sessions.get": Call(
        lambda client: client.sessions.get(SESSION),
        OK | {"campaign": CAMPAIGN, "session": SESSION, "session_url": "https://c.example/p/abc/s", "customid": "",
              "sequenceid": "19878460", "data": {"status": STATUS}},
        {"couponsession": SESSION},
        reads=(
            lambda found: (found.campaign, found.sequence_id, found.status.is_opened, found.status.is_claimed),
            (CAMPAIGN, 19878460, True, False),
        ),
    ),
    "sessions.update": Call(
        lambda client: client.sessions.update(SESSION, action=SessionAction.VOID),
        sends={"couponsession": SESSION, "action": "void"},
    ),
    "sessions.update_many": Call(
        lambda client: client.sessions.update_many([SESSION], action=SessionAction.CLAIM),
        sends={"couponsessions": [SESSION], "action": "claim"},
    ),
    "sessions.search": Call(
        lambda client: client.sessions.search("kim@shop.example"),
        OK | {"couponsessions": [LINE]},
        {"search": "kim@shop.example"},
        reads=(lambda found: [line.session for line in found], [SESSION]),
    ),
    "sessions.search_in_campaign": Call(
        lambda client: client.sessions.search_in_campaign(CAMPAIGN, "kim"),
        OK | {"couponsessions": [LINE]},
        {"campaign": CAMPAIGN, "search": "kim"},
        reads=(lambda found: [line.session for line in found], [SESSION]),
    ),
    "loyalty.list": Call(
        lambda client: client.loyalty.list(only_active=False, sorting=Sorting.DESCENDING),
        OK | {"loyalty": [{"ID": "loy_12", "name": "Card"}]},
        {"only_active": False, "sorting": "desc"},
        reads=(ids, ["loy_12"]),
    ),
    "loyalty.get": Call(
        lambda client: client.loyalty.get(CARD),
        OK | {"loyalty": {"ID": "12", "name": "Card"}},
        {"loyaltycard": CARD},
        reads=(lambda found: found.name, "Card"),
    ),
    "loyalty.users": Call(
        lambda client: client.loyalty.users(CARD),
        OK | {"amount_of_users": "1", "users": [{"ID": "34", "stamps": "3", "voided": "0"}]},
        {"loyaltycard": CARD},
        reads=(lambda found: [(row.id, row.stamps, row.is_voided) for row in found], [(HOLDER, 3, False)]),
    ),
    "loyalty.update_user": Call(
        lambda client: client.loyalty.update_user(CARD, user=HOLDER, amount=2, note="x"),
        sends={"loyaltycard": CARD, "user": HOLDER, "amount": 2, "note": "x"},
    ),
    "loyalty.create_user": Call(
        lambda client: client.loyalty.create_user(
            email="kim@shop.example", password="p", gender=Gender.UNKNOWN, birthday=date(1990, 1, 2)
        ),
        OK | {"user": {"ID": "34", "password": "p"}},
        {"email": "kim@shop.example", "password": "p", "gender": "unknown", "birthday": "1990-01-02"},
        reads=(lambda found: found.raw["user"], {"ID": "34"}),
    ),
    "loyalty.search_users": Call(
        lambda client: client.loyalty.search_users(CARD, "kim"),
        OK | {"users": {"ID": "34"}},
        {"loyaltycard": CARD, "search": "kim"},
        reads=(ids, [HOLDER]),
    ),
    "loyalty.push": Call(
        lambda client: client.loyalty.push(CARD, user=HOLDER, message="Hi"),
        sends={"loyaltycard": CARD, "user": HOLDER, "message": "Hi"},
    ),
    "loyalty.push_all": Call(
        lambda client: client.loyalty.push_all(CARD, message="Hi"), sends={"loyaltycard": CARD, "message": "Hi"}
    ),
    "directories.list": Call(
        lambda client: client.directories.list(),
        OK | {"amount_of_directories": 1, "directory": [{"ID": "dir_7", "name": "Town"}]},
        reads=(ids, [DIRECTORY]),
    ),
    "directories.get": Call(
        lambda client: client.directories.get(DIRECTORY),
        OK | {"directory": {"ID": "dir_7", "name": "Town"}},
        {"directory": DIRECTORY},
        reads=(lambda found: found.name, "Town"),
    ),
    "directories.campaigns": Call(
        lambda client: client.directories.campaigns(DIRECTORY),
        OK | {"coupon_info": [CAMPAIGN_ROW]},
        {"directory": DIRECTORY},
        reads=(ids, [CAMPAIGN]),
    ),
    "directories.users": Call(
        lambda client: list(client.directories.users(DIRECTORY)),
        OK | {"users": [{"ID": "reg_9", "email": "kim@shop.example", "created_date_utc": "2026-01-02 03:04:05"}]},
        {"directory": DIRECTORY},
        reads=(
            lambda found: [(row.id, row.created_at) for row in found],
            [(VISITOR, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))],
        ),
    ),
    "directories.set_payment_status": Call(
        lambda client: client.directories.set_payment_status(DIRECTORY, user=VISITOR, status="paid"),
        sends={"directory": DIRECTORY, "user": VISITOR, "status": "paid"},
    ),
    "directories.categories": Call(
        lambda client: client.directories.categories(), OK | {"category": [{"ID": "cat_2", "name": "Food"}]},
        reads=(ids, ["cat_2"]),
    ),
    "directories.third_level_categories": Call(
        lambda client: client.directories.third_level_categories(), OK | {"category": ""}, reads=(ids, []),
    ),
    "single_use.create": Call(
        lambda client: client.single_use.create(
            CAMPAIGN, first_name="Kim", custom_id="k", automatic_code=AutomaticCode.SIX_DIGITS,
            custom_fields=["a", "b"], duplicate_check=Duplicate.EMAIL, expires_at=datetime(2026, 1, 2, 3, 4, 5),
            utm={"source": "mail"},
        ),
        OK | SINGLE,
        {"campaign": CAMPAIGN, "firstname": "Kim", "customid": "k", "autovalcode": "6digits", "customfield1": "a",
         "customfield2": "b", "duplicate_check": "email", "expiry_date": "2026-01-02 03:04:05", "utm_source": "mail"},
        reads=(lambda found: (found.code, found.url, found.custom_id), (SESSION, "https://c.example/p/x", "k")),
    ),
    "single_use.create_many": Call(
        lambda client: client.single_use.create_many(
            CAMPAIGN, amount=1, status=LinkStatus.ACTIVATED, code_length=12, code_type=CodeType.NUMERIC
        ),
        OK | {"action": " multiple_single_use_codes_created", "data": [SINGLE]},
        {"campaign": CAMPAIGN, "amount": 1, "status": "activated", "automated_codes": True, "code_length": 12,
         "code_type": "numeric"},
        reads=(lambda found: [(row.code, row.sequence_id) for row in found], [(SESSION, 1)]),
    ),
    "single_use.remove": Call(
        lambda client: client.single_use.remove(CAMPAIGN, code=SESSION),
        sends={"campaign": CAMPAIGN, "single_use_code": SESSION},
    ),
    "messages.send_email": Call(
        lambda client: client.messages.send_email(DIRECTORY, email="kim@shop.example", subject="Hi", check_unique=True),
        OK | {"action": "email_sent"},
        {"campaign": DIRECTORY, "email": "kim@shop.example", "subject": "Hi", "check_unique": True},
        reads=(lambda found: found.action, "email_sent"),
    ),
    "messages.send_sms": Call(
        lambda client: client.messages.send_sms(CAMPAIGN, phone="+31600000000", message="Hi", sender="Shop"),
        OK | {"action": "sms_sent", "phone": "+31600000000", "single_use_code": SESSION},
        {"campaign": CAMPAIGN, "phone": "+31600000000", "message": "Hi", "sender": "Shop"},
        reads=(lambda found: (found.phone, found.single_use_code), ("+31600000000", SESSION)),
    ),
    "messages.sms_groups": Call(
        lambda client: client.messages.sms_groups(),
        OK | {"amount_of_groups": 1, "group": [{"ID": "gro_3", "name": "Regulars"}]},
        reads=(lambda found: [(row.id, row.name) for row in found], [(GROUP, "Regulars")]),
    ),
    "messages.sms_contacts": Call(
        lambda client: client.messages.sms_contacts(GROUP),
        OK | {"group_id": "gro_3", "contacts": [{"phone": "+31600000000", "first_name": "Kim"}]},
        {"smsgroup": GROUP},
        reads=(lambda found: [row.phone for row in found], ["+31600000000"]),
    ),
    "messages.add_sms_group": Call(
        lambda client: client.messages.add_sms_group("Regulars"),
        OK | {"group": {"ID": "gro_3"}},
        {"group_name": "Regulars"},
        reads=(lambda found: found.raw["group"], {"ID": "gro_3"}),
    ),
    "messages.add_sms_contact": Call(
        lambda client: client.messages.add_sms_contact(
            GROUP, phone="+31600000000", first_name="Kim", birthday=date(1990, 1, 2), custom_fields=["a"]
        ),
        sends={"smsgroup": GROUP, "phone": "+31600000000", "first_name": "Kim", "birthday": "1990-01-02",
               "customfield1": "a"},
    ),
    "messages.email_groups": Call(
        lambda client: client.messages.email_groups(), OK | {"group": [{"ID": "gro_3"}]}, reads=(ids, [GROUP])
    ),
    "webhooks.verify": Call(
        lambda client: client.webhooks.verify(EVENT, SESSION),
        OK | {"result": "valid", "webhook": EVENT, "date": "2026-01-02 03:04:05", "campaign": CAMPAIGN,
              "session": SESSION, "type": "coupon_validated"},
        {"webhook": EVENT, "session": SESSION},
        reads=(lambda found: (found.type, found.happened_at), ("coupon_validated", datetime(2026, 1, 2, 3, 4, 5))),
    ),
    # Left as it is written: a line a case, to be read as a table.
}  # a line each is read best  # fmt: skip
