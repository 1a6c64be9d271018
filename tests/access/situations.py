"""Situations in which a door opens that is shut in the matrix's world: what is so, what is sent, whom it lets in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts import pausing
from accounts.models import (
    Agency,
    Campaign,
    Cause,
    Customer,
    State,
    Subaccount,
    User,
    VendorAccount,
)
from tests.access.rules import ANONYMOUS, EVERYBODY, SIGNED_IN
from tests.access.world import MANAGERS, OWNER, SUPPORTERS, Things
from tests.factories import PASSWORD

Prepare = Callable[[Things], None]
Send = Callable[[Things], dict[str, Any]]
MESSAGE = {"message": "A word to the customer.", "reason": "We telephoned.", "confirm": ""}


@dataclass(frozen=True)
class Situation:
    """A POST of the URL of that name; `asks_again` for the password or code, if it was typed too long ago."""

    name: str
    who: tuple[str, ...] | str
    prepare: Prepare
    send: Send = lambda things: {}
    asks_again: bool = False
    events: str = ""  # the kinds that those leave whom it lets in


def _subaccount(state: State, cause: Cause = Cause.NONE, **columns: Any) -> Prepare:
    def prepare(things: Things) -> None:
        rows = Subaccount.objects.for_agency(things.agency).filter(customer=things.customer)
        unbound = {"vendor_id": "", "bound_at": None, "run_at": None} if state != State.MISSING else {}
        rows.update(**{"state": state, "cause": cause, "candidates": [], "first_look": "absent"} | unbound | columns)
        Campaign.objects.for_agency(things.agency).filter(subaccount__customer=things.customer).delete()

    return prepare


def _customer(**columns: Any) -> Prepare:
    return lambda things: Customer.objects.for_agency(things.agency).filter(pk=things.customer.pk).update(**columns)


def _closed(things: Things) -> None:
    _subaccount(State.CLOSED, vendor_id=things.vendor_id)(things)
    _customer(closed_at=timezone.now())(things)


def _invited(things: Things) -> None:
    _subaccount(State.AWAITING_EMAIL)(things)
    _customer(terms_accepted_at=None)(things)


def _stuck(things: Things) -> None:
    Campaign.objects.for_agency(things.agency).filter(subaccount__customer=things.customer).delete()
    _customer(first_campaign_at=None, first_launch_at=None)(things)


def _paused_and_compared(things: Things) -> None:
    pausing.pause(why=pausing.RESTORED, agency=things.agency)
    VendorAccount.objects.filter(agency=things.agency).update(
        reconciled_at=timezone.now(), reconcile_result={"outcome": "compared"}
    )


def _compared(things: Things) -> dict[str, Any]:
    return {"compared": things.agency.vendor_account.reconciled_at.isoformat()}


def _stopped(things: Things) -> None:
    Agency.objects.filter(pk=things.agency.pk).update(stopped_at=timezone.now())


def _as_it_is(things: Things) -> None:
    """Nothing has to be prepared: what is sent is what the matrix does not send."""


def _suspended_colleague(things: Things) -> None:
    User.objects.filter(pk=things.colleague.pk).update(is_active=False)


def _suspended_member(things: Things) -> None:
    things.colleague.memberships.update(suspended_at=timezone.now())


def _needs_review(cause: Cause, **columns: Any) -> Prepare:
    return _subaccount(State.NEEDS_REVIEW, cause, **columns)


CANDIDATE = "sub_55501"


OPERATOR = ("operator",)
SITUATIONS: dict[str, Situation] = {
    "a refused wish is tried again": Situation(
        "console:customer-choose",
        SUPPORTERS,
        _needs_review(Cause.REFUSED),
        lambda _: {"do": "retry"},
        events="attention.retry subaccount.requested",
    ),
    "a lost account is looked for": Situation(
        "console:customer-choose",
        SUPPORTERS,
        _subaccount(State.MISSING),
        lambda _: {"do": "look"},
        events="attention.look",
    ),
    "what waits is set aside": Situation(
        "console:customer-choose",
        SUPPORTERS,
        _needs_review(Cause.REFUSED),
        lambda _: {"do": "dismiss"},
        events="attention.dismiss",
    ),
    "a sign-up is approved": Situation(
        "console:customer-choose",
        SUPPORTERS,
        _subaccount(State.AWAITING_APPROVAL),
        lambda _: {"do": "approve"},
        events="customer.approved subaccount.requested",
    ),
    "a sign-up is approved from the queue": Situation(
        "console:approvals",
        SUPPORTERS,
        _subaccount(State.AWAITING_APPROVAL),
        lambda things: {"customer": things.customer.public_id},
        events="customer.approved subaccount.requested",
    ),
    "a sign-up is declined from the queue": Situation(
        "console:approvals",
        SUPPORTERS,
        _subaccount(State.AWAITING_APPROVAL),
        lambda things: MESSAGE | {"customer": things.customer.public_id, "do": "decline"},
        events="customer.declined subaccount.closed",
    ),
    "a sign-up is declined": Situation(
        "console:customer-decline",
        SUPPORTERS,
        _subaccount(State.AWAITING_APPROVAL),
        lambda _: MESSAGE,
        events="customer.declined subaccount.closed",
    ),
    "a listed account is linked": Situation(
        "console:customer-link",
        SUPPORTERS,
        _needs_review(Cause.EXISTED_BEFORE, candidates=[CANDIDATE]),
        lambda _: MESSAGE | {"vendor_id": CANDIDATE},
        events="attention.link",
    ),
    "an account of another address is linked": Situation(
        "console:customer-link",
        OWNER,
        _needs_review(Cause.EXISTED_BEFORE, candidates=[CANDIDATE]),
        lambda _: MESSAGE | {"vendor_id": "sub_55502"},
        asks_again=True,
        events="attention.link",
    ),
    "a refused address is changed": Situation(
        "console:customer-address",
        SUPPORTERS,
        _needs_review(Cause.EMAIL_INVALID),
        lambda _: {"email": "another@new.example"},
        events="attention.change_address invitation.sent subaccount.awaiting_email",
    ),
    "a mistyped invitation is changed": Situation(
        "console:customer-address",
        SUPPORTERS,
        _invited,
        lambda _: {"email": "another@new.example"},
        events="attention.change_address invitation.sent invitation.withdrawn",
    ),
    "a new account is made": Situation(
        "console:customer-make-new",
        OWNER,
        _subaccount(State.MISSING),
        lambda _: MESSAGE,
        asks_again=True,
        events="attention.make_new subaccount.requested",
    ),
    "a paused customer goes on": Situation(
        "console:customer-resume",
        SUPPORTERS,
        _customer(paused_at=timezone.now() - timedelta(days=1)),
        events="customer.resumed",
    ),
    "a closed customer is erased": Situation(
        "console:customer-erase",
        OWNER,
        _closed,
        lambda things: {"confirm": things.customer.company_name},
        asks_again=True,
        events="customer.erased person.erased",
    ),
    "a stuck customer is reminded": Situation(
        "console:customer-remind", SUPPORTERS, _stuck, events="customer.reminded"
    ),
    "approval is asked for": Situation(
        "console:approvals-switch", MANAGERS, _as_it_is, lambda _: {"is_on": "yes"}, events="agency.approval_switched"
    ),
    "a restored installation goes on": Situation(
        "operator:differences", OPERATOR, _paused_and_compared, _compared, events="provisioning.acknowledged"
    ),
    "a stopped agency goes on": Situation(
        "operator:agency-resume", OPERATOR, _stopped, lambda _: MESSAGE, events="agency.resumed"
    ),
    "somebody signs up": Situation(
        "account_signup",
        ANONYMOUS,
        _as_it_is,
        lambda things: {
            "package": things.package.public_id,
            "company_name": "New",
            "first_name": "N",
            "last_name": "N",
            "country": "NL",
            "email": "n@new.example",
            "password1": PASSWORD,
        },
        events="customer.signed_up mail.written",
    ),
    "somebody accepts an invitation": Situation(
        "accept_invitation",
        EVERYBODY,
        _as_it_is,
        lambda _: {"first_name": "N", "last_name": "N", "password": PASSWORD},
        events="invitation.accepted person.signed_in",
    ),
    "a member signs in": Situation(
        "account_login",
        ANONYMOUS,
        _as_it_is,
        lambda things: {"login": things.customer.email, "password": PASSWORD},
        events="person.signed_in",
    ),
    "a new password is asked for": Situation(
        "account_reset_password",
        EVERYBODY,
        _as_it_is,
        lambda things: {"email": things.customer.email},
        events="mail.written",
    ),
    "a member changes the password": Situation(
        "account_change_password",
        SIGNED_IN,
        _as_it_is,
        lambda _: {
            "oldpassword": PASSWORD,
            "password1": "another bicycle window",
            "password2": "another bicycle window",
        },
        events="person.password_changed mail.written",
    ),
    "a member adds an address": Situation(
        "account_email",
        SIGNED_IN,
        _as_it_is,
        lambda _: {"email": "second@new.example", "action_add": "1"},
        events="mail.written",
    ),
    "a colleague gets another role": Situation(
        "console:staff-person",
        MANAGERS,
        _as_it_is,
        lambda _: {"do": "role", "role": "analyst"},
        events="staff.role_changed",
    ),
    "a colleague is suspended": Situation(
        "console:staff-person", MANAGERS, _as_it_is, lambda _: {"do": "suspend"}, events="staff.suspended"
    ),
    "a colleague is brought back": Situation(
        "console:staff-person",
        MANAGERS,
        _suspended_colleague,
        lambda _: {"do": "bring_back"},
        events="staff.brought_back",
    ),
    "a colleague is removed": Situation(
        "console:staff-person", MANAGERS, _as_it_is, lambda _: {"do": "remove"}, events="staff.removed"
    ),
    "a member gets another role": Situation(
        "customer:member",
        ("owner",),
        _as_it_is,
        lambda _: {"do": "role", "role": "viewer"},
        events="member.role_changed",
    ),
    "a member is brought back": Situation(
        "customer:member", ("owner",), _suspended_member, lambda _: {"do": "bring_back"}, events="member.brought_back"
    ),
    "a member is removed": Situation(
        "customer:member", ("owner",), _as_it_is, lambda _: {"do": "remove"}, events="member.removed"
    ),
    "a member is erased by their own wish": Situation(
        "own-erase",
        ("viewer",),
        _as_it_is,
        lambda _: {"confirm": "vi@bos-viewer.example"},
        events="member.erased person.erased",
    ),
}
