"""Staff's doors into the vendor's panel. No code for customers may import this module (import contract).

A customer's panel: with a reason, which the customer can read. The agency's own panel: for owners, and for staff
whose teammate id an owner has stored.
"""

from django.conf import settings

from accounts.errors import NotAllowed
from accounts.handoff import Handoff
from accounts.models import Subaccount, User, VendorAccount
from accounts.panel import sign_on
from coupontools_api.ids import TeammateId


def open_customers_panel(subaccount: Subaccount, *, acting_user: User, reason: str, page: str = "") -> str:
    """Mints a sign-on into a customer's panel for staff who look after it. The customer sees who, when and why.

    Returns its URL, to be redirected to at once and kept nowhere. Raises what `panel.open_panel` raises.
    """
    if acting_user.agency_id != subaccount.agency_id or acting_user.staff_role not in ("owner", "admin", "support"):
        raise NotAllowed("This person does not look after customers.")
    this = Handoff(
        "staff_launch", subaccount.agency, subaccount.vendor_account, acting_user, subaccount, page, reason=reason
    )
    this.needs_active()
    this.count("launch", acting_user.pk, settings.LIMIT_LAUNCH_PERSON)
    url = sign_on(this, subaccount)
    this.record("opened")
    return url


def open_agencys_panel(account: VendorAccount, *, acting_user: User) -> str:
    """Mints a sign-on into the agency's own panel, for its owner. Raises what `panel.open_panel` raises."""
    if acting_user.agency_id != account.agency_id or acting_user.staff_role != User.StaffRole.OWNER:
        raise NotAllowed("Only an owner may open the agency's own panel.")
    this = Handoff("account_launch", account.agency, account, acting_user)
    this.count("launch", acting_user.pk, settings.LIMIT_LAUNCH_PERSON)
    signed_on = this.ask(lambda client: client.account.sign_on(deadline=settings.LAUNCH_DEADLINE_SECONDS))
    url = this.trusted((signed_on.url_whitelabel, signed_on.url), token=signed_on.token)
    this.record("opened")
    return url


def open_teammates_panel(account: VendorAccount, *, acting_user: User) -> str:
    """Mints a sign-on as the teammate that this person is at the vendor. Raises what `panel.open_panel` raises."""
    if acting_user.agency_id != account.agency_id or not (acting_user.staff_role and acting_user.teammate_id):
        raise NotAllowed("No teammate is stored for this person.")
    this = Handoff("teammate_launch", account.agency, account, acting_user)
    this.count("launch", acting_user.pk, settings.LIMIT_LAUNCH_PERSON)
    teammate = TeammateId(acting_user.teammate_id)
    signed_on = this.ask(lambda client: client.teammates.sign_on(teammate, deadline=settings.LAUNCH_DEADLINE_SECONDS))
    url = this.trusted((signed_on.url_whitelabel, signed_on.url), token=signed_on.token)
    this.record("opened")
    return url
