"""What `vendor_check` concludes: each assumption, what was seen of it, and whether it holds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import parse_qs, urlsplit

from coupontools_api.assumed import FIRST_PAGE, SUBACCOUNT_LIST_KEYS
from coupontools_api.ids import SubaccountId
from coupontools_api.subaccounts import Page
from coupontools_api.vendor_opening import host_of
from coupontools_api.vendor_probe import FAR_AHEAD, LONG_AGO, Facts, Reading, SubaccountFacts

PANEL_HOST = "www.controlpanel.center"
LIST_KEY = SUBACCOUNT_LIST_KEYS[0]
FIELDS_OF_DETAILS = frozenset(
    {
        "ID",
        "email",
        "language",
        "lastlogin",
        "amountlogin",
        "currency",
        "max_campaigns",
        "expiry_date",
        "api_key",
        "api_secret",
        "has_campaigns",
        "campaigns",
        "first_name",
        "last_name",
        "company_name",
        "username",
        "webhook_endpoint",
        "available_campaigns",
        "access_dashboard",
        "access_directory",
    }
)
"""Source: "Retrieve info of a subaccount". More `access_` fields are hinted at there."""
SMALLEST_PAGE, ROUND = 10, 5
"""A list of at least so many lines, and a multiple of so many, may be a full page."""
NO_SUBACCOUNT = "the account has no subaccount that could be asked about"
NO_CAMPAIGN = "the account has no campaign of its own"


class Verdict(StrEnum):
    HOLDS = "holds"
    DIFFERS = "DOES NOT HOLD"
    NOT_SEEN = "not seen"
    INFORMATION = "information"


@dataclass(frozen=True)
class Finding:
    """One line of the table. `seen` of what was not seen is the reason."""

    assumption: str
    seen: str
    verdict: Verdict


Judged = tuple[Verdict, str]
IdsOf = Callable[[Reading], set[str] | None]
"""What tells the lines of an answer apart; None of an answer that is no list."""


def findings(facts: Facts, *, panel_host: str = PANEL_HOST) -> list[Finding]:
    """A line for each assumption, always all of them and in the same order."""
    of_account: Mapping[str, Callable[[Facts], Judged]] = {
        "the host answers on /v3 and /v4": _versions,
        "credentials in headers are taken": _credentials,
        "errors carry the HTTP status that they name": _status_of_errors,
        "wrong credentials: one code, inside `status`": _envelope_of_wrong_login,
        "other errors: lists of codes, inside `status`": _envelope_of_other_errors,
        f"the list stands under `{LIST_KEY}`": _list_key,
        "the list is whole: no pages": _whole_list,
        f"the first page of sessions is number {FIRST_PAGE}": _first_page,
        "times in filters are written hh-mm": _times,
        "v4 REST takes credentials in x-api headers": _rest_headers,
        f"ids come as {SubaccountId.prefix}… everywhere": _ids,
    }
    of_subaccount: Mapping[str, Callable[[SubaccountFacts], Judged]] = {
        "get answers the documented fields": _fields_of_details,
        "the sign-on URL carries the token": _token_in_url,
        f"the sign-on URL leads to {panel_host}": partial(_host_of_url, panel_host=panel_host),
        "sign-on takes every page": _pages,
        "a sign-on URL works once": _token_uses,
        "white-label sign-on URL": _whitelabel,
    }
    judged = {assumption: judge(facts) for assumption, judge in of_account.items()}
    for assumption, judge in of_subaccount.items():
        judged[assumption] = judge(facts.subaccount) if facts.subaccount else (Verdict.NOT_SEEN, NO_SUBACCOUNT)
    return [Finding(assumption, printable(seen), verdict) for assumption, (verdict, seen) in judged.items()]


def printable(text: str) -> str:
    """One line without control characters: parts of it are the vendor's words."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _versions(facts: Facts) -> Judged:
    answers = {"v3": facts.wrong_login, "v4": facts.listed}
    silent = [reading.summary for reading in answers.values() if reading.trouble]
    if silent:
        return Verdict.NOT_SEEN, silent[0]
    absent = [f"{version}: {reading.summary}" for version, reading in answers.items() if reading.payload is None]
    return _by(not absent, "; ".join(absent) or "both answer JSON")


def _credentials(facts: Facts) -> Judged:
    if not facts.listed.is_good:
        return Verdict.NOT_SEEN, facts.listed.summary
    return _by(facts.takes_headers, "taken" if facts.takes_headers else "refused; taken in the body")


def _status_of_errors(facts: Facts) -> Judged:
    seen, agree = [], True
    for what, reading in (("wrong credentials", facts.wrong_login), ("unknown subaccount", facts.unknown)):
        if reading.codes:
            named = re.search(r"HTTP/\S+ ([0-9]{3})", reading.message)
            agree = agree and (reading.status == int(named[1]) if named else reading.status >= 400)
            seen.append(f"{what}: {reading.status}, named {named[1] if named else 'none'}")
    if not seen:
        return Verdict.NOT_SEEN, "no error with a code came"
    return _by(agree, "; ".join(seen))


def _envelope_of_wrong_login(facts: Facts) -> Judged:
    return _envelope(facts.wrong_login, "one code, inside `status`")


def _envelope_of_other_errors(facts: Facts) -> Judged:
    return _envelope(facts.unknown, "lists of codes, inside `status`")


def _envelope(reading: Reading, assumed: str) -> Judged:
    errors = reading.errors_inside or reading.errors_beside
    if errors is None:
        is_refusal = reading.payload is not None and not reading.is_good
        return Verdict.DIFFERS if is_refusal else Verdict.NOT_SEEN, f"no `errors` in the answer: {reading.summary}"
    codes = "lists of codes" if isinstance(errors.get("error_code"), list) else "one code"
    seen = f"{codes}, {'inside' if reading.errors_inside else 'beside'} `status`"
    return _by(seen == assumed, f"{seen} ({reading.summary})")


def _list_key(facts: Facts) -> Judged:
    if not facts.listed.is_good:
        return Verdict.NOT_SEEN, facts.listed.summary
    if isinstance(facts.listed.payload, list):
        return Verdict.DIFFERS, "a bare array, which the client does not read"
    key = facts.listed.list_key
    if key is None:
        return Verdict.DIFFERS, "no list in the answer"
    return _by(key == LIST_KEY, f"`{key}`{'' if key in SUBACCOUNT_LIST_KEYS else ', which the client does not read'}")


def _whole_list(facts: Facts) -> Judged:
    rows, counted = facts.listed.rows, _counted(facts.listed)
    if rows is not None and counted not in (None, len(rows)):
        return Verdict.DIFFERS, f"{len(rows)} lines, and the answer counts {counted}"
    verdict, seen = _same_with_page(facts.listed, facts.second_page, facts.listed_again, _subaccounts)
    if verdict is Verdict.HOLDS and rows and len(rows) >= SMALLEST_PAGE and len(rows) % ROUND == 0:
        return Verdict.NOT_SEEN, f"exactly {len(rows)} lines: may be a full page"
    return verdict, seen


def _same_with_page(before: Reading, with_page: Reading, after: Reading, ids_of: IdsOf) -> Judged:
    """Whether the answer with `page` is the one that the plain question had before and after it.

    What came or went meanwhile is no evidence. Another page has none of the lines that stayed; where only some are
    missing, it may as well be a copy of the vendor's that lags behind.
    """
    asked = (before, with_page, after)
    if (unread := _unread(asked, ids_of)) is not None:
        return Verdict.NOT_SEEN, unread.summary
    first, paged, last = (ids_of(reading) or set() for reading in asked)
    stayed = first & last
    if not stayed:
        return (
            Verdict.NOT_SEEN,
            f"{len(first)} lines, none of them still there when asked again" if first else "0 lines",
        )
    missing = stayed - paged
    if not missing:
        return Verdict.HOLDS, f"{len(first)} lines, the same with `page`"
    if missing == stayed:
        return Verdict.DIFFERS, f"{len(first)} lines, and others ({len(paged)}) with `page`"
    return Verdict.NOT_SEEN, f"{len(first)} lines, {len(missing)} of them missing with `page`"


def _unread(asked: tuple[Reading, ...], ids_of: IdsOf) -> Reading | None:
    """The first answer that is no list."""
    return next((reading for reading in asked if ids_of(reading) is None), None)


def _counted(listed: Reading) -> int | None:
    """How many rows the answer itself says there are."""
    if isinstance(listed.payload, dict):
        for key, value in listed.payload.items():
            if key.startswith("amount_of_") and re.fullmatch("[0-9]{1,9}", str(value)):
                return int(value)
    return None


def _subaccounts(reading: Reading) -> set[str] | None:
    """The ids in a good list."""
    if reading.rows is None:
        return None
    return {str(row.get("ID")) if isinstance(row, dict) else "" for row in reading.rows}


def _ids(facts: Facts) -> Judged:
    forms = {"list": {_form(row.get("ID")) for row in facts.listed.rows or () if isinstance(row, dict)}}
    if facts.subaccount is not None:
        for place, reading in (("get", facts.subaccount.details), ("sign-on", facts.subaccount.sign_on)):
            if reading.subaccount:
                forms[place] = {_form(reading.subaccount.get("ID"))}
    found = {place: " and ".join(sorted(seen)) for place, seen in forms.items() if seen}
    if not found:
        return Verdict.NOT_SEEN, NO_SUBACCOUNT
    seen = "; ".join(f"{place}: {form}" for place, form in found.items())
    return _by(set(found.values()) == {"prefixed"}, seen)


def _form(written: object) -> str:
    if isinstance(written, str) and written.startswith(SubaccountId.prefix):
        return "prefixed"
    return "bare" if str(written).isdecimal() else "of another form"


def _fields_of_details(facts: SubaccountFacts) -> Judged:
    if not facts.details.is_good:
        return Verdict.NOT_SEEN, facts.details.summary
    names = facts.details.subaccount.keys()
    missing, more = sorted(FIELDS_OF_DETAILS - names), sorted(names - FIELDS_OF_DETAILS)
    seen = f"without {', '.join(missing)}" if missing else f"all {len(FIELDS_OF_DETAILS)}"
    # The name of a field may be an id or somebody's own: only such as the documents hint at are printed.
    told = [name for name in more if re.fullmatch("access_[a-z]{1,30}", name)]
    if len(more) > len(told):
        told.append(f"{len(more) - len(told)} of other names")
    return _by(not missing, seen + (f"; also {', '.join(told)}" if told else ""))


def _first_page(facts: Facts) -> Judged:
    usage = facts.usage
    if usage is None:
        return Verdict.NOT_SEEN, NO_CAMPAIGN
    return _same_with_page(usage.plain, usage.first_page, usage.plain_again, _sessions)


def _times(facts: Facts) -> Judged:
    """Taken is not yet read: a vendor may pass over what it cannot read, or find nothing that matches it."""
    usage = facts.usage
    if usage is None:
        return Verdict.NOT_SEEN, NO_CAMPAIGN
    if not usage.plain.is_good or usage.since.trouble:
        return Verdict.NOT_SEEN, (usage.since if usage.plain.is_good else usage.plain).summary
    if not usage.since.is_good:
        return Verdict.DIFFERS, usage.since.summary
    asked = (usage.plain, usage.since, usage.ahead, usage.plain_again)
    if (unread := _unread(asked, _sessions)) is not None:
        return Verdict.NOT_SEEN, f"taken; then {unread.summary}"
    plain, since, ahead, again = (_sessions(reading) or set() for reading in asked)
    stayed = plain & again
    if not stayed:
        return Verdict.NOT_SEEN, "taken; there is no session to leave out"
    if kept := stayed & ahead:
        return Verdict.DIFFERS, f"taken and not obeyed: {len(kept)} lines from {FAR_AHEAD.year} on"
    obeyed = bool(stayed & since)
    return _by(obeyed, "taken and obeyed" if obeyed else f"taken, and no line comes since {LONG_AGO.year}")


def _rest_headers(facts: Facts) -> Judged:
    if facts.rest.is_good:
        return Verdict.HOLDS, "taken"
    return Verdict.DIFFERS if facts.rest.is_login_refused else Verdict.NOT_SEEN, facts.rest.summary


def _sessions(reading: Reading) -> set[str] | None:
    """The codes in the lists of a good answer: what else a line says changes when somebody uses the coupon."""
    if not reading.is_good or not isinstance(reading.payload, dict):
        return None
    rows = [row for value in reading.payload.values() if isinstance(value, list) for row in value]
    return {str(row["session"]) for row in rows if isinstance(row, dict) and row.get("session")}


def _token_in_url(facts: SubaccountFacts) -> Judged:
    if not facts.sign_on.is_good:
        return Verdict.NOT_SEEN, facts.sign_on.summary
    token, url = (facts.sign_on.subaccount.get(key) for key in ("token", "url"))
    if not host_of(url):
        return Verdict.DIFFERS, "there is no URL"
    carried = parse_qs(urlsplit(str(url)).query).get("token", [])
    return _by(carried == [token], "the same" if carried == [token] else "another" if carried else "no token")


def _host_of_url(facts: SubaccountFacts, panel_host: str) -> Judged:
    if not facts.sign_on.is_good:
        return Verdict.NOT_SEEN, facts.sign_on.summary
    host = host_of(facts.sign_on.subaccount.get("url"))
    return _by(host == panel_host.lower(), host or "no host")


def _pages(facts: SubaccountFacts) -> Judged:
    """Of no use where sign-on is refused without a page, too, or taken with any page."""
    if not facts.sign_on.is_good:
        return Verdict.NOT_SEEN, facts.sign_on.summary
    troubles = [reading.trouble for reading in (*facts.pages.values(), facts.made_up_page) if reading.trouble]
    if troubles:
        return Verdict.NOT_SEEN, troubles[0]
    refused = [f"{page}: {reading.summary}" for page, reading in facts.pages.items() if not reading.subaccount]
    untried = [] if Page.UPDATE_CAMPAIGN in facts.pages else ["update_campaign not tried: there is no campaign"]
    taken = f"{len(facts.pages) - len(refused)} of {len(Page)} taken"
    if refused:
        return Verdict.DIFFERS, "; ".join([taken, *refused, *untried])
    if facts.made_up_page.subaccount:
        return Verdict.NOT_SEEN, "a page that does not exist is taken as well"
    if untried:
        return Verdict.NOT_SEEN, "; ".join([taken, *untried])
    return Verdict.HOLDS, f"{taken}, one that does not exist is refused"


def _token_uses(facts: SubaccountFacts) -> Judged:
    if not facts.openings:
        return Verdict.NOT_SEEN, "opened only with --open-token, and only at the expected host"
    first, second = facts.openings
    if not first.signs_in:
        return Verdict.NOT_SEEN, f"the first open did not sign in ({first.summary})"
    if not second.is_answer:
        return Verdict.NOT_SEEN, f"the second open had no answer ({second.summary})"
    return _by(not second.signs_in, f"the second open {'still signs' if second.signs_in else 'does not sign'} in")


def _whitelabel(facts: SubaccountFacts) -> Judged:
    if not facts.sign_on.is_good:
        return Verdict.NOT_SEEN, facts.sign_on.summary
    url = facts.sign_on.subaccount.get("url_whitelabel", "absent")
    if host_of(url):
        return Verdict.INFORMATION, f"at {host_of(url)}"
    return Verdict.INFORMATION, {"absent": "absent", "None": "null", "": "empty"}.get(str(url), "no URL")


def _by(holds: bool, seen: str) -> Judged:
    return Verdict.HOLDS if holds else Verdict.DIFFERS, seen
