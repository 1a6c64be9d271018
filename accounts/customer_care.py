"""Doors about a customer's life with the agency: made by hand, trial, pause, end, package, notes.

The vendor publishes no parameters for "update" and no call that blocks or deletes. What a change means at the
vendor therefore becomes a PanelTask: something to do by hand in the vendor's panel, with a tick.
"""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import attention, clock, customers, people, states, tasks
from accounts.audit import record as _record
from accounts.claimed import is_word_owed, quarantine_ends
from accounts.customer_list import Step
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.models import (
    IN_FLIGHT,
    Agency,
    Cause,
    Customer,
    Membership,
    Note,
    Package,
    PanelTask,
    State,
    Subaccount,
    User,
)


def _change(customer: Customer, expecting: Q, **changes: Any) -> None:
    """Writes the change, if the customer is open and as expected: two clicks do it once. Raises NotAllowed."""
    row = Customer.objects.for_agency(customer.agency).filter(expecting, pk=customer.pk, closed_at=None)
    if not row.update(**changes):
        raise NotAllowed("This customer is closed, or was changed meanwhile.")
    for name, value in changes.items():
        setattr(customer, name, value)


def _locked(customer: Customer) -> Subaccount:
    """The wish as it is now, behind its row's lock. The worker binds behind the same lock: it comes before or after.

    Taken before the customer is changed, as the worker does: in the other order the two could wait for each other.
    """
    rows = Subaccount.objects.for_agency(customer.agency).select_for_update(of=("self",), no_key=True)
    row = rows.get(customer=customer)
    row.agency = customer.agency
    customer.subaccount = row
    return row


def is_settled(subaccount: Subaccount) -> bool:
    """Whether it is known if there is an account: till then neither the package nor the end is to be decided."""
    return subaccount.state not in IN_FLIGHT


def may_be_closed(subaccount: Subaccount) -> bool:
    """Whether it is settled, or cannot be: the vendor refuses the credentials, and no account appears any more.

    Without that, credentials that never come back would keep the agency from all others: under another client id
    nothing may be in the making. What there is at the vendor after all, a comparison finds.
    """
    if is_settled(subaccount):
        return True
    if subaccount.state != State.UNCERTAIN or subaccount.uncertain_since is None:
        return False
    return subaccount.vendor_account.has_lost_its_pair and quarantine_ends(subaccount.uncertain_since) < clock.now()


def put_task(customer: Customer, kind: PanelTask.Kind, **data: Any) -> None:
    """A task for the vendor's panel, where there is an account. It replaces an open one of its kind."""
    if not customer.subaccount.vendor_id:
        return
    drop_task(customer, kind)
    PanelTask.objects.create(agency=customer.agency, customer=customer, kind=kind, data=data)


def drop_task(customer: Customer, kind: PanelTask.Kind) -> bool:
    """Withdraws an open task; whether there was one."""
    open_ones = PanelTask.objects.for_agency(customer.agency).filter(customer=customer, kind=kind, done_at=None)
    return bool(open_ones.delete()[0])


@transaction.atomic
def add(
    *,
    agency: Agency,
    package: Package,
    company_name: str,
    first_name: str,
    last_name: str,
    country: str,
    email: str,
    acting_user: User,
) -> Customer:
    """Makes a customer by hand and invites its owner-to-be by mail. Until then it waits in AWAITING_EMAIL.

    Raises customers.NoRoom.
    """
    customer = customers.write(
        agency,
        package=package,
        company_name=company_name,
        first_name=first_name,
        last_name=last_name,
        country=country,
        email=email.lower(),
    )
    _record("customer.added", customer, acting_user, package=package.pk)
    people.invite_member(customer=customer, email=customer.email, role=Membership.Role.OWNER, acting_user=acting_user)
    return customer


@transaction.atomic
def extend_trial(customer: Customer, *, ends_on: date, reason: str, acting_user: User) -> None:
    """Lets a trial run until the day before `ends_on`. Where an expiry date was sent, it is changed by hand."""
    _locked(customer)
    was = customer.trial_ends_on
    if was is None:
        raise NotAllowed("There is no trial.")
    if ends_on <= max(was, timezone.now().date()):
        raise NotAllowed("The new end is not later.")
    _change(customer, Q(trial_ends_on=was), trial_ends_on=ends_on)
    _record(
        "customer.trial_extended", customer, acting_user, reason=reason, was=was.isoformat(), now=ends_on.isoformat()
    )
    if customer.subaccount.expiry_date:
        put_task(customer, PanelTask.Kind.CHANGE_EXPIRY, date=ends_on.isoformat())


@transaction.atomic
def convert(customer: Customer, *, acting_user: User) -> None:
    """A trial becomes a customer. The vendor was told "trial" when the account was made: that is changed by hand."""
    if customer.trial_ends_on is None:
        raise NotAllowed("There is no trial.")
    _locked(customer)
    _change(customer, Q(trial_ends_on__isnull=False), trial_ends_on=None, converted_at=timezone.now())
    _record("customer.converted", customer, acting_user)
    drop_task(customer, PanelTask.Kind.CHANGE_EXPIRY)
    put_task(customer, PanelTask.Kind.MAKE_CUSTOMER, removes_expiry=bool(customer.subaccount.expiry_date))


@transaction.atomic
def pause(customer: Customer, *, message: str, acting_user: User) -> None:
    """Takes the buttons away at once and shows the customer a page that says so, with `message`. Raises NotAllowed."""
    _locked(customer)
    _change(customer, Q(paused_at=None), paused_at=timezone.now(), message=message)
    _record("customer.paused", customer, acting_user)
    if not drop_task(customer, PanelTask.Kind.UNBLOCK):
        put_task(customer, PanelTask.Kind.BLOCK)
    put_mail("paused", agency=customer.agency, customer=customer)
    tasks.wake()


@transaction.atomic
def resume(customer: Customer, *, acting_user: User) -> None:
    """Gives the buttons back. If the account was blocked by hand, it is unblocked by hand. Raises NotAllowed."""
    subaccount = _locked(customer)
    _change(customer, Q(paused_at__isnull=False), paused_at=None, message="")
    _record("customer.resumed", customer, acting_user)
    if not drop_task(customer, PanelTask.Kind.BLOCK):
        put_task(customer, PanelTask.Kind.UNBLOCK)
    is_news = subaccount.state == State.ACTIVE and not customer.first_launch_at and is_word_owed(subaccount)
    mail = "account_ready" if is_news else "resumed"  # the pause kept back who may start now
    put_mail(mail, agency=customer.agency, customer=customer)
    tasks.wake()


def leaves_an_account(subaccount: Subaccount) -> bool:
    """Whether closing leaves a task for the vendor's panel: an account is known there, or may be the customer's."""
    if not subaccount.vendor_id and attention.unproven_accounts(subaccount):
        return True
    return bool(subaccount.vendor_id) and subaccount.state != State.MISSING


@transaction.atomic
def close(customer: Customer, *, message: str, acting_user: User) -> None:
    """Ends it at the portal. Nothing is deleted at the vendor: that is done by hand. Raises NotAllowed while a
    create is under way: what it makes must be known first, if it can be."""
    customers.hold_places(customer.agency)  # who waits for this one's place may go on
    subaccount = _locked(customer)
    state = State(subaccount.state)
    if not may_be_closed(subaccount):
        raise NotAllowed("An account is being made for it.")
    _change(customer, Q(), closed_at=timezone.now(), message=message)
    states.move(subaccount, expecting=state, to=State.CLOSED, acting_user=acting_user, run_at=None, sealed_keys="")
    _record("customer.closed", customer, acting_user)
    open_ones = PanelTask.objects.for_agency(customer.agency).filter(customer=customer, done_at=None)
    open_ones.delete()
    if not subaccount.vendor_id and (unproven := attention.unproven_accounts(subaccount)):
        PanelTask.objects.create(
            agency=customer.agency, customer=customer, kind=PanelTask.Kind.DELETE, data={"unproven": unproven}
        )
    elif state != State.MISSING:
        put_task(customer, PanelTask.Kind.DELETE)
    put_mail("closed", agency=customer.agency, customer=customer)
    if state not in customers.NO_PLACE_YET:
        customers.let_in(customer.agency)
    tasks.wake()


@transaction.atomic
def change_package(customer: Customer, *, package: Package, acting_user: User) -> None:
    """Another package from now on: for a wish that waits it is what is asked for, else it is changed by hand. One
    that waits because the vendor refused the package before goes on.

    Raises NotAllowed while an account is being made: which package it gets must be known.
    """
    if package.pk == customer.package_id:
        return
    # Behind the row's lock: the worker reads the package behind the same lock, right before it asks.
    subaccount = _locked(customer)
    if not is_settled(subaccount):
        raise NotAllowed("An account with the present package is being made.")
    was = customer.package_id
    _change(customer, Q(package=was), package=package)
    _record("customer.package_changed", customer, acting_user, was=was, now=package.pk)
    put_task(customer, PanelTask.Kind.CHANGE_PACKAGE, package=package.vendor_package_id)
    if (subaccount.state, subaccount.cause) == (State.NEEDS_REVIEW, Cause.PACKAGE_REFUSED):
        subaccount.customer = customer
        attention.retry(subaccount, acting_user=acting_user)


@transaction.atomic
def remind(customer: Customer, *, acting_user: User) -> None:
    """Mails the next step towards the first coupon, at most once a week. Raises NotAllowed."""
    step = next_step(customer)
    if step is None or customer.paused_at or customer.subaccount.state != State.ACTIVE:
        raise NotAllowed("There is no next step to be reminded of.")
    week = f"{timezone.now():%G-%V}"
    try:
        with transaction.atomic():
            once = f"reminder:{customer.pk}:{week}"
            put_mail("reminder", agency=customer.agency, customer=customer, once=once, step=step.value)
    except IntegrityError:
        raise NotAllowed("This reminder was sent this week already.") from None
    _record("customer.reminded", customer, acting_user, step=step.value)
    tasks.wake()


def next_step(customer: Customer) -> Step | None:
    """Where a customer is stuck on the way to the first coupon; None once there is one."""
    if customer.first_campaign_at:
        return None
    if customer.first_launch_at:
        return Step.NO_CAMPAIGN
    return Step.NO_LAUNCH if customer.first_sign_in_at else Step.NO_SIGN_IN


@transaction.atomic
def add_note(customer: Customer, *, text: str, acting_user: User) -> Note:
    """A note that staff read, and nobody else. Raises NotAllowed for a customer that was erased."""
    if Customer.objects.for_agency(customer.agency).exclude(erased_at=None).filter(pk=customer.pk).exists():
        raise NotAllowed("Nothing is noted of who was erased.")
    note = Note.objects.create(agency=customer.agency, customer=customer, author_id=acting_user.pk, text=text)
    _record("customer.noted", customer, acting_user, about=note)
    return note


@transaction.atomic
def tick(task: PanelTask, *, acting_user: User) -> None:
    """Somebody did in the vendor's panel what the task says. Ticking it twice is no error."""
    row = PanelTask.objects.for_agency(task.agency).filter(pk=task.pk, done_at=None)
    if row.update(done_at=timezone.now()):
        _note_what_was_done(task)
        _record("panel_task.done", task.customer, acting_user, about=task, task=task.kind)


def _note_what_was_done(task: PanelTask) -> None:
    """The end that the vendor was told is another one now: told by hand."""
    subaccount = Subaccount.objects.for_agency(task.agency).filter(customer=task.customer)
    if task.kind == PanelTask.Kind.CHANGE_EXPIRY:
        subaccount.update(expiry_date=date.fromisoformat(task.data["date"]))
    elif task.kind == PanelTask.Kind.MAKE_CUSTOMER:
        subaccount.update(expiry_date=None)
