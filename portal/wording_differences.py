"""What staff read about differences between the vendor's list and ours: what was found, and what to do next."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access_console import Finding, VendorAccount

Text = str | Promise


@dataclass(frozen=True)
class Line:
    """One finding in words."""

    finding: Finding
    icon: str
    dot: str
    title: Text
    happened: str
    next: Text


_LOOKS: dict[str, tuple[str, str, Text, Text, Text]] = {
    "twice": (
        "git-merge",
        "dot-red",
        gettext_lazy("A second account for one customer"),
        gettext_lazy("The vendor lists %(account)s with the address of %(customer)s, whose account is %(own)s."),
        gettext_lazy(
            "Look into both in the vendor's panel, and have the one deleted that nobody uses. Nothing is deleted from "
            "here."
        ),
    ),
    "unbound": (
        "user-question",
        "dot-orange",
        gettext_lazy("An account that belongs to nobody here"),
        gettext_lazy("The vendor lists %(account)s, and no customer here is linked to it."),
        gettext_lazy(
            "If it is a customer's, add them here with its address: the worker finds it, and you link it. If you know "
            "it, set it aside."
        ),
    ),
    "changed": (
        "mail-x",
        "dot-orange",
        gettext_lazy("An address was changed"),
        gettext_lazy("%(account)s has another e-mail address at the vendor than %(customer)s has here."),
        gettext_lazy(
            "Compare both in the vendor's panel. The customer's buttons go on working: they go by the account's number."
        ),
    ),
    "absent": (
        "unlink",
        "dot-orange",
        gettext_lazy("The vendor's list lacks an account"),
        gettext_lazy("%(account)s of %(customer)s is not on the list."),
        gettext_lazy(
            "Nothing to do: we ask for it by its number. Only if the vendor no longer knows it, the customer comes to "
            "the attention list."
        ),
    ),
}


def line(finding: Finding) -> Line:
    """A finding in words. The customer is named where there is one."""
    icon, dot, title, sentence, to_do = _LOOKS[finding.kind]
    subaccount = finding.subaccount
    facts = {
        "account": finding.vendor_id,
        "customer": subaccount.customer.company_name if subaccount else "",
        "own": (subaccount.vendor_id if subaccount else "") or _("not linked yet"),
    }
    happened = str(sentence) % facts
    if finding.kind == "unbound" and subaccount:
        happened += " " + _("It has the address of %(customer)s.") % facts
    return Line(finding, icon, dot, title, happened, to_do)


def result(account: VendorAccount) -> str:
    """How the last comparison went, in a sentence; empty if there was none."""
    numbers = account.reconcile_result
    if not numbers:
        return ""
    if numbers["outcome"] == "too_many_absent":
        return stopped_sentence(numbers)
    return ngettext(
        "%(listed)s account at the vendor was compared with %(bound)s linked here.",
        "%(listed)s accounts at the vendor were compared with %(bound)s linked here.",
        numbers["listed"],
    ) % {"listed": numbers["listed"], "bound": numbers["bound"]}


def stopped_sentence(numbers: dict[str, int]) -> str:
    """Why a comparison led to nothing."""
    return ngettext(
        "The vendor's list lacks %(absent)s of %(bound)s linked account, which is too much to believe.",
        "The vendor's list lacks %(absent)s of %(bound)s linked accounts, which is too much to believe.",
        numbers["bound"],
    ) % {"absent": numbers["absent"], "bound": numbers["bound"]}


def counts(account: VendorAccount) -> list[tuple[str, int]]:
    """How many differences of each kind the last comparison found, in words."""
    numbers = account.reconcile_result
    words = {
        "unbound": _("only the vendor knows them"),
        "twice": _("a second account for a customer"),
        "absent": _("only we know them"),
        "changed": _("with another address"),
    }
    return [(word, numbers[kind]) for kind, word in words.items() if kind in numbers]
