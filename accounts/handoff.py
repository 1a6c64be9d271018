"""What every way into the vendor's panel shares: one call, its limits, its event, and a URL that may be followed.

Used by accounts/panel.py (customers) and accounts/staff_panel.py (staff), which say who may go where.
"""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import structlog
from django.conf import settings
from django.core.cache import cache
from pydantic import SecretStr

from accounts import clicks, limits, refreshes, vendor
from accounts.claimed import is_new
from accounts.errors import (
    BadCredentials,
    CampaignGone,
    NoReply,
    NotAllowed,
    NotAskedNow,
    NotFoundAtVendor,
    NotThereYet,
    SuspiciousReply,
    TeammateGone,
    Unavailable,
    UnderWay,
    Unreached,
)
from accounts.models import Agency, Event, Note, State, Subaccount, User, VendorAccount
from accounts.reviews import GONE
from coupontools_api.client import Coupontools
from coupontools_api.errors import CoupontoolsError, NoAnswer, NotFound, NotSent, Throttled, UnexpectedReply

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
WITHOUT_ANSWER: dict[type[CoupontoolsError], type[Unavailable]] = {NoAnswer: NoReply, NotSent: Unreached}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass
class Handoff:
    """One way into the panel being made: which, whose, for whom, and what its event says.

    Without a `subaccount` it leads into the agency's own panel. `reason` is kept beside the event.
    """

    kind: str
    agency: Agency
    vendor_account: VendorAccount
    acting_user: User
    subaccount: Subaccount | None = None
    page: str = ""
    campaign: str = ""
    reason: str = ""
    milliseconds: int | None = field(default=None, init=False)

    def record(self, outcome: str) -> datetime:
        """Writes the event of this try: every one has its own, refused and failed ones too.

        Returns when that was, by the database's clock: a click has no statement to spare to ask for it.
        """
        facts: dict[str, Any] = {"page": self.page, "campaign": self.campaign, "ms": self.milliseconds}
        customer = self.subaccount.customer if self.subaccount else None
        event = Event.objects.record(
            self.kind,
            agency=self.agency,
            customer=customer,
            acting_user=self.acting_user,
            about=self.subaccount or self.vendor_account,
            outcome=outcome,
            **{name: value for name, value in facts.items() if value not in ("", None)},
        )
        if self.reason:
            Note.objects.create(
                agency=self.agency, customer=customer, author_id=self.acting_user.pk, text=self.reason, event=event
            )
        return event.at

    def count(self, name: str, subject: object, rate: str) -> None:
        """Counts this try against a limit. Raises TooMany."""
        try:
            limits.count(name, subject, rate)
        except limits.TooMany:
            self.record("limit")
            raise

    def needs_active(self) -> None:
        """Raises NotAllowed unless the subaccount is active."""
        assert self.subaccount is not None
        if self.subaccount.state != State.ACTIVE:
            self.record("not_active")
            raise NotAllowed(f"The subaccount is {self.subaccount.state}.")

    def refuses_paused(self) -> None:
        """Raises NotAllowed while the agency has paused the customer. Staff may still go in, to help."""
        assert self.subaccount is not None
        if self.subaccount.customer.paused_at:
            self.record("paused")
            raise NotAllowed("The customer is paused.")

    def ask(self, call: Callable[[Coupontools], Answer]) -> Answer:
        """One vendor call with all that may come of it turned into the door's own errors, each with its event."""
        in_flight = f"in-flight:{self.kind}:{self.acting_user.pk}"
        if not cache.add(in_flight, 1, timeout=settings.LAUNCH_DEADLINE_SECONDS + 1):
            self.record("already_under_way")
            raise UnderWay
        try:
            started = time.monotonic()
            with clicks.one(self.vendor_account):
                answer = vendor.ask(self.vendor_account, call, for_click=True)
            self.milliseconds = round((time.monotonic() - started) * 1000)
            return answer
        except clicks.NoThread:
            self.record("not_asked:busy")
            raise NotAskedNow("busy") from None
        except vendor.Waiting as waiting:
            self.record(f"not_asked:{waiting.trouble}")
            raise NotAskedNow(waiting.trouble) from None
        except vendor.CREDENTIALS_ERRORS:
            self.record("credentials")
            raise BadCredentials from None
        except NotFound as problem:
            if GONE in problem.codes:
                if self.subaccount is not None and is_new(self.subaccount):
                    self.record("too_new")
                    raise NotThereYet from None
                self.record("missing")
                if self.subaccount is not None:
                    refreshes.missing(self.subaccount, acting_user=self.acting_user)
                raise NotFoundAtVendor from None
            raise self._not_known(problem) from None
        except Throttled:
            self.record("throttled")
            raise NotAskedNow("throttled") from None
        except UnexpectedReply as problem:
            self.record("suspicious")
            log.warning("panel.reply_refused", problem=str(problem))
            raise SuspiciousReply from None
        except CoupontoolsError as problem:
            self.record(type(problem).__name__)
            raise WITHOUT_ANSWER.get(type(problem), Unavailable)(type(problem).__name__) from None
        finally:
            cache.delete(in_flight)

    def _not_known(self, problem: NotFound) -> Unavailable:
        """Which error says that the vendor does not know something else than the account; with its event."""
        match problem.missing:
            case "campaign":
                self.record("campaign_gone")
                if self.subaccount is not None:
                    refreshes.put(self.subaccount)  # the worker reads the campaigns again
                return CampaignGone()
            case "teammate":
                self.record("teammate_gone")
                return TeammateGone()
        self.record("NotFound")
        return Unavailable("NotFound")

    def trusted(self, candidates: tuple[SecretStr | None, ...], *, token: SecretStr | None) -> str:
        """The first URL that may be followed; white-label comes first. Raises SuspiciousReply if there is none."""
        for candidate in candidates:
            url = candidate.get_secret_value() if candidate else ""
            if url and _may_be_followed(url, panel_hosts(self.vendor_account)):
                if token is None or _carries(url, token.get_secret_value()):
                    return url
                break
        self.record("url_refused")
        log.error("panel.url_refused", agency=str(self.agency.pk))
        raise SuspiciousReply


def panel_hosts(account: VendorAccount) -> tuple[str, ...]:
    """`host[:port]` that a launch may lead to: the account's proven white-label host, then the operator's."""
    own = (account.whitelabel_host,) if account.whitelabel_host else ()
    return (*own, *settings.COUPONTOOLS_PANEL_HOSTS)


def panel_origins(account: VendorAccount) -> tuple[str, ...]:
    """The same as origins, for `form-action`: Chromium applies that to redirects after a form."""
    return tuple(f"{'http' if _is_sandbox(host) else 'https'}://{host}" for host in panel_hosts(account))


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
