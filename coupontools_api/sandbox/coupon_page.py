"""What a customer sees: the page of a coupon, where it is claimed and validated, and the door of a directory."""

from html import escape

from .campaign_store import Campaign, Session
from .directories import is_let_in
from .pages import Visit, fact_list, whole_page
from .replies import Reply
from .sessions import validate
from .vendor import Vendor

SITE = "Sandbox coupons"
GONE = "This coupon does not exist, or does not exist any more."


def is_coupon_path(path: str) -> bool:
    return path.startswith(("/p/", "/d/"))


def respond(vendor: Vendor, visit: Visit) -> Reply:
    """`/p/{code}` is a campaign, `/p/{code}/{session}` one person's copy of it, `/d/` a directory."""
    if visit.method not in ("GET", "POST"):
        reply = whole_page(405, "Not allowed", "<p>Please use a browser.</p>", site=SITE)
        return Reply(405, reply.body, headers=(*reply.headers, ("Allow", "GET, POST")))
    with vendor.database.transaction():
        if visit.path.startswith("/d/"):
            return _directory(vendor, visit)
        code, _, session_code = visit.path.removeprefix("/p/").rstrip("/").partition("/")
        campaign = vendor.campaigns.campaign_with_code(code)
        if campaign is None:
            return _gone()
        if not session_code:
            return _campaign(vendor, visit, campaign)
        session = vendor.campaigns.session_of(campaign, session_code)
        # The short code is for the shop's till; it opens no page.
        if session is None or session.code != session_code:
            return _gone()
        return _session(vendor, visit, campaign, session)


def _campaign(vendor: Vendor, visit: Visit, campaign: Campaign) -> Reply:
    """The way in for everybody: each visitor who wants one gets a session of their own."""
    if visit.method == "POST":
        session = vendor.campaigns.new_session(campaign, {})
        vendor.ledger.effect("coupon_taken", owner=campaign.owner, campaign=campaign.id, session=session.code)
        return Reply(303, headers=(("Location", f"/p/{campaign.code}/{session.code}"),))
    return _page(campaign, None, f"<p>{escape(campaign.name)}</p>{_button('take', 'Get this coupon')}")


def _session(vendor: Vendor, visit: Visit, campaign: Campaign, session: Session) -> Reply:
    if session.voided:
        return _page(campaign, session, "<p>This coupon is no longer valid.</p>", status=410)
    if session.is_expired:
        return _page(campaign, session, "<p>This coupon is over.</p>", status=410)
    if visit.method == "GET":
        return _page(campaign, vendor.campaigns.advance(session, "opened"))
    action = visit.form.get("action")
    if action not in ("claim", "validate"):
        return _page(campaign, session, status=400)
    validate(vendor, campaign.owner, session, claim_only=action == "claim", claimtype="widget")
    return Reply(303, headers=(("Location", visit.path),))


def _page(campaign: Campaign, session: Session | None, content: str = "", status: int = 200) -> Reply:
    title = str(campaign.fields.get("title", campaign.name))
    if session is None:
        return whole_page(status, title, content, {"campaign": campaign.id}, site=SITE)
    state = next(name for name in ("voided", "validated", "claimed", "opened", "created") if getattr(session, name))
    if session.is_expired and not session.voided:
        state = "expired"
    facts = fact_list({"Coupon": title, "Validation code": session.short, "State": state})
    if state in ("opened", "created"):
        content += _button("claim", "Claim")
    elif state == "claimed":
        content += _button("validate", "Validate in the shop")
    marks = {"campaign": campaign.id, "session": session.code, "state": state}
    return whole_page(status, title, facts + content, marks, site=SITE)


def _button(action: str, text: str) -> str:
    return f'<form method="post"><p><button name="action" value="{action}">{text}</button></p></form>'


def _directory(vendor: Vendor, visit: Visit) -> Reply:
    """A directory user's one-time way in."""
    facts = vendor.state.use_token("directory", visit.query.get("token", "")) if visit.method == "GET" else None
    user = None if facts is None else vendor.records.get("directory_user", facts["owner"], facts["user"])
    if user is None:
        return whole_page(403, "Not signed in", "<p>This link was already used or is not valid.</p>", site=SITE)
    if not is_let_in(user):
        return whole_page(403, "No access", "<p>You have no access to this directory.</p>", site=SITE)
    vendor.ledger.effect("token_used", of="directory_user", owner=user.owner, user=user.id)
    shown = fact_list({"Directory": f"dir_{user.parent}", "User": user.id, "E-mail": str(user.data["email"])})
    return whole_page(200, "Directory", shown, {"user": user.id}, site=SITE)


def _gone() -> Reply:
    return whole_page(404, "Not found", f"<p>{GONE}</p>", site=SITE)
