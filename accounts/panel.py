"""Customers' doors into the vendor's panel: launch and password link. Both answers are secrets, used at once."""

from datetime import timedelta

from django.conf import settings

from accounts import refreshes
from accounts.handoff import Handoff, panel_hosts, panel_origins
from accounts.models import Subaccount, User
from coupontools_api.ids import CampaignId, SubaccountId
from coupontools_api.subaccounts import Page

__all__ = ["PAGES", "UPDATE_CAMPAIGN", "open_panel", "panel_hosts", "panel_origins", "password_link"]

PAGES = tuple(page.value for page in Page)
UPDATE_CAMPAIGN = Page.UPDATE_CAMPAIGN.value


def open_panel(subaccount: Subaccount, *, acting_user: User, page: str = "", campaign: str = "") -> str:
    """Mints a sign-on and returns its URL, to be redirected to at once and kept nowhere.

    `campaign` must be one of the subaccount's own (the caller's form sees to that) and goes with update_campaign.
    At most LAUNCH_DEADLINE_SECONDS, exactly one vendor call, an event for every try.
    Raises TooMany, NotAllowed, NotFoundAtVendor, BadCredentials, Unavailable, SuspiciousReply.
    """
    this = Handoff("launch", subaccount.agency, subaccount.vendor_account, acting_user, subaccount, page, campaign)
    this.needs_active()
    this.refuses_paused()
    this.count("launch", acting_user.pk, settings.LIMIT_LAUNCH_PERSON)
    this.count("launch-customer", subaccount.customer_id, settings.LIMIT_LAUNCH_CUSTOMER)
    url = sign_on(this, subaccount)
    launched_at = this.record("opened")
    # What the customer changes in the panel is on the start page a minute later.
    refreshes.put(subaccount, after=timedelta(minutes=1), launched_at=launched_at)
    return url


def sign_on(this: Handoff, subaccount: Subaccount) -> str:
    """The URL of a fresh sign-on into a subaccount, checked. For this module and the staff's."""
    wanted = Page(this.page) if this.page and this.vendor_account.offers_pages else None
    signed_on = this.ask(
        lambda client: client.subaccounts.sign_on(
            SubaccountId(subaccount.vendor_id),
            page=wanted,
            campaign=CampaignId(this.campaign) if wanted is Page.UPDATE_CAMPAIGN else None,
            deadline=settings.LAUNCH_DEADLINE_SECONDS,
        ),
    )
    return this.trusted((signed_on.url_whitelabel, signed_on.url), token=signed_on.token)


def password_link(subaccount: Subaccount, *, acting_user: User) -> str:
    """A link with which the reader sets the panel password, to be shown once and kept nowhere.

    Same limits of time, checks and errors as `open_panel`.
    """
    this = Handoff("password_link", subaccount.agency, subaccount.vendor_account, acting_user, subaccount)
    this.needs_active()
    this.refuses_paused()
    this.count("password_link", acting_user.pk, settings.LIMIT_PASSWORD_LINK)
    made = this.ask(
        lambda client: client.subaccounts.password_reset_url(
            SubaccountId(subaccount.vendor_id), deadline=settings.LAUNCH_DEADLINE_SECONDS
        ),
    )
    url = this.trusted((made.url_whitelabel, made.url), token=None)
    this.record("made")
    return url
