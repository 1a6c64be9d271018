"""What can go wrong while talking to Coupontools, by cause. Codes are matched, never texts."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Self

from coupontools_api.endpoints import Dialect, Endpoint


class CoupontoolsError(Exception):
    """Anything that went wrong. Never holds a payload or an address: those may hold secrets."""

    may_have_happened: ClassVar[bool] = False
    """Could the vendor have done it all the same? Only of interest for calls that change something."""

    def __init__(self, endpoint: str, codes: Iterable[int] = (), detail: str = "") -> None:
        self.endpoint, self.codes = endpoint, tuple(codes)
        super().__init__(" ".join(part for part in (endpoint, str(self.codes) if self.codes else "", detail) if part))

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[object, ...]]:
        """To be handed to another process: the kinds take different arguments, and the text is made of them."""
        return self._again, (self.args, vars(self))

    @classmethod
    def _again(cls, args: tuple[object, ...], state: dict[str, object]) -> Self:
        problem = cls.__new__(cls, *args)
        problem.__dict__.update(state)
        return problem


class NotSent(CoupontoolsError):
    """No byte of the request left: refused connection, unknown name, failed TLS handshake."""


class OutOfResources(NotSent):
    """No byte left because this machine has no file, socket or memory for it: it says nothing of the vendor."""


class NoAnswer(CoupontoolsError):
    """The request left, and no whole reply came back in time."""

    may_have_happened = True


class UnexpectedReply(CoupontoolsError):
    """A reply came that makes no sense: HTML, redirect, cut off, unknown code, or about something else."""

    may_have_happened = True


class Throttled(CoupontoolsError):
    """HTTP 429. `retry_after` is in seconds, None where the vendor gave none that makes sense."""

    def __init__(self, endpoint: str, retry_after: float | None) -> None:
        super().__init__(endpoint, detail="429")
        self.retry_after = retry_after


class Undocumented(CoupontoolsError):
    """The vendor publishes no path or no parameters for this call, and the client was not told to guess."""


class Refused(CoupontoolsError):
    """The vendor understood and said no, with a code that we know."""


class Unauthorized(Refused):
    """1000, or HTTP 401/403: client id or secret not correct."""


class AccountExpired(Refused):
    """101: the account has expired."""


class WrongKindOfKey(Refused):
    """102: a subaccount's key on a call that only the main account may make."""


class NoIntegration(Refused):
    """103, 104: the account is not connected with an SMS or e-mail service."""


class InvalidInput(Refused):
    """200, 300 to 349 but for 304 and 305, and 400 and 422 of v4 REST: a parameter is missing or not valid."""


class EmailTaken(Refused):
    """304: the address is in use, perhaps at another account of the vendor."""


class InvalidEmail(Refused):
    """305: the vendor does not take this address."""


class NotDelivered(Refused):
    """604: the e-mail could not be sent."""


class NotFound(Refused):
    """502, 503, 505, 507, 509, 510, 514, 515, and 404 of v4 REST: an id that was given does not exist.

    `missing` says of what, "" where that is not known: some codes are used for different things at different
    endpoints.
    """

    def __init__(self, endpoint: str, codes: Iterable[int] = (), detail: str = "", missing: str = "") -> None:
        super().__init__(endpoint, codes, detail)
        self.missing = missing


# In order of precedence where a reply carries several codes: what stops everything first, what only
# concerns this request last.
_BY_CODE: tuple[tuple[type[Refused], frozenset[int]], ...] = (
    (Unauthorized, frozenset({1000})),
    (AccountExpired, frozenset({101})),
    (WrongKindOfKey, frozenset({102})),
    (NoIntegration, frozenset({103, 104})),
    (InvalidInput, frozenset({200, *range(300, 304), *range(306, 350)})),
    (InvalidEmail, frozenset({305})),
    (EmailTaken, frozenset({304})),
    (NotDelivered, frozenset({604})),
    (NotFound, frozenset({502, 503, 505, 507, 509, 510, 514, 515})),
)

# What could not be sent says of a call that sends nothing by itself no more than that something was to be sent.
_OF_MESSAGES = (NoIntegration, NotDelivered)

_MISSING = {
    502: "campaign",
    503: "teammate",
    505: "session",
    507: "directory",
    509: "webhook",
    510: "subaccount",
    514: "group",
    515: "folder",
}
# Where a code is used for something else than elsewhere.
_MISSING_AT = {
    ("loyalty.users", 505): "loyalty card",
    ("loyalty.search_users", 505): "loyalty card",
    ("loyalty.push_all", 505): "loyalty card",
    ("loyalty.update_user", 505): "loyalty card or user",
    ("loyalty.push", 505): "loyalty card or user",
    ("loyalty.get", 507): "loyalty card",
    ("directories.set_payment_status", 507): "directory or user",
    ("messages.send_email", 502): "campaign or directory",
}


def refusal(endpoint: Endpoint, codes: tuple[int, ...]) -> CoupontoolsError:
    """The error for a well-formed failure. A code that we do not know makes it an UnexpectedReply."""
    for kind, known in _BY_CODE:
        found = [code for code in codes if code in known]
        if kind in _OF_MESSAGES and not set(found) <= set(endpoint.codes):
            continue
        if found and kind is NotFound:
            missing = _MISSING_AT.get((endpoint.name, found[0]), _MISSING[found[0]])
            # No code of v4 REST is published: what is missing there is not known.
            return NotFound(endpoint.path, codes, missing="" if endpoint.dialect is Dialect.V4_REST else missing)
        if found:
            return kind(endpoint.path, codes)
    return UnexpectedReply(endpoint.path, codes, "unknown code")
