"""The one way to the vendor: clients by vendor account, the breaker, the shared look."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts import clock, outages
from accounts.crypto import CannotOpen
from accounts.models import Credential, Event, VendorAccount, VendorCall
from coupontools_api.client import Coupontools
from coupontools_api.errors import (
    AccountExpired,
    CoupontoolsError,
    NoAnswer,
    NotSent,
    OutOfResources,
    Refused,
    Throttled,
    Unauthorized,
    UnexpectedReply,
    WrongKindOfKey,
)
from coupontools_api.subaccounts import ListedSubaccount

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

REMEMBERED_OUTCOMES = (1 << 20) - 1
FIVE_IN_A_ROW = (1 << 5) - 1
HALF_OF_TWENTY = 10
DEFAULT_PAUSE_SECONDS = 30.0
LIST, CREATE, OK = "subaccount/list", "subaccount/create", "ok"  # in the list of vendor calls

Pair = tuple[int, str] | None
CREDENTIALS_ERRORS = (Unauthorized, AccountExpired, WrongKindOfKey)


class Waiting(Exception):
    """The vendor account is not asked now: its breaker is open, it throttles us, or it has no credentials."""

    def __init__(self, until: datetime, trouble: str) -> None:
        super().__init__(trouble)
        self.until, self.trouble = until, trouble


def _pair(credential: Credential | None) -> Pair:
    """What tells a pair from any other, also from one that was stored in its place."""
    return (credential.pk, credential.sealed_client_secret) if credential else None


def has_same_pair(account: VendorAccount, asked: VendorAccount) -> bool:
    """Whether the pair in use is still what `asked` was read with: what another one is told may be of another account.

    For a row that is locked: read before that lock, or with it, the pair may be the one of before the wait.
    """
    return _pair(account.active_credential) == _pair(asked.active_credential)


def _next_probe() -> datetime:
    return clock.now() + timedelta(seconds=settings.BREAKER_PROBE_SECONDS)


class _Clients:
    """Two clients per vendor account and process, made when first asked for, so after any fork.

    What somebody waits for after a click has connections of its own: background work can never take them all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[int, bool, Pair], Coupontools] = {}

    def get(self, account: VendorAccount, *, for_click: bool = False) -> Coupontools:
        credential = account.active_credential
        if credential is None:
            raise Waiting(_next_probe(), "no credentials")
        key = (account.pk, for_click, _pair(credential))
        with self._lock:
            client = self._clients.get(key)
            if client is None:
                for stale in [other for other in self._clients if other[:2] == key[:2]]:
                    self._clients.pop(stale).close()
                client = self._clients[key] = Coupontools(
                    client_id=credential.client_id,
                    client_secret=credential.client_secret,
                    base_url=settings.COUPONTOOLS_API_URL,
                    deadline=settings.VENDOR_DEADLINE_SECONDS,
                    list_deadline=settings.VENDOR_LIST_DEADLINE_SECONDS,
                )
            return client

    def forget(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


clients = _Clients()


@dataclass(frozen=True)
class Noted:
    """Under which name a call stands in the list of vendor calls, and in whose timeline."""

    endpoint: str
    customer_id: int | None = None


def ask(
    account: VendorAccount,
    call: Callable[[Coupontools], Answer],
    *,
    noted: Noted | None = None,
    for_click: bool = False,
    reads_list: bool = False,
) -> Answer:
    """Makes one call with the client of `account` and lets the breaker know how it went.

    With `noted` the call is kept as a VendorCall; launches keep their own events instead, and are `for_click`.
    Whether credentials are refused only the agency's own list tells (`reads_list`): what people typed may be what a
    firewall of the vendor's does not like, or one account may have expired there, and that is nobody else's affair.
    Any other call that hears so has the list read: at once where it is a create, whose next step the answer decides,
    else by the prober: hundreds of accounts may have expired, and each would have read the whole list. Likewise, only
    the list opens the breaker: one account that cannot be read keeps nobody from theirs.

    Raises Waiting without any call while the breaker is open or the vendor throttles us, and whatever
    CoupontoolsError the call raises.
    """
    if account.is_open:
        raise Waiting(account.probe_at or clock.now(), account.trouble)
    if account.throttled_until and account.throttled_until > clock.now():
        raise Waiting(account.throttled_until, "throttled")
    return _observed(account, call, noted, for_click=for_click, reads_list=reads_list)


def _observed(
    account: VendorAccount,
    call: Callable[[Coupontools], Answer],
    noted: Noted | None = None,
    *,
    for_click: bool = False,
    reads_list: bool = False,
) -> Answer:
    try:
        client, started = clients.get(account, for_click=for_click), time.monotonic()
    except CannotOpen:
        raise _unsealed(account) from None
    try:
        answer = call(client)
    except CoupontoolsError as problem:
        _keep(account, noted, started, problem)
        if isinstance(problem, OutOfResources):
            pass  # this process is in trouble, and others get on with the vendor
        elif reads_list or not isinstance(problem, CREDENTIALS_ERRORS):
            _note(account, account.active_credential, problem, reads_list=reads_list)
        elif noted is not None and noted.endpoint == CREATE:
            _probe(account)
        else:
            _make_probe_due(account)
        raise
    _keep(account, noted, started, None)
    if account.recent_failures or account.trouble or account.probe_at:
        _note(account, account.active_credential, None)
    return answer


def _unsealed(account: VendorAccount) -> Waiting:
    """The breaker opens, if it is the pair in use that does not open: nobody is asked with it."""
    log.error("vendor.credentials_do_not_open", vendor_account=account.pk)
    trouble, probe_at = VendorAccount.Trouble.UNSEALED, _next_probe()
    with transaction.atomic():
        current = VendorAccount.objects.select_for_update().get(pk=account.pk)
        if has_same_pair(current, account):
            outages.begin(account, trouble, now=clock.now(), probe_at=probe_at)
    return Waiting(probe_at, trouble)


def _make_probe_due(account: VendorAccount) -> None:
    VendorAccount.objects.filter(pk=account.pk, probe_at=None).update(probe_at=_when_to_ask(account))


def _when_to_ask(account: VendorAccount) -> datetime:
    """Now; but who asks again and again for what is refused has the list read once in BREAKER_PROBE_SECONDS."""
    rows = VendorCall.objects.for_agency(account.agency).filter(endpoint=LIST, outcome=OK)
    read_at = rows.order_by("-at").values_list("at", flat=True).first()
    now, gap = clock.now(), timedelta(seconds=settings.BREAKER_PROBE_SECONDS)
    return max(now, read_at + gap) if read_at else now


def _probe(account: VendorAccount) -> None:
    """Asks with a read, past the breaker, which learns of it."""
    try:
        _observed(account, _read_list, Noted(LIST), reads_list=True)
    except (CoupontoolsError, Waiting) as problem:
        log.info("vendor.probe_failed", vendor_account=account.pk, problem=type(problem).__name__)


def _read_list(client: Coupontools) -> tuple[ListedSubaccount, ...]:
    return client.subaccounts.list(brief=True)


def _keep(account: VendorAccount, noted: Noted | None, started: float, problem: CoupontoolsError | None) -> None:
    if noted is not None:
        VendorCall.objects.create(
            agency_id=account.agency_id,
            customer_id=noted.customer_id,
            endpoint=noted.endpoint,
            milliseconds=round((time.monotonic() - started) * 1000),
            outcome=type(problem).__name__ if problem else OK,
            codes=list(problem.codes) if problem else [],
        )


def _note(
    account: VendorAccount,
    asked_with: Credential | None,
    problem: CoupontoolsError | None,
    *,
    reads_list: bool = False,
) -> None:
    """Writes the outcome into the breaker that all processes share; of a pair that is not in use it says nothing."""
    with transaction.atomic():
        current = VendorAccount.objects.select_for_update().get(pk=account.pk)
        # The pair is read after the lock: read with it, it may be the one of before the wait.
        if _pair(current.active_credential) == _pair(asked_with):
            _write(account, problem, reads_list=reads_list)
    account.refresh_from_db(fields=["recent_failures", "trouble", "trouble_since", "probe_at", "throttled_until"])


def _write(account: VendorAccount, problem: CoupontoolsError | None, *, reads_list: bool) -> None:
    now = clock.now()
    row = VendorAccount.objects.filter(pk=account.pk)
    if isinstance(problem, Throttled):
        told = problem.retry_after or 0.0
        pause = told if told >= 1 else DEFAULT_PAUSE_SECONDS  # one that is over would be no pause at all
        until = now + timedelta(seconds=pause)
        # Who is answered during a pause asked before it: the longer one holds.
        row.filter(Q(throttled_until=None) | Q(throttled_until__lt=until)).update(throttled_until=until)
        if account.throttled_until is None or account.throttled_until <= now:
            Event.objects.record("vendor_account.throttled", agency=account.agency, about=account, seconds=pause)
    elif isinstance(problem, CREDENTIALS_ERRORS):
        outages.begin(account, VendorAccount.Trouble.CREDENTIALS, now=now, probe_at=_next_probe())
    elif isinstance(problem, NotSent | NoAnswer | UnexpectedReply) or (problem and reads_list):
        # Nothing is typed into a question for the list: whatever it is refused for, nobody gets on meanwhile.
        row.update(recent_failures=(F("recent_failures").bitleftshift(1).bitand(REMEMBERED_OUTCOMES)).bitor(1))
        recent = row.values_list("recent_failures", flat=True).get()
        if recent & FIVE_IN_A_ROW == FIVE_IN_A_ROW or recent.bit_count() >= HALF_OF_TWENTY:
            if reads_list:
                outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=now, probe_at=_next_probe())
            else:
                _make_probe_due(account)
    elif problem is None:
        # Who asked before the trouble began says nothing of it. Nobody asks during it but to find out.
        if not (account.trouble and outages.end(account, now=now)):
            quiet = F("recent_failures").bitleftshift(1).bitand(REMEMBERED_OUTCOMES)
            # What a refused click asked is answered.
            row.filter(trouble="").update(recent_failures=quiet, probe_at=None)
    elif isinstance(problem, Refused) and account.recent_failures:
        # A refusal is an answer: the vendor is there.
        row.update(recent_failures=F("recent_failures").bitleftshift(1).bitand(REMEMBERED_OUTCOMES))


def try_credential(credential: Credential) -> tuple[ListedSubaccount, ...]:
    """The list as a pair sees it that need not be the one in use: past the breaker, which learns nothing from it.

    Within VENDOR_DEADLINE_SECONDS in all, for somebody who waits. Raises CoupontoolsError, or CannotOpen.
    """
    client = Coupontools(
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        base_url=settings.COUPONTOOLS_API_URL,
        deadline=settings.VENDOR_DEADLINE_SECONDS,
        list_deadline=settings.VENDOR_DEADLINE_SECONDS,
    )
    account, noted, started = credential.vendor_account, Noted(LIST), time.monotonic()
    try:
        listed = client.subaccounts.list(brief=True)
    except CoupontoolsError as problem:
        _keep(account, noted, started, problem)
        raise
    finally:
        client.close()
    _keep(account, noted, started, None)
    return listed


def learn(credential: Credential, problem: CoupontoolsError | None) -> None:
    """Lets the breaker know how a call went that was made past it, if it was made with the pair in use."""
    _note(credential.vendor_account, credential, problem, reads_list=True)


def _due_for_probe() -> QuerySet[VendorAccount]:
    now = clock.now()
    is_throttled = Q(throttled_until__gt=now)
    return VendorAccount.objects.filter(~is_throttled | Q(throttled_until=None), probe_at__lte=now)


def probes_due() -> list[int]:
    """Keys of the vendor accounts whose probe is due, the longest first: the breaker is open, or calls failed in a way
    that may be about the whole vendor account. None that asked us to slow down, till that is over, or whose agency is
    stopped.
    """
    due = _due_for_probe().filter(agency__stopped_at=None)
    return list(due.order_by("probe_at", "pk").values_list("pk", flat=True))


def probe(pk: int) -> bool:
    """Asks a vendor account with a read, if its probe is due. False if it is not: another process is at it, say."""
    if not _due_for_probe().filter(pk=pk).update(probe_at=_next_probe()):
        return False
    _probe(VendorAccount.objects.select_related("active_credential").get(pk=pk))
    return True


@dataclass
class _SharedLook:
    """One list call at a time. Who arrives during a call needs a later one, and shares it with all who wait."""

    condition: threading.Condition = field(default_factory=threading.Condition)
    started: int = 0
    finished: int = 0
    is_running: bool = False
    outcome: tuple[ListedSubaccount, ...] | Exception = ()

    def run(self, fetch: Callable[[], tuple[ListedSubaccount, ...]]) -> tuple[ListedSubaccount, ...]:
        with self.condition:
            needed = self.started + 1
            while self.finished < needed and self.is_running:
                self.condition.wait()
            if self.finished >= needed:
                return self._shared()
            self.is_running = True
            self.started += 1
        try:
            outcome: tuple[ListedSubaccount, ...] | Exception = fetch()
        except Exception as problem:
            outcome = problem
        with self.condition:
            self.outcome, self.finished, self.is_running = outcome, self.started, False
            self.condition.notify_all()
            return self._shared()

    def _shared(self) -> tuple[ListedSubaccount, ...]:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


_looks: dict[tuple[int, Pair], _SharedLook] = {}
_looks_lock = threading.Lock()


def look(account: VendorAccount) -> tuple[ListedSubaccount, ...]:
    """The vendor's list of subaccounts, from a call that started after this one was asked for, with the same pair.

    Raises what `ask` raises.
    """
    key = (account.pk, _pair(account.active_credential))
    with _looks_lock:
        shared = _looks.get(key)
        if shared is None:
            for stale in [other for other in _looks if other[0] == account.pk]:
                del _looks[stale]  # who waits for it still has it
            shared = _looks[key] = _SharedLook()
    return shared.run(lambda: ask(account, _read_list, noted=Noted(LIST), reads_list=True))
