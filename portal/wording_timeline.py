"""A customer's timeline in words, and the summary that staff copy into a ticket."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.timeline import ERASED, Entry, Source
from portal import wording
from portal.access import Customer
from portal.forms.console import STATE_WORDS
from portal.wording_events import CAME_ABOUT, event_sentence
from portal.wording_time import seconds


@dataclass(frozen=True)
class Line:
    """One line: icon and its colour, what happened, more about it, when."""

    icon: str
    dot: str
    title: str
    text: str
    at: datetime


MAILS: dict[str, str | Promise] = {
    "account_ready": gettext_lazy("Your account is ready"),
    "needs_review": gettext_lazy("A customer needs a person (to you)"),
    "missing": gettext_lazy("An account is missing (to you)"),
    "invitation": gettext_lazy("Invitation"),
    "declined": gettext_lazy("About your sign-up"),
    "paused": gettext_lazy("Your account is paused"),
    "resumed": gettext_lazy("The pause is over"),
    "closed": gettext_lazy("Your account is closed"),
    "reminder": gettext_lazy("The next step"),
}
FATES: dict[str, str | Promise] = {
    "sent": gettext_lazy("Handed to the mail server"),
    "waiting": gettext_lazy("On its way to the mail server"),
    "trying": gettext_lazy("The mail server did not take it yet; we go on trying"),
    "given_up": gettext_lazy("Not sent: the mail server did not take it for a week"),
}
CALLS: dict[str, str | Promise] = {
    "subaccount/create": gettext_lazy("Asked the vendor to make the account"),
    "subaccount": gettext_lazy("Read the account at the vendor"),
}
# Why a call had no good answer, by the name of the client's error.
PROBLEMS: dict[str, str | Promise] = {
    "NotSent": gettext_lazy("the vendor could not be reached"),
    "OutOfResources": gettext_lazy("the vendor could not be reached"),
    "NoAnswer": gettext_lazy("no whole answer came"),
    "UnexpectedReply": gettext_lazy("the answer was not understood"),
    "Throttled": gettext_lazy("the vendor asked to slow down"),
    "Unauthorized": gettext_lazy("the vendor refused the credentials"),
    "AccountExpired": gettext_lazy("the vendor account has expired"),
    "WrongKindOfKey": gettext_lazy("the credentials are not those of the main account"),
    "InvalidInput": gettext_lazy("the vendor refused what we sent"),
    "EmailTaken": gettext_lazy("the address is taken"),
    "InvalidEmail": gettext_lazy("the vendor does not take the address"),
    "NotFound": gettext_lazy("the vendor does not know it"),
}
ICONS = {
    "launch": ("login", ""),
    "staff_launch": ("headset", "dot-orange"),
    "password_link": ("key", ""),
    "subaccount.active": ("circle-check", "dot-green"),
    "subaccount.needs_review": ("hand-stop", "dot-orange"),
    "subaccount.uncertain": ("eye", ""),
    "subaccount.missing": ("unlink", "dot-red"),
    "subaccount.requested": ("clock", ""),
    "subaccount.waiting": ("clock", ""),
    "subaccount.creating": ("loader-2", ""),
    "customer.signed_up": ("user-plus", "dot-brand"),
    "customer.added": ("user-plus", "dot-brand"),
    "customer.approved": ("user-check", "dot-green"),
    "customer.paused": ("player-pause", "dot-orange"),
    "customer.resumed": ("player-play", "dot-green"),
}


def line(entry: Entry) -> Line:
    """An entry in words."""
    match entry.source:
        case Source.NOTE:
            return Line("file-text", "", _("Note by %s") % (_who(entry.actor) or _("somebody")), entry.reason, entry.at)
        case Source.MAIL:
            icon, dot = ("mail-check", "dot-green") if entry.data.get("fate") == "sent" else ("mail", "")
            title = _("Mail: “%s”") % MAILS.get(entry.kind, entry.kind)
            return Line(icon, dot, title, str(FATES[entry.data.get("fate", "waiting")]), entry.at)
        case Source.CALL:
            return _call(entry)
    return _event(entry)


def _who(actor: str) -> str:
    return _("somebody who was erased") if actor == ERASED else actor


def _call(entry: Entry) -> Line:
    time = seconds(entry.data.get("ms", 0))
    title = str(CALLS.get(entry.kind, entry.kind))
    if entry.outcome == "ok":
        return Line("plug-connected", "", title, _("Answered in %(time)s.") % {"time": time}, entry.at)
    codes = str(entry.data.get("codes") or "").strip("[]")
    text = _("After %(time)s: %(outcome)s.") % {
        "time": time,
        "outcome": PROBLEMS.get(entry.outcome, entry.outcome),
    }
    return Line("plug-connected", "dot-orange", title, f"{text} ({codes})" if codes else text, entry.at)


def _event(entry: Entry) -> Line:
    icon, dot = ICONS.get(entry.kind, ("circle-check", ""))
    title = event_sentence(entry.kind, entry.data, entry.outcome)
    if entry.actor:
        title = _("%(what)s, by %(who)s") % {"what": title, "who": _who(entry.actor)}
    texts = []
    cause = str(entry.data.get("cause") or "")
    if cause:
        codes = entry.data.get("codes") or []
        texts.append(wording.cause_sentence(cause, codes if isinstance(codes, list) else []))
    if entry.reason:
        texts.append(_("Reason: “%s”") % entry.reason)
    if entry.kind == "staff_launch":
        texts.append(_("The customer can see this."))
    if "ms" in entry.data and entry.outcome == "opened":
        texts.append(_("Opened in %s.") % seconds(entry.data["ms"]))
    if entry.outcome not in CAME_ABOUT and entry.request:
        texts.append(_("Reference %s.") % entry.request)
    return Line(icon, dot, title, " ".join(texts), entry.at)


def support_summary(customer: Customer, reference: str) -> str:
    """What somebody who helps needs to know, as plain text to copy. Holds no secret."""
    subaccount = customer.subaccount

    def when(moment: datetime | None) -> str:
        return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else "–"

    lines = [
        (_("Customer"), f"{customer.company_name} ({customer.reference})"),
        (_("State"), " ".join(filter(None, (str(STATE_WORDS[subaccount.state]), subaccount.cause)))),
        (_("Vendor account"), subaccount.vendor_id or "–"),
        (_("Package"), f"{customer.package.name} ({customer.package.vendor_package_id})"),
        (_("Signed up"), when(customer.created_at)),
        (_("Address confirmed"), when(subaccount.verified_at)),
        (_("Account linked"), when(subaccount.bound_at)),
        (_("Read at the vendor"), when(subaccount.refreshed_at)),
        (_("Last launch"), when(customer.last_launch_at)),
        (_("Reference"), reference),
    ]
    return "\n".join(f"{name}: {value}" for name, value in lines)
