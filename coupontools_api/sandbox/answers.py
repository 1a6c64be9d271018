"""From a call to an answer: who calls, which route, what it says."""

import hmac
from dataclasses import dataclass

from . import shapes, world
from .arguments import Call, Refusal, missing
from .replies import Json, Reply, as_json, as_page
from .route import REST, Route
from .routes import route_of
from .settings import Settings
from .state import Owner
from .vendor import Vendor

WRONG_LOGIN = (1000, "Unauthorized")


@dataclass(frozen=True)
class Answer:
    """What an endpoint says: a document with the HTTP status it names, or (no document) a page."""

    status: int
    document: Json | list[Json] | None = None
    codes: tuple[int, ...] = ()
    page: Reply | None = None
    rest: bool = False

    def as_reply(self, *, real_status: bool) -> Reply:
        if self.page is not None:
            return self.page
        return as_json(self.document, self.status if real_status or self.rest else 200)


def refused(settings: Settings, route: Route, *problems: tuple[int, str]) -> Answer:
    codes = tuple(code for code, _ in problems)
    if route.dialect == REST and settings.rest_errors == "bare":
        status, document = shapes.rest_failure(problems)
        return Answer(status, document, codes, rest=True)
    envelope = route.envelope if settings.error_envelope == "documented" else settings.error_envelope
    status, document = shapes.failure(settings.login_envelope if 1000 in codes else envelope, problems)
    return Answer(status, document, codes)


def answer(vendor: Vendor, call: Call) -> Answer:
    """Do what a call asks for, all of it or nothing."""
    settings = vendor.state.settings
    found = route_of(settings, call.method, call.path)
    if found is None:
        return Answer(404, page=as_page(404, "Not Found", "The requested URL was not found on this server."))
    with vendor.database.transaction():
        try:
            owner = _authenticate(vendor, found, call)
            if not found.manages:
                world.furnish(vendor, owner)
            document = _run(vendor, found, owner, call)
        except Refusal as refusal:
            return refused(settings, found, *refusal.problems)
    if found.dialect == REST or isinstance(document, list):
        return Answer(200, document, rest=found.dialect == REST)
    return Answer(200, shapes.success(document))


def _run(vendor: Vendor, route: Route, owner: Owner, call: Call) -> Json | list[Json]:
    """All that is missing is said at once, along with the first thing that is wrong."""
    absent = [missing(name) for name in route.required if not call.has(name)]
    try:
        return route.run(vendor, owner, call)
    except Refusal as refusal:
        raise Refusal(*dict.fromkeys([*absent, *refusal.problems])) from refusal


def _authenticate(vendor: Vendor, route: Route, call: Call) -> Owner:
    """Raises Refusal (1000, 101, 102). Source: "Authentication", "Errors"."""
    client_id, secret = call.client_id or "", call.client_secret or ""
    account = vendor.state.account(client_id)
    if account is not None and _same(account.client_secret, secret):
        if account.expired:
            raise Refusal((101, "Account has expired"))
        return Owner(account)
    subaccount = vendor.state.subaccount_by_api_key(client_id)
    if subaccount is None or not _same(subaccount.fields["api_secret"], secret):
        raise Refusal(WRONG_LOGIN)
    account = vendor.state.account(subaccount.client_id)
    if account is None or account.expired:
        raise Refusal((101, "Account has expired"))
    if route.manages:
        raise Refusal((102, "Subaccount credentials can not be used to manage subaccounts"))
    return Owner(account, subaccount)


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode())
