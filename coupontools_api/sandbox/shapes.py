"""What the vendor's answers look like, also where the documents do not say: envelopes, subaccounts, sign-ons.

Those about campaigns and sessions are in `campaign_shapes`, all others in `record_shapes`.

Documented: the success envelope, the three error envelopes, most fields of "get subaccount",
and the answer of "single sign on subaccount". Whatever is marked "assumed" is our reading of a gap:

* list: the key of the rows (a switch) and the fields of a row;
  `amount_of_subaccounts` follows the vendor's other lists
* create, update: a `subaccount` object with its ID and e-mail address
* password reset url: a `subaccount` object with ID, `url` and, as for sign-on, `url_whitelabel`
* account and teammate sign-on: an `account` or `teammate` object like that of a subaccount
* get: max_campaigns, username, webhook_endpoint and available_campaigns have made-up values
* errors 101 and 102 come in the E-VALID envelope with 422; a wrong page, status or package is 302
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from .assumed import REST_NOT_FOUND, REST_STATUS
from .campaign_store import Campaign
from .replies import Json
from .settings import Settings
from .state import Account, Subaccount

E_AUTH = "E-AUTH"
E_VALID = "E-VALID"
E_TOP = "E-TOP"
UNAUTHORIZED = "HTTP/1.0 401 Unauthorized. Client ID or Secret not correct."
UNPROCESSABLE = "HTTP/1.0 422 Unprocessable entity."


def success(payload: Json) -> Json:
    """Source: "Authentication", and every sample."""
    return {"status": {"status": "OK"}, **payload}


def rest_failure(problems: Iterable[tuple[int, str]]) -> tuple[int, Json]:
    """Assumed: an error of v4 REST, of which only the HTTP status 401 has been seen."""
    codes, messages = [list(column) for column in zip(*problems, strict=True)]
    status = REST_STATUS.get(codes[0], 404 if codes[0] in REST_NOT_FOUND else 422)
    return status, {"error_code": codes, "error_message": messages}


def failure(envelope: str, problems: Iterable[tuple[int, str]]) -> tuple[int, Json]:
    """The HTTP status that an error names, and its body.

    Source: E-AUTH "Authentication"; E-VALID "Single sign on subaccount";
    E-TOP "Send single push notification".
    """
    codes, messages = [list(column) for column in zip(*problems, strict=True)]
    if envelope == E_AUTH:
        return 401, {
            "status": {
                "status": "failed",
                "errors": {"error_code": codes[0], "error_message": UNAUTHORIZED},
            }
        }
    errors = {
        "error_message": UNPROCESSABLE,
        "error_message_description": messages,
        "error_code": codes,
    }
    if envelope == E_TOP:
        return 422, {"status": {"status": "failed"}, "errors": errors}
    return 422, {"status": {"status": "failed", "errors": errors}}


def shown_id(settings: Settings, id_: str) -> str:
    return id_ if settings.id_style == "prefixed" else id_.rpartition("_")[2]


def campaign_url(origin: str, campaign: Campaign) -> str:
    """`https://digicpn.com/p/{code}` at the vendor; here it leads to our own page. Source: "Definition"."""
    return f"{origin}/p/{campaign.code}"


def subaccount_details(settings: Settings, origin: str, subaccount: Subaccount, campaigns: list[Campaign]) -> Json:
    """Source: "Retrieve info of a subaccount". Numbers and some booleans are text there."""
    fields = subaccount.fields
    rows = [
        {
            "ID": shown_id(settings, campaign.id),
            "code": campaign.code,
            "url": campaign_url(origin, campaign),
            "status": campaign.status,
        }
        for campaign in campaigns
    ]
    if settings.details == "brief":
        return {"subaccount": {"ID": shown_id(settings, subaccount.id), "email": subaccount.email, "campaigns": rows}}
    last_login = fields.get("last_login")
    details = {
        "ID": shown_id(settings, subaccount.id),
        "email": subaccount.email,
        "language": fields.get("language", "en"),
        "lastlogin": "" if last_login is None else datetime.fromtimestamp(last_login, UTC).strftime("%F %T"),
        "amountlogin": str(fields.get("logins", 0)),
        "currency": fields.get("currency", "EUR"),
        "max_campaigns": "10",
        "expiry_date": fields.get("expiry_date", ""),
        "api_key": fields["api_key"],
        "api_secret": fields["api_secret"],
        "has_campaigns": str(len(rows)),
        "campaigns": rows,
        "first_name": fields.get("first_name", ""),
        "last_name": fields.get("last_name", ""),
        "company_name": fields.get("company_name", ""),
        "username": subaccount.email,
        "webhook_endpoint": fields.get("webhook_endpoint", ""),
        "available_campaigns": "all",
        "access_dashboard": True,
        "access_directory": "0",
    }
    return {"subaccount": details}


def subaccount_row(settings: Settings, subaccount: Subaccount) -> Json:
    """Assumed."""
    row = {"ID": shown_id(settings, subaccount.id), "email": subaccount.email}
    for name in ("first_name", "last_name", "company_name", "status", "expiry_date"):
        row[name] = subaccount.fields.get(name, "")
    return row


def listing(settings: Settings, singular: str, plural: str, rows: Sequence[Json]) -> Json:
    """Assumed: the rows of a list without a published answer, counted as "List groups" counts its own."""
    key = singular if settings.other_lists == "singular" else plural
    return {f"amount_of_{plural}": len(rows), key: list(rows)}


def subaccount_list(settings: Settings, subaccounts: list[Subaccount], counted: int | None = None) -> Json | list[Json]:
    """Assumed. `counted` are those on all pages, where there are pages."""
    rows = [subaccount_row(settings, subaccount) for subaccount in subaccounts]
    if settings.list_envelope == "bare":
        return rows
    return {"amount_of_subaccounts": str(len(rows) if counted is None else counted), settings.list_key: rows}


def invented_row(settings: Settings, index: int) -> Json:
    """A row of the fault "huge_list": nobody's subaccount, numbered where real ones never are."""
    row = Subaccount(
        9_000_000 + index,
        "",
        f"invented-{index}@example.test",
        {"company_name": f"Invented {index}"},
    )
    return subaccount_row(settings, row)


def subaccount_saved(settings: Settings, subaccount: Subaccount) -> Json:
    """Assumed, for create and update."""
    address = {"email": subaccount.email} if settings.saved_address else {}
    return {"subaccount": {"ID": shown_id(settings, subaccount.id), **address}}


def sign_on(settings: Settings, account: Account, kind: str, id_: str, panel: str, token: str) -> Json:
    """Source: "Single sign on subaccount". Assumed for the kinds account and teammate."""
    query = urlencode({"action": "login", "logintype": "sso", "token": token})
    links = _links(settings, account, panel, f"/index.php?{query}")
    shown = token if settings.token_in_url else token[::-1]
    return {kind: {"ID": shown_id(settings, id_), "token": shown, **links}}


def reset_url(settings: Settings, account: Account, id_: str, panel: str, token: str) -> Json:
    """Assumed."""
    links = _links(settings, account, panel, f"/reset?token={token}")
    return {"subaccount": {"ID": shown_id(settings, id_), **links}}


def origin(host: str, like: str) -> str:
    """`host` as an origin, with the scheme of `like` if it names none."""
    return host if "://" in host else f"{like.partition('://')[0]}://{host}"


def _links(settings: Settings, account: Account, panel: str, path: str) -> Json:
    links: Json = {"url": panel + path}
    if account.whitelabel_host:
        links["url_whitelabel"] = origin(account.whitelabel_host, panel) + path
    elif settings.whitelabel_blank != "absent":
        links["url_whitelabel"] = settings.whitelabel_blank
    return links
