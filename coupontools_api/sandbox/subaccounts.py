"""Subaccounts: what an agency makes and looks after. Source: "Subaccount" in both documents."""

from dataclasses import replace

from . import shapes
from .arguments import EMAIL, EMAIL_INVALID, Call, Refusal, invalid_format, is_written, missing, not_in_list
from .paging import DAY, offset
from .replies import Json
from .state import Account, Owner, Subaccount
from .vendor import Vendor

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
EMAIL_TAKEN = (304, "Email already exists")


def list_subaccounts(vendor: Vendor, owner: Owner, call: Call) -> Json | list[Json]:
    """All subaccounts of the account, or a page of them. Raises Refusal (301) for a page that is no number.

    Source: POST /v4/subaccount/list, "List subaccounts". The answer is assumed.
    """
    rows = vendor.state.subaccounts(owner.account.client_id, as_of=call.as_of)
    settings = vendor.state.settings
    size = settings.subaccount_page_size
    if size is None:
        return shapes.subaccount_list(settings, rows)
    start = offset(settings, call, size)
    return shapes.subaccount_list(settings, rows[start : start + size], counted=len(rows))


def get_subaccount(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One subaccount with its campaigns and keys. Raises Refusal (200, 301, 510).

    Source: POST /v4/subaccount, "Get subaccount"; fields from "Retrieve info of a subaccount".
    """
    subaccount = own_subaccount(vendor, owner, call)
    campaigns = vendor.campaigns.campaigns(subaccount.id)
    return shapes.subaccount_details(vendor.state.settings, vendor.panel_url, subaccount, campaigns)


def create_subaccount(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Make a subaccount. Without a password the vendor mails its owner.

    Raises Refusal (200, 302, 303, 304, 305).

    Source: POST /v4/subaccount/create, "Create subaccount". The answer and 302 are assumed.
    """
    email = call.text("email")
    problems = _wrong_values(owner.account, call)
    if email is None:
        problems.insert(0, missing("email"))
    if problems or email is None:
        raise Refusal(*problems)
    if vendor.state.email_taken(email, owner.account.client_id):
        raise Refusal(EMAIL_TAKEN)
    sent = _plain_fields(call)
    password_given = call.text("password") is not None
    fields = {**sent, "password_given": password_given}
    subaccount = vendor.state.create_subaccount(owner.account.client_id, email, fields)
    who = _who(subaccount)
    vendor.ledger.effect("subaccount_created", **who, **fields)
    if not password_given:
        vendor.ledger.effect("password_mail", **who)
    return shapes.subaccount_saved(vendor.state.settings, subaccount)


def update_subaccount(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Change what is given of a subaccount. Raises Refusal (200, 301, 302, 303, 304, 305, 510).

    Source: "Update a subaccount" is in the vendor's menu only.
    Path, arguments and answer are assumed, and that one of them has to change something.
    """
    old = own_subaccount(vendor, owner, call)
    problems = _wrong_values(owner.account, call)
    if problems:
        raise Refusal(*problems)
    sent = _plain_fields(call)
    if call.text("password") is not None:
        sent["password_given"] = True
    if not sent and not call.has("email"):
        raise Refusal(missing("email"))
    email = call.text("email") or old.email
    if vendor.state.email_taken(email, owner.account.client_id, by_other_than=old.number):
        raise Refusal(EMAIL_TAKEN)
    subaccount = replace(old, email=email, fields={**old.fields, **sent})
    vendor.state.save(subaccount)
    vendor.ledger.effect("updated", **_who(subaccount), **sent)
    return shapes.subaccount_saved(vendor.state.settings, subaccount)


def make_reset_url(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A link where the owner of a subaccount sets a password. Raises Refusal (200, 301, 510).

    Source: POST /v3/subaccount/reset/url, "Create password reset URL". The answer is assumed.
    """
    subaccount = own_subaccount(vendor, owner, call, unknown="Subaccount ID not found")
    token = vendor.state.new_token("reset", {"subaccount": subaccount.number})
    vendor.ledger.effect("reset_url", **_who(subaccount))
    return shapes.reset_url(vendor.state.settings, owner.account, subaccount.id, vendor.panel_url, token)


def own_subaccount(
    vendor: Vendor, owner: Owner, call: Call, *, unknown: str = "Subaccount ID not correct."
) -> Subaccount:
    """The subaccount that a call names. Raises Refusal (200, 301, 510); the page decides how `unknown` reads."""
    number = call.required_number("subaccount", "sub")
    subaccount = vendor.state.subaccount(number)
    if subaccount is None or subaccount.client_id != owner.account.client_id:
        raise Refusal((510, unknown))
    return subaccount


def _wrong_values(account: Account, call: Call) -> list[tuple[int, str]]:
    problems = []
    email, expiry_date = call.text("email"), call.text("expiry_date")
    package, status = call.text("package"), call.text("status")
    if email is not None and (len(email) > 254 or not EMAIL.fullmatch(email)):
        problems.append(EMAIL_INVALID)
    if expiry_date is not None and not is_written(expiry_date, DAY):
        problems.append(invalid_format("expiry_date", "YYYY-MM-DD"))
    if status is not None and status not in STATUSES:
        problems.append(not_in_list("status"))
    if package is not None and package not in account.packages:
        problems.append(not_in_list("package"))
    return problems


def _plain_fields(call: Call) -> Json:
    values = {name: call.text(name) for name in PLAIN_FIELDS}
    return {name: value for name, value in values.items() if value is not None}


def _who(subaccount: Subaccount) -> Json:
    return {
        "subaccount": subaccount.id,
        "client_id": subaccount.client_id,
        "email": subaccount.email,
    }
