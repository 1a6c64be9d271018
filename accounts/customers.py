"""Doors about customers: signing up, proving the mailbox."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import clock, search, states, tasks
from accounts.errors import NotAllowed
from accounts.mails import put_mail_once
from accounts.models import (
    Agency,
    Cause,
    Customer,
    Event,
    Membership,
    Package,
    State,
    Subaccount,
    User,
    VendorAccount,
)


class NoRoom(NotAllowed):
    """The agency has as many customers as the operator lets it have."""


NO_PLACE_YET = (State.AWAITING_EMAIL, State.AWAITING_APPROVAL)


def has_room(agency: Agency) -> bool:
    """Whether one more customer fits in the limit that the operator set, if there is one.

    Who has proven no mailbox takes no place: strangers could take them all, and whether one is taken would tell
    whether an address signs in here.
    """
    limit = agency.customer_limit
    here = Customer.objects.for_agency(agency).filter(closed_at=None)
    return limit is None or here.exclude(subaccount__state__in=NO_PLACE_YET).count() < limit


def hold_places(agency: Agency) -> Agency:
    """The agency as it is now, behind its row's lock where there is a limit: who counts its customers, does so there.

    Taken before the row of any wish. In the other order two could wait for each other.
    """
    if agency.customer_limit is None:
        return agency
    return Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)


def make_room(agency: Agency) -> None:
    """Before a customer is written: counts the others. Raises NoRoom."""
    if not has_room(hold_places(agency)):
        raise NoRoom("This agency has as many customers as it may have.")


def write(agency: Agency, *, email: str, **facts: Any) -> Customer:
    """Writes a customer with its wish, which waits in AWAITING_EMAIL. For the doors, in their transaction."""
    make_room(agency)
    customer = Customer.objects.create(agency=agency, email=email, **facts)
    Subaccount.objects.create(
        agency=agency,
        customer=customer,
        vendor_account=VendorAccount.objects.get(agency=agency),
        email=email,
        run_at=None,
    )
    search.index(customer)
    return customer


@transaction.atomic
def sign_up(
    *,
    agency: Agency,
    package: Package,
    company_name: str,
    first_name: str,
    last_name: str,
    country: str,
    terms_accepted_at: datetime | None,
    acting_user: User,
    at: datetime | None = None,
) -> Customer:
    """Writes the customer, its owner and the wish for a subaccount. Nothing is asked of the vendor yet.

    Joins the transaction in which the person is made. The wish waits in AWAITING_EMAIL. Raises NoRoom.
    `at` is for the demo, whose customers signed up long ago.
    """
    customer = write(
        agency,
        package=package,
        company_name=company_name,
        first_name=first_name,
        last_name=last_name,
        country=country,
        email=acting_user.email,
        contact=acting_user,
        terms_accepted_at=terms_accepted_at,
        terms_url=agency.terms_url,
    )
    Membership.objects.create(person=acting_user, customer=customer, role=Membership.Role.OWNER)
    Event.objects.record(
        "customer.signed_up", agency=agency, customer=customer, acting_user=acting_user, package=package.pk, at=at
    )
    return customer


@transaction.atomic
def prove_mailbox(*, acting_user: User, email: str) -> int:
    """The person entered the code that was mailed to `email`: their waiting wishes for that address go on.

    Joins the transaction that marks the address as verified. Returns how many went on.
    """
    if acting_user.agency is None:
        return 0
    agency = hold_places(acting_user.agency)
    waiting = (
        Subaccount.objects.for_agency(agency)
        .select_related("agency", "customer")
        .filter(
            state=State.AWAITING_EMAIL,
            email__iexact=email,
            customer__memberships__person=acting_user,
            customer__memberships__role=Membership.Role.OWNER,
        )
    )
    went_on = 0
    # Locked as they are read: another address may be written meanwhile, which nobody has proven.
    for subaccount in waiting.select_for_update(of=("self",), no_key=True):
        now = clock.now()
        needs_approval = _needs_approval(agency, subaccount.customer)
        is_full = not needs_approval and not has_room(agency)
        waits = needs_approval or is_full
        states.move(
            subaccount,
            expecting=State.AWAITING_EMAIL,
            to=State.AWAITING_APPROVAL if waits else State.REQUESTED,
            acting_user=acting_user,
            verified_at=now,
            run_at=None if waits else now,
            cause=Cause.NO_ROOM if is_full else Cause.NONE,
        )
        went_on += 1
        if is_full:
            _tell_of_no_room(agency)
        tasks.wake(subaccount)
    return went_on


def _tell_of_no_room(agency: Agency) -> None:
    """Staff learn it once a day, however many wait."""
    once = f"no_room:{agency.pk}:{clock.now():%Y%m%d}"
    put_mail_once("no_room", agency=agency, once=once, limit=agency.customer_limit)


def let_in(agency: Agency) -> None:
    """There may be room again: who waits for it goes on, the longest first, as many as fit.

    Joins the transaction of the door that made the room, which holds the places (`hold_places`): who is told at this
    moment that there is none, is read here afterwards.
    """
    waiting = Subaccount.objects.for_agency(agency).filter(state=State.AWAITING_APPROVAL, cause=Cause.NO_ROOM)
    for subaccount in waiting.select_related("agency", "customer").order_by("changed_at", "pk"):
        if not has_room(subaccount.agency):
            return
        with suppress(NotAllowed):  # declined meanwhile
            states.request(subaccount, expecting=State.AWAITING_APPROVAL)
            tasks.wake(subaccount)


def _needs_approval(agency: Agency, customer: Customer) -> bool:
    """Whether somebody has to say yes first: not to whom staff made by hand, and not twice."""
    if not agency.approval_required or customer.terms_accepted_at is None:
        return False
    was_in_the_queue = Event.objects.for_agency(agency).filter(
        customer_id=customer.pk, kind=f"subaccount.{State.REQUESTED.value}"
    )
    return not was_in_the_queue.exists()


@transaction.atomic
def withdraw(person: User, *, acting_user: User) -> None:
    """Closes what somebody signed up for with an address that they never proved to be theirs, and takes them out."""
    if person.agency is None:
        return
    waiting = (
        Subaccount.objects.for_agency(person.agency)
        .select_related("agency", "customer")
        .filter(state=State.AWAITING_EMAIL, customer__memberships__person=person)
    )
    for subaccount in waiting:
        states.move(subaccount, expecting=State.AWAITING_EMAIL, to=State.CLOSED, acting_user=acting_user, run_at=None)
        Customer.objects.for_agency(person.agency).filter(pk=subaccount.customer_id).update(closed_at=timezone.now())
    for membership in person.memberships.select_related("customer__agency"):
        Event.objects.record(
            "member.removed",
            agency=person.agency,
            customer=membership.customer,
            about=person,
            acting_user=acting_user,
            was=membership.role,
        )
    person.memberships.all().delete()


def note_sign_in(person: User) -> None:
    """Writes down when somebody of a customer first signed in. Says nothing of who it was."""
    if person.agency is not None:
        own = list(person.memberships.values_list("customer_id", flat=True))
        Customer.objects.for_agency(person.agency).filter(pk__in=own, first_sign_in_at=None).update(
            first_sign_in_at=timezone.now()
        )
