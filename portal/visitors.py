"""How often people whom we do not know may ask: counted by where they come from, over all hosts together."""

import ipaddress
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import limits

GetResponse = Callable[[HttpRequest], HttpResponse]

# What is rarer than the rest has a rate of its own; the name of its setting.
OWN_RATE = {
    "account_signup": "LIMIT_SIGN_UP",
    "accept_invitation": "LIMIT_INVITATION",
    "view_as_open": "LIMIT_INVITATION",
}

# What a script asks for with GET, and of which the session keeps something: the challenge for a passkey.
BEGINS_ON_GET = {"mfa_login_webauthn"}


def address_block(request: HttpRequest) -> str:
    """The network that a request comes from: one IPv4 address, or an IPv6 /64."""
    address = ipaddress.ip_address(get_adapter(request).get_client_ip(request))
    bits = 64 if address.version == 6 else 32
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def too_many(request: HttpRequest, problem: limits.TooMany) -> HttpResponse:
    response = render(request, "429.html", {"retry_after": problem.retry_after}, status=429)
    response["Retry-After"] = str(problem.retry_after)
    return response


class VisitorLimitMiddleware:
    """Limits every address that changes something for people who are not signed in, or that opens with a token.

    It stands before the views, so that no page can be added that has no limit. allauth's own limits, by person and
    by address, come on top.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        assert request.resolver_match is not None  # Django has found the view
        name = request.resolver_match.view_name
        changes = request.method not in ("GET", "HEAD", "OPTIONS", "TRACE") or name in BEGINS_ON_GET
        if "token" not in kwargs and not (changes and not request.user.is_authenticated):
            return None
        rate: str = getattr(settings, OWN_RATE.get(name, "LIMIT_VISITOR"))
        try:
            limits.count(f"visitor:{name}", address_block(request), rate)
        except limits.TooMany as problem:
            return too_many(request, problem)
        return None
