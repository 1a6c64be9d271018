"""Coupon sessions: one person's copy of a coupon, read, changed and searched for."""

from dataclasses import replace

from . import campaign_shapes
from .arguments import Call, Refusal, incorrect, missing, not_in_list
from .assumed import EXPIRED, SEARCH_FIELDS, SESSION_ACTIONS, SESSION_FLAGS, VOIDED
from .campaign_store import Campaign, Session, moment_text
from .campaigns import SESSION_NOT_FOUND, own_campaign
from .replies import Json
from .state import Owner
from .vendor import Vendor

CUSTOM_FIELDS = tuple(f"customfield{number}" for number in range(1, 8))
PLAIN_FIELDS = ("customid", "firstname", "lastname", "phone", "own_validation_code", "validation_value", *CUSTOM_FIELDS)
FORWARD = {"open", "claim", "validate"}
MOST = 1000


def get_session(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One session. Raises Refusal (200, 505).

    Source: POST /v3/couponsession/data, "Retrieve all data from one coupon session". The codes are assumed.
    """
    session, campaign = _own_session(vendor, owner, call.required("couponsession"))
    return campaign_shapes.session_details(vendor.state.settings, vendor.panel_url, campaign, session)


def update_session(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Let a session be opened, claimed, validated or voided, and change what is known of its customer.

    Raises Refusal (200, 300, 302, 305, 505).

    Source: POST /v3/couponsession/update, "Update data from a coupon session", which is cut at `void…`.
    Assumed: the parameters, the answer, and the codes.
    """
    session, _ = _own_session(vendor, owner, call.required("couponsession"))
    changed = _change(vendor, owner, session, *_wanted(session, call))
    return campaign_shapes.session_saved(vendor.state.settings, changed, "session_updated")


def update_sessions(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """The same change for many sessions, all of them or none. Raises Refusal as for one.

    Source: "Update data from multiple coupon sessions" is in the vendor's menu only.
    Assumed: everything; `couponsessions` is an array, or text with commas. One that is named twice is changed once.
    """
    given = call.arguments.get("couponsessions")
    codes = given.split(",") if isinstance(given, str) else given
    if not codes:
        raise Refusal(missing("couponsessions"))
    if not isinstance(codes, list) or len(codes) > MOST or not all(isinstance(code, str) for code in codes):
        raise Refusal(incorrect("couponsessions"))
    named = [_own_session(vendor, owner, code.strip())[0] for code in codes]
    sessions = list({session.code: session for session in named}.values())
    changes = [_wanted(session, call) for session in sessions]  # all are read before one is made
    changed = [_change(vendor, owner, session, *change) for session, change in zip(sessions, changes, strict=True)]
    settings = vendor.state.settings
    return {
        "amount_of_results": str(len(changed)),
        "data": [campaign_shapes.session_saved(settings, session, "session_updated") for session in changed],
    }


def search_sessions(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Sessions by own validation code, phone or e-mail address, of one campaign if given.

    Raises Refusal (200, 301, 502).

    Source: POST /v3/couponsession/search, "Search coupon session"; with `campaign`
    "Search coupon session from a campaign", which is in the vendor's menu only.
    Assumed: names of the parameters, the answer, and the codes.
    """
    campaign = own_campaign(vendor, owner, call) if call.has("campaign") else None
    wanted: dict[str, str] = call.texts(*SEARCH_FIELDS)
    everywhere = call.text("search")
    if everywhere is not None:
        wanted = dict.fromkeys(SEARCH_FIELDS, everywhere)
    if not wanted:
        raise Refusal(missing("search"))
    found = vendor.campaigns.search(owner.id, None if campaign is None else campaign.number, wanted)
    return campaign_shapes.sessions_found(vendor.state.settings, found)


def validate(vendor: Vendor, owner_id: str, session: Session, *, claim_only: bool = False, **fields: str) -> Session:
    """Claim a session, and validate it unless told otherwise; what happens for the first time is an event."""
    reached = vendor.campaigns.advance(session, "claimed" if claim_only else "validated", **fields)
    for moment in ("claimed", "validated"):
        if getattr(reached, moment) and not getattr(session, moment):
            vendor.campaigns.record_event(owner_id, session.campaign, session.code, f"coupon_{moment}")
            facts = {"owner": owner_id, "campaign": f"cam_{session.campaign}", "session": session.code}
            vendor.ledger.effect(f"coupon_{moment}", **facts)
    return reached


def _own_session(vendor: Vendor, owner: Owner, code: str) -> tuple[Session, Campaign]:
    session = vendor.campaigns.session(code, owner.id)
    campaign = None if session is None else vendor.campaigns.campaign(session.campaign)
    if session is None or campaign is None:
        raise Refusal(SESSION_NOT_FOUND)
    return session, campaign


def _wanted(session: Session, call: Call) -> tuple[set[str], Json]:
    """The actions and fields of an update."""
    actions = _actions(call)
    fields = call.texts(*PLAIN_FIELDS, most=50)
    email = call.email("email")
    if email is not None:
        fields["email"] = email
    if not actions and not fields:
        raise Refusal(missing("action"))
    if session.voided and "unvoid" not in actions and actions & FORWARD:
        raise Refusal(VOIDED)
    if session.is_expired and actions & FORWARD:
        raise Refusal(EXPIRED)
    return actions, fields


def _change(vendor: Vendor, owner: Owner, session: Session, actions: set[str], fields: Json) -> Session:
    voided = (session.voided or moment_text()) if "void" in actions else session.voided
    changed = replace(
        session, voided="" if "unvoid" in actions else voided, fields={**(session.fields or {}), **fields}
    )
    vendor.campaigns.save(changed)
    vendor.ledger.effect(
        "session_updated", owner=owner.id, session=session.code, actions=sorted(actions), fields=sorted(fields)
    )
    if "open" in actions:
        changed = vendor.campaigns.advance(changed, "opened")
    if actions & {"claim", "validate"}:
        changed = validate(vendor, owner.id, changed, claim_only="validate" not in actions, claimtype="api")
    return changed


def _actions(call: Call) -> set[str]:
    action = call.text("action")
    if action is not None and action not in SESSION_ACTIONS:
        raise Refusal(not_in_list("action"))
    actions = set() if action is None else {action}
    for flag, meaning in SESSION_FLAGS.items():
        for name in (flag, meaning):
            given = call.flag(name)
            if given:
                actions.add(meaning)
            elif given is False and meaning == "void":
                actions.add("unvoid")
    return actions
