"""A subaccount that a worker has claimed: what it may learn from the vendor, and the outcomes it may write.

Every outcome is one conditional update that only the owner of the claim can make.
"""

import random
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import adoption, clock, search, vendor
from accounts.claims import backoff, make_due
from accounts.mails import put_mail
from accounts.models import (
    DONE,
    IN_FLIGHT,
    Cause,
    Customer,
    Event,
    Job,
    Package,
    PanelTask,
    State,
    Subaccount,
    VendorAccount,
)
from accounts.states import FREE, LostClaim, move
from coupontools_api.errors import CoupontoolsError, Throttled
from coupontools_api.subaccounts import ListedSubaccount

MISSING_LOOK = timedelta(hours=1)
GIVEN_BACK = "subaccount.create_given_back"
LOOKS_BEFORE_QUARANTINE_ENDS = (5.0, 30.0)
WAITING_CAUSES = {
    VendorAccount.Trouble.CREDENTIALS.value: Cause.CREDENTIALS,
    VendorAccount.Trouble.UNSEALED.value: Cause.KEY_GONE,
    VendorAccount.Trouble.UNREACHABLE.value: Cause.VENDOR_UNREACHABLE,
    "throttled": Cause.VENDOR_THROTTLES,
    "no credentials": Cause.NO_VENDOR_ACCOUNT,
}
NO_END = "open"
TELL_OF_BEFORE = (Cause.TRIED_AGAIN, Cause.NOT_MADE)  # and not of what is waited for


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def quarantine_ends(since: datetime) -> datetime:
    """Until when an account may still appear of which the vendor was asked `since`."""
    return since + seconds(settings.PROVISIONING_QUARANTINE_SECONDS)


def is_new(subaccount: Subaccount) -> bool:
    """Whether it was bound so lately that the vendor may not know it for every question yet."""
    return subaccount.bound_at is not None and clock.now() < quarantine_ends(subaccount.bound_at)


def is_trial(customer: Customer) -> bool:
    """Whether an account that is made for the customer now is a trial."""
    return bool(customer.package.trial_days) and customer.converted_at is None


def trial_as_sent(customer: Customer, ends_on: date | None) -> str:
    """What a create says of the trial, as it is kept: its end, NO_END where the vendor is told none, or empty."""
    if not is_trial(customer):
        return ""
    return ends_on.isoformat() if ends_on else NO_END


def _ready_mail(subaccount: Subaccount) -> Job:
    payload = {"mail": "account_ready", "customer": subaccount.customer_id}
    about = {"agency": subaccount.agency, "customer_id": subaccount.customer_id}
    return Job(kind=Job.Kind.MAIL, payload=payload, **about)


def is_word_owed(subaccount: Subaccount) -> bool:
    """Whether the customer was never told that the account is ready, and no mail is on its way.

    It was dropped, say, because the account was missing or the customer paused when its turn came.
    """
    jobs, events = Job.objects.for_agency(subaccount.agency), Event.objects.for_agency(subaccount.agency)
    coming = jobs.filter(payload__mail="account_ready", customer_id=subaccount.customer_id, run_at__isnull=False)
    told = events.filter(kind="mail.sent", data__mail="account_ready", customer_id=subaccount.customer_id, outcome=DONE)
    return not coming.exists() and not told.exists()


class Claimed:
    """One claimed step of one subaccount."""

    def __init__(self, subaccount: Subaccount, *, owner: str) -> None:
        self.subaccount, self.owner = subaccount, owner
        self.account = subaccount.vendor_account
        self.candidates: list[str] = list(subaccount.candidates)
        # That this claim holds too: whoever makes an account reads it for the first time, and sends word of it.
        self.reading: Job | None = None
        self.mail: Job | None = None

    # -- looking -------------------------------------------------------------------------------------------

    def listing(self) -> tuple[ListedSubaccount, ...] | None:
        """The vendor's list; None if it could not be had, and then the row is already put off."""
        try:
            return vendor.look(self.account)
        except vendor.Waiting as waiting:
            self.wait_for_vendor(waiting)
        except Throttled:
            self.postpone(self.throttled_for(), Cause.VENDOR_THROTTLES)
        except vendor.CREDENTIALS_ERRORS:
            self.postpone(seconds(settings.BREAKER_PROBE_SECONDS), Cause.CREDENTIALS)
        except CoupontoolsError:
            self.postpone(backoff(self.account.failures_in_a_row), Cause.VENDOR_UNREACHABLE)
        return None

    def verdict(self, listing: tuple[ListedSubaccount, ...]) -> adoption.Verdict:
        subaccount = self.subaccount
        found = adoption.ids_listed_for(subaccount.email, listing)
        self.candidates = sorted(found)
        bound = (
            Subaccount.objects.for_agency(subaccount.agency)
            .bound_here()
            .filter(vendor_id__in=found)
            .values_list("vendor_id", flat=True)
        )
        return adoption.judge(
            email=subaccount.email,
            listing=listing,
            had_unknown_outcome=subaccount.had_unknown_outcome,
            was_present_at_first=subaccount.first_look == Subaccount.FirstLook.PRESENT,
            bound_elsewhere=set(bound),
        )

    def others_in_the_making(self) -> Q:
        """Of the agency's rows those of the same address, but for this one, for which an account may just be made."""
        return ~Q(pk=self.subaccount.pk) & Q(email__iexact=self.subaccount.email, state__in=IN_FLIGHT)

    def may_be_anothers(self) -> bool:
        """Whether an account of this address may be what another wish has asked for since, and be left to that."""
        since = Q(create_started_at__gt=self.subaccount.create_started_at) if self.subaccount.create_started_at else Q()
        theirs = Subaccount.objects.for_agency(self.subaccount.agency).filter(self.others_in_the_making(), since)
        return theirs.exists()

    def is_bound_by_another_agency(self, vendor_id: str) -> bool:
        theirs = Subaccount.objects.across_agencies().exclude(agency=self.subaccount.agency)
        return theirs.filter(vendor_id=vendor_id).exists()

    # -- outcomes ------------------------------------------------------------------------------------------

    def bind(self, vendor_id: str) -> None:
        subaccount, now = self.subaccount, clock.now()
        was = State(subaccount.state)
        of_another = {"facts": {}, "sealed_keys": ""} if subaccount.vendor_id not in ("", vendor_id) else {}
        try:
            with transaction.atomic():
                if of_another:
                    subaccount.campaigns.all().delete()
                self.move(
                    State.ACTIVE,
                    changed_at=now,
                    vendor_id=vendor_id,
                    bound_at=now,
                    run_at=None,
                    cause=Cause.NONE,
                    cause_codes=[],
                    candidates=[],
                    wanted_vendor_id="",
                    wanted_in_spite=False,
                    **of_another,
                    **FREE,
                )
                search.add(subaccount.customer, vendor_id)
                customers = Customer.objects.for_agency(subaccount.agency).select_related("package")
                customer = customers.get(pk=subaccount.customer_id)
                self._start_trial(customer, now.date())
                self._check_what_was_sent(customer, was)
                if was in (State.NEEDS_REVIEW, State.MISSING):
                    self._ask_nobody_to_delete(vendor_id)
                reading = Job(kind=Job.Kind.REFRESH, agency=subaccount.agency, payload={"subaccount": subaccount.pk})
                mail = None
                if customer.paused_at:
                    # Paused before there was an account: the task that a pause leaves, and no "you can start".
                    PanelTask.objects.create(agency=subaccount.agency, customer=customer, kind=PanelTask.Kind.BLOCK)
                elif was != State.MISSING or is_word_owed(subaccount):
                    mail = _ready_mail(subaccount)
                jobs = [reading, mail] if mail else [reading]
                if not settings.BROKER_URL:  # with one each has a task of its own, and all the time of a task
                    for job in jobs:
                        job.lease_owner = self.owner
                        job.lease_until = now + seconds(settings.PROVISIONING_LEASE_SECONDS)
                Job.objects.bulk_create(jobs)
            if not settings.BROKER_URL:
                self.reading, self.mail = reading, mail
        except IntegrityError:
            # Another row has this id: whatever the vendor meant, it is not bound twice.
            if subaccount.state in (State.NEEDS_REVIEW, State.MISSING):
                self.keep(Cause.BOUND_ELSEWHERE)
            else:
                self.contradiction()

    def _start_trial(self, customer: Customer, today: date) -> None:
        """The first account starts the trial; one that was extended, or became a customer, stays as it is."""
        days = self.subaccount.customer.package.trial_days
        if days and customer.trial_ends_on is None and customer.converted_at is None:
            customer.trial_ends_on = self.subaccount.expiry_date or today + timedelta(days=days)
            row = Customer.objects.for_agency(self.subaccount.agency).filter(pk=customer.pk)
            row.update(trial_ends_on=customer.trial_ends_on)

    def _check_what_was_sent(self, customer: Customer, was: State) -> None:
        """The account may have another package, or another trial, than the customer has by now: changed by hand then.

        Which create made it is certain only where it said so itself. An account that was lost has its tasks already.
        """
        if was == State.MISSING:
            return
        latest = slice(-1, None) if was == State.CREATING else slice(None)
        packages, trials = self.subaccount.packages_sent[latest], self.subaccount.trials_sent[latest]
        wanted = customer.package.vendor_package_id
        if any(package != wanted for package in packages):
            self._put_task(customer, PanelTask.Kind.CHANGE_PACKAGE, package=wanted)
        trial = trial_as_sent(customer, customer.trial_ends_on if customer.package.sends_expiry_date else None)
        others = [sent for sent in trials if sent not in ("", trial)]
        if others and not trial:
            self._put_task(customer, PanelTask.Kind.MAKE_CUSTOMER, removes_expiry=others != [NO_END] * len(others))
        elif others and trial != NO_END:
            self._put_task(customer, PanelTask.Kind.CHANGE_EXPIRY, date=trial)

    def _put_task(self, customer: Customer, kind: PanelTask.Kind, **data: Any) -> None:
        PanelTask.objects.create(agency=self.subaccount.agency, customer=customer, kind=kind, data=data)

    def _ask_nobody_to_delete(self, vendor_id: str) -> None:
        """What a closed wish left behind, in the opinion of its tasks, is this customer's now."""
        tasks = PanelTask.objects.for_agency(self.subaccount.agency).filter(
            kind__in=(PanelTask.Kind.DELETE, PanelTask.Kind.ERASE), done_at=None, data__has_key="unproven"
        )
        for task in tasks.exclude(data__has_key="left"):
            left = [account for account in task.data["unproven"] if account != vendor_id]
            if not left:
                task.delete()
            elif left != task.data["unproven"]:
                task.data["unproven"] = left
                task.save(update_fields=["data"])

    def come_back(self, bound_at: datetime) -> None:
        """A lost account is known again by its number, which counts as bound since `bound_at`.

        Unless another customer has that number by now: it was of another vendor account.
        """
        subaccount = self.subaccount
        others = Subaccount.objects.for_agency(subaccount.agency).bound_here().exclude(pk=subaccount.pk)
        if others.filter(vendor_id=subaccount.vendor_id).exists():
            if subaccount.cause == Cause.OTHER_ACCOUNT:
                self.free(run_at=clock.now() + MISSING_LOOK, looked_at=clock.now())
            else:
                self.keep(Cause.OTHER_ACCOUNT)
            return
        with transaction.atomic():
            facts = {"bound_at": bound_at, "looked_at": clock.now(), "cause": Cause.NONE, "cause_codes": []}
            self.move(State.ACTIVE, run_at=None, **facts, **FREE)
            Job.objects.create(kind=Job.Kind.REFRESH, agency=subaccount.agency, payload={"subaccount": subaccount.pk})
            if is_word_owed(subaccount):
                _ready_mail(subaccount).save()

    def contradiction(self) -> None:
        """The create answered with somebody else's id, and may have made ours all the same: its outcome is unknown."""
        with transaction.atomic():
            Subaccount.objects.across_agencies().filter(pk=self.subaccount.pk, lease_owner=self.owner).update(
                had_unknown_outcome=True, uncertain_since=clock.now(), absent_looks=0
            )
            self.review(Cause.CONTRADICTION)

    def review(self, cause: Cause, codes: tuple[int, ...] | list[int] = ()) -> None:
        with transaction.atomic():
            self.move(
                State.NEEDS_REVIEW,
                run_at=None,
                cause=cause,
                cause_codes=list(codes),
                candidates=self.candidates,
                wanted_vendor_id="",
                wanted_in_spite=False,
                **FREE,
            )
            if cause == Cause.PACKAGE_REFUSED:
                package = self.subaccount.customer.package
                Package.objects.for_agency(self.subaccount.agency).filter(pk=package.pk).update(refused_at=clock.now())
            put_mail("needs_review", agency=self.subaccount.agency, customer=self.subaccount.customer)

    def keep(self, cause: Cause) -> None:
        """It goes on waiting for a person, with what the look found."""
        subaccount, now = self.subaccount, clock.now()
        with transaction.atomic():
            self.free(
                run_at=now + MISSING_LOOK if subaccount.state == State.MISSING else None,
                looked_at=now,
                cause=cause,
                cause_codes=subaccount.cause_codes if cause == subaccount.cause else [],
                candidates=self.candidates,
                wanted_vendor_id="",
                wanted_in_spite=False,
                dismissed_at=None,
            )
            self._record("subaccount.looked", cause=str(cause), listed=len(self.candidates))

    def uncertain(self, cause: Cause, codes: tuple[int, ...] = (), *, happened: bool = True, told: str = "") -> None:
        """The create may have happened, or (not `happened`) a look has to tell why it was refused.

        `told` is an id that the vendor answered and that is not known to be ours.
        """
        now = clock.now()
        wait = min(LOOKS_BEFORE_QUARANTINE_ENDS[0], settings.PROVISIONING_QUARANTINE_SECONDS) if happened else 0
        self.move(
            State.UNCERTAIN,
            run_at=now + seconds(wait),
            uncertain_since=now,
            had_unknown_outcome=self.subaccount.had_unknown_outcome or happened,
            absent_looks=0,
            looked_at=None,
            cause=cause,
            cause_codes=list(codes),
            **({"candidates": [told]} if told else {}),
            **FREE,
        )

    @transaction.atomic
    def again(self, cause: Cause, *, was_asked: bool = True) -> None:
        """Nothing happened: another attempt later, unless they are used up."""
        day = self._day()
        if self.subaccount.attempts >= settings.PROVISIONING_ATTEMPTS:
            self.review(Cause.ATTEMPTS_USED_UP)
        else:
            self.move(State.REQUESTED, run_at=clock.now() + backoff(self.subaccount.attempts), cause=cause, **FREE)
        if not was_asked:
            self._give_back_create(day)

    def give_back(self, wait: timedelta, cause: Cause, codes: tuple[int, ...] = ()) -> None:
        """The vendor did not take the question at all: later, and the attempt does not count, nor does its create."""
        day = self._day()
        with transaction.atomic():
            self.move(
                State.REQUESTED,
                run_at=clock.now() + wait,
                attempts=self.subaccount.attempts - 1,
                cause=cause,
                cause_codes=list(codes),
                **FREE,
            )
            self._give_back_create(day)

    def _day(self) -> str:
        """The day in whose number the create counts."""
        return clock.midnight(self.subaccount.create_started_at or clock.now()).date().isoformat()

    def _give_back_create(self, day: str) -> None:
        """It does not count. One of those who wait for tomorrow may be made today, where the number was reached."""
        self._record(GIVEN_BACK, day=day)
        account = VendorAccount.objects.filter(pk=self.account.pk, budget_reached_on=day)
        if account.update(budget_reached_on=None):
            waiting = Subaccount.objects.for_agency(self.subaccount.agency)
            waiting = waiting.filter(cause=Cause.DAILY_BUDGET, run_at__isnull=False).order_by("created_at", "pk")
            make_due(waiting, clock.now(), at_most=1, cause=Cause.NONE)

    def postpone(self, wait: timedelta, cause: Cause | str, *, faults: int = 0) -> None:
        """Later; the wait has a cause that people can read. Rows that are not simply queued keep their own."""
        run_at = clock.now() + wait
        if self.subaccount.state != State.REQUESTED or self.subaccount.cause == cause:
            self.free(run_at=run_at, faults=faults)
            return
        with transaction.atomic():
            self.free(run_at=run_at, faults=faults, cause=cause)
            self._record("subaccount.waiting", cause=str(cause))

    def postpone_behind_others(self, wait: timedelta) -> None:
        """Later, because another wish is ahead: what this one has waited for until now is there again."""
        cause = self.subaccount.cause
        self.postpone(wait, cause if cause in TELL_OF_BEFORE else Cause.NONE)

    def free(self, **changes: Any) -> None:
        row = Subaccount.objects.across_agencies().filter(
            pk=self.subaccount.pk, lease_owner=self.owner, state=self.subaccount.state
        )
        if row.update(**{"faults": 0} | changes, **FREE) != 1:
            raise LostClaim(str(self.subaccount.public_id))

    def read_as_it_is(self) -> None:
        """What a step was about to write when it failed is not written."""
        rows = Subaccount.objects.across_agencies()
        told = ["state", "cause", "cause_codes", "candidates", "faults"]
        self.subaccount.refresh_from_db(fields=told, from_queryset=rows)

    def wait_for_vendor(self, waiting: vendor.Waiting) -> None:
        wait = max(waiting.until - clock.now(), timedelta(seconds=1))
        self.postpone(wait + seconds(random.uniform(0, 1)), WAITING_CAUSES[waiting.trouble])  # noqa: S311 -- jitter

    def throttled_for(self) -> timedelta:
        until = self.account.throttled_until or clock.now()
        return max(until - clock.now(), timedelta()) + seconds(random.uniform(0, 1))  # noqa: S311 -- jitter

    def _record(self, kind: str, **data: Any) -> None:
        """Writes down what is no move."""
        subaccount = self.subaccount
        Event.objects.record(kind, agency=subaccount.agency, customer=subaccount.customer, about=subaccount, **data)

    def move(self, to: State, **changes: Any) -> None:
        move(self.subaccount, expecting=State(self.subaccount.state), to=to, owner=self.owner, faults=0, **changes)
