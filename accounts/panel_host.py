"""The door about an agency's own panel host, which the vendor itself has to name before launches go to it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts import limits, vendor
from accounts.models import Agency, Event, User, VendorAccount
from coupontools_api.errors import CoupontoolsError

OK, NOT_NAMED, OTHER_HOST = "ok", "not_named", "other_host"


@dataclass(frozen=True)
class PanelHost:
    """Whether a panel host was proven: `ok`, or what spoke against it, and which host the vendor named."""

    outcome: str
    codes: tuple[int, ...] = ()
    named: str = ""

    @property
    def is_good(self) -> bool:
        return self.outcome == OK


def change(agency: Agency, *, host: str, acting_user: User) -> PanelHost:
    """Lets launches go to a white-label host, if the vendor itself names it in a sign-on; empty takes it back.

    The sign-on is the agency's own and is thrown away unread. Raises TooMany.
    """
    limits.count("vendor-check", agency.pk, settings.LIMIT_VENDOR_CHECK)
    found = _named_host(agency, host) if host else PanelHost(OK)
    with transaction.atomic():
        if found.is_good:
            VendorAccount.objects.filter(agency=agency).update(whitelabel_host=host)
        Event.objects.record(
            "vendor_account.panel_host",
            agency=agency,
            acting_user=acting_user,
            about=VendorAccount.objects.get(agency=agency),
            outcome=found.outcome if host else "removed",
            codes=list(found.codes),
        )
    return found


def _named_host(agency: Agency, host: str) -> PanelHost:
    account = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    try:
        signed_on = vendor.ask(
            account, lambda client: client.account.sign_on(deadline=settings.LAUNCH_DEADLINE_SECONDS), for_click=True
        )
    except vendor.Waiting:
        return PanelHost("waiting")
    except CoupontoolsError as problem:
        return PanelHost(type(problem).__name__, problem.codes)
    url = signed_on.url_whitelabel
    named = _host_of(url.get_secret_value()) if url else ""
    if not named:
        return PanelHost(NOT_NAMED)
    return PanelHost(OK if named == host else OTHER_HOST, named=named)


def _host_of(url: str) -> str:
    """`host[:port]` of an https URL (of any in a local installation, whose sandbox has none); else empty."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme != "https" and settings.DEPLOYMENT != "local":
        return ""
    name = parts.hostname or ""
    return name if port in (None, 443) else f"{name}:{port}"
