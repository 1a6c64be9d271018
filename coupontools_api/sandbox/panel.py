"""The vendor's control panel, as far as our visitors see it: sign-on, pages, password."""

import time
from dataclasses import replace
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from . import shapes
from .pages import HEADERS, STYLE, Visit, fact_list, whole_page
from .replies import Json, Reply
from .sign_ons import PAGES
from .state import Subaccount, number_of
from .vendor import Vendor

COOKIE = "sandbox_panel"
HOME = "home"
DEAD_LINK = "This link was already used or is not valid."


def is_panel_path(path: str) -> bool:
    return path in ("/index.php", "/reset", "/favicon.ico", "/panel") or path.startswith("/panel/")


def respond(vendor: Vendor, visit: Visit) -> Reply:
    if visit.path == "/favicon.ico":
        return Reply(204)
    if visit.method not in ("GET", "POST"):
        return replace(
            _page(405, "Not allowed", "<p>Please use a browser.</p>"),
            headers=(("Allow", "GET, POST"),),
        )
    with vendor.database.transaction():
        if visit.path == "/index.php":
            return _sign_on(vendor, visit)
        if visit.path == "/reset":
            return _reset(vendor, visit)
        if visit.path == "/panel/style.css":
            return Reply(200, STYLE.encode(), "text/css; charset=utf-8")
        return _panel(vendor, visit)


def _sign_on(vendor: Vendor, visit: Visit) -> Reply:
    wanted = visit.method == "GET" and visit.query.get("action") == "login" and visit.query.get("logintype") == "sso"
    facts = vendor.state.use_token("sign_on", visit.query.get("token", "")) if wanted else None
    if facts is None or (facts["of"] == "subaccount" and _subaccount(vendor, facts) is None):
        return _page(403, "Not signed in", f"<p>{DEAD_LINK}</p>")
    subaccount = _subaccount(vendor, facts)
    if subaccount is not None:
        logins = subaccount.fields.get("logins", 0) + 1
        fields = {**subaccount.fields, "logins": logins, "last_login": time.time()}
        vendor.state.save(replace(subaccount, fields=fields))
    vendor.ledger.effect("token_used", **facts)
    query = {"campaign": facts["campaign"]} if facts["campaign"] else {}
    path = f"/panel/{facts['page'] or HOME}/"
    account = vendor.state.account(facts["client_id"])
    if account is not None and account.panel_redirect_host:
        # The cookie would not reach the other host: a second one-time token takes it along.
        query["handoff"] = vendor.state.new_token("handoff", facts)
        path = shapes.origin(account.panel_redirect_host, vendor.panel_url) + path
    location = f"{path}?{urlencode(query)}" if query else path
    return _go(302, location, _cookie(vendor, visit, facts))


def _panel(vendor: Vendor, visit: Visit) -> Reply:
    page = visit.path.removeprefix("/panel").strip("/")
    if page not in (HOME, *PAGES):
        return _page(404, "Not found", "<p>There is no such page.</p>")
    facts = _session(vendor, visit)
    headers: tuple[tuple[str, str], ...] = ()
    handed = vendor.state.use_token("handoff", visit.query["handoff"]) if "handoff" in visit.query else None
    if handed is not None:
        facts, headers = handed, (_cookie(vendor, visit, handed),)
    if facts is None:
        return _page(403, "Not signed in", "<p>Please sign in first.</p>")
    subaccount = _subaccount(vendor, facts)
    if facts["of"] != "subaccount":
        return _with(headers, _staff_page(page, facts))
    if subaccount is None:
        return _page(403, "Not signed in", "<p>This account does not exist any more.</p>")
    if visit.method == "POST":
        return _add_campaign(vendor, subaccount, page, visit.form.get("name", "").strip())
    return _with(headers, _subaccount_page(vendor, subaccount, page, visit.query.get("campaign", "")))


def _add_campaign(vendor: Vendor, subaccount: Subaccount, page: str, name: str) -> Reply:
    if page != "add_campaign" or not name:
        return _page(
            400,
            "Not saved",
            '<p>A campaign needs a name. <a href="/panel/add_campaign/">Try again</a></p>',
        )
    campaign = vendor.campaigns.put(subaccount.id, {"name": name[:200], "status": "active"})
    vendor.campaigns.record_event(subaccount.id, campaign.number, "", "coupon_created")
    vendor.ledger.effect(
        "campaign_created",
        subaccount=subaccount.id,
        client_id=subaccount.client_id,
        campaign=campaign.id,
        name=name,
    )
    return _go(303, f"/panel/update_campaign/?campaign={campaign.id}")


def _subaccount_page(vendor: Vendor, subaccount: Subaccount, page: str, wanted: str) -> Reply:
    campaigns = vendor.campaigns.campaigns(subaccount.id)
    campaign = next((campaign for campaign in campaigns if campaign.id == wanted), None)
    facts = {
        "Page": page,
        "Subaccount": subaccount.id,
        "Company": subaccount.fields.get("company_name", ""),
        "E-mail": subaccount.email,
    }
    if campaign is not None:
        facts |= {"Campaign": campaign.id, "Name": campaign.name, "Status": campaign.status}
    more = ""
    if page == "campaigns":
        more = "".join(
            f'<li><a href="/panel/update_campaign/?campaign={own.id}">{escape(own.name)}</a>'
            f" ({escape(own.status)})</li>"
            for own in campaigns
        )
        more = f"<ul>{more}</ul>" if more else "<p>There is no campaign yet.</p>"
    elif page == "add_campaign":
        more = (
            '<form method="post"><p><label for="name">Name of the campaign</label> '
            '<input id="name" name="name" required maxlength="200"> '
            "<button>Create</button></p></form>"
        )
    marks = {"page": page, "subaccount": subaccount.id, "campaign": campaign.id if campaign else ""}
    return _page(200, page.replace("_", " ").capitalize(), fact_list(facts) + more, marks, nav=True)


def _staff_page(page: str, facts: Json) -> Reply:
    kind = facts["of"]
    id_ = facts["client_id"] if kind == "account" else facts["teammate"]
    shown = {"Page": page, kind.capitalize(): id_}
    return _page(200, page.replace("_", " ").capitalize(), fact_list(shown), {"page": page, kind: id_}, nav=True)


def _reset(vendor: Vendor, visit: Visit) -> Reply:
    token = visit.query.get("token", "")
    facts = vendor.state.peek_token("reset", token)
    subaccount = None if facts is None else vendor.state.subaccount(facts["subaccount"])
    if subaccount is None:
        return _page(403, "Choose a password", f"<p>{DEAD_LINK}</p>")
    who = {"subaccount": subaccount.id, "client_id": subaccount.client_id}
    marks = {"page": "reset", "subaccount": subaccount.id}
    if visit.method == "POST" and visit.form.get("password"):
        vendor.state.use_token("reset", token)
        vendor.state.save(replace(subaccount, fields={**subaccount.fields, "password_given": True}))
        vendor.ledger.effect("token_used", of="reset", **who)
        vendor.ledger.effect("password_set", **who)
        return _page(200, "Choose a password", "<p>Your password has been saved.</p>", marks)
    form = (
        f'<p>For {escape(subaccount.email)}</p><form method="post"><p>'
        '<label for="password">New password</label> '
        '<input id="password" name="password" type="password" required '
        'autocomplete="new-password"> '
        "<button>Save</button></p></form>"
    )
    return _page(200, "Choose a password", form, marks)


def _subaccount(vendor: Vendor, facts: Json) -> Subaccount | None:
    return vendor.state.subaccount(number_of(facts["subaccount"], "sub")) if facts["of"] == "subaccount" else None


def _session(vendor: Vendor, visit: Visit) -> Json | None:
    try:
        morsel = SimpleCookie(visit.cookies).get(COOKIE)
    except CookieError:
        return None
    return None if morsel is None else vendor.state.peek_token("session", morsel.value)


def _cookie(vendor: Vendor, visit: Visit, facts: Json) -> tuple[str, str]:
    session = vendor.state.new_token("session", facts)
    secure = "; Secure" if visit.secure else ""
    return "Set-Cookie", f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _go(status: int, location: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, headers=(("Location", location), *HEADERS, *headers))


def _with(headers: tuple[tuple[str, str], ...], reply: Reply) -> Reply:
    return replace(reply, headers=(*reply.headers, *headers))


def _page(status: int, title: str, content: str, marks: dict[str, str] | None = None, *, nav: bool = False) -> Reply:
    """A page of the panel. `content` is markup; `marks` become data- attributes of `<main>`."""
    links = [(f"/panel/{page}/", page.replace("_", " ").capitalize()) for page in (HOME, *PAGES)]
    menu = [link for link in links if link[0] != "/panel/update_campaign/"] if nav else []
    return whole_page(status, title, content, marks, site="Sandbox panel", menu=menu)
