"""From wish to subaccount: what the worker does with a row that it has claimed.

Each step is: claim the row, look or create at the vendor with no lock held, and write the outcome by a
conditional update that only the owner of the claim can make. A worker may die anywhere: what it committed
last says what may have happened.
"""

import contextlib
import random
import secrets
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import adoption, vendor
from accounts.claims import backoff, claim
from accounts.models import Agency, Cause, Customer, Event, Job, State, Subaccount, VendorAccount
from accounts.states import LostClaim, move
from coupontools_api.errors import (
    CoupontoolsError,
    EmailTaken,
    InvalidEmail,
    NoAnswer,
    NotSent,
    Refused,
    Throttled,
    UnexpectedReply,
)
from coupontools_api.subaccounts import AccountStatus, CreatedSubaccount, ListedSubaccount

log = structlog.get_logger(__name__)

MAX_CREATES_IN_FLIGHT = 2
GIVEN_BACK = "subaccount.create_given_back"
LOOKS_BEFORE_QUARANTINE_ENDS = (5.0, 30.0)
WAITING_CAUSES = {
    VendorAccount.Trouble.CREDENTIALS.value: Cause.CREDENTIALS,
    VendorAccount.Trouble.UNREACHABLE.value: Cause.VENDOR_UNREACHABLE,
    "throttled": Cause.VENDOR_THROTTLES,
    "no credentials": Cause.NO_VENDOR_ACCOUNT,
}


def attempt(pk: int | None = None) -> bool:
    """Claims one subaccount (`pk`, or the one due longest) and takes its next step. False if nothing was due."""
    claimed = claim(Subaccount, pk=pk)
    if claimed is None:
        return False
    subaccount = (
        Subaccount.objects.across_agencies()
        .select_related("agency", "customer__package", "vendor_account__active_credential")
        .get(pk=claimed.pk)
    )
    step = _Step(subaccount, owner=claimed.lease_owner)
    with structlog.contextvars.bound_contextvars(subaccount=str(subaccount.public_id)):
        try:
            step.take()
        except LostClaim:
            log.warning("provisioning.claim_lost", state=subaccount.state)
        except Exception:  # a fault of ours must neither hold the row in silence nor end the worker
            log.exception("provisioning.fault", state=subaccount.state)
            step.put_off_after_fault()
    return True


class _Step:
    """One claimed step of one subaccount."""

    def __init__(self, subaccount: Subaccount, *, owner: str) -> None:
        self.subaccount, self.owner = subaccount, owner
        self.account = subaccount.vendor_account

    def take(self) -> None:
        if self.subaccount.customer.closed_at or self.subaccount.agency.stopped_at:
            self._free(run_at=timezone.now() + timedelta(hours=1))
            return
        match self.subaccount.state:
            case State.CREATING:
                # Whoever started this create died with it: it may or may not have happened.
                self._uncertain(Cause.WORKER_DIED)
            case State.REQUESTED:
                self._look_then_create()
            case State.UNCERTAIN:
                self._look_again()
            case _:
                self._free(run_at=None)

    def put_off_after_fault(self) -> None:
        """Visible, and tried again. A row in CREATING waits for its lease to end, and is then looked for."""
        if self.subaccount.state in (State.REQUESTED, State.UNCERTAIN):
            with contextlib.suppress(LostClaim):
                self._postpone(timedelta(minutes=1), Cause.OUR_FAULT)

    # -- looking -------------------------------------------------------------------------------------------

    def _listing(self) -> tuple[ListedSubaccount, ...] | None:
        """The vendor's list; None if it could not be had, and then the row is already put off."""
        try:
            return vendor.look(self.account)
        except vendor.Waiting as waiting:
            self._wait_for_vendor(waiting)
        except Throttled:
            self._postpone(self._throttled_for(), Cause.VENDOR_THROTTLES)
        except vendor.CREDENTIALS_ERRORS:
            self._postpone(_seconds(settings.BREAKER_PROBE_SECONDS), Cause.CREDENTIALS)
        except CoupontoolsError:
            self._postpone(backoff(self.account.failures_in_a_row), Cause.VENDOR_UNREACHABLE)
        return None

    def _verdict(self, listing: tuple[ListedSubaccount, ...]) -> adoption.Verdict:
        subaccount = self.subaccount
        found = adoption.ids_listed_for(subaccount.email, listing)
        bound = (
            Subaccount.objects.for_agency(subaccount.agency)
            .filter(vendor_account=self.account, vendor_id__in=found)
            .exclude(pk=subaccount.pk)
            .values_list("vendor_id", flat=True)
        )
        return adoption.judge(
            email=subaccount.email,
            listing=listing,
            had_unknown_outcome=subaccount.had_unknown_outcome,
            was_present_at_first=subaccount.first_look == Subaccount.FirstLook.PRESENT,
            bound_elsewhere=set(bound),
        )

    def _look_then_create(self) -> None:
        if self._creates_in_flight() >= MAX_CREATES_IN_FLIGHT:
            self._postpone(timedelta(seconds=1), self.subaccount.cause)  # before the look: it would be for nothing
            return
        listing = self._listing()
        if listing is None:
            return
        if not self.subaccount.first_look:
            is_there = bool(adoption.ids_listed_for(self.subaccount.email, listing))
            seen = Subaccount.FirstLook.PRESENT if is_there else Subaccount.FirstLook.ABSENT
            self._move(State.REQUESTED, first_look=seen, first_look_at=timezone.now())
        verdict = self._verdict(listing)
        if verdict.bind:
            self._bind(verdict.bind)
        elif verdict.cause:
            self._review(verdict.cause)
        elif self._start_create():
            self._create(listing)

    def _look_again(self) -> None:
        listing = self._listing()
        if listing is None:
            return
        verdict = self._verdict(listing)
        if verdict.bind:
            self._bind(verdict.bind)
        elif verdict.cause:
            self._review(verdict.cause)
        else:
            self._absent()

    def _absent(self) -> None:
        """It is not listed. Presence is believed at once; absence only after the quarantine, seen twice."""
        subaccount, now = self.subaccount, timezone.now()
        is_taken = subaccount.cause == Cause.EMAIL_TAKEN
        if is_taken and not subaccount.had_unknown_outcome:
            self._review(Cause.EMAIL_TAKEN_ELSEWHERE, subaccount.cause_codes)
            return
        since = subaccount.uncertain_since or now
        quarantine_ends = since + _seconds(settings.PROVISIONING_QUARANTINE_SECONDS)
        if now < quarantine_ends:
            looks = (since + _seconds(seconds) for seconds in LOOKS_BEFORE_QUARANTINE_ENDS)
            upcoming = min((look for look in looks if now < look < quarantine_ends), default=quarantine_ends)
            self._move(State.UNCERTAIN, run_at=upcoming, looked_at=now, **FREE)
            return
        gap = _seconds(settings.PROVISIONING_LOOK_GAP_SECONDS)
        if subaccount.absent_looks == 0:
            self._move(State.UNCERTAIN, run_at=now + gap, looked_at=now, absent_looks=1, **FREE)
        elif subaccount.looked_at and now < subaccount.looked_at + gap:
            self._move(State.UNCERTAIN, run_at=subaccount.looked_at + gap, **FREE)
        elif is_taken:
            self._review(Cause.EMAIL_TAKEN_ELSEWHERE, subaccount.cause_codes)
        elif subaccount.cause == Cause.UNCLEAR_ANSWER and subaccount.cause_codes:
            # The vendor said no in a code that we do not know: asking again would hear the same.
            self._review(Cause.REFUSED, subaccount.cause_codes)
        else:
            self._again(subaccount.cause)

    # -- creating ------------------------------------------------------------------------------------------

    def _start_create(self) -> bool:
        """Commits CREATING before the socket opens, with the lease renewed for the call. False: put off."""
        subaccount, now = self.subaccount, timezone.now()
        with transaction.atomic():
            # The row lock makes the counts exact: one worker at a time decides for this vendor account.
            VendorAccount.objects.select_for_update().get(pk=self.account.pk)
            ours = Subaccount.objects.for_agency(subaccount.agency).filter(vendor_account=self.account)
            same = ours.filter(email__iexact=subaccount.email, state__in=(State.CREATING, State.UNCERTAIN))
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            if self._creates_in_flight() >= MAX_CREATES_IN_FLIGHT or same.exclude(pk=subaccount.pk).exists():
                self._postpone(timedelta(seconds=1), subaccount.cause)
                return False
            if _creates_since(today, subaccount.agency) >= settings.PROVISIONING_DAILY_CREATES:
                self._postpone(today + timedelta(days=1) - now, Cause.DAILY_BUDGET)
                return False
            self._move(
                State.CREATING,
                attempts=subaccount.attempts + 1,
                create_started_at=now,
                expiry_date=_expiry_date(subaccount.customer, now),
                lease_until=now + _seconds(settings.PROVISIONING_LEASE_SECONDS),
                cause=Cause.NONE,
                cause_codes=[],
            )
        return True

    def _creates_in_flight(self) -> int:
        return (
            Subaccount.objects.for_agency(self.subaccount.agency)
            .filter(vendor_account=self.account, state=State.CREATING, lease_until__gt=timezone.now())
            .count()
        )

    def _create(self, listing: tuple[ListedSubaccount, ...]) -> None:
        try:
            created = self._send_create()
        except vendor.Waiting as waiting:
            self._give_back(waiting.until - timezone.now(), WAITING_CAUSES[waiting.trouble])
        except Throttled:
            self._give_back(self._throttled_for(), Cause.VENDOR_THROTTLES)
        except vendor.CREDENTIALS_ERRORS as problem:
            self._give_back(_seconds(settings.BREAKER_PROBE_SECONDS), Cause.CREDENTIALS, problem.codes)
        except EmailTaken as problem:
            # Ours from an earlier attempt, or somebody else's: the next look tells.
            self._uncertain(Cause.EMAIL_TAKEN, problem.codes, happened=False)
        except InvalidEmail as problem:
            self._review(Cause.EMAIL_INVALID, problem.codes)
        except Refused as problem:
            self._review(Cause.REFUSED, problem.codes)
        except NotSent:
            self._again(Cause.VENDOR_UNREACHABLE)
        except (NoAnswer, UnexpectedReply) as problem:
            cause = Cause.NO_ANSWER if isinstance(problem, NoAnswer) else Cause.UNCLEAR_ANSWER
            self._uncertain(cause, problem.codes)
        else:
            if created.email is not None and not adoption.same_address(created.email, self.subaccount.email):
                self._uncertain(Cause.UNCLEAR_ANSWER)
            elif created.id in {row.id for row in listing}:
                self._review(Cause.CONTRADICTION)
            else:
                self._bind(created.id)

    def _send_create(self) -> CreatedSubaccount:
        subaccount, customer = self.subaccount, self.subaccount.customer
        return vendor.ask(
            self.account,
            lambda client: client.subaccounts.create(
                email=subaccount.email,
                # Sent and forgotten: without one the vendor mails the customer under its own name.
                password=secrets.token_urlsafe(24),
                package=customer.package.vendor_package_id,
                status=AccountStatus.TRIAL if customer.package.trial_days else AccountStatus.CUSTOMER,
                first_name=customer.first_name,
                last_name=customer.last_name,
                country=customer.country,
                company_name=customer.company_name,
                expiry_date=subaccount.expiry_date,
            ),
        )

    # -- outcomes ------------------------------------------------------------------------------------------

    def _bind(self, vendor_id: str) -> None:
        subaccount, now = self.subaccount, timezone.now()
        trial_days = subaccount.customer.package.trial_days
        ends_on = subaccount.expiry_date or (now.date() + timedelta(days=trial_days) if trial_days else None)
        try:
            with transaction.atomic():
                self._move(
                    State.ACTIVE,
                    vendor_id=vendor_id,
                    bound_at=now,
                    run_at=None,
                    cause=Cause.NONE,
                    cause_codes=[],
                    **FREE,
                )
                Customer.objects.for_agency(subaccount.agency).filter(pk=subaccount.customer_id).update(
                    trial_ends_on=ends_on
                )
                Job.objects.create(
                    kind=Job.Kind.MAIL,
                    agency=subaccount.agency,
                    payload={"mail": "account_ready", "customer": subaccount.customer_id},
                )
                Job.objects.create(
                    kind=Job.Kind.REFRESH, agency=subaccount.agency, payload={"subaccount": subaccount.pk}
                )
        except IntegrityError:
            # Another row has this id: whatever the vendor meant, it is not bound twice.
            self._review(Cause.CONTRADICTION)

    def _review(self, cause: Cause, codes: tuple[int, ...] | list[int] = ()) -> None:
        with transaction.atomic():
            self._move(State.NEEDS_REVIEW, run_at=None, cause=cause, cause_codes=list(codes), **FREE)
            Job.objects.create(
                kind=Job.Kind.MAIL,
                agency=self.subaccount.agency,
                payload={"mail": "needs_review", "customer": self.subaccount.customer_id},
            )

    def _uncertain(self, cause: Cause, codes: tuple[int, ...] = (), *, happened: bool = True) -> None:
        """The create may have happened, or (not `happened`) a look has to tell why it was refused."""
        now = timezone.now()
        wait = min(LOOKS_BEFORE_QUARANTINE_ENDS[0], settings.PROVISIONING_QUARANTINE_SECONDS) if happened else 0
        self._move(
            State.UNCERTAIN,
            run_at=now + _seconds(wait),
            uncertain_since=now,
            had_unknown_outcome=self.subaccount.had_unknown_outcome or happened,
            absent_looks=0,
            looked_at=None,
            cause=cause,
            cause_codes=list(codes),
            **FREE,
        )

    def _again(self, cause: Cause | str) -> None:
        """Nothing happened: another attempt later, unless they are used up."""
        if self.subaccount.attempts >= settings.PROVISIONING_ATTEMPTS:
            self._review(Cause.ATTEMPTS_USED_UP)
            return
        self._move(State.REQUESTED, run_at=timezone.now() + backoff(self.subaccount.attempts), cause=cause, **FREE)

    def _give_back(self, wait: timedelta, cause: Cause, codes: tuple[int, ...] = ()) -> None:
        """The vendor did not take the question at all: later, and the attempt does not count."""
        with transaction.atomic():
            self._move(
                State.REQUESTED,
                run_at=timezone.now() + wait,
                attempts=self.subaccount.attempts - 1,
                cause=cause,
                cause_codes=list(codes),
                **FREE,
            )
            Event.objects.record(GIVEN_BACK, agency=self.subaccount.agency, customer=self.subaccount.customer)

    def _postpone(self, wait: timedelta, cause: Cause | str) -> None:
        """Later; the wait has a cause that people can read. An uncertain row keeps the cause it has."""
        keep = {} if self.subaccount.state == State.UNCERTAIN else {"cause": cause}
        self._free(run_at=timezone.now() + wait, **keep)

    def _free(self, **changes: Any) -> None:
        row = Subaccount.objects.across_agencies().filter(pk=self.subaccount.pk, lease_owner=self.owner)
        if row.update(**changes, **FREE) != 1:
            raise LostClaim(str(self.subaccount.public_id))

    def _wait_for_vendor(self, waiting: vendor.Waiting) -> None:
        wait = max(waiting.until - timezone.now(), timedelta(seconds=1))
        self._postpone(wait + _seconds(random.uniform(0, 1)), WAITING_CAUSES[waiting.trouble])  # noqa: S311 -- jitter

    def _throttled_for(self) -> timedelta:
        until = self.account.throttled_until or timezone.now()
        return max(until - timezone.now(), timedelta()) + _seconds(random.uniform(0, 1))  # noqa: S311 -- jitter

    def _move(self, to: State, **changes: Any) -> None:
        move(self.subaccount, expecting=State(self.subaccount.state), to=to, owner=self.owner, **changes)


FREE: dict[str, Any] = {"lease_owner": "", "lease_until": None}


def _creates_since(since: datetime, agency: Agency) -> int:
    """How many creates the vendor was asked for and took as a question."""
    events = Event.objects.for_agency(agency).filter(at__gte=since)
    started = events.filter(kind=f"subaccount.{State.CREATING.value}").count()
    return started - events.filter(kind=GIVEN_BACK).count()


def _expiry_date(customer: Customer, now: datetime) -> date | None:
    package = customer.package
    if not (package.sends_expiry_date and package.trial_days):
        return None
    return now.date() + timedelta(days=package.trial_days)


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
