"""What staff read about customers that wait, about choices, and about what is done by hand."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attention import Choice, Option, is_certain, options
from accounts.customer_list import Step
from accounts.states import Cause, State
from portal import wording
from portal.access import Subaccount

Text = str | Promise
AT_ONCE = timedelta(seconds=5)  # a worker takes what is due within it, and the database's clock may be a little ahead


@dataclass(frozen=True)
class Group:
    """A cause on the attention list, in words."""

    key: str
    icon: str
    dot: str
    title: Text
    text: Text


_THERE = Group(
    "there",
    "git-merge",
    "orange",
    gettext_lazy("An account may already exist"),
    gettext_lazy("The vendor lists an account that fits, and we cannot prove that it is theirs."),
)
_ELSEWHERE = Group(
    "elsewhere",
    "mail-x",
    "orange",
    gettext_lazy("The address is in use elsewhere"),
    gettext_lazy("The vendor refuses it, and it is not on your list."),
)
_ADDRESS = Group(
    "address",
    "mail-x",
    "orange",
    gettext_lazy("The vendor does not take the address"),
    gettext_lazy("It is well-formed, and the vendor says no all the same."),
)
_REFUSED = Group(
    "refused",
    "hand-stop",
    "orange",
    gettext_lazy("The account could not be made"),
    gettext_lazy("We asked, and the vendor said no or never answered."),
)
_PACKAGE = Group(
    "package",
    "package",
    "orange",
    gettext_lazy("The vendor does not take a package"),
    gettext_lazy("Its id is unknown there, or no longer sold. Customers with other packages go on."),
)
_ODD = Group(
    "odd",
    "alert-triangle",
    "red",
    gettext_lazy("The vendor's answer contradicts itself"),
    gettext_lazy("It named an account that is not known to be theirs. Nothing was linked."),
)
_OURS = Group(
    "ours",
    "alert-triangle",
    "red",
    gettext_lazy("Something went wrong on our side"),
    gettext_lazy("We tried for half an hour. The operator's log says what it is; try again once it is mended."),
)
_GONE = Group(
    "gone",
    "unlink",
    "red",
    gettext_lazy("An account is gone"),
    gettext_lazy("It was there, and the vendor no longer knows it."),
)
_APPROVAL = Group(
    "approval",
    "user-question",
    "brand",
    gettext_lazy("Waiting for your approval"),
    gettext_lazy("You asked to see new customers before their account is made."),
)
_ROOM = Group(
    "room",
    "users",
    "brand",
    gettext_lazy("Waiting for room"),
    gettext_lazy("Your agency has as many customers as it may have. The operator can raise the number."),
)

_GROUPS = {
    Cause.NO_ROOM: _ROOM,
    Cause.APPEARED_MEANWHILE: _THERE,
    Cause.EXISTED_BEFORE: _THERE,
    Cause.LISTED_TWICE: _THERE,
    Cause.LISTED_ALMOST: _THERE,
    Cause.BOUND_ELSEWHERE: _THERE,
    Cause.LINK_NOT_LISTED: _THERE,
    Cause.LINK_OTHER_ADDRESS: _THERE,
    Cause.LINK_IN_THE_MAKING: _THERE,
    Cause.EMAIL_TAKEN_ELSEWHERE: _ELSEWHERE,
    Cause.EMAIL_INVALID: _ADDRESS,
    Cause.PACKAGE_REFUSED: _PACKAGE,
    Cause.CONTRADICTION: _ODD,
    Cause.OUR_FAULT: _OURS,
}


def group_of(subaccount: Subaccount) -> Group:
    """Under which heading a row stands on the attention list."""
    if subaccount.state == State.MISSING:
        return _GONE
    if subaccount.state == State.AWAITING_APPROVAL and subaccount.cause != Cause.NO_ROOM:
        return _APPROVAL
    return _GROUPS.get(Cause(subaccount.cause), _REFUSED)


@dataclass(frozen=True)
class ChoiceText:
    """A choice in words: its button, and why it is safe or not. `page` is where it asks for more, if it does."""

    choice: str
    label: Text
    why: Text
    is_advised: bool
    is_open: bool
    page: str = ""


_LABELS: dict[Choice, Text] = {
    Choice.RETRY: gettext_lazy("Try again"),
    Choice.LOOK: gettext_lazy("Look again"),
    Choice.LINK: gettext_lazy("Link an account…"),
    Choice.CHANGE_ADDRESS: gettext_lazy("Use another address…"),
    Choice.MAKE_NEW: gettext_lazy("Make a new account…"),
    Choice.APPROVE: gettext_lazy("Approve"),
    Choice.DECLINE: gettext_lazy("Decline…"),
    Choice.DISMISS: gettext_lazy("Set aside"),
    Choice.CLOSE: gettext_lazy("Close customer…"),
}
_WHY: dict[Choice, Text] = {
    Choice.RETRY: gettext_lazy(
        "Safe: the vendor's list is read first, so an account that is there is found, not doubled."
    ),
    Choice.LOOK: gettext_lazy("Safe: the vendor's list is read, and nothing is made."),
    Choice.LINK: gettext_lazy("Not safe if it belongs to somebody else: they would see each other's coupons."),
    Choice.CHANGE_ADDRESS: gettext_lazy("Safe: no account was made for the old one. The new one has to be confirmed."),
    Choice.MAKE_NEW: gettext_lazy("Not to be undone: the old account with its coupons is given up."),
    Choice.APPROVE: gettext_lazy("Safe: the account is made within a minute."),
    Choice.DECLINE: gettext_lazy("The customer reads your sentence. No account is made."),
    Choice.DISMISS: gettext_lazy("Takes it off this list until something changes. The customer goes on waiting."),
    Choice.CLOSE: gettext_lazy("Ends it here. Nothing is deleted at the vendor."),
}
PAGES = {
    Choice.LINK: "console:customer-link",
    Choice.MAKE_NEW: "console:customer-make-new",
    Choice.CHANGE_ADDRESS: "console:customer-address",
    Choice.DECLINE: "console:customer-decline",
    Choice.CLOSE: "console:customer-close",
}


def choices(subaccount: Subaccount, *, role: str) -> list[ChoiceText]:
    """What the reader may do with a row that waits, in words; what is for owners says so to others."""
    return [_choice_text(subaccount, option, role) for option in options(subaccount)]


def _choice_text(subaccount: Subaccount, option: Option, role: str) -> ChoiceText:
    label, why = _LABELS[option.choice], _WHY[option.choice]
    if option.choice is Choice.CHANGE_ADDRESS and subaccount.cause == Cause.BOUND_ELSEWHERE:
        why = _(
            "Safe: the account with the old one stays with the customer who has it. The new one has to be confirmed."
        )
    if option.choice is Choice.LINK and len(subaccount.candidates) == 1:
        label = _("Link to %(account)s…") % {"account": subaccount.candidates[0]}
        if is_certain(subaccount, subaccount.candidates[0]):
            why = _("The address is their own, and confirmed. But it was not made by us: be sure that it is theirs.")
    is_open = role in ("owner", "admin", "support") and (role == "owner" or not option.for_owner)
    if not is_open and option.for_owner:
        why = _("Only an owner may do this.")
    return ChoiceText(option.choice.value, label, why, option.is_advised, is_open, PAGES.get(option.choice, ""))


def what_happened(subaccount: Subaccount) -> str:
    """The first answer: what happened."""
    if subaccount.state == State.AWAITING_APPROVAL:
        return _("Signed up and confirmed %(email)s.") % {"email": subaccount.email}
    if subaccount.state == State.MISSING:
        more = wording.cause_sentence(subaccount.cause, subaccount.cause_codes)
        if subaccount.cause == Cause.OTHER_ACCOUNT:
            return more
        sentence = _("The vendor answers that %(account)s does not exist.") % {"account": subaccount.vendor_id}
        return f"{sentence} {more}".strip()
    sentence = wording.cause_sentence(subaccount.cause, subaccount.cause_codes)
    if subaccount.cause == Cause.PACKAGE_REFUSED:
        package = subaccount.customer.package
        sentence += " " + _("It is “%(name)s” (%(id)s).") % {"name": package.name, "id": package.vendor_package_id}
    if subaccount.candidates:
        accounts = {"accounts": ", ".join(subaccount.candidates)}
        was_told = subaccount.cause == Cause.CONTRADICTION
        sentence += " " + (_("It named %(accounts)s.") if was_told else _("Listed: %(accounts)s.")) % accounts
    return sentence


def what_happens_next(subaccount: Subaccount) -> str:
    """The second answer: what happens by itself, if anything."""
    if subaccount.wanted_vendor_id:
        account = {"account": subaccount.wanted_vendor_id}
        return _at_once_or_later(
            subaccount,
            _("We ask the vendor and link %(account)s if its list bears it out. This takes a moment.") % account,
            _("As soon as the vendor can be asked again we link %(account)s, if its list bears it out.") % account,
        )
    if subaccount.state == State.AWAITING_APPROVAL and subaccount.cause == Cause.NO_ROOM:
        return _(
            "Goes on by itself as soon as there is room, the longest waiting first: when the number is raised, or when "
            "another customer is closed."
        )
    if subaccount.state == State.AWAITING_APPROVAL:
        return _("Nothing until you choose. After your approval the account is made within a minute.")
    if subaccount.state == State.MISSING:
        return _("We look again every hour. No new account is made by itself, and the customer's buttons are off.")
    if subaccount.run_at:
        return _at_once_or_later(
            subaccount,
            _("We are looking again right now."),
            _("We look as soon as the vendor can be asked again."),
        )
    return _("Nothing until you choose. The customer was told that a colleague is looking at it.")


def what_holds_it_up(subaccount: Subaccount) -> str:
    """Why a wish that waits for nobody is not settled yet, and when it is looked at next. Empty if nothing is wrong."""
    sentence = wording.cause_sentence(subaccount.cause, subaccount.cause_codes)
    return f"{sentence} {wording.next_look_sentence(subaccount.run_at, timezone.now())}".strip() if sentence else ""


def _at_once_or_later(subaccount: Subaccount, at_once: str, later: str) -> str:
    """`later` where the vendor is away, or wants to be asked more slowly: that may take an hour."""
    now = timezone.now()
    if subaccount.run_at is None or subaccount.run_at - now <= AT_ONCE:
        return at_once
    return f"{later} {wording.next_look_sentence(subaccount.run_at, now)}".strip()


# -- by hand in the vendor's panel ---------------------------------------------------------------------------------

_TASKS: dict[str, Text] = {
    "block": gettext_lazy("Block %(account)s, so that a password of their own no longer opens it"),
    "unblock": gettext_lazy("Unblock %(account)s"),
    "delete": gettext_lazy("Delete or block %(account)s, if the customer wants their data gone"),
    "delete_unproven": gettext_lazy(
        "Find out whether %(account)s belongs to this customer, and delete or block it if they want their data gone"
    ),
    "make_customer": gettext_lazy("Change %(account)s from trial to customer"),
    "change_expiry": gettext_lazy("Change the expiry date of %(account)s to %(date)s"),
    "change_package": gettext_lazy("Change the package of %(account)s to %(package)s"),
    "erase": gettext_lazy("Delete %(account)s with everything in it: the customer's data is erased here"),
    "erase_unproven": gettext_lazy(
        "Find out whether %(account)s belonged to this customer, and then delete it with everything in it: the"
        " customer's data is erased here"
    ),
    "erase_contact": gettext_lazy(
        "Put the name and e-mail address of today's owner on %(account)s: the one before is erased here"
    ),
    "erase_lost": gettext_lazy(
        "Look for an account that was made around %(date)s and belongs to nobody here, and delete it: its customer is"
        " erased"
    ),
}


def task_sentence(kind: str, account: str, data: dict[str, Any]) -> str:
    """What is to be done by hand, in a sentence."""
    unproven = ", ".join(data.get("unproven") or data.get("accounts", []))  # tasks of before say "accounts"
    facts = {"account": account or unproven, "package": data.get("package", ""), "date": ""}
    if "date" in data:
        facts["date"] = date_format(date.fromisoformat(data["date"]))
    if unproven and not account:
        kind += "_unproven"  # listed for the address, or named by the vendor; nobody has said that it is theirs
    elif kind == "erase" and not account:
        kind = "erase_lost"  # asked for, and the answer never came
    sentence = str(_TASKS[kind]) % facts
    if data.get("left"):
        sentence += " " + _("in the vendor account that you left")
    if data.get("removes_expiry"):
        sentence += " " + _("and remove its expiry date")
    return sentence


_STEPS: dict[Step, Text] = {
    Step.NO_SIGN_IN: gettext_lazy("Account ready, never signed in"),
    Step.NO_LAUNCH: gettext_lazy("Signed in, never opened the editor"),
    Step.NO_CAMPAIGN: gettext_lazy("Opened the editor, no coupon yet"),
}
_REMINDERS: dict[Step, Text] = {
    Step.NO_SIGN_IN: gettext_lazy("Send the welcome mail again"),
    Step.NO_LAUNCH: gettext_lazy("Send “how to start”"),
    Step.NO_CAMPAIGN: gettext_lazy("Send “your first coupon”"),
}


def step_sentence(step: Step | None) -> Text:
    """Where a customer is stuck."""
    return _STEPS[step] if step else ""


def reminder_label(step: Step | None) -> Text:
    """The button that mails the next step."""
    return _REMINDERS[step] if step else ""
