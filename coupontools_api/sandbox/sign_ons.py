"""Single sign-on: one-time ways into the panel, for a subaccount, the account, or a teammate."""

import re

from . import shapes
from .arguments import Call, Refusal, incorrect, invalid_character, missing, not_in_list
from .campaign_store import Campaign
from .campaigns import CAMPAIGN_NOT_FOUND
from .replies import Json
from .state import Owner
from .subaccounts import own_subaccount
from .vendor import Vendor

PAGES = ("campaigns", "add_campaign", "update_campaign", "statistics", "distribution")


def sign_on_subaccount(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A one-time way into the panel. Raises Refusal (200, 301, 302, 502, 510).

    Source: POST /v3/subaccount/sso, "Single sign on subaccount".
    302 and 502 are assumed, and 200 for `campaign`.
    """
    subaccount = own_subaccount(vendor, owner, call)
    page, campaign = _target(vendor, call)
    if campaign is not None and campaign.owner != subaccount.id:
        raise Refusal(CAMPAIGN_NOT_FOUND)
    return _sign_on(vendor, owner, "subaccount", subaccount.id, page, campaign)


def sign_on_account(vendor: Vendor, owner: Owner, call: Call) -> Json:
    """A one-time way into the account's own panel.

    Source: POST /v3/account/sso, "Account, create single sign on". The answer is assumed.
    """
    return _sign_on(vendor, owner, "account", owner.account.id)


def sign_on_teammate(vendor: Vendor, owner: Owner, call: Call) -> Json:
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
    if teammate not in owner.account.teammates:
        raise Refusal((503, "Teammate ID not found"))
    page, campaign = _target(vendor, call)
    if campaign is not None:
        holder = vendor.state.owner(campaign.owner)
        if holder is None or holder.account != owner.account:
            raise Refusal(CAMPAIGN_NOT_FOUND)
    return _sign_on(vendor, owner, "teammate", teammate, page, campaign)


def _target(vendor: Vendor, call: Call) -> tuple[str | None, Campaign | None]:
    if not vendor.state.settings.sign_on_page:
        unwanted = [incorrect(name) for name in ("page", "campaign") if call.has(name)]
        if unwanted:
            raise Refusal(*unwanted)
    page = call.text("page")
    if page is not None and page not in PAGES:
        raise Refusal(not_in_list("page"))
    number = call.number("campaign", "cam")
    if number is None:
        if page == "update_campaign":
            raise Refusal(missing("campaign"))
        return page, None
    campaign = vendor.campaigns.campaign(number)
    if campaign is None:
        raise Refusal(CAMPAIGN_NOT_FOUND)
    return page, campaign


def _sign_on(
    vendor: Vendor,
    owner: Owner,
    kind: str,
    id_: str,
    page: str | None = None,
    campaign: Campaign | None = None,
) -> Json:
    facts = {
        "of": kind,
        "client_id": owner.account.client_id,
        kind: id_,
        "page": page,
        "campaign": campaign.id if campaign else None,
    }
    vendor.ledger.effect("sign_on", **facts)
    settings = vendor.state.settings
    token = vendor.state.new_token("sign_on", facts, uses=settings.token_uses)
    return shapes.sign_on(settings, owner.account, kind, id_, vendor.panel_url, token)
