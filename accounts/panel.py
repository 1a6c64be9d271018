"""Doors into the vendor's panel: the launch, and the password link. Both answers are secrets, used at once."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import structlog
from django.conf import settings
from django.core.cache import cache
from pydantic import SecretStr

from accounts import jobs, limits, vendor
from accounts.errors import (
    BadCredentials,
    CampaignGone,
    NotAllowed,
    NotAskedNow,
    NotFoundAtVendor,
    SuspiciousReply,
    Unavailable,
    UnderWay,
)
from accounts.models import Event, State, Subaccount, User, VendorAccount
from coupontools_api.client import Coupontools
from coupontools_api.errors import CoupontoolsError, NotFound, Throttled, UnexpectedReply
from coupontools_api.ids import CampaignId, SubaccountId
from coupontools_api.subaccounts import Page

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
PAGES = tuple(page.value for page in Page)
UPDATE_CAMPAIGN = Page.UPDATE_CAMPAIGN.value
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class _Try:
    """One launch or password link being made: who, for which subaccount, and what the event says."""

    kind: str
    subaccount: Subaccount
    acting_user: User
    page: str = ""
    campaign: str = ""

    def record(self, outcome: str) -> None:
        facts = {"outcome": outcome, "page": self.page, "campaign": self.campaign}
        Event.objects.record(
            self.kind,
            agency=self.subaccount.agency,
            customer=self.subaccount.customer,
            acting_user=self.acting_user,
            **{name: value for name, value in facts.items() if value},
        )


def open_panel(subaccount: Subaccount, *, acting_user: User, page: str = "", campaign: str = "") -> str:
    """Mints a sign-on and returns its URL, to be redirected to at once and kept nowhere.

    `campaign` must be one of the subaccount's own (the caller's form sees to that) and goes with update_campaign.
    At most LAUNCH_DEADLINE_SECONDS, exactly one vendor call, an event for every try.
    Raises TooMany, NotAllowed, NotFoundAtVendor, BadCredentials, Unavailable, SuspiciousReply.
    """
    this = _Try("launch", subaccount, acting_user, page, campaign)
    _within_limits(this, settings.LIMIT_LAUNCH_PERSON, settings.LIMIT_LAUNCH_CUSTOMER)
    wanted = Page(page) if page and subaccount.vendor_account.offers_pages else None
    signed_on = _ask(
        this,
        lambda client: client.subaccounts.sign_on(
            SubaccountId(subaccount.vendor_id),
            page=wanted,
            campaign=CampaignId(campaign) if wanted is Page.UPDATE_CAMPAIGN else None,
            deadline=settings.LAUNCH_DEADLINE_SECONDS,
        ),
    )
    url = _trusted(this, (signed_on.url_whitelabel, signed_on.url), token=signed_on.token)
    this.record("opened")
    # What the customer changes in the panel is on the start page a minute later.
    jobs.put_refresh(subaccount, after=timedelta(minutes=1))
    return url


def password_link(subaccount: Subaccount, *, acting_user: User) -> str:
    """A link with which the reader sets the panel password, to be shown once and kept nowhere.

    Same limits of time, checks and errors as `open_panel`.
    """
    this = _Try("password_link", subaccount, acting_user)
    _within_limits(this, settings.LIMIT_PASSWORD_LINK, None)
    made = _ask(
        this,
        lambda client: client.subaccounts.password_reset_url(
            SubaccountId(subaccount.vendor_id), deadline=settings.LAUNCH_DEADLINE_SECONDS
        ),
    )
    url = _trusted(this, (made.url_whitelabel, made.url), token=None)
    this.record("made")
    return url


def panel_hosts(account: VendorAccount) -> tuple[str, ...]:
    """`host[:port]` that a launch may lead to: the account's proven white-label host, then the operator's."""
    own = (account.whitelabel_host,) if account.whitelabel_host else ()
    return (*own, *settings.COUPONTOOLS_PANEL_HOSTS)


def panel_origins(account: VendorAccount) -> tuple[str, ...]:
    """The same as origins, for `form-action`: Chromium applies that to redirects after a form."""
    return tuple(f"{'http' if _is_sandbox(host) else 'https'}://{host}" for host in panel_hosts(account))


def _within_limits(this: _Try, per_person: str, per_customer: str | None) -> None:
    if this.subaccount.state != State.ACTIVE:
        this.record("not_active")
        raise NotAllowed(f"The subaccount is {this.subaccount.state}.")
    try:
        limits.count(this.kind, this.acting_user.pk, per_person)
        if per_customer:
            limits.count(f"{this.kind}-customer", this.subaccount.customer_id, per_customer)
    except limits.TooMany:
        this.record("limit")
        raise


def _ask(this: _Try, call: Callable[[Coupontools], Answer]) -> Answer:
    """One vendor call with all that may come of it turned into the door's own errors, each with its event."""
    in_flight = f"in-flight:{this.kind}:{this.acting_user.pk}"
    if not cache.add(in_flight, 1, timeout=settings.LAUNCH_DEADLINE_SECONDS + 1):
        this.record("already_under_way")
        raise UnderWay
    try:
        return vendor.ask(this.subaccount.vendor_account, call)
    except vendor.Waiting as waiting:
        this.record(f"not_asked:{waiting.trouble}")
        raise NotAskedNow(waiting.trouble) from None
    except vendor.CREDENTIALS_ERRORS:
        this.record("credentials")
        raise BadCredentials from None
    except NotFound as problem:
        if jobs.GONE in problem.codes:
            this.record("missing")
            jobs.missing(this.subaccount)
            raise NotFoundAtVendor from None
        # 502: the campaign is gone; the worker reads the campaigns again.
        this.record("campaign_gone")
        jobs.put_refresh(this.subaccount)
        raise CampaignGone from None
    except Throttled:
        this.record("throttled")
        raise NotAskedNow("throttled") from None
    except UnexpectedReply as problem:
        this.record("suspicious")
        log.warning("panel.reply_refused", problem=str(problem))
        raise SuspiciousReply from None
    except CoupontoolsError as problem:
        this.record(type(problem).__name__)
        raise Unavailable(type(problem).__name__) from None
    finally:
        cache.delete(in_flight)


def _trusted(this: _Try, candidates: tuple[SecretStr | None, ...], *, token: SecretStr | None) -> str:
    """The first URL that may be followed; white-label comes first. Raises SuspiciousReply if there is none."""
    for candidate in candidates:
        url = candidate.get_secret_value() if candidate else ""
        if url and _may_be_followed(url, panel_hosts(this.subaccount.vendor_account)):
            if token is None or _carries(url, token.get_secret_value()):
                return url
            break
    this.record("url_refused")
    log.error("panel.url_refused", subaccount=str(this.subaccount.public_id))
    raise SuspiciousReply


def _may_be_followed(url: str, hosts: tuple[str, ...]) -> bool:
    """https on an allowed host, its default port, no user info; http only for a sandbox named with its port."""
    if any(character.isspace() or ord(character) < 32 or character in "\\\x7f" for character in url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or parts.hostname is None:
        return False
    if parts.scheme == "https":
        host = parts.hostname if port in (None, 443) else f"{parts.hostname}:{port}"
        return host in hosts
    return parts.scheme == "http" and parts.netloc in hosts and _is_sandbox(parts.netloc)


def _is_sandbox(host: str) -> bool:
    name, _, port = host.rpartition(":")
    return settings.DEPLOYMENT == "local" and name in LOOPBACK and port.isdigit()


def _carries(url: str, token: str) -> bool:
    tokens = parse_qs(urlsplit(url).query).get("token", [])
    return bool(token) and len(tokens) == 1 and hmac.compare_digest(tokens[0].encode(), token.encode())
