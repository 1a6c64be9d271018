"""From wish to subaccount: what the worker does with a row that it has claimed.

Each step is: claim the row, look or create at the vendor with no lock held, and write the outcome by a
conditional update that only the owner of the claim can make. A worker may die anywhere: what it committed
last says what may have happened.
"""

import contextlib
import secrets
import time
from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from accounts import adoption, clock, jobs, reviews, vendor
from accounts.claimed import (
    GIVEN_BACK,
    LOOKS_BEFORE_QUARANTINE_ENDS,
    WAITING_CAUSES,
    Claimed,
    is_trial,
    quarantine_ends,
    seconds,
    trial_as_sent,
)
from accounts.claims import backoff, claim, renew
from accounts.mails import put_mail_once
from accounts.models import IN_FLIGHT, Agency, Cause, Customer, Event, State, Subaccount, VendorAccount
from accounts.states import FREE, LostClaim
from coupontools_api.errors import (
    CoupontoolsError,
    EmailTaken,
    InvalidEmail,
    NoAnswer,
    NotFound,
    NotSent,
    Refused,
    Throttled,
    UnexpectedReply,
)
from coupontools_api.ids import PackageId
from coupontools_api.subaccounts import AccountStatus, CreatedSubaccount, ListedSubaccount

log = structlog.get_logger(__name__)

MAX_CREATES_IN_FLIGHT = 2
OTHERS_WAIT = timedelta(seconds=5)  # then it is asked again whether the other wish of the address is settled
PAUSED_FOR = timedelta(minutes=1)  # then it is asked again whether an operator has ended the pause
UNKNOWN_WAITS = timedelta(minutes=1)
AFTER_FAULT = timedelta(minutes=1)
MOST_FAULTS = 30  # one a minute
NOT_IN_LIST = 302  # "value not in the predefined list": of what we send, only the package can be that


def attempt(pk: int | None = None) -> bool:
    """Claims one subaccount (`pk`, or the one due longest) and takes its next step. False if nothing was due."""
    related = "agency", "customer__package", "vendor_account__active_credential"
    subaccount = claim(Subaccount, pk=pk, related=related)
    if subaccount is None:
        return False
    step = _Step(subaccount, owner=subaccount.lease_owner)
    with structlog.contextvars.bound_contextvars(subaccount=str(subaccount.public_id), claim=subaccount.lease_owner):
        try:
            step.take()
        except LostClaim:
            log.warning("provisioning.claim_lost", state=subaccount.state)
        except Exception:  # a fault of ours must neither hold the row in silence nor end the worker
            log.exception("provisioning.fault", state=subaccount.state)
            step.put_off_after_fault()
        # The reading first: it takes room that others wait for, and must not take it while a mail server is slow.
        try:
            if step.reading:
                jobs.do(step.reading)
        finally:  # also where the reading lost the database
            if step.mail and renew(step.mail):
                jobs.do(step.mail)
    return True


class _Step(Claimed):
    """The next step of a claimed subaccount."""

    def take(self) -> None:
        if self.subaccount.customer.closed_at:
            self.free(run_at=None)
            return
        if self.subaccount.agency.stopped_at:
            self._wait_for_agency()
            return
        match self.subaccount.state:
            case State.CREATING:
                # Whoever started this create died with it: it may or may not have happened.
                self.uncertain(Cause.WORKER_DIED)
            case State.REQUESTED:
                self._look_then_create()
            case State.UNCERTAIN:
                self._look_again()
            case State.NEEDS_REVIEW | State.MISSING:
                reviews.take(self)
            case known if known in State.values:
                self.free(run_at=None)
            case _:
                # A newer version is being brought in: this one waits for those who know the state.
                self.free(run_at=clock.now() + UNKNOWN_WAITS)

    def _wait_for_agency(self) -> None:
        with transaction.atomic():
            # Whoever lets it go on looks for what waits, and would miss this one while it is being put off.
            agency = Agency.objects.select_for_update(no_key=True).get(pk=self.subaccount.agency_id)
            self.free(run_at=clock.now() + (timedelta(hours=1) if agency.stopped_at else timedelta()))

    def put_off_after_fault(self) -> None:
        """Tried again, and visible. A row in CREATING waits for its lease to end, and is then looked for.

        What happened to a create says its own cause till then; where the fault stays, a person reads of it.
        """
        subaccount = self.subaccount
        self.read_as_it_is()
        # What waits for a person already is not counted: once tried again it starts from nothing.
        faults = subaccount.faults + 1 if subaccount.state in (State.REQUESTED, State.UNCERTAIN) else 0
        with contextlib.suppress(LostClaim):
            if faults >= MOST_FAULTS:
                self.candidates = list(subaccount.candidates)
                self.review(Cause.OUR_FAULT)
            elif subaccount.state != State.CREATING:
                self.postpone(AFTER_FAULT, Cause.OUR_FAULT, faults=faults)

    # -- looking -------------------------------------------------------------------------------------------

    def _look_then_create(self) -> None:
        if self.account.creates_paused_at:
            self.postpone(PAUSED_FOR, Cause.CREATES_PAUSED)
            return
        # Before the look, which would be for nothing.
        if self.account.budget_reached_on == clock.midnight(clock.now()).date() and self._waits_for_tomorrow():
            return
        of_agency = Subaccount.objects.for_agency(self.subaccount.agency)
        if of_agency.filter(self.others_in_the_making()).exists():
            self.postpone_behind_others(OTHERS_WAIT)
            return
        listing = self.listing()
        if listing is None:
            return
        if not self.subaccount.first_look:
            is_there = bool(adoption.ids_listed_for(self.subaccount.email, listing))
            seen = Subaccount.FirstLook.PRESENT if is_there else Subaccount.FirstLook.ABSENT
            self.move(State.REQUESTED, first_look=seen, first_look_at=clock.now())
        verdict = self.verdict(listing)
        if verdict.bind and self.may_be_anothers():
            self.postpone_behind_others(OTHERS_WAIT)
        elif verdict.bind:
            self.bind(verdict.bind)
        elif verdict.cause:
            self.review(verdict.cause)
        elif self._start_create():
            self._create(listing)

    def _waits_for_tomorrow(self) -> bool:
        """Whether the day's number is reached, and the wish put off: behind the lock of whoever makes room for more."""
        with transaction.atomic():
            account, now = self._locked_account(), clock.now()
            if account.budget_reached_on != clock.midnight(now).date():
                return False
            self.postpone(clock.midnight(now) + timedelta(days=1) - now, Cause.DAILY_BUDGET)
        return True

    def _locked_account(self) -> VendorAccount:
        """The vendor account as it is now, behind its row's lock."""
        # In the order of a claim, which may take this row once its lease is over: else the two wait for each other.
        ours = Subaccount.objects.for_agency(self.subaccount.agency).select_for_update(no_key=True)
        ours.only("pk").get(pk=self.subaccount.pk)
        return VendorAccount.objects.select_for_update().get(pk=self.account.pk)

    def _look_again(self) -> None:
        listing = self.listing()
        if listing is None:
            return
        verdict = self.verdict(listing)
        if verdict.bind and self.may_be_anothers():
            self.postpone_behind_others(OTHERS_WAIT)
        elif verdict.bind:
            self.bind(verdict.bind)
        elif verdict.cause:
            self.review(verdict.cause)
        else:
            self._absent()

    def _absent(self) -> None:
        """It is not listed. Presence is believed at once; absence only after the quarantine, seen twice."""
        subaccount, now = self.subaccount, clock.now()
        is_taken = subaccount.cause == Cause.EMAIL_TAKEN
        if is_taken and not subaccount.had_unknown_outcome:
            self.review(Cause.EMAIL_TAKEN_ELSEWHERE, subaccount.cause_codes)
            return
        since = subaccount.uncertain_since or now
        end = quarantine_ends(since)
        if now < end:
            looks = (since + seconds(wait) for wait in LOOKS_BEFORE_QUARANTINE_ENDS)
            upcoming = min((look for look in looks if now < look < end), default=end)
            self.move(State.UNCERTAIN, run_at=upcoming, looked_at=now, **FREE)
            return
        gap = seconds(settings.PROVISIONING_LOOK_GAP_SECONDS)
        if subaccount.absent_looks == 0:
            self.move(State.UNCERTAIN, run_at=now + gap, looked_at=now, absent_looks=1, **FREE)
        elif subaccount.looked_at and now < subaccount.looked_at + gap:
            self.move(State.UNCERTAIN, run_at=subaccount.looked_at + gap, **FREE)
        elif subaccount.candidates:
            # A create told an id that is not listed for our address: whatever that is, another create might double it.
            self.candidates = list(subaccount.candidates)
            self.review(Cause.CONTRADICTION)
        elif is_taken:
            self.review(Cause.EMAIL_TAKEN_ELSEWHERE, subaccount.cause_codes)
        elif subaccount.cause == Cause.UNCLEAR_ANSWER and subaccount.cause_codes:
            # The vendor said no in a code that we do not know: asking again would hear the same.
            self.review(Cause.REFUSED, subaccount.cause_codes)
        else:
            self.again(Cause.NOT_MADE)

    # -- creating ------------------------------------------------------------------------------------------

    def _start_create(self) -> bool:
        """Commits CREATING before the socket opens, with the lease renewed for the call. False: put off."""
        # By the clock that goes on while a process is stopped, and before the lease that is written below.
        self.lease_ends = time.monotonic() + settings.PROVISIONING_LEASE_SECONDS
        subaccount, now = self.subaccount, clock.now()
        with transaction.atomic():
            # The lock makes the counts exact: one worker at a time decides for this vendor account. Its pair is read
            # after the lock: read with it, it may be the one of before the wait.
            account = self._locked_account()
            if account.creates_paused_at or not self._is_as_it_was(account):
                self.postpone_behind_others(timedelta(seconds=1))
                return False
            self.account = account  # with the breaker as others have left it since the claim
            if wait := self._wait_for_others(now):
                self.postpone_behind_others(wait)
                return False
            if not PackageId.is_written(subaccount.customer.package.vendor_package_id):
                self.review(Cause.PACKAGE_REFUSED)  # the vendor would say the same
                return False
            made, allowed = creates_today(subaccount.customer.agency, now=now)
            if made >= allowed:
                self.postpone(clock.midnight(now) + timedelta(days=1) - now, Cause.DAILY_BUDGET)
                _tell_of_budget(account, subaccount.agency, clock.midnight(now).date(), allowed=allowed)
                return False
            # What is asked for now comes last. Before it what creates asked for that may have happened all the same.
            is_first = not subaccount.had_unknown_outcome
            earlier_packages = [] if is_first else subaccount.packages_sent
            earlier_trials = [] if is_first else subaccount.trials_sent
            self.move(
                State.CREATING,
                changed_at=now,
                attempts=subaccount.attempts + 1,
                create_started_at=now,
                expiry_date=(expiry_date := _expiry_date(subaccount.customer, now)),
                packages_sent=[*earlier_packages, subaccount.customer.package.vendor_package_id],
                trials_sent=[*earlier_trials, trial_as_sent(subaccount.customer, expiry_date)],
                lease_until=now + seconds(settings.PROVISIONING_LEASE_SECONDS),
                cause=Cause.NONE,
                cause_codes=[],
            )
        return True

    def _is_as_it_was(self, account: VendorAccount) -> bool:
        """Whether what the look was made for still holds: the credentials, the agency at work, the customer open.

        Reads the customer again behind the row's lock: another package may have been chosen meanwhile.
        """
        subaccount = self.subaccount
        current = Customer.objects.for_agency(subaccount.agency).select_related("package", "agency")
        subaccount.customer = current.get(pk=subaccount.customer_id)
        is_at_work = subaccount.customer.agency.stopped_at is None
        return is_at_work and vendor.has_same_pair(account, self.account) and subaccount.customer.closed_at is None

    def _wait_for_others(self, now: datetime) -> timedelta | None:
        """How long before it is tried again, where no create may start: too many are under way, or one of its address.

        An account that appears meanwhile would be that other wish's.
        """
        theirs = self.others_in_the_making()
        of_agency = Subaccount.objects.for_agency(self.subaccount.agency)
        found = of_agency.filter(state__in=IN_FLIGHT).aggregate(
            in_flight=Count("pk", filter=Q(state=State.CREATING, lease_until__gt=now)), same=Count("pk", filter=theirs)
        )
        if found["same"]:
            return OTHERS_WAIT
        return timedelta(seconds=1) if found["in_flight"] >= MAX_CREATES_IN_FLIGHT else None

    def _create(self, listing: tuple[ListedSubaccount, ...]) -> None:
        try:
            created = self._send_create()
        except vendor.Waiting as waiting:
            self.give_back(waiting.until - clock.now(), WAITING_CAUSES[waiting.trouble])
        except Throttled:
            self.give_back(self.throttled_for(), Cause.VENDOR_THROTTLES)
        except vendor.CREDENTIALS_ERRORS as problem:
            if not problem.codes:  # not the vendor's own code, and whoever it is may stand before or behind it
                self.uncertain(Cause.UNCLEAR_ANSWER)
            elif self.account.is_open:
                self.give_back(seconds(settings.BREAKER_PROBE_SECONDS), WAITING_CAUSES[self.account.trouble])
            elif self._list_stays_unread():  # then who is refused is not known
                self.give_back(backoff(self.account.failures_in_a_row), Cause.VENDOR_UNREACHABLE)
            else:  # what was asked for is refused, and not who asks
                self.review(Cause.REFUSED, problem.codes)
        except EmailTaken as problem:
            # Ours from an earlier attempt, or somebody else's: the next look tells.
            self.uncertain(Cause.EMAIL_TAKEN, problem.codes, happened=False)
        except InvalidEmail as problem:
            self.review(Cause.EMAIL_INVALID, problem.codes)
        except Refused as problem:
            is_package = isinstance(problem, NotFound) or NOT_IN_LIST in problem.codes
            self.review(Cause.PACKAGE_REFUSED if is_package else Cause.REFUSED, problem.codes)
        except NotSent:
            self.again(Cause.VENDOR_UNREACHABLE, was_asked=False)
        except (NoAnswer, UnexpectedReply) as problem:
            cause = Cause.NO_ANSWER if isinstance(problem, NoAnswer) else Cause.UNCLEAR_ANSWER
            self.uncertain(cause, problem.codes)
        else:
            if created.id in {row.id for row in listing}:
                self.contradiction()
            elif self._is_ours(created):
                self.bind(created.id)
            else:
                # It may be ours under another spelling, or nobody's: where the list does not tell, a person does.
                self.uncertain(Cause.UNCLEAR_ANSWER, told=created.id)

    def _list_stays_unread(self) -> bool:
        """Whether the reading that a refusal brought had no answer, or was put off."""
        throttled_until = self.account.throttled_until
        return bool(self.account.failures_in_a_row or (throttled_until and throttled_until > clock.now()))

    def _is_ours(self, created: CreatedSubaccount) -> bool:
        """Whether the new account has our address. The account is read where the create does not say; no answer is no.

        Likewise where another agency's customer has its number: two vendor accounts may have the same ones, or the
        vendor mixes up its answers. What is not known to be ours is looked for: the list tells.
        """
        email = created.email
        if not email or self.is_bound_by_another_agency(created.id):
            noted = vendor.Noted("subaccount", self.subaccount.customer_id)
            try:
                email = vendor.ask(self.account, lambda client: client.subaccounts.get(created.id), noted=noted).email
            except (CoupontoolsError, vendor.Waiting):
                return False
        return adoption.same_address(email, self.subaccount.email)

    def _send_create(self) -> CreatedSubaccount:
        subaccount, customer = self.subaccount, self.subaccount.customer
        return vendor.ask(
            self.account,
            lambda client: client.subaccounts.create(
                email=subaccount.email,
                # Sent and forgotten: without one the vendor mails the customer under its own name.
                password=secrets.token_urlsafe(24),
                package=PackageId(customer.package.vendor_package_id),
                status=AccountStatus.TRIAL if is_trial(customer) else AccountStatus.CUSTOMER,
                first_name=customer.first_name,
                last_name=customer.last_name,
                country=customer.country,
                company_name=customer.company_name,
                expiry_date=subaccount.expiry_date,
                # Else who wakes after it asks for what another worker has made meanwhile.
                not_after=self.lease_ends,
            ),
            noted=vendor.Noted(vendor.CREATE, customer.pk),
        )


def _tell_of_budget(account: VendorAccount, agency: Agency, today: date, *, allowed: int) -> None:
    """Staff learn it once a day of each number. Behind the vendor account's lock, so that it is once."""
    if account.budget_reached_on == today:
        return
    VendorAccount.objects.filter(pk=account.pk).update(budget_reached_on=today)
    Event.objects.record("vendor_account.budget_reached", agency=agency, about=account, allowed=allowed)
    # A create that is given back leaves room for one, and the number is reached again.
    once = f"daily_budget:{account.pk}:{today}:{allowed}"
    put_mail_once("daily_budget", agency=agency, once=once, allowed=allowed, day=today.isoformat())


def creates_today(agency: Agency, *, now: datetime) -> tuple[int, int]:
    """How many accounts the vendor was asked for since midnight (UTC) and took as a question; how many may be."""
    own = agency.daily_creates
    started, midnight = f"subaccount.{State.CREATING.value}", clock.midnight(now)
    events = Event.objects.for_agency(agency).filter(at__gte=midnight, kind__in=(started, GIVEN_BACK))
    # One that was given back after midnight may be yesterday's.
    counts = events.aggregate(
        started=Count("pk", filter=Q(kind=started)),
        given_back=Count("pk", filter=Q(kind=GIVEN_BACK, data__day=midnight.date().isoformat())),
    )
    allowed = settings.PROVISIONING_DAILY_CREATES if own is None else own
    return int(counts["started"] - counts["given_back"]), allowed


def _expiry_date(customer: Customer, now: datetime) -> date | None:
    """The end that the vendor is told, where the package says so: of the trial that runs, or of the one that starts."""
    if not (customer.package.sends_expiry_date and is_trial(customer)):
        return None
    return customer.trial_ends_on or now.date() + timedelta(days=customer.package.trial_days)
