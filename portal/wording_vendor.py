"""What staff read about the vendor account: its state, a check of a pair, a proof of a panel host."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import clock
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
    "OutOfResources": gettext_lazy(
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
    "OutOfResources": gettext_lazy("We could not reach the vendor, so nothing can be proven now."),
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
            _("The vendor refuses your credentials, or your account there has expired"),
            _(
                "Nothing can be opened or made. We ask again every %(seconds)s seconds, and go on by ourselves once "
                "that is over. If the pair was changed at the vendor, enter the new one below. If the account has "
                "expired, ask the vendor to renew it."
            )
            % {"seconds": f"{settings.BREAKER_PROBE_SECONDS:g}"},
            "key-off",
            "dot-red",
            "credentials",
            account.trouble_since,
        )
    if account.trouble == VendorAccount.Trouble.UNSEALED:
        return Condition(
            _("Your credentials do not open"),
            _(
                "They were sealed with a key that we no longer have, so the vendor is not asked. Nothing can be opened "
                "or made. Enter the pair again below; if the operator brings the key back, we go on by ourselves."
            ),
            "key-off",
            "dot-red",
            "unsealed",
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
    if failures := account.failures_in_a_row:
        return Condition(
            _("Not all calls are answered"), _failing(failures), "plug-connected", "dot-orange", "some-calls-fail"
        )
    return Condition(
        _("Working"),
        _("The vendor answers, and the pair in use is accepted."),
        "plug-connected",
        "dot-green",
        "working",
    )


def _failing(number: int) -> str:
    return ngettext(
        "The last call failed. After five in a row we read your list, and stop asking if that fails, too.",
        "The last %(number)s calls failed. After five in a row we read your list, and stop asking if that fails, too.",
        number,
    ) % {"number": number}


NEWS_FOR = timedelta(days=1)


@dataclass(frozen=True)
class News:
    """Something about the vendor account that staff ought to know now, above what else the page shows."""

    key: str
    icon: str
    colour: str
    title: str
    text: str


def news(account: VendorAccount, *, waiting: Callable[[], int], now: datetime) -> list[News]:
    """What is out of the ordinary. `waiting` counts the customers in the making, and is asked only then."""
    found = []
    if account.is_open:
        title = {
            VendorAccount.Trouble.CREDENTIALS: _(
                "The vendor refuses your credentials, or your account there has expired"
            ),
            VendorAccount.Trouble.UNSEALED: _("Your credentials do not open"),
        }.get(VendorAccount.Trouble(account.trouble), _("The vendor is not answering"))
        if account.trouble == VendorAccount.Trouble.UNSEALED:
            sentence = _("Since %(since)s. %(waiting)s Enter the pair again under Connection; nobody is lost.")
        else:
            sentence = _("Since %(since)s. %(waiting)s They go on by themselves; nobody is lost.")
        text = sentence % {
            "since": _moment(account.trouble_since or now),
            "waiting": waiting_sentence(waiting()),
        }
        found.append(News("outage", "cloud-off", "warning", title, text))
    elif "until" in account.last_outage and "finished" not in account.last_outage:
        text = _("%(outage)s %(waiting)s They are made one after the other.") % {
            "outage": outage_sentence(account.last_outage),
            "waiting": waiting_sentence(waiting()),
        }
        found.append(News("catching-up", "refresh", "info", _("The vendor is back"), text))
    elif _is_recent(account.last_outage, now):
        text = f"{outage_sentence(account.last_outage)} {late_sentence(account.last_outage)}"
        found.append(News("caught-up", "circle-check", "success", _("The vendor is back, and all is caught up"), text))
    if account.budget_reached_on == clock.midnight(now).date():
        midnight = clock.midnight(now) + timedelta(days=1)
        text = _("%(waiting)s They go on at %(time)s. The operator can raise the number.") % {
            "waiting": waiting_sentence(waiting()),
            "time": date_format(timezone.localtime(midnight), "TIME_FORMAT"),
        }
        title = _("Today's number of new accounts is reached")
        found.append(News("budget", "hourglass", "warning", title, text))
    if account.creates_paused_at:
        text = _(
            "Since %(since)s, until the operator has seen where the vendor's list and ours differ. %(waiting)s"
        ) % {
            "since": _moment(account.creates_paused_at),
            "waiting": waiting_sentence(waiting()),
        }
        found.append(News("paused", "player-pause", "warning", _("No new accounts are made at the moment"), text))
    return found


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def _is_recent(outage: dict[str, Any], now: datetime) -> bool:
    finished = parse_datetime(outage.get("finished", ""))
    return finished is not None and now - finished < NEWS_FOR


def waiting_sentence(number: int) -> str:
    """How many customers have no account yet."""
    if not number:
        return _("Nobody waits.")
    return ngettext("%(number)s customer waits.", "%(number)s customers wait.", number) % {"number": number}


def outage_sentence(outage: dict[str, Any]) -> str:
    """From when to when the vendor account was not asked."""
    moments = {name: parse_datetime(outage[name]) for name in ("since", "until")}
    return _("We could not ask the vendor from %(since)s to %(until)s.") % {
        name: _moment(moment) for name, moment in moments.items() if moment
    }


def late_sentence(outage: dict[str, Any]) -> str:
    """How many customers were late because of it, and how long."""
    if not outage["waited"]:
        return _("Nobody had to wait for an account.")
    sentence = ngettext(
        "%(number)s customer had to wait; it took %(longest)s.",
        "%(number)s customers had to wait; the longest took %(longest)s.",
        outage["waited"],
    ) % {"number": outage["waited"], "longest": _duration(outage["longest"])}
    if outage["to_decide"]:
        sentence += " " + ngettext(
            "%(number)s of them needs a person.", "%(number)s of them need a person.", outage["to_decide"]
        ) % {"number": outage["to_decide"]}
    return sentence


def _duration(seconds: int) -> str:
    now = timezone.now()
    if seconds < 60:
        return ngettext("%(number)s second", "%(number)s seconds", seconds) % {"number": seconds}
    return timesince(now - timedelta(seconds=seconds), now)
