"""What people read about a state: one place for the customer's sentences and the staff's."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.claimed import WAITING_CAUSES
from accounts.states import Cause, State
from portal.access import Customer, Place

SLOW_AFTER = timedelta(minutes=2)
ONE_MINUTE = timedelta(minutes=1)
WHILE_A_PERSON_IS_WAITED_FOR = 30

# One sentence per cause: what happened. Staff may read codes; they follow the sentence.
CAUSES = {
    Cause.VENDOR_UNREACHABLE: gettext_lazy(
        "The vendor cannot be reached, or its answers make no sense. We try again by ourselves."
    ),
    Cause.VENDOR_THROTTLES: gettext_lazy("The vendor asks us to slow down. We go on by ourselves."),
    Cause.CREDENTIALS: gettext_lazy(
        "The vendor refuses your credentials, or says that your own account there has expired. "
        "We go on as soon as that is over."
    ),
    Cause.DAILY_BUDGET: gettext_lazy("Today's number of new accounts is reached. We go on tomorrow."),
    Cause.KEY_GONE: gettext_lazy(
        "Your credentials were sealed with a key that we no longer have. Enter them again; we go on by ourselves."
    ),
    Cause.NO_VENDOR_ACCOUNT: gettext_lazy("No vendor account is connected yet. We go on when one is."),
    Cause.NO_ANSWER: gettext_lazy("The vendor did not answer. We look whether the account was made."),
    Cause.WORKER_DIED: gettext_lazy("Our worker stopped in the middle. We look whether the account was made."),
    Cause.UNCLEAR_ANSWER: gettext_lazy("The vendor's answer was not understood. We look whether the account was made."),
    Cause.TRIED_AGAIN: gettext_lazy("It was tried again by hand. We look first whether an account is there."),
    Cause.NOT_MADE: gettext_lazy("The vendor's list shows no account with this address. We ask for one."),
    Cause.EMAIL_TAKEN: gettext_lazy("The vendor says that this address is taken. We look where."),
    Cause.EMAIL_TAKEN_ELSEWHERE: gettext_lazy(
        "The vendor knows this address, but not in your list of accounts. It may belong to another reseller."
    ),
    Cause.APPEARED_MEANWHILE: gettext_lazy(
        "An account with this address appeared that we did not make. A person has to say whether it is theirs."
    ),
    Cause.EXISTED_BEFORE: gettext_lazy(
        "An account with this address was there before the sign-up. A person has to say whether it is theirs."
    ),
    Cause.LISTED_TWICE: gettext_lazy("The vendor lists this address more than once. A person has to choose."),
    Cause.LISTED_ALMOST: gettext_lazy("The vendor lists nearly the same address. A person has to compare them."),
    Cause.BOUND_ELSEWHERE: gettext_lazy("The account with this address already belongs to another customer."),
    Cause.CONTRADICTION: gettext_lazy(
        "The vendor answered with an account that is not known to be theirs. Nothing was linked."
    ),
    Cause.EMAIL_INVALID: gettext_lazy("The vendor does not take this address."),
    Cause.REFUSED: gettext_lazy("The vendor refused to make the account."),
    Cause.ATTEMPTS_USED_UP: gettext_lazy("All attempts are used up without an account."),
    Cause.LINK_NOT_LISTED: gettext_lazy(
        "The number that was to be linked is not on the vendor's list. Nothing was linked."
    ),
    Cause.LINK_OTHER_ADDRESS: gettext_lazy(
        "The account that was to be linked has another e-mail address. Nothing was linked; an owner may decide."
    ),
    Cause.LINK_IN_THE_MAKING: gettext_lazy(
        "Another customer with that address is in the making. Nothing was linked; wait until theirs is settled."
    ),
    Cause.NOTHING_LISTED: gettext_lazy("No account with this address is listed any more. It can be asked for again."),
    Cause.PACKAGE_REFUSED: gettext_lazy("The vendor does not take the id of this package. Other packages go on."),
    Cause.CREATES_PAUSED: gettext_lazy(
        "New accounts are paused until the operator has looked at the differences. We go on by ourselves then."
    ),
    Cause.NO_ROOM: gettext_lazy("The agency has as many customers as it may have. We go on as soon as there is room."),
    Cause.OTHER_ACCOUNT: gettext_lazy(
        "With the credentials in use now the vendor has an account of this number, but with another e-mail address. "
        "Nothing was linked; an owner may decide."
    ),
    Cause.OUR_FAULT: gettext_lazy(
        "Something went wrong on our side; the log says what. "
        "It is tried again for half an hour; after that a person decides."
    ),
}


def cause_sentence(cause: str, codes: list[int] | None = None) -> str:
    """Why a customer waits, for staff; the vendor's codes come after the sentence."""
    if not cause:
        return ""
    sentence = str(CAUSES[Cause(cause)])
    return f"{sentence} ({', '.join(str(code) for code in codes)})" if codes else sentence


def trouble_sentence(trouble: str) -> str:
    """Why the vendor account is not asked, for staff."""
    return str(CAUSES[WAITING_CAUSES[trouble]])


@dataclass(frozen=True)
class Step:
    """One line of the set-up journey; `status` is done, now, slow, person or todo."""

    status: str
    icon: str
    title: str
    hidden: str
    text: str = ""
    at: datetime | None = None
    small: str = ""


@dataclass(frozen=True)
class Setup:
    """The set-up page in words: what happened, what happens next, what the reader can do.

    It is asked for again every so many `seconds`.
    """

    title: str
    lead: str
    steps: list[Step]
    is_final: bool = False
    is_ready: bool = False
    tips: bool = False
    shows_contact: bool = False
    seconds: int = 3


def setup_page(place: Place, now: datetime | None = None, *, reader: str = "") -> Setup:
    """What the customer reads while the account is in the making. Never a vendor word, never a dead end.

    `reader` is the address of who reads: staff may have had another one asked to confirm.
    """
    now = now or timezone.now()
    subaccount, customer = place.subaccount, place.customer
    agency = customer.agency.name
    mailbox = Step("done", "check", _("E-mail address confirmed"), _("done"), subaccount.email, subaccount.verified_at)
    ready = Step(
        "todo",
        "rocket",
        _("Ready to make your first coupon"),
        _("not yet"),
        _("You land on your start page, and we send you a mail."),
    )
    what = _("%(package)s for %(company)s.") % {
        "package": customer.package.name,
        "company": customer.company_name,
    }
    match subaccount.state:
        case State.AWAITING_EMAIL if reader and reader.lower() != subaccount.email.lower():
            wait = Step(
                "person", "mail", _("Confirm the new e-mail address"), _("waiting for a person"), subaccount.email
            )
            making = Step("todo", "loader-2", _("Making your account"), _("not yet"), what)
            return Setup(
                _("A new e-mail address has to be confirmed"),
                _("%(agency)s has sent an invitation to %(email)s. We go on as soon as it is accepted there.")
                % {"agency": agency, "email": subaccount.email},
                [wait, making, ready],
                shows_contact=True,
                seconds=WHILE_A_PERSON_IS_WAITED_FOR,
            )
        case State.AWAITING_EMAIL:
            wait = Step("now", "mail", _("Confirm your e-mail address"), _("waiting for you"), subaccount.email)
            making = Step("todo", "loader-2", _("Making your account"), _("not yet"), what)
            return Setup(
                _("Check your e-mail"),
                _("We go on as soon as you have entered the code that we sent you."),
                [wait, making, ready],
            )
        case State.AWAITING_APPROVAL if subaccount.cause == Cause.NO_ROOM:
            room = Step(
                "person",
                "clock",
                _("Waiting for a place"),
                _("waiting for a person"),
                _("%(agency)s was told that you wait.") % {"agency": agency},
            )
            return Setup(
                _("You are on the waiting list"),
                _("%(agency)s has no place free at the moment. Yours is made as soon as there is one, and we mail you.")
                % {"agency": agency},
                [mailbox, room, ready],
                shows_contact=True,
                seconds=WHILE_A_PERSON_IS_WAITED_FOR,
            )
        case State.AWAITING_APPROVAL:
            person = Step(
                "person",
                "user-check",
                _("A colleague says yes"),
                _("waiting for a person"),
                _("%(agency)s looks at every new account before it is made.") % {"agency": agency},
            )
            return Setup(
                _("We look at your sign-up"),
                _("A colleague at %(agency)s has to approve it. You will get a mail.") % {"agency": agency},
                [mailbox, person, ready],
                shows_contact=True,
                seconds=WHILE_A_PERSON_IS_WAITED_FOR,
            )
        case State.ACTIVE:
            made = Step("done", "check", _("Account made"), _("done"), what, subaccount.bound_at)
            start = Step("done", "rocket", _("Ready to make your first coupon"), _("done"))
            return Setup(
                _("Your account is ready"),
                _("You can make your first coupon now."),
                [mailbox, made, start],
                is_final=True,
                is_ready=True,
            )
        case State.NEEDS_REVIEW | State.MISSING:
            person = Step(
                "person",
                "user-check",
                _("A colleague takes over"),
                _("waiting for a person"),
                _("Your account needs a check before it can be used. We were told; you do not need to write to us."),
                subaccount.changed_at,
            )
            return Setup(
                _("We need a moment with a person"),
                _("A colleague at %(agency)s is looking at your account.") % {"agency": agency},
                [mailbox, person, ready],
                shows_contact=True,
                seconds=WHILE_A_PERSON_IS_WAITED_FOR,
            )
        case State.CLOSED:
            closed = Step("person", "lock", _("Account closed"), _("closed"), what, subaccount.changed_at)
            return Setup(
                _("This account is closed"),
                _("Write to us if you want to start again."),
                [closed],
                is_final=True,
                shows_contact=True,
            )
    return _in_the_making(place, now, mailbox, ready, what)


def _in_the_making(place: Place, now: datetime, mailbox: Step, ready: Step, what: str) -> Setup:
    """REQUESTED, CREATING and UNCERTAIN: calm while it is quick, honest when it is not."""
    subaccount = place.subaccount
    since = subaccount.verified_at or subaccount.created_at
    is_uncertain = subaccount.state == State.UNCERTAIN
    has_cause = subaccount.state == State.REQUESTED and bool(subaccount.cause)
    if not (is_uncertain or has_cause) and now - since < SLOW_AFTER:
        making = Step("now", "loader-2", _("Making your account"), _("happening now"), what)
        return Setup(
            _("We are making your account"),
            _("This usually takes less than a minute. You can close this page: we will mail you."),
            [mailbox, making, ready],
            tips=True,
        )
    own_words = subaccount.customer.agency.outage_message if place.vendor_account.is_open else ""
    if own_words and (is_uncertain or has_cause):
        text = own_words
    elif is_uncertain and subaccount.cause in (Cause.NO_ANSWER, Cause.WORKER_DIED):
        text = _(
            "We asked for your account and the answer has not come yet. "
            "We check that it was made exactly once before we go on."
        )
    elif is_uncertain:
        text = _("We check whether your account is there already, so that it is made exactly once.")
    elif subaccount.cause == Cause.NOT_MADE:
        text = _("We checked that your account was not made yet, and ask for it again.")
    elif has_cause:
        text = _(
            "Accounts cannot be made at the moment. Yours is in the queue and is made as soon as that works again."
        )
    else:
        text = what
    if next_look := next_look_sentence(subaccount.run_at, now):
        text += " " + next_look
    slow = Step(
        "slow",
        "clock",
        _("Making your account"),
        _("taking longer than usual"),
        text,
        small=_("Waiting for %(time)s.") % {"time": timesince(since, now)} if now - since > ONE_MINUTE else "",
    )
    return Setup(
        _("This takes longer than usual"),
        _("Nothing is lost and you do not need to do anything. You can close this page: we will mail you."),
        [mailbox, slow, ready],
        tips=True,
    )


def next_look_sentence(run_at: datetime | None, now: datetime) -> str:
    """When the vendor is asked next, while that is within a day."""
    if run_at is None or run_at - now >= timedelta(days=1):
        return ""
    return _("Next look at %(time)s.") % {"time": date_format(timezone.localtime(max(run_at, now)), "TIME_FORMAT")}


@dataclass(frozen=True)
class Trial:
    """A running trial: whole days. `ends_on` is the last free day."""

    days_left: int
    ends_on: date
    total: int
    elapsed: int


def trial(customer: Customer, today: date) -> Trial | None:
    """How far the trial is; None if there is none or it is over."""
    if customer.trial_ends_on is None or customer.trial_ends_on <= today:
        return None
    left = (customer.trial_ends_on - today).days
    total = max(customer.package.trial_days, left)
    return Trial(left, customer.trial_ends_on - timedelta(days=1), total, total - left)


@dataclass(frozen=True)
class Target:
    """What a deep link opens, in words."""

    page: str
    title: str
    text: str
    button: str
    icon: str
    campaign: str = ""


def target(page: str, campaign: str = "", label: str = "") -> Target:
    """The words for one page of the panel."""
    words = {
        "": (_("Your coupons"), _("Make, change or stop one."), _("Open the editor"), "ticket"),
        "campaigns": (_("Your coupons"), _("All of them, with their settings."), _("Open my coupons"), "ticket"),
        "add_campaign": (_("New coupon"), _("Start from a template."), _("Make a new coupon"), "circle-plus"),
        "update_campaign": (label, _("Change the text, the picture or the dates."), _("Edit this coupon"), "pencil"),
        "statistics": (_("Results"), _("Visits and redeemed coupons."), _("Open the results"), "chart-bar"),
        "distribution": (_("Share"), _("Links, posters and codes."), _("Open sharing"), "share"),
    }
    title, text, button, icon = words[page]
    return Target(page, title, text, button, icon, campaign)
