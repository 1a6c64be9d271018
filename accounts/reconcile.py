"""The comparison of what is bound here with what the vendor lists: every hour, for each agency.

It reports, and never makes or deletes anything. What it finds is a Finding, with ids and no address. An id that the
list lacks is asked for by its number (accounts/refreshes.py): only the vendor's 510 makes it MISSING. Where too
much is absent at once, the list itself is not believed: nothing is changed, and staff are told.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts import clock, vendor
from accounts.claimed import quarantine_ends, seconds
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.models import Agency, Event, Finding, Job, State, Subaccount, User, VendorAccount
from coupontools_api.subaccounts import ListedSubaccount

log = structlog.get_logger(__name__)

MASS_ABSENT_NUMBER = 5
MASS_ABSENT_SHARE = 0.2
ALL_OF_SO_MANY = 3  # that are absent together are too many, also for an agency that has no more
LATELY = timedelta(days=1)
COMPARED_ANEW_AFTER = timedelta(minutes=5)
COMPARED, TOO_MANY_ABSENT = "compared", "too_many_absent"
UNPROVEN = (State.AWAITING_EMAIL, State.AWAITING_APPROVAL)
IDS_IN_EVENT = 20

Key = tuple[str, str]


def schedule(now: datetime | None = None) -> int:
    """Writes a comparison for every vendor account whose last one is older than RECONCILE_SECONDS. Returns how many."""
    old = (now or clock.now()) - timedelta(seconds=settings.RECONCILE_SECONDS)
    due = VendorAccount.objects.filter(
        Q(reconciled_at=None) | Q(reconciled_at__lt=old),
        trouble="",
        active_credential__isnull=False,
        agency__stopped_at=None,
    )
    under_way = Job.objects.across_agencies().filter(kind=Job.Kind.RECONCILE, agency=OuterRef("agency"), done_at=None)
    accounts = list(due.exclude(Exists(under_way)).select_related("agency", "active_credential")[:500])
    for account in accounts:
        put(account)
    return len(accounts)


def put(account: VendorAccount) -> None:
    """Asks the worker for a comparison; once, however often this is called before it is done."""
    # Named after the last one, and the pair: a comparison that fails is tried again as the same job.
    pair = account.active_credential
    since = account.reconciled_at or (pair and pair.activated_at) or "never"
    paused = f":{account.creates_paused_at}" if account.creates_paused_at else ""
    once = f"reconcile:{account.pk}:since:{since}{paused}"
    Job.objects.bulk_create([Job(kind=Job.Kind.RECONCILE, agency=account.agency, once=once)], ignore_conflicts=True)


@dataclass
class Comparison:
    """What came of one comparison: which of ours each difference concerns, and the numbers that staff read."""

    differences: dict[Key, int | None]
    listed: int = 0
    bound: int = 0
    lost: int = 0  # since LATELY, and not listed: they were bound when it began

    def of(self, kind: Finding.Kind) -> list[str]:
        return sorted(vendor_id for key, vendor_id in self.differences if key == kind)

    @property
    def lacks_too_much(self) -> bool:
        """Whether so much is absent that the list is to be doubted, and not the accounts."""
        return is_too_much(self.absent, of=self.bound + self.lost)

    @property
    def absent(self) -> int:
        return len(self.of(Finding.Kind.ABSENT)) + self.lost

    @property
    def numbers(self) -> dict[str, int]:
        found = {kind.value: len(self.of(kind)) for kind in Finding.Kind}
        return {"listed": self.listed, "bound": self.bound, **found}


def is_too_much(absent: int, *, of: int) -> bool:
    """Whether so many absent accounts, of so many in all, speak against the vendor's word and not the accounts."""
    is_all = absent >= of and absent >= ALL_OF_SO_MANY
    return is_all or (absent > MASS_ABSENT_NUMBER and absent > of * MASS_ABSENT_SHARE)


def doubts_absence(account: VendorAccount) -> bool:
    """Whether one more account that the vendor says is gone is one of too many: then the vendor's word is doubted.

    Has the list compared then, if that was not done a moment ago. Once a comparison has found so, only another one ends
    the doubt.
    """
    if account.reconcile_result.get("outcome") == TOO_MANY_ABSENT:
        return True
    now = clock.now()
    ours = Subaccount.objects.for_agency(account.agency)
    lost = 1 + ours.filter(state=State.MISSING, changed_at__gt=now - LATELY).count()
    # One that was made a moment ago says nothing for the others: the vendor may know it by its create alone.
    made_lately = Q(bound_at__gt=now - seconds(settings.PROVISIONING_QUARANTINE_SECONDS))
    if not is_too_much(lost, of=lost - 1 + ours.filter(state=State.ACTIVE).exclude(made_lately).count()):
        return False
    if account.reconciled_at is None or account.reconciled_at < now - COMPARED_ANEW_AFTER:
        put(account)
    return True


def run(agency: Agency) -> None:
    """Compares once. Raises what `vendor.look` raises, or Waiting where another pair is in use by now, or a pause has
    begun or ended; then nothing is changed.
    """
    account = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    account.agency = agency
    started = clock.now()
    listing = vendor.look(account)
    # Read after the list: what was bound meanwhile is known, and what was bound after `started` may be unlisted.
    # Before the lock, for which claims wait: a hundred thousand accounts take their time.
    is_paused = account.creates_paused_at is not None
    comparison = compare(listing, _ours(agency), started=started, lists_wishes=is_paused)
    with transaction.atomic():
        # Two workers at one comparison would write one finding twice.
        current = VendorAccount.objects.select_for_update().get(pk=account.pk)
        if not vendor.has_same_pair(current, account) or (current.creates_paused_at is not None) != is_paused:
            raise vendor.Waiting(clock.now(), "not as it was")  # the list may be another vendor account's
        if current.reconciled_at and current.reconciled_at > started:
            return  # another one was later and is written
        current.agency = agency
        if not comparison.lacks_too_much:
            _save(current, comparison, started)
            return
        _stop(current, comparison, started)
        if is_paused:
            # After a restore everything is listed, also what is hard to believe; it is still asked for by nobody.
            news, number_ended = _write(current, comparison, started)
            if news or number_ended:
                _record_compared(current, comparison, news, number_ended)
            VendorAccount.objects.filter(pk=current.pk).update(compared_at=started)  # the next one is not the first


def _ours(agency: Agency) -> list[Subaccount]:
    rows = Subaccount.objects.for_agency(agency)
    times = ("bound_at", "changed_at", "dismissed_at")
    return list(rows.only("pk", "customer_id", "vendor_id", "email", "state", "agency_id", *times))


def compare(
    listing: Iterable[ListedSubaccount],
    ours: Iterable[Subaccount],
    *,
    started: datetime,
    lists_wishes: bool = False,
) -> Comparison:
    """Pure judgement. A listed account with the address of one wish in the making is left to that wish, unless
    `lists_wishes` says that nothing is left out.
    """
    listed = {str(row.id): row.email for row in listing}
    rows = list(ours)
    owners = {row.vendor_id for row in rows if row.is_bound_here}
    # A list may be behind: what was made a moment ago, and is not in it, is not compared.
    at_work = [
        row
        for row in rows
        if row.state == State.ACTIVE
        and row.bound_at
        and (row.bound_at if row.vendor_id in listed else quarantine_ends(row.bound_at)) < started
    ]
    found: dict[Key, int | None] = {}
    for row in at_work:
        if row.vendor_id not in listed:
            found[Finding.Kind.ABSENT, row.vendor_id] = row.pk
        elif row.email and row.email.lower() != listed[row.vendor_id].lower():
            found[Finding.Kind.CHANGED, row.vendor_id] = row.pk
    by_address: dict[str, list[Subaccount]] = defaultdict(list)
    for row in rows:
        if row.email:
            by_address[row.email.lower()].append(row)
    strays: dict[str, list[str]] = defaultdict(list)
    for vendor_id, email in listed.items():
        if vendor_id not in owners:
            strays[email.lower()].append(vendor_id)
    for address, ids in strays.items():
        found |= _judged(ids, by_address.get(address, []), lists_wishes)
    lately = [row for row in rows if row.state == State.MISSING and row.changed_at > started - LATELY]
    lost = sum(row.vendor_id not in listed for row in lately)
    return Comparison(found, listed=len(listed), bound=len(at_work), lost=lost)


def _judged(ids: list[str], rows: list[Subaccount], lists_wishes: bool) -> dict[Key, int | None]:
    """Of listed accounts with one address, bound to nobody: whether they are a second one of a customer of ours."""
    bound = [row for row in rows if row.is_bound_here]
    waiting = [row for row in rows if not row.vendor_id and _looks_by_itself_or_is_shown(row)]
    if bound or (waiting and len(ids) > len(waiting)):
        return {(Finding.Kind.TWICE, vendor_id): (bound or waiting)[0].pk for vendor_id in ids}
    if waiting and not lists_wishes:
        return {}
    return {(Finding.Kind.UNBOUND, vendor_id): (waiting or rows)[0].pk if rows else None for vendor_id in ids}


def _looks_by_itself_or_is_shown(row: Subaccount) -> bool:
    """Whether an account of its address will be found by the worker, or by staff who have not put it aside."""
    if row.state == State.NEEDS_REVIEW:
        return row.dismissed_at is None
    return row.state not in (*UNPROVEN, State.CLOSED)


def _save(account: VendorAccount, comparison: Comparison, now: datetime) -> None:
    news, number_ended = _write(account, comparison, now)
    _ask_for_absent(account.agency, comparison, now)
    if news or number_ended or account.reconcile_result.get("outcome") != COMPARED:
        _record_compared(account, comparison, news, number_ended)
    account.reconciled_at = account.compared_at = now
    account.reconcile_result = {"outcome": COMPARED, **comparison.numbers}
    account.save(update_fields=["reconciled_at", "compared_at", "reconcile_result"])


def _write(account: VendorAccount, comparison: Comparison, now: datetime) -> tuple[list[Finding], int]:
    """Keeps the findings. Returns those that are new or here again, and the number of those that are over."""
    agency = account.agency
    findings = Finding.objects.for_agency(agency)
    known = {(row.kind, row.vendor_id): row for row in findings}
    # What was there before the agency came is nobody's mistake: listed, and set aside. Not so after a restore.
    is_first = account.compared_at is None and account.creates_paused_at is None and not _has_asked(account)
    fresh, again = [], []
    for (kind, vendor_id), subaccount_id in comparison.differences.items():
        row = known.pop((kind, vendor_id), None)
        if row is None:
            is_old = is_first and kind == Finding.Kind.UNBOUND and subaccount_id is None
            fresh.append(
                Finding(
                    agency=agency,
                    kind=kind,
                    vendor_id=vendor_id,
                    subaccount_id=subaccount_id,
                    found_at=now,
                    dismissed_at=now if is_old else None,
                )
            )
        elif row.ended_at is not None or row.subaccount_id != subaccount_id:
            # An account of nobody stays set aside; what concerns a customer is told again.
            if row.subaccount_id != subaccount_id or kind != Finding.Kind.UNBOUND:
                row.dismissed_at, row.found_at = None, now
            row.subaccount_id, row.ended_at = subaccount_id, None
            again.append(row)
    ended = [row.pk for row in known.values() if row.ended_at is None]
    Finding.objects.bulk_create(fresh, batch_size=500)
    findings.bulk_update(again, ["subaccount", "found_at", "dismissed_at", "ended_at"], batch_size=200)
    for start in range(0, len(ended), 500):
        findings.filter(pk__in=ended[start : start + 500]).update(ended_at=now)
    return [*fresh, *again], len(ended)


def _has_asked(account: VendorAccount) -> bool:
    """Whether an account was asked for with the pair in use: then what is listed may be ours, whatever its address."""
    events = Event.objects.for_agency(account.agency).filter(kind=f"subaccount.{State.CREATING.value}")
    pair = account.active_credential
    return (events.filter(at__gte=pair.activated_at) if pair and pair.activated_at else events).exists()


def _ask_for_absent(agency: Agency, comparison: Comparison, now: datetime) -> None:
    """One "get" each: the vendor's own word on the account, which a list may lack for a while."""
    jobs = Job.objects.for_agency(agency).filter(kind=Job.Kind.REFRESH, done_at=None, once__startswith="absent:")
    asked_for = set(jobs.values_list("payload__subaccount", flat=True))
    fresh = [
        Job(
            kind=Job.Kind.REFRESH,
            agency=agency,
            payload={"subaccount": pk},
            once=f"absent:{pk}:{now:%Y%m%d%H%M}",
            run_at=now + timedelta(seconds=number),
        )
        for number, (key, pk) in enumerate(comparison.differences.items())
        if key[0] == Finding.Kind.ABSENT and pk not in asked_for
    ]
    Job.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)


def _stop(account: VendorAccount, comparison: Comparison, now: datetime) -> None:
    """Nothing is written of what such a list says, but that it said so."""
    numbers: dict[str, Any] = {"listed": comparison.listed, "bound": comparison.bound + comparison.lost}
    numbers["absent"] = comparison.absent
    if account.reconcile_result.get("outcome") != TOO_MANY_ABSENT:
        log.warning("reconcile.stopped", vendor_account=account.pk, **numbers)
        _record("reconcile.stopped", account, **numbers)
        put_mail("reconcile_stopped", agency=account.agency, **numbers)
    account.reconciled_at = now
    account.reconcile_result = {"outcome": TOO_MANY_ABSENT, **numbers}
    account.save(update_fields=["reconciled_at", "reconcile_result"])


def _record_compared(account: VendorAccount, comparison: Comparison, news: list[Finding], number_ended: int) -> None:
    new = [row.vendor_id for row in news if row.dismissed_at is None]
    _record("reconcile.compared", account, new=new[:IDS_IN_EVENT], ended=number_ended, **comparison.numbers)


def _record(kind: str, account: VendorAccount, **facts: Any) -> None:
    Event.objects.record(kind, agency=account.agency, about=account, **facts)


@transaction.atomic
def dismiss(finding: Finding, *, acting_user: User) -> None:
    """Sets a finding aside: somebody has looked into it. Raises NotAllowed if it is over, or was set aside already."""
    rows = Finding.objects.for_agency(finding.agency).filter(pk=finding.pk, ended_at=None, dismissed_at=None)
    if not rows.update(dismissed_at=clock.now()):
        raise NotAllowed("It is over, or was set aside.")
    customer = finding.subaccount.customer if finding.subaccount else None
    Event.objects.record(
        "finding.dismissed",
        agency=finding.agency,
        customer=customer,
        about=finding,
        acting_user=acting_user,
        what=finding.kind,
        vendor_id=finding.vendor_id,
    )
