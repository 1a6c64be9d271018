"""Doors about what waits for a person: which choices there are, which of them are safe, and making one.

What a choice needs of the vendor is done by the worker (accounts/reviews.py), which looks before it acts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from accounts import audit, clock, customers, people, search, states, tasks
from accounts.claimed import quarantine_ends
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.models import Cause, Customer, Membership, Package, PanelTask, State, Subaccount, User
from accounts.reviews import PRESENCE
from coupontools_api.ids import SubaccountId

OWNER = User.StaffRole.OWNER


class Choice(StrEnum):
    """What staff may do with a row that waits for them."""

    RETRY = "retry"
    LOOK = "look"
    LINK = "link"
    CHANGE_ADDRESS = "change_address"
    MAKE_NEW = "make_new"
    APPROVE = "approve"
    DECLINE = "decline"
    DISMISS = "dismiss"
    CLOSE = "close"


@dataclass(frozen=True)
class Option:
    """One choice; `is_advised` marks the one that usually helps, `for_owner` the one that only an owner may make."""

    choice: Choice
    is_advised: bool = False
    for_owner: bool = False


_TRY_AGAIN_HELPS = frozenset(
    {Cause.REFUSED, Cause.PACKAGE_REFUSED, Cause.ATTEMPTS_USED_UP, Cause.NOTHING_LISTED, Cause.OUR_FAULT}
)


def options(subaccount: Subaccount) -> tuple[Option, ...]:
    """What may be done with a row that waits, the advised choice first. Empty if it waits for nobody."""
    if subaccount.state == State.AWAITING_APPROVAL and subaccount.cause == Cause.NO_ROOM:
        return (Option(Choice.DECLINE),)  # goes on by itself once there is room
    if subaccount.state == State.AWAITING_APPROVAL:
        return Option(Choice.APPROVE, is_advised=True), Option(Choice.DECLINE)
    if subaccount.state == State.AWAITING_EMAIL:
        customer = subaccount.customer
        is_invited = customer.terms_accepted_at is None or customer.contact_id is None
        return (Option(Choice.CHANGE_ADDRESS),) if is_invited else ()  # to an address that may be mistyped
    if subaccount.state == State.MISSING:
        return (
            Option(Choice.LOOK, is_advised=True),
            Option(Choice.LINK, for_owner=True),
            Option(Choice.MAKE_NEW, for_owner=True),
            Option(Choice.DISMISS),
            Option(Choice.CLOSE),
        )
    if subaccount.state != State.NEEDS_REVIEW:
        return ()
    cause = Cause(subaccount.cause)
    found: list[Option] = []
    if cause in PRESENCE:
        found += [Option(Choice.LOOK), Option(Choice.LINK, for_owner=not is_listed(subaccount))]
    else:
        found += [
            Option(Choice.RETRY, is_advised=cause in _TRY_AGAIN_HELPS),
            Option(Choice.LOOK, is_advised=cause == Cause.CONTRADICTION),
            Option(Choice.LINK, for_owner=not is_listed(subaccount)),
        ]
    if absence_is_proven(subaccount):
        is_advised = cause in (Cause.EMAIL_INVALID, Cause.EMAIL_TAKEN_ELSEWHERE, Cause.BOUND_ELSEWHERE)
        found.append(Option(Choice.CHANGE_ADDRESS, is_advised=is_advised))
    found += [Option(Choice.DISMISS), Option(Choice.CLOSE)]
    return tuple(sorted(found, key=lambda option: not option.is_advised))


def unproven_accounts(subaccount: Subaccount) -> list[str]:
    """Accounts that the vendor listed or named for a wish, without those that customers here have already.

    Nobody has said that they are this customer's.
    """
    theirs = Subaccount.objects.for_agency(subaccount.agency).bound_here()
    theirs = theirs.filter(vendor_id__in=subaccount.candidates)
    taken = set(theirs.values_list("vendor_id", flat=True))
    return [account for account in subaccount.candidates if account not in taken]


def absence_is_proven(subaccount: Subaccount) -> bool:
    """Whether no account of ours can be at the vendor for this wish: another address may then be asked for.

    Either no create of ours ever had an unknown outcome, or a look after the quarantine found nothing, or nothing
    but what another customer here has.
    """
    if subaccount.vendor_id or subaccount.cause in (Cause.CONTRADICTION, Cause.LISTED_ALMOST):
        return False
    is_anothers = subaccount.cause == Cause.BOUND_ELSEWHERE and not unproven_accounts(subaccount)
    if subaccount.candidates and not is_anothers:
        return False
    if not subaccount.had_unknown_outcome:
        return True
    since, looked = subaccount.uncertain_since, subaccount.looked_at
    return bool(since and looked and looked >= quarantine_ends(since))


_NOTHING_WAS_MADE = frozenset(
    {
        Cause.REFUSED,
        Cause.PACKAGE_REFUSED,
        Cause.EMAIL_INVALID,
        Cause.EMAIL_TAKEN_ELSEWHERE,
        Cause.ATTEMPTS_USED_UP,
        Cause.OUR_FAULT,
    }
)


def _may_be_there(subaccount: Subaccount) -> bool:
    """Whether an account may have been made, or was seen, for this wish: then absence has to be proven first."""
    was_to_be_proven = subaccount.cause == Cause.OUR_FAULT and subaccount.uncertain_since is not None
    return subaccount.had_unknown_outcome or was_to_be_proven or Cause(subaccount.cause) not in _NOTHING_WAS_MADE


def is_listed(subaccount: Subaccount) -> bool:
    """Whether the last look listed an account for this customer's own, proven address.

    What the answer to a create named instead is not on that list, or belongs to somebody else.
    """
    return bool(subaccount.candidates) and subaccount.cause != Cause.CONTRADICTION


def is_certain(subaccount: Subaccount, vendor_id: str) -> bool:
    """Whether the last look listed that account for this customer's own, proven address."""
    return is_listed(subaccount) and vendor_id in subaccount.candidates


def _may(subaccount: Subaccount, choice: Choice) -> None:
    if choice not in {option.choice for option in options(subaccount)}:
        raise NotAllowed(f"{choice} is not possible while it is {subaccount.state} ({subaccount.cause}).")


def _lock(subaccount: Subaccount, choice: Choice) -> None:
    """Holds the row for a choice that was made of what the caller had read. Raises NotAllowed if that has changed.

    Between the two another person may have tried again and got another answer: then it is another matter to decide.
    After the agency's lock and the invitations', where a choice takes them.
    """
    _may(subaccount, choice)
    was = subaccount.state, subaccount.cause
    rows = Subaccount.objects.for_agency(subaccount.agency).select_for_update(of=("self",), no_key=True)
    plain = [field.attname for field in Subaccount._meta.concrete_fields if not field.is_relation]
    subaccount.refresh_from_db(fields=plain, from_queryset=rows)
    if was != (subaccount.state, subaccount.cause):
        raise NotAllowed("It has moved on meanwhile.")
    _may(subaccount, choice)


def _record(kind: str, subaccount: Subaccount, acting_user: User, *, reason: str = "", **data: Any) -> None:
    audit.record(kind, subaccount.customer, acting_user, about=subaccount, reason=reason, **data)


def _ask_worker(subaccount: Subaccount, **changes: Any) -> None:
    """Leaves the row where it is and makes it due; what a worker is at with it is dropped, this is newer."""
    row = Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk)
    row.update(run_at=clock.now(), dismissed_at=None, **states.FREE, **changes)
    tasks.wake(subaccount)


@transaction.atomic
def retry(subaccount: Subaccount, *, acting_user: User) -> None:
    """Tries again. Safe: before anything is asked for, the vendor's list is read again; where an account may
    have been made or was seen, its absence is proven first, as after a lost answer.
    """
    _lock(subaccount, Choice.RETRY)
    _record("attention.retry", subaccount, acting_user, cause=str(subaccount.cause))
    now = clock.now()
    again: dict[str, Any] = {
        "run_at": now,
        "attempts": 0,
        "cause": Cause.NONE,
        "cause_codes": [],
        "wanted_vendor_id": "",
        "wanted_in_spite": False,
    }
    if _may_be_there(subaccount):
        again |= {"cause": Cause.TRIED_AGAIN, "uncertain_since": now, "absent_looks": 0, "looked_at": None}
        to = State.UNCERTAIN
    else:
        to = State.REQUESTED
    states.move(subaccount, expecting=State.NEEDS_REVIEW, to=to, acting_user=acting_user, **again)
    package = Package.objects.for_agency(subaccount.agency).filter(pk=subaccount.customer.package_id)
    package.update(refused_at=None)
    tasks.wake(subaccount)


@transaction.atomic
def look(subaccount: Subaccount, *, acting_user: User) -> None:
    """Has the worker read the vendor's list again. Safe: nothing is made."""
    _lock(subaccount, Choice.LOOK)
    _record("attention.look", subaccount, acting_user)
    _ask_worker(subaccount)


@transaction.atomic
def link(subaccount: Subaccount, *, vendor_id: str, reason: str, acting_user: User) -> None:
    """Has the worker link an existing vendor account, if the vendor's list bears it out.

    One that the last look listed for the customer's own address may be chosen by everybody who looks after
    customers; any other only by an owner, who says how they know. Raises NotAllowed, ValueError for what is no id.
    """
    _lock(subaccount, Choice.LINK)
    wanted = SubaccountId(vendor_id)
    in_spite = not is_certain(subaccount, wanted)
    if in_spite and acting_user.staff_role != OWNER:
        raise NotAllowed("Only an owner may link an account with another address.")
    _record("attention.link", subaccount, acting_user, reason=reason, vendor_id=wanted, in_spite=in_spite)
    _ask_worker(subaccount, wanted_vendor_id=wanted, wanted_in_spite=in_spite)


@transaction.atomic
def change_address(subaccount: Subaccount, *, email: str, acting_user: User) -> None:
    """Starts the wish again with another address, which has to be proven first: an invitation is mailed to it."""
    _may(subaccount, Choice.CHANGE_ADDRESS)
    customer, email = subaccount.customer, email.lower()
    if subaccount.state == State.AWAITING_EMAIL:
        # Before the wish, as who accepts one takes them.
        for invitation in people.open_invitations(customer.agency).filter(customer=customer):
            people.withdraw_invitation(invitation, acting_user=acting_user)
        _lock(subaccount, Choice.CHANGE_ADDRESS)
        Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk).update(email=email)
        subaccount.email = email
    else:
        customers.hold_places(subaccount.agency)
        _lock(subaccount, Choice.CHANGE_ADDRESS)
        _start_again(subaccount, acting_user, to=State.AWAITING_EMAIL, email=email, verified_at=None, run_at=None)
        customers.let_in(subaccount.agency)  # until the address is proven it takes no place
    customer.email = email
    search.index(customer)
    _record("attention.change_address", subaccount, acting_user)
    own = Membership.objects.for_agency(subaccount.agency).filter(
        customer=customer, role=Membership.Role.OWNER, person__email=email, suspended_at=None
    )
    member = own.select_related("person").first()
    contact = member.person if member else None
    Customer.objects.for_agency(subaccount.agency).filter(pk=customer.pk).update(email=email, contact=contact)
    if member is None:
        people.invite_member(
            customer=customer,
            email=email,
            role=Membership.Role.OWNER,
            acting_user=acting_user,
            has_its_address=True,
        )
    elif EmailAddress.objects.filter(user=member.person, email__iexact=email, verified=True).exists():
        customers.prove_mailbox(acting_user=member.person, email=email)


@transaction.atomic
def make_new(subaccount: Subaccount, *, reason: str, acting_user: User) -> None:
    """Gives up an account that the vendor no longer knows, and asks for a new one. An owner's choice."""
    _lock(subaccount, Choice.MAKE_NEW)
    if acting_user.staff_role != OWNER:
        raise NotAllowed("Only an owner may have a new account made.")
    _record("attention.make_new", subaccount, acting_user, reason=reason, was=subaccount.vendor_id)
    fresh: dict[str, Any] = {"vendor_id": "", "bound_at": None, "facts": {}, "refreshed_at": None, "sealed_keys": ""}
    _start_again(subaccount, acting_user, to=State.REQUESTED, run_at=clock.now(), **fresh)
    subaccount.campaigns.all().delete()
    # What was to be done by hand was about the account that is gone.
    PanelTask.objects.for_agency(subaccount.agency).filter(customer=subaccount.customer, done_at=None).delete()
    tasks.wake(subaccount)


def _start_again(subaccount: Subaccount, acting_user: User, *, to: State, **changes: Any) -> None:
    """Forgets the evidence of what was tried: it belongs to another address, or to an account that is gone."""
    fresh: dict[str, Any] = {
        "cause": Cause.NONE,
        "cause_codes": [],
        "first_look": Subaccount.FirstLook.NONE,
        "first_look_at": None,
        "packages_sent": [],
        "trials_sent": [],
        "create_started_at": None,
        "uncertain_since": None,
        "had_unknown_outcome": False,
        "absent_looks": 0,
        "looked_at": None,
        "candidates": [],
        "wanted_vendor_id": "",
        "wanted_in_spite": False,
        "attempts": 0,
    }
    states.move(subaccount, expecting=State(subaccount.state), to=to, acting_user=acting_user, **(fresh | changes))


@transaction.atomic
def dismiss(subaccount: Subaccount, *, acting_user: User) -> None:
    """Takes it off the list until something about it changes. The customer goes on waiting."""
    _lock(subaccount, Choice.DISMISS)
    Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk).update(dismissed_at=timezone.now())
    _record("attention.dismiss", subaccount, acting_user)


@transaction.atomic
def approve(subaccount: Subaccount, *, acting_user: User) -> None:
    """Says yes to a sign-up: its account is made next. Raises customers.NoRoom."""
    _may(subaccount, Choice.APPROVE)
    customers.make_room(subaccount.agency)
    _record("customer.approved", subaccount, acting_user)
    states.request(subaccount, expecting=State.AWAITING_APPROVAL, acting_user=acting_user)
    tasks.wake(subaccount)


@transaction.atomic
def decline(subaccount: Subaccount, *, message: str, acting_user: User) -> None:
    """Says no to a sign-up, with a sentence that the customer reads on their page and in a mail."""
    _may(subaccount, Choice.DECLINE)
    now = timezone.now()
    states.move(subaccount, expecting=State.AWAITING_APPROVAL, to=State.CLOSED, acting_user=acting_user, run_at=None)
    Customer.objects.for_agency(subaccount.agency).filter(pk=subaccount.customer_id).update(
        message=message, closed_at=now
    )
    _record("customer.declined", subaccount, acting_user)
    put_mail("declined", agency=subaccount.agency, customer=subaccount.customer)
    tasks.wake()
