"""What managers see of their own agency: its hosts, and its vendor account with everything around it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q

from accounts import provisioning, vendor_accounts
from accounts.models import Agency, Credential, Customer, Event, Host, VendorAccount, VendorCall

DAY = timedelta(days=1)
OWN_KINDS = Q(kind__startswith="credential.") | Q(kind__startswith="vendor_account.")


def hosts_of(agency: Agency) -> list[Host]:
    """The host names that answer for the agency, the one in its links first."""
    return list(agency.hosts.order_by("-is_canonical", "name"))


@dataclass(frozen=True)
class Pair:
    """One of the two places for a pair of credentials; never a value of it."""

    slot: int
    credential: Credential | None
    is_active: bool
    check: dict[str, Any]
    misses: list[Customer]

    @property
    def may_be_switched_to(self) -> bool:
        return self.credential is not None and not self.is_active and self.credential.test_result == vendor_accounts.OK


@dataclass(frozen=True)
class Pulse:
    """Calls of the worker and checks, in numbers."""

    calls: int
    failures: int
    last_good: datetime | None
    since_switch: int
    failures_since_switch: int


@dataclass(frozen=True)
class Connection:
    """All that the page about the vendor account shows."""

    account: VendorAccount
    pairs: list[Pair]
    pulse: Pulse
    lately: list[Event]
    made_today: int
    allowed_today: int

    @property
    def is_empty(self) -> bool:
        """Whether no pair was ever entered: then entering one is the first thing to do."""
        return all(pair.credential is None for pair in self.pairs)


def connection(agency: Agency, *, now: datetime) -> Connection:
    """The vendor account of an agency, in as many statements however much is going on."""
    account = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    made, allowed = provisioning.creates_today(agency, now=now)
    return Connection(
        account=account,
        pairs=_pairs(agency, account),
        pulse=_pulse(agency, account, now),
        lately=list(Event.objects.for_agency(agency).filter(OWN_KINDS).order_by("-at")[:6]),
        made_today=made,
        allowed_today=allowed,
    )


def pair_of(agency: Agency, slot: int) -> Pair:
    """One place of the two; its credential is None where it is empty."""
    account = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    return _pairs(agency, account)[slot - 1]


def _pairs(agency: Agency, account: VendorAccount) -> list[Pair]:
    held = {credential.slot: credential for credential in account.credentials.all()}
    checks: dict[int, dict[str, Any]] = {}
    for data in (
        Event.objects.for_agency(agency)
        .filter(kind="credential.checked")
        .order_by("-at")
        .values_list("data", flat=True)[:20]
    ):
        checks.setdefault(data["slot"], data)
    absent = {pk for check in checks.values() for pk in check["customers"]}
    customers = {c.pk: c for c in Customer.objects.for_agency(agency).filter(pk__in=absent)} if absent else {}
    pairs = []
    for slot in (1, 2):
        credential = held.get(slot)
        # A check of what stood here before says nothing about the pair that stands here now.
        check = checks.get(slot, {}) if credential and credential.test_result else {}
        pairs.append(
            Pair(
                slot=slot,
                credential=credential,
                is_active=credential is not None and credential.pk == account.active_credential_id,
                check=check,
                misses=[customers[pk] for pk in check.get("customers", []) if pk in customers],
            )
        )
    return pairs


def _pulse(agency: Agency, account: VendorAccount, now: datetime) -> Pulse:
    active = account.active_credential
    switched = (active.activated_at if active else None) or now
    today, failed = Q(at__gte=now - DAY), ~Q(outcome="ok")
    since = Q(at__gt=switched)
    counted = (
        VendorCall.objects.for_agency(agency)
        .filter(at__gte=min(switched, now - DAY))
        .aggregate(
            calls=Count("pk", filter=today),
            failures=Count("pk", filter=today & failed),
            last_good=Max("at", filter=Q(outcome="ok")),
            since_switch=Count("pk", filter=since),
            failures_since_switch=Count("pk", filter=since & failed),
        )
    )
    return Pulse(**counted)


def vendor_account_of(agency: Agency) -> VendorAccount:
    return VendorAccount.objects.get(agency=agency)
