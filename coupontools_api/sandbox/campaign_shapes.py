"""What answers about campaigns, coupon sessions and single-use links look like.

Documented: the session (until `saved_to_passbook`), the rows of "create multiple single use". Third parties read
`coupon_info`, `amount_of_results` and `data`, the rest of the session's status and the answer of "create single use".
Whatever is marked "assumed" is our reading of a gap. Numbers and flags are text where the documents show that.
"""

from . import shapes
from .campaign_store import Campaign, Event, Session
from .replies import Json
from .settings import Settings

CUSTOMER = ("firstname", "lastname", "email", "phone", *(f"customfield{number}" for number in range(1, 8)))


def campaign_row(settings: Settings, origin: str, campaign: Campaign) -> Json:
    """Source: "Retrieve a list of your campaigns"; the keys are those that third parties read."""
    fields = campaign.fields
    return {
        "ID": shapes.shown_id(settings, campaign.id),
        "code": campaign.code,
        "name": campaign.name,
        "title": fields.get("title", campaign.name),
        "subtitle": fields.get("subtitle", ""),
        "description": fields.get("description", ""),
        "type": fields.get("type", "coupon"),
        "status": campaign.status,
        "url": shapes.campaign_url(origin, campaign),
        "expirydate": fields.get("expirydate", ""),
        "coupon_category_name": fields.get("category", ""),
        "coupon_tags": fields.get("tags", ""),
        "folder": fields.get("folder", ""),
        "subaccount": shapes.shown_id(settings, campaign.owner) if campaign.owner.startswith("sub_") else "",
    }


def usage_stats(codes: int, claimed: int) -> Json:
    """Assumed: the names of the two counters of `show_usage_stats`."""
    return {"total_custom_validation_codes": str(codes), "claimed_custom_validation_codes": str(claimed)}


def session_status(session: Session) -> Json:
    """Source: "Retrieve all data from one coupon session"; from `validation_date_utc` on by third parties."""
    return {
        "created_date_utc": session.created,
        "opened": _flag(session.opened),
        "open_date_utc": session.opened,
        "played": session.field("played") or "0",
        "played_date_utc": session.opened if session.field("played") == "1" else "",
        "claimed": _flag(session.claimed),
        "claim_date_utc": session.claimed,
        "claimtype": session.field("claimtype"),
        "saved_to_passbook": session.field("saved_to_passbook") or "0",
        "validated": _flag(session.validated),
        "validation_date_utc": session.validated,
        "voided_date_utc": session.voided,
        "locked": session.field("locked") or "0",
        "validation_value": session.field("validation_value"),
        "value": session.field("value"),
        "own_validation_code": session.field("own_validation_code"),
    }


def session_details(settings: Settings, origin: str, campaign: Campaign, session: Session) -> Json:
    """Source: "Retrieve all data from one coupon session". Assumed: the block `customer`."""
    return {
        "campaign": shapes.shown_id(settings, campaign.id),
        "action": "retrieve_all_session_data",
        **_session_head(origin, campaign, session),
        "data": {"status": session_status(session), "customer": _customer(session)},
    }


def usage_page(settings: Settings, campaign: Campaign, amount: int, sessions: list[Session]) -> Json:
    """Source: "Retrieve all usage data from a campaign"; the keys are those that third parties read."""
    return {
        "campaign": shapes.shown_id(settings, campaign.id),
        "amount_of_results": str(amount if settings.results_counted == "total" else len(sessions)),
        "data": [
            {"session": session.code, "sequenceid": str(session.sequence), "status": session_status(session)}
            for session in sessions
        ],
    }


def session_saved(settings: Settings, session: Session, action: str) -> Json:
    """Assumed, for updates of one session."""
    campaign = shapes.shown_id(settings, f"cam_{session.campaign}")
    return {
        "campaign": campaign,
        "action": action,
        "session": session.code,
        "data": {"status": session_status(session)},
    }


def sessions_found(settings: Settings, sessions: list[Session]) -> Json:
    """Assumed: as usage data, each with its campaign."""
    return {
        "amount_of_results": str(len(sessions)),
        "data": [
            {
                "campaign": shapes.shown_id(settings, f"cam_{session.campaign}"),
                "session": session.code,
                "sequenceid": str(session.sequence),
                "customid": session.field("customid"),
                "status": session_status(session),
                "customer": _customer(session),
            }
            for session in sessions
        ],
    }


def session_url(origin: str, campaign: Campaign, session: Session) -> str:
    return f"{shapes.campaign_url(origin, campaign)}/{session.code}"


def single_use(settings: Settings, origin: str, campaign: Campaign, session: Session, action: str) -> Json:
    """Source: "Create a single use access URL"; the keys are those that third parties read.

    Assumed: the words of `action`.
    """
    return {
        "campaign": shapes.shown_id(settings, campaign.id),
        "action": action,
        "single_use_code": session.code,
        "single_use_url": session_url(origin, campaign, session),
        "widget_validation_code": session.short,
        "custom_validation_code": session.field("own_validation_code"),
        "customid": session.field("customid"),
    }


def many_single_use(settings: Settings, origin: str, campaign: Campaign, sessions: list[Session]) -> Json:
    """Source: "Create multiple single use access URLs". The action begins with a blank there, too."""
    return {
        "campaign": shapes.shown_id(settings, campaign.id),
        "action": " multiple_single_use_codes_created",
        "data": [
            {
                "single_use_code": session.code,
                "sequence_id": session.sequence,
                "single_use_url": session_url(origin, campaign, session),
                "widget_validation_code": session.short,
                "custom_validation_code": session.field("own_validation_code"),
            }
            for session in sessions
        ],
    }


def webhook_body(campaign: Campaign, session: Session | None, event: Event) -> Json:
    """Assumed: what a webhook posts; the keys are those that a third party reads."""
    return {
        "id": event.id,
        "type": event.kind,
        "datetime": event.at,
        "campaign": campaign.id,
        "coupon": {
            "friendly_name": campaign.name,
            "title": campaign.fields.get("title", campaign.name),
            "subtitle": campaign.fields.get("subtitle", ""),
            "tags": campaign.fields.get("tags", ""),
            "custom_validation_code": "" if session is None else session.field("own_validation_code"),
            "customid": "" if session is None else session.field("customid"),
            "timezone": "UTC",
        },
        "session": event.session,
        "coupon_code": campaign.code,
        "customid": "" if session is None else session.field("customid"),
        "customer": {} if session is None else {"email": session.field("email"), "customid": session.field("customid")},
        "status": {} if session is None else session_status(session),
    }


def webhook_verified(settings: Settings, event: Event) -> Json:
    """Source: "Webhook verification"."""
    return {
        "result": "valid",
        "webhook": event.id,
        "date": event.at,
        "campaign": shapes.shown_id(settings, f"cam_{event.campaign}"),
        "session": event.session,
        "type": event.kind,
    }


def _session_head(origin: str, campaign: Campaign, session: Session) -> Json:
    return {
        "session": session.code,
        "session_url": session_url(origin, campaign, session),
        "sequenceid": str(session.sequence),
        "customid": session.field("customid"),
    }


def _customer(session: Session) -> Json:
    return {name: session.field(name) for name in CUSTOMER}


def _flag(moment: str) -> str:
    return "1" if moment else "0"
