"""Campaigns, which the newer documents call coupons: list, information, usage, push notifications."""

from . import campaign_shapes, shapes
from .arguments import Call, Refusal
from .campaign_store import Campaign
from .paging import EVER, offset, period
from .replies import Json
from .state import Owner
from .vendor import Vendor

CAMPAIGN_NOT_FOUND = (502, "Campaign ID not found")
SESSION_NOT_FOUND = (505, "Coupon session not found")
FOLDER_NOT_FOUND = (515, "Folder not found")
ACTIVE = "active"


def list_campaigns(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """An owner's campaigns. Raises Refusal (301, 302, 515).

    Source: POST /v3/coupon/list, "Retrieve a list of your campaigns".
    Assumed: tags narrow to campaigns that have one of them; 301 and 302.
    """
    campaigns = vendor.campaigns.campaigns(owner.id)
    folder, category = call.number("folder", "fol"), call.number("category", "cat")
    if folder is not None:
        campaigns = [campaign for campaign in campaigns if campaign.fields.get("folder") == str(folder)]
        if not campaigns:
            raise Refusal(FOLDER_NOT_FOUND)
    if call.flag("only_active"):
        campaigns = [campaign for campaign in campaigns if campaign.status == ACTIVE]
    if category is not None:
        record = vendor.records.get("category", owner.id, category)
        name = None if record is None else record.data["name"]
        campaigns = [campaign for campaign in campaigns if name and campaign.fields.get("category") == name]
    wanted = _tags(call.text("tags") or "")
    if wanted:
        campaigns = [campaign for campaign in campaigns if wanted & _tags(campaign.fields.get("tags", ""))]
    settings = vendor.state.settings
    return {
        "coupon_info": [campaign_shapes.campaign_row(settings, vendor.panel_url, campaign) for campaign in campaigns]
    }


def get_campaign(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """One campaign. Raises Refusal (200, 301, 302, 502).

    Source: POST /v3/coupon/info, "Retrieve information from a campaign".
    Assumed: the names of the two counters that `show_usage_stats` adds.
    """
    campaign = own_campaign(vendor, owner, call)
    info = campaign_shapes.campaign_row(vendor.state.settings, vendor.panel_url, campaign)
    if call.flag("show_usage_stats"):
        coded = [
            session
            for session in vendor.campaigns.sessions(campaign.number, "created", *EVER)
            if session.field("own_validation_code")
        ]
        info |= campaign_shapes.usage_stats(len(coded), sum(1 for session in coded if session.claimed))
    return {"coupon_info": info}


def list_usage(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """All sessions of a campaign, by the moment they were made.

    Raises Refusal (200, 301, 303, 502).

    Source: POST /v3/campaign/data, "Retrieve all usage data from a campaign". The codes are assumed.
    """
    return _usage(vendor, owner, call, "created")


def list_opens(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Sessions that were opened, by that moment. As `list_usage`. Source: POST /v3/campaign/opens."""
    return _usage(vendor, owner, call, "opened")


def list_claims(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Sessions that were claimed, by that moment. As `list_usage`. Source: POST /v3/campaign/claims."""
    return _usage(vendor, owner, call, "claimed")


def list_validations(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """Sessions that were validated, by that moment. As `list_usage`. Source: POST /v3/campaign/validations."""
    return _usage(vendor, owner, call, "validated")


def _usage(vendor: Vendor, owner: Owner, call: Call, moment: str) -> Json:
    campaign = own_campaign(vendor, owner, call)
    settings = vendor.state.settings
    days = period(settings, call)
    start = offset(settings, call, settings.page_size)
    sessions = vendor.campaigns.sessions(campaign.number, moment, *days, offset=start, most=settings.page_size)
    amount = vendor.campaigns.count(campaign.number, moment, *days)
    return campaign_shapes.usage_page(settings, campaign, amount, sessions)


def push(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A message to the wallet of one session. Raises Refusal (200, 301, 502, 505).

    Source: POST /v3/coupon/pushnotification/single, "Send single push notification". 200, 301 and 502 are assumed.
    """
    campaign = own_campaign(vendor, owner, call)
    session = vendor.campaigns.session_of(campaign, call.required("couponsession"))
    if session is None:
        raise Refusal(SESSION_NOT_FOUND)
    message = call.required("message")
    vendor.ledger.effect("push", owner=owner.id, campaign=campaign.id, session=session.code, message=message)
    return {}


def push_to_all(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A message to all wallets that hold the coupon. Raises Refusal (200, 301, 502).

    Source: "Send push notification to all" is in the vendor's menu only. Path and codes are assumed.
    """
    campaign = own_campaign(vendor, owner, call)
    message = call.required("message")
    amount = vendor.campaigns.count(campaign.number, "created", *EVER)
    vendor.ledger.effect("push_to_all", owner=owner.id, campaign=campaign.id, message=message, sessions=amount)
    return {}


def create_campaign(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A campaign from a template, for the caller or one of its subaccounts.

    Raises Refusal (200, 301, 303, 510).

    Source: third parties alone; the vendor's page shows its title only. The answer and the codes are assumed.
    """
    template = call.required_number("template", "tem")
    name = call.required("name")
    expiry_date = call.written("expiry_date", "%Y-%m-%d %H:%M", "YYYY-MM-DD HH:MM")
    number = call.number("subaccount", "sub")
    holder = owner.id
    if number is not None:
        subaccount = vendor.state.subaccount(number)
        if subaccount is None or owner.subaccount is not None or subaccount.client_id != owner.account.client_id:
            raise Refusal((510, "Subaccount ID not correct."))
        holder = subaccount.id
    # A name that is there already makes a second campaign and changes none.
    fields = {"name": name, "template": str(template), **call.texts("title", "subtitle", most=200)}
    if expiry_date is not None:
        fields["expirydate"] = f"{expiry_date}:00"
    campaign = vendor.campaigns.add(holder, fields)
    vendor.campaigns.record_event(holder, campaign.number, "", "coupon_created")
    vendor.ledger.effect("campaign_created", owner=holder, campaign=campaign.id, name=name)
    return {"campaign": shapes.shown_id(vendor.state.settings, campaign.id)}


def own_campaign(vendor: Vendor, owner: Owner, call: Call) -> Campaign:
    """The campaign that a call names. Raises Refusal (200, 301, 502)."""
    campaign = vendor.campaigns.campaign(call.required_number("campaign", "cam"))
    if campaign is None or campaign.owner != owner.id:
        raise Refusal(CAMPAIGN_NOT_FOUND)
    return campaign


def _tags(text: str) -> set[str]:
    return {tag.strip().casefold() for tag in text.split(",")} - {""}
