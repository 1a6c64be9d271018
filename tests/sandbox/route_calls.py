"""For each route: arguments that it takes, and arguments that bring about each of its errors."""

from typing import Any

from coupontools_api.sandbox import Sandbox
from coupontools_api.sandbox.assumed import (
    ADD_STAMPS_V4,
    DIRECTORY_EMAIL_V4,
    PUSH_TO_ALL,
    PUSH_TO_ALL_CARD_USERS,
    PUSH_TO_CARD_USER,
    REMOVE_SINGLE_USE,
    UPDATE_CARD_USER_V4,
    UPDATE_SESSIONS,
    UPDATE_SUBACCOUNT,
)
from coupontools_api.sandbox.route import Route
from coupontools_api.sandbox.routes import ROUTES

from .conftest import Caller, Stock, keys

Arguments = dict[str, Any]
NOBODY = "999999"
IDS = ("campaign", "subaccount", "teammate", "loyaltycard", "directory", "smsgroup", "card", "user")
NEW = {"email": "new@cafe.test"}
CARDS = "/v4/loyalty/loyalty-cards"
USER = "/v4/directory/{directory}/users/{user}"
SIGN_ON_USER = f"POST {USER}/sso"


def key_of(route: Route) -> str:
    return f"{route.method} {route.path}"


BY_KEY = {key_of(route): route for route in ROUTES}

# What a route takes besides the ids of the stock that its names ask for.
TAKEN: dict[str, Arguments] = {
    "POST /v4/subaccount/create": NEW,
    f"POST {UPDATE_SUBACCOUNT}": {"first_name": "Bo"},
    "POST /v3/teammate/sso": {"teammate": "77"},
    "POST /v3/coupon/pushnotification/single": {"message": "Today only"},
    f"POST {PUSH_TO_ALL}": {"message": "Today only"},
    "POST /v3/coupon/create": {"template": "12", "name": "Summer"},
    "POST /v3/couponsession/update": {"action": "claim"},
    f"POST {UPDATE_SESSIONS}": {"action": "claim"},
    "POST /v3/couponsession/search": {"search": "anna"},
    "POST /v3/loyaltyusers/update": {"amount": "5"},
    "POST /v3/loyaltyusers/create": {**NEW, "password": "long-enough-password"},
    "POST /v3/loyaltyusers/search": {"search": "example"},
    f"POST {PUSH_TO_CARD_USER}": {"message": "Today only"},
    f"POST {PUSH_TO_ALL_CARD_USERS}": {"message": "Today only"},
    "POST /v3/directoryusers/update": {"payment_status": "paid"},
    "POST /v3/send/email": NEW,
    "POST /v3/send/sms": {"phone": "+32470123456"},
    "POST /v3/smstool/addgroup": {"group_name": "Regulars"},
    "POST /v3/smstool/addcontact": {"phone": "+32470123456"},
    f"POST {CARDS}/{{card}}/stats/bulk": {"users": [NEW]},
    f"POST {ADD_STAMPS_V4}": {"stamps": 2},
    "POST /v4/directory/{directory}/users": NEW,
    f"POST {DIRECTORY_EMAIL_V4}": NEW,
}

# What brings about an error, where leaving out, spoiling or inventing an id does not.
WRONG: dict[str, dict[int, Arguments]] = {
    "POST /v4/subaccount/create": {
        302: {"status": "paying"},
        303: {"expiry_date": "31-12-2030"},
        304: {"email": "bo@bakery.test"},
        305: {"email": "nobody"},
    },
    f"POST {UPDATE_SUBACCOUNT}": {
        302: {"package": "pac_999"},
        303: {"expiry_date": "soon"},
        304: {"email": "other@bakery.test"},
        305: {"email": "nobody"},
    },
    "POST /v3/subaccount/sso": {
        302: {"page": "settings"},
        502: {"page": "update_campaign", "campaign": NOBODY},
        510: {"subaccount": NOBODY},
    },
    "POST /v3/teammate/sso": {302: {"page": "settings"}, 502: {"campaign": NOBODY}, 503: {"teammate": NOBODY}},
    "POST /v3/coupon/list": {301: {"folder": "x!"}, 302: {"only_active": "perhaps"}, 515: {"folder": NOBODY}},
    "POST /v3/coupon/info": {302: {"show_usage_stats": "perhaps"}},
    "POST /v3/coupon/pushnotification/single": {505: {"couponsession": "nobody"}},
    "POST /v3/coupon/create": {301: {"template": "x!"}, 303: {"expiry_date": "soon"}, 510: {"subaccount": NOBODY}},
    "POST /v3/couponsession/data": {505: {"couponsession": "nobody"}},
    "POST /v3/couponsession/search": {200: {"search": ""}, 301: {"campaign": "x!"}, 502: {"campaign": NOBODY}},
    "POST /v3/loyalty/list": {302: {"sorting": "sideways"}},
    "POST /v3/loyaltyusers/update": {302: {"voided": "perhaps"}},
    "POST /v3/loyaltyusers/create": {
        302: {"gender": "x"},
        303: {"birthday": "1.2.1990"},
        305: {"email": "nobody"},
    },
    "POST /v3/loyaltyusers/search": {300: {"search": "ab"}},
    "POST /v3/directoryusers/update": {302: {"payment_status": "perhaps"}},
    "POST /v3/singleuse/create": {
        300: {"customid": "x" * 51},
        302: {"autovalcode": "7digits"},
        303: {"expiry_date": "2030-12-31"},
        305: {"email": "nobody"},
    },
    "POST /v3/multiplesingleuse/create": {300: {"amount": "100001"}, 302: {"status": "odd"}},
    f"POST {REMOVE_SINGLE_USE}": {505: {"single_use_code": "nobody"}},
    "POST /v3/send/email": {302: {"check_unique": "perhaps"}, 305: {"email": "x"}, 505: {"couponsession": "nobody"}},
    "POST /v3/send/sms": {301: {"phone": "0470 12"}},
    "POST /v3/smstool/addgroup": {300: {"group_name": "x" * 201}},
    "POST /v3/smstool/addcontact": {300: {"first_name": "x" * 201}, 301: {"phone": "0470"}, 303: {"birthday": "x"}},
    "POST /v3/webhook/verification": {509: {"webhook": "evt_nobody"}},
    f"POST {CARDS}/{{card}}/copy": {300: {"name": "x" * 51}},
    f"GET {CARDS}/{{card}}/stats": {300: {"filter": "{broken"}, 302: {"include_voided": "perhaps"}},
    f"POST {CARDS}/{{card}}/stats": {300: {"first_name": "x" * 201}, 305: {"email": "nobody"}},
    f"POST {CARDS}/{{card}}/stats/bulk": {200: {"users": []}, 300: {"users": "x"}, 305: {"users": [{"email": "x"}]}},
    f"POST {UPDATE_CARD_USER_V4}": {300: {"city": "x" * 201}, 302: {"voided": "perhaps"}, 305: {"email": "x"}},
    f"POST {ADD_STAMPS_V4}": {200: {"stamps": None}},
    "POST /v4/directory/{directory}/users": {
        300: {"first_name": "x" * 201},
        303: {"birth_date": "1.2.1990"},
        305: {"email": "nobody"},
    },
    f"POST {USER}": {302: {"block": "perhaps"}},
    f"POST {USER}/access": {303: {"expires_at": "2030-12-31"}},
    f"POST {DIRECTORY_EMAIL_V4}": {305: {"email": "nobody"}},
}
SESSION_ERRORS = {300: {"customid": "x" * 51}, 302: {"action": "dance"}, 305: {"email": "nobody"}}
WRONG["POST /v3/couponsession/update"] = {**SESSION_ERRORS, 505: {"couponsession": "nobody"}}
WRONG[f"POST {UPDATE_SESSIONS}"] = {**SESSION_ERRORS, 505: {"couponsessions": ["nobody"]}}
for kind in ("data", "opens", "claims", "validations"):
    WRONG[f"POST /v3/campaign/{kind}"] = {303: {"start_date": "soon"}}
# Errors that come of what was there before: the call is made twice.
SECOND_TIME = {
    "POST /v3/loyaltyusers/create": 304,
    "POST /v4/directory/{directory}/users": 304,
    "POST /v3/send/email": 604,
}


def taken(route: Route, stock: Stock, bo: str) -> Arguments:
    """Arguments that a route takes: the ids its names ask for, and what is in TAKEN."""
    is_card = "loyalty" in route.path
    named = {
        "campaign": stock.campaign,
        "subaccount": bo,
        "couponsession": stock.session,
        "couponsessions": [stock.session],
        "single_use_code": stock.session,
        "loyaltycard": stock.card,
        "user": stock.card_user if is_card else stock.directory_user,
        "card": stock.card,
        "directory": stock.directory,
        "smsgroup": stock.group,
    }
    wanted = {*route.required, *(route.ids(route.path) or {})}
    if route.path == REMOVE_SINGLE_USE:
        wanted.add("single_use_code")
    return {name: named[name] for name in named if name in wanted} | TAKEN.get(key_of(route), {})


def wrong(route: Route, code: int, arguments: Arguments) -> Arguments:
    """The same arguments with one that brings about an error."""
    known = WRONG.get(key_of(route), {})
    if code in known:
        return arguments | known[code]
    if code == 200:
        return {name: value for name, value in arguments.items() if name != route.required[0]}
    ids = [name for name in (*route.required, *(route.ids(route.path) or {})) if name in IDS]
    if code == 301:
        return arguments | {ids[0]: "x!"}
    # A user that is not there has another code than its card, where the two have codes of their own.
    last = {"card": -1, "loyaltycard": 0}.get(ids[0], 0) if code == 505 else 0
    return arguments | {ids[last]: NOBODY}


def prepare(sandbox: Sandbox, account: tuple[str, str], route: Route, code: int, arguments: Arguments) -> None:
    """Bring about what an error needs besides arguments: an account without integrations, a user without access."""
    if code in (103, 104):
        sandbox.add_account(*account, integrations=[])
    if (key_of(route), code) == (SIGN_ON_USER, 300):
        Caller(sandbox.url, keys(*account)).send("DELETE", f"{USER}/access".format(**arguments))


def steps(route: Route, code: int, arguments: Arguments) -> list[Arguments]:
    """What is sent, one after another, so that the last of it brings about an error that is prepared."""
    if code in (103, 104) or (key_of(route), code) == (SIGN_ON_USER, 300):
        return [arguments]
    if code == SECOND_TIME.get(key_of(route)):
        return [arguments, arguments | {"check_unique": "true"} if code == 604 else arguments]
    return [wrong(route, code, arguments)]
