"""What `vendor_check` asks the vendor: reads, and sign-ons of one subaccount. Nothing is created or changed.

Answers are kept as they came. The client is tolerant where the documents leave something open; here the difference
is what matters, so nothing here goes by the client's reading of an answer.
"""

import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from coupontools_api import campaigns, directories_v4, subaccounts
from coupontools_api.assumed import FIRST_PAGE, SUBACCOUNT_LIST_KEYS, USAGE_TIME_FORMAT
from coupontools_api.endpoints import Endpoint
from coupontools_api.errors import CoupontoolsError
from coupontools_api.ids import CampaignId, SubaccountId
from coupontools_api.replies import Answer, decoded
from coupontools_api.subaccounts import Page
from coupontools_api.transport import Transport
from coupontools_api.vendor_opening import DEADLINE_SECONDS, Opening, host_of, opened

UNKNOWN_SUBACCOUNT = SubaccountId(999_999_999)
LONG_AGO = datetime(2010, 1, 2, 3, 45, tzinfo=UTC)
FAR_AHEAD = datetime(2037, 1, 2, 3, 45, tzinfo=UTC)  # clocks of 32 bits end in 2038
MADE_UP_PAGE = "no_such_page"
MADE_UP_CREDENTIALS = {"client_id": "vendor-check", "client_secret": "not-a-secret"}
TIMED_READS = 5
WRONG_LOGIN = 1000
NO_WAY_IN = {101: "the account has expired", 102: "these are the keys of a subaccount, not of the main account"}


class CannotRun(Exception):
    """Nothing can be found out. Its text is a sentence for whoever runs the check."""


@dataclass(frozen=True)
class Reading:
    """An answer as it came. `payload` is None where it is not JSON, `trouble` says why there is no answer at all."""

    status: int = 0
    payload: Any = field(default=None, repr=False)
    trouble: str = ""

    @property
    def codes(self) -> tuple[int, ...]:
        given = self._errors.get("error_code")
        return tuple(
            int(str(code))
            for code in (given if isinstance(given, list) else [given])
            if re.fullmatch("[0-9]{1,6}", str(code))
        )

    @property
    def message(self) -> str:
        return str(self._errors.get("error_message", ""))

    @property
    def errors_inside(self) -> dict[str, Any] | None:
        """The errors that stand inside `status`."""
        status = self.payload.get("status") if isinstance(self.payload, dict) else None
        return _as_errors(status.get("errors")) if isinstance(status, dict) else None

    @property
    def errors_beside(self) -> dict[str, Any] | None:
        """The errors that stand beside `status`."""
        return _as_errors(self.payload.get("errors")) if isinstance(self.payload, dict) else None

    @property
    def is_good(self) -> bool:
        if not 200 <= self.status < 300 or self.payload is None or self._errors:
            return False
        status = self.payload.get("status") if isinstance(self.payload, dict) else None
        return not isinstance(status, dict) or str(status.get("status")).strip().upper() == "OK"

    @property
    def is_login_refused(self) -> bool:
        return WRONG_LOGIN in self.codes or self.status in (401, 403)

    @property
    def summary(self) -> str:
        """Status and codes, or why there are none. Holds nothing that the vendor may keep secret."""
        if self.trouble:
            return self.trouble
        codes = f", code {', '.join(map(str, self.codes))}" if self.codes else ""
        return f"HTTP {self.status}{codes}{'' if self.payload is not None else ', not JSON'}"

    @property
    def subaccount(self) -> dict[str, Any]:
        """The object of a good answer about one subaccount; empty where there is none."""
        found = self.payload.get("subaccount") if self.is_good and isinstance(self.payload, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def list_key(self) -> str | None:
        """The key that the rows of a list stand under."""
        if not isinstance(self.payload, dict):
            return None
        lists = [key for key, value in self.payload.items() if isinstance(value, list)]
        return next((key for key in (*SUBACCOUNT_LIST_KEYS, *lists) if key in lists), None)

    @property
    def rows(self) -> list[Any] | None:
        """The rows of a good list, whatever they stand under."""
        if not self.is_good:
            return None
        if isinstance(self.payload, list):
            return self.payload
        return None if self.list_key is None else self.payload[self.list_key]

    @property
    def _errors(self) -> dict[str, Any]:
        return self.errors_inside or self.errors_beside or {}


@dataclass(frozen=True)
class Exchange:
    """One call and its answer, for the record. The credentials are not among the arguments."""

    endpoint: Endpoint
    arguments: Mapping[str, Any]
    answer: Answer


@dataclass(frozen=True)
class SubaccountFacts:
    """What was seen of one subaccount. `pages` are sign-ons by page; `openings` are two, or none.

    `made_up_page` is a sign-on with a page that does not exist: where that is taken, `pages` tell nothing.
    """

    id: SubaccountId
    details: Reading
    sign_on: Reading
    pages: Mapping[Page, Reading]
    made_up_page: Reading
    openings: tuple[Opening, ...]


@dataclass(frozen=True)
class UsageFacts:
    """One of the account's own campaigns, read without a page, from the page that we take for the first, from a time
    on that is written as we write it, and without a page again.

    `ahead` is from a time that has not come: where lines come all the same, `since` tells nothing.
    """

    plain: Reading
    first_page: Reading
    since: Reading
    ahead: Reading
    plain_again: Reading


@dataclass(frozen=True)
class Facts:
    """All that was seen. `subaccount` is None where there is none that could be asked about, `usage` where there is no
    campaign of the account's own; `rest` is a list of v4 REST.

    What is compared to a plain question stands between two of them: a busy account changes from one to the next.
    """

    takes_headers: bool
    wrong_login: Reading
    listed: Reading
    second_page: Reading
    listed_again: Reading
    unknown: Reading
    rest: Reading
    usage: UsageFacts | None
    subaccount: SubaccountFacts | None


class Probe:
    """Asks one vendor account. `exchanges` and `seconds` (by endpoint, good answers only) fill up meanwhile.

    Raises ValueError for a base URL that is neither https nor on loopback.
    """

    def __init__(self, *, client_id: str, client_secret: str, base_url: str) -> None:
        self._base_url = base_url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._in_body: dict[str, str] = {}
        self._transport = self._connected(self._credentials)
        self.exchanges: list[Exchange] = []
        self.seconds: dict[str, list[float]] = {}

    def look(self, chosen: SubaccountId | None, *, open_token_at: str | None = None) -> Facts:
        """Asks everything once, and the two reads of a subaccount a few times more, for their latency.

        `open_token_at` is the host whose sign-on URL may be opened; without one none is.
        Raises CannotRun if the vendor is not reached, or takes neither these credentials nor these ids.
        """
        listed = self._first_list()
        wrong_login = self._ask_with_wrong_login()
        if listed.payload is None and wrong_login.payload is None:
            raise CannotRun(f"The host answers, but not as the vendor's API does ({listed.summary}).")
        subaccount = chosen or _first(listed)
        facts = Facts(
            takes_headers=not self._in_body,
            wrong_login=wrong_login,
            listed=listed,
            second_page=self._ask(subaccounts.LIST, {"page": FIRST_PAGE + 1}),
            listed_again=self._ask(subaccounts.LIST, is_recorded=False),
            unknown=self._ask(subaccounts.GET, {"subaccount": UNKNOWN_SUBACCOUNT}),
            rest=self._ask(directories_v4.LIST, is_recorded=False),
            usage=self._usage(),
            subaccount=None if subaccount is None else self._look_at(subaccount, open_token_at),
        )
        for _ in range(TIMED_READS - 1):
            self._ask(subaccounts.LIST, is_recorded=False)
            if subaccount is not None:
                self._ask(subaccounts.GET, {"subaccount": subaccount}, is_recorded=False)
        return facts

    def medians(self) -> dict[str, tuple[float, int]]:
        """By endpoint the median of the seconds that a call took, and how many calls that is."""
        return {name: (statistics.median(seconds), len(seconds)) for name, seconds in self.seconds.items()}

    def close(self) -> None:
        self._transport.close()

    def _first_list(self) -> Reading:
        """The list, with credentials in the headers, or in the body where those are not taken."""
        listed = self._ask(subaccounts.LIST)
        if listed.trouble:
            raise CannotRun(f"The vendor is not reached ({listed.trouble}).")
        if listed.is_login_refused:
            self._in_body = self._credentials
            in_body = self._ask(subaccounts.LIST)
            if in_body.is_login_refused:
                raise CannotRun(f"The vendor refuses these credentials, in headers and in the body ({listed.summary}).")
            listed = in_body
        for code, reason in NO_WAY_IN.items():
            if code in listed.codes:
                raise CannotRun(f"The vendor takes these credentials and still says no: {reason} ({code}).")
        return listed

    def _look_at(self, subaccount: SubaccountId, open_token_at: str | None) -> SubaccountFacts:
        details = self._ask(subaccounts.GET, {"subaccount": subaccount})
        if details.codes:
            raise CannotRun(f"The vendor does not answer about {subaccount} ({details.summary}).")
        plain = self._ask(subaccounts.SIGN_ON, {"subaccount": subaccount})
        campaign = _a_campaign(details)
        return SubaccountFacts(
            id=subaccount,
            details=details,
            sign_on=plain,
            pages=self._pages(subaccount, campaign),
            made_up_page=self._ask(subaccounts.SIGN_ON, {"subaccount": subaccount, "page": MADE_UP_PAGE}),
            openings=_openings(plain, open_token_at) if open_token_at else (),
        )

    def _usage(self) -> UsageFacts | None:
        """Not kept for the record: it is about visitors. None where the account has no campaign of its own."""
        own = self._ask(campaigns.LIST, is_recorded=False)
        for row in own.rows or ():
            try:
                asked = {"campaign": CampaignId(row["ID"])}
            except (TypeError, KeyError, ValueError):
                continue
            since, ahead = ({"start_date": when.strftime(USAGE_TIME_FORMAT)} for when in (LONG_AGO, FAR_AHEAD))
            return UsageFacts(
                *(
                    self._ask(campaigns.USAGE, {**asked, **more}, is_recorded=False)
                    for more in ({}, {"page": FIRST_PAGE}, since, ahead, {})
                )
            )
        return None

    def _pages(self, subaccount: SubaccountId, campaign: CampaignId | None) -> dict[Page, Reading]:
        """A sign-on for each page; `update_campaign` only where there is a campaign to name."""
        readings = {}
        for page in Page:
            wanted = {"subaccount": subaccount, "page": page}
            if page is Page.UPDATE_CAMPAIGN:
                if campaign is None:
                    continue
                wanted["campaign"] = campaign
            readings[page] = self._ask(subaccounts.SIGN_ON, wanted)
        return readings

    def _ask_with_wrong_login(self) -> Reading:
        """On v3, and on a read: should it be let in, nothing is done."""
        transport = self._connected(MADE_UP_CREDENTIALS)
        try:
            return self._ask(campaigns.LIST, transport=transport)
        finally:
            transport.close()

    def _ask(
        self,
        endpoint: Endpoint,
        arguments: Mapping[str, Any] | None = None,
        *,
        transport: Transport | None = None,
        is_recorded: bool = True,
    ) -> Reading:
        """One call. What says nothing about the vendor's ways, such as an outage, is trouble and no answer."""
        arguments = arguments or {}
        credentials = {} if transport else self._in_body
        began = time.monotonic()
        try:
            answer = (transport or self._transport).answer(endpoint, {**arguments, **credentials})
        except CoupontoolsError as problem:
            return Reading(trouble=f"no answer: {type(problem).__name__}, {problem}")
        seconds = time.monotonic() - began
        reading = Reading(answer.status, decoded(answer.body))
        if answer.status == 429 or (answer.status >= 500 and reading.payload is None):
            return Reading(trouble=f"not answered now: HTTP {answer.status}")
        if reading.is_good:
            self.seconds.setdefault(endpoint.name, []).append(seconds)
        if is_recorded:
            self.exchanges.append(Exchange(endpoint, arguments, answer))
        return reading

    def _connected(self, credentials: Mapping[str, str]) -> Transport:
        return Transport(
            client_id=credentials["client_id"],
            client_secret=credentials["client_secret"],
            base_url=self._base_url,
            deadline=DEADLINE_SECONDS,
        )


def _openings(sign_on: Reading, host: str) -> tuple[Opening, ...]:
    """Opens the sign-on URL twice, if it leads where it should."""
    url = sign_on.subaccount.get("url")
    return (opened(url), opened(url)) if isinstance(url, str) and host_of(url) == host else ()


def _as_errors(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and value else None


def _first(listed: Reading) -> SubaccountId | None:
    for row in listed.rows or ():
        try:
            return SubaccountId(row["ID"])
        except (TypeError, KeyError, ValueError):
            continue
    return None


def _a_campaign(details: Reading) -> CampaignId | None:
    campaigns_of_it = details.subaccount.get("campaigns")
    for row in campaigns_of_it if isinstance(campaigns_of_it, list) else ():
        try:
            return CampaignId(row["ID"])
        except (TypeError, KeyError, ValueError):
            continue
    return None
