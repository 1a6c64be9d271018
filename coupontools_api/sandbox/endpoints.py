"""The vendor's endpoints. A new one is a function and a row in `ENDPOINTS`."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from . import shapes
from .arguments import Call, Refusal, invalid_character, missing, not_in_list
from .replies import Json, Reply, as_json, as_page
from .state import Account, Campaign, Subaccount
from .vendor import Vendor

PAGES = ("campaigns", "add_campaign", "update_campaign", "statistics", "distribution")
STATUSES = ("trial", "customer")
PLAIN_FIELDS = (
    "package",
    "status",
    "first_name",
    "last_name",
    "country",
    "company_name",
    "expiry_date",
)
WRONG_LOGIN = (1000, "")
EMAIL_TAKEN = (304, "Email already exists")


@dataclass(frozen=True)
class Answer:
    """What an endpoint says: a document with the HTTP status it names, or (no document) a page."""

    status: int
    document: Json | None = None
    codes: tuple[int, ...] = ()
    page: Reply | None = None

    def as_reply(self, *, real_status: bool) -> Reply:
        if self.page is not None:
            return self.page
        return as_json(self.document, self.status if real_status else 200)


@dataclass(frozen=True)
class Endpoint:
    """A row of the table: who answers, the error envelope, whether a subaccount's keys will do."""

    run: Callable[[Vendor, Account, Call], Json]
    envelope: str = shapes.E_VALID
    subaccount_keys: bool = False


def refused(envelope: str, *problems: tuple[int, str]) -> Answer:
    codes = tuple(code for code, _ in problems)
    status, document = shapes.failure(shapes.E_AUTH if 1000 in codes else envelope, problems)
    return Answer(status, document, codes)


def answer(vendor: Vendor, call: Call) -> Answer:
    """Do what a call asks for, all of it or nothing."""
    endpoint = ENDPOINTS.get(call.path)
    if endpoint is None:
        return Answer(404, page=as_page(404, "Not Found", "The requested URL was not found on this server."))
    with vendor.database.transaction():
        try:
            account = _authenticate(vendor, endpoint, call)
            return Answer(200, shapes.success(endpoint.run(vendor, account, call)))
        except Refusal as refusal:
            return refused(endpoint.envelope, *refusal.problems)


def _authenticate(vendor: Vendor, endpoint: Endpoint, call: Call) -> Account:
    """Raises Refusal (1000, 101, 102). Source: "Authentication", "Errors"."""
    client_id, secret = call.client_id or "", call.client_secret or ""
    account = vendor.state.account(client_id)
    if account is not None and _same(account.client_secret, secret):
        if account.expired:
            raise Refusal((101, "Account has expired"))
        return account
    subaccount = vendor.state.subaccount_by_api_key(client_id)
    if subaccount is None or not _same(subaccount.fields["api_secret"], secret):
        raise Refusal(WRONG_LOGIN)
    owner = vendor.state.account(subaccount.client_id)
    if owner is None or owner.expired:
        raise Refusal((101, "Account has expired"))
    if not endpoint.subaccount_keys:
        raise Refusal((102, "Subaccount credentials can not be used to manage subaccounts"))
    return owner


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode())


def list_subaccounts(vendor: Vendor, account: Account, call: Call) -> Json:
    """All subaccounts of the account.

    Source: POST /v4/subaccount/list, "List subaccounts". The answer is assumed.
    """
    return shapes.subaccount_list(vendor.state.settings, vendor.state.subaccounts(account.client_id, as_of=call.as_of))


def get_subaccount(vendor: Vendor, account: Account, call: Call) -> Json:
    """One subaccount with its campaigns and keys. Raises Refusal (200, 301, 510).

    Source: POST /v4/subaccount, "Get subaccount"; fields from "Retrieve info of a subaccount".
    """
    subaccount = _own_subaccount(vendor, account, call)
    campaigns = vendor.state.campaigns(subaccount.number)
    return shapes.subaccount_details(vendor.state.settings, subaccount, campaigns)


def create_subaccount(vendor: Vendor, account: Account, call: Call) -> Json:
    """Make a subaccount. Without a password the vendor mails its owner.

    Raises Refusal (200, 302, 303, 304, 305).

    Source: POST /v4/subaccount/create, "Create subaccount". The answer and 302 are assumed.
    """
    email = call.text("email")
    problems = _wrong_values(account, call)
    if email is None:
        problems.insert(0, missing("email"))
    if problems or email is None:
        raise Refusal(*problems)
    if vendor.state.email_taken(email, account.client_id):
        raise Refusal(EMAIL_TAKEN)
    sent = _plain_fields(call)
    password_given = call.text("password") is not None
    fields = {**sent, "password_given": password_given}
    subaccount = vendor.state.create_subaccount(account.client_id, email, fields)
    who = _who(subaccount)
    vendor.ledger.effect("subaccount_created", **who, **fields)
    if not password_given:
        vendor.ledger.effect("password_mail", **who)
    return shapes.subaccount_saved(vendor.state.settings, subaccount)


def update_subaccount(vendor: Vendor, account: Account, call: Call) -> Json:
    """Change what is given of a subaccount. Raises Refusal (200, 301, 302, 303, 304, 305, 510).

    Source: "Update a subaccount" is in the vendor's menu only.
    Path, arguments and answer are assumed.
    """
    old = _own_subaccount(vendor, account, call)
    problems = _wrong_values(account, call)
    if problems:
        raise Refusal(*problems)
    email = call.text("email") or old.email
    if vendor.state.email_taken(email, account.client_id, by_other_than=old.number):
        raise Refusal(EMAIL_TAKEN)
    sent = _plain_fields(call)
    if call.text("password") is not None:
        sent["password_given"] = True
    subaccount = replace(old, email=email, fields={**old.fields, **sent})
    vendor.state.save(subaccount)
    vendor.ledger.effect("updated", **_who(subaccount), **sent)
    return shapes.subaccount_saved(vendor.state.settings, subaccount)


def make_reset_url(vendor: Vendor, account: Account, call: Call) -> Json:
    """A link where the owner of a subaccount sets a password. Raises Refusal (200, 301, 510).

    Source: POST /v3/subaccount/reset/url, "Create password reset URL". The answer is assumed.
    """
    subaccount = _own_subaccount(vendor, account, call)
    token = vendor.state.new_token("reset", {"subaccount": subaccount.number})
    vendor.ledger.effect("reset_url", **_who(subaccount))
    return shapes.reset_url(vendor.state.settings, account, subaccount.id, vendor.panel_url, token)


def sign_on_subaccount(vendor: Vendor, account: Account, call: Call) -> Json:
    """A one-time way into the panel. Raises Refusal (200, 301, 302, 502, 510).

    Source: POST /v3/subaccount/sso, "Single sign on subaccount".
    302 and 502 are assumed, and 200 for `campaign`.
    """
    subaccount = _own_subaccount(vendor, account, call)
    page, campaign = _target(vendor, call)
    if campaign is not None and campaign.subaccount != subaccount.number:
        raise Refusal((502, "Campaign ID not found"))
    return _sign_on(vendor, account, "subaccount", subaccount.id, page, campaign)


def sign_on_account(vendor: Vendor, account: Account, call: Call) -> Json:
    """A one-time way into the account's own panel.

    Source: POST /v3/account/sso, "Account, create single sign on". The answer is assumed.
    """
    return _sign_on(vendor, account, "account", f"acc_{account.number}")


def sign_on_teammate(vendor: Vendor, account: Account, call: Call) -> Json:
    """A one-time way into the account's panel as a teammate.

    Raises Refusal (200, 301, 302, 502, 503).

    Source: POST /v3/teammate/sso, "Teammate, create single sign on".
    The answer, `page` and `campaign` are assumed.
    """
    teammate = call.text("teammate")
    if teammate is None:
        raise Refusal(missing("teammate"))
    if not re.fullmatch(r"[0-9]+", teammate):
        raise Refusal(invalid_character("teammate"))
    if teammate not in account.teammates:
        raise Refusal((503, "Teammate ID not found"))
    page, campaign = _target(vendor, call)
    owner = None if campaign is None else vendor.state.subaccount(campaign.subaccount)
    if owner is not None and owner.client_id != account.client_id:
        raise Refusal((502, "Campaign ID not found"))
    return _sign_on(vendor, account, "teammate", teammate, page, campaign)


def _own_subaccount(vendor: Vendor, account: Account, call: Call) -> Subaccount:
    number = call.required_number("subaccount", "sub")
    subaccount = vendor.state.subaccount(number)
    if subaccount is None or subaccount.client_id != account.client_id:
        raise Refusal((510, "Subaccount ID not correct."))
    return subaccount


def _target(vendor: Vendor, call: Call) -> tuple[str | None, Campaign | None]:
    page = call.text("page")
    if page is not None and page not in PAGES:
        raise Refusal(not_in_list("page"))
    number = call.number("campaign", "cam")
    if number is None:
        if page == "update_campaign":
            raise Refusal(missing("campaign"))
        return page, None
    campaign = vendor.state.campaign(number)
    if campaign is None:
        raise Refusal((502, "Campaign ID not found"))
    return page, campaign


def _sign_on(
    vendor: Vendor,
    account: Account,
    kind: str,
    id_: str,
    page: str | None = None,
    campaign: Campaign | None = None,
) -> Json:
    facts = {
        "of": kind,
        "client_id": account.client_id,
        kind: id_,
        "page": page,
        "campaign": campaign.id if campaign else None,
    }
    vendor.ledger.effect("sign_on", **facts)
    token = vendor.state.new_token("sign_on", facts)
    return shapes.sign_on(vendor.state.settings, account, kind, id_, vendor.panel_url, token)


def _wrong_values(account: Account, call: Call) -> list[tuple[int, str]]:
    problems = []
    email, expiry_date = call.text("email"), call.text("expiry_date")
    package, status = call.text("package"), call.text("status")
    if email is not None and (len(email) > 254 or not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email)):
        problems.append((305, "Email address is not valid"))
    if expiry_date is not None and not _is_date(expiry_date):
        problems.append((303, "Invalid format in parameter: expiry_date. Required format: YYYY-MM-DD"))
    if status is not None and status not in STATUSES:
        problems.append(not_in_list("status"))
    if package is not None and package not in account.packages:
        problems.append(not_in_list("package"))
    return problems


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _plain_fields(call: Call) -> Json:
    values = {name: call.text(name) for name in PLAIN_FIELDS}
    return {name: value for name, value in values.items() if value is not None}


def _who(subaccount: Subaccount) -> Json:
    return {
        "subaccount": subaccount.id,
        "client_id": subaccount.client_id,
        "email": subaccount.email,
    }


ENDPOINTS = {
    "/v4/subaccount/list": Endpoint(list_subaccounts),
    "/v4/subaccount": Endpoint(get_subaccount),
    "/v4/subaccount/create": Endpoint(create_subaccount),
    "/v4/subaccount/update": Endpoint(update_subaccount),
    "/v3/subaccount/reset/url": Endpoint(make_reset_url),
    "/v3/subaccount/sso": Endpoint(sign_on_subaccount),
    "/v3/account/sso": Endpoint(sign_on_account),
    "/v3/teammate/sso": Endpoint(sign_on_teammate),
}
