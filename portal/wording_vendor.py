"""What staff read about the vendor account: its state, a check of a pair, a proof of a panel host."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import VendorAccount

OUTCOMES: dict[str, str | Promise] = {
    "ok": gettext_lazy("The vendor accepted this pair."),
    "Unauthorized": gettext_lazy(
        "The vendor did not accept this pair: wrong client id or secret. Often a space was copied too, or the "
        "two belong to different pairs. Copy both again."
    ),
    "AccountExpired": gettext_lazy("The vendor says that this account has expired. Ask the vendor to renew it."),
    "WrongKindOfKey": gettext_lazy(
        "These are the keys of a single customer's account. Take the pair of your own account instead."
    ),
    "InvalidInput": gettext_lazy("The vendor did not take our question. This is ours to mend: write to the operator."),
    "Throttled": gettext_lazy("The vendor asks us to slow down. Try again in a few minutes."),
    "NotSent": gettext_lazy(
        "We could not reach the vendor: no connection came about. This says nothing about the pair."
    ),
    "NoAnswer": gettext_lazy("The vendor did not answer in time. This says nothing about the pair."),
    "UnexpectedReply": gettext_lazy("The vendor's answer was not understood. This says nothing about the pair."),
    "does_not_open": gettext_lazy("This pair was sealed with a key that we no longer have. Enter it again."),
    "misses_customers": gettext_lazy(
        "The vendor accepted this pair, but it belongs to another account: not all of your customers are in it."
    ),
}
HOST_OUTCOMES: dict[str, str | Promise] = OUTCOMES | {
    "Unauthorized": gettext_lazy("The vendor refuses your credentials, so nothing can be proven now."),
    "NotSent": gettext_lazy("We could not reach the vendor, so nothing can be proven now."),
    "NoAnswer": gettext_lazy("The vendor did not answer in time, so nothing can be proven now."),
    "UnexpectedReply": gettext_lazy("The vendor's answer was not understood, so nothing can be proven now."),
    "waiting": gettext_lazy("We do not ask the vendor at the moment: see above. Try again when it works."),
    "not_named": gettext_lazy(
        "The vendor names no panel host for your account. Set one up in the vendor's panel under White label first."
    ),
}
UNKNOWN = gettext_lazy("The vendor refused. The code says why.")


def check_sentence(outcome: str, codes: list[int] | tuple[int, ...] = ()) -> str:
    """How a check went; the vendor's codes come after the sentence."""
    return _with_codes(OUTCOMES.get(outcome, UNKNOWN), codes)


def host_sentence(outcome: str, codes: list[int] | tuple[int, ...] = (), named: str = "") -> str:
    """Why a panel host was not taken."""
    if outcome == "other_host":
        return _("For your account the vendor names %(host)s. Enter that one, or change it in the vendor's panel.") % {
            "host": named
        }
    return _with_codes(HOST_OUTCOMES.get(outcome, UNKNOWN), codes)


def _with_codes(sentence: str | Promise, codes: list[int] | tuple[int, ...]) -> str:
    return f"{sentence} ({', '.join(str(code) for code in codes)})" if codes else str(sentence)


@dataclass(frozen=True)
class Condition:
    """How the connection is, in a word and a sentence."""

    title: str
    text: str
    icon: str
    dot: str
    state: str
    since: Any = None


def condition(account: VendorAccount) -> Condition:
    """What is going on between us and the vendor, and what happens next by itself."""
    if account.active_credential is None:
        return Condition(
            _("Not connected"),
            _("No pair of credentials is in use. Customers can sign up and wait; they go on when one is."),
            "plug-connected-x",
            "dot-orange",
            "not-connected",
        )
    if account.trouble == VendorAccount.Trouble.CREDENTIALS:
        return Condition(
            _("The vendor refuses your credentials"),
            _(
                "Nothing can be opened or made. We ask again every %(seconds)s seconds, and go on by ourselves when "
                "they work. If they were changed at the vendor, enter the new pair below."
            )
            % {"seconds": f"{settings.BREAKER_PROBE_SECONDS:g}"},
            "key-off",
            "dot-red",
            "credentials",
            account.trouble_since,
        )
    if account.trouble:
        return Condition(
            _("The vendor cannot be reached"),
            _(
                "Or its answers make no sense. Customers read that the editor is not available, and new ones wait in "
                "the queue. We look every %(seconds)s seconds and go on by ourselves."
            )
            % {"seconds": f"{settings.BREAKER_PROBE_SECONDS:g}"},
            "cloud-off",
            "dot-red",
            "unreachable",
            account.trouble_since,
        )
    if account.throttled_until and account.throttled_until > timezone.now():
        return Condition(
            _("The vendor asks us to slow down"),
            _("We wait until %(time)s and go on by ourselves.")
            % {"time": timezone.localtime(account.throttled_until).strftime("%H:%M:%S")},
            "hourglass",
            "dot-orange",
            "throttled",
        )
    return Condition(
        _("Working"),
        _failing(account.failures_in_a_row),
        "plug-connected",
        "dot-green",
        "working",
    )


def _failing(number: int) -> str:
    if not number:
        return _("The vendor answers, and the pair in use is accepted.")
    return ngettext(
        "The last call failed. After five in a row we stop asking and look once a minute.",
        "The last %(number)s calls failed. After five in a row we stop asking and look once a minute.",
        number,
    ) % {"number": number}
