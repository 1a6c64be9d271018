"""What allauth would let through and the adapter does not."""

from typing import Any

import pytest
from allauth.core import context
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from accounts.models import Agency, User
from portal.adapter import AccountAdapter
from portal.scope import cache_key, current_scope

pytestmark = pytest.mark.django_db


def request_at(agency: Agency) -> Any:
    request = RequestFactory().get("/account/login/", headers={"host": agency.canonical_host})
    request.agency, request.session = agency, SessionStore()
    request._messages = CookieStorage(request)
    return request


def test_a_passkey_of_another_agency_is_refused_and_leaves_no_trace(north: Agency, south: Agency, bo: User):
    request = request_at(south)
    request.session["account_authentication_methods"] = [{"method": "mfa", "type": "webauthn"}]
    token = current_scope.set(south.pk.hex)
    try:
        with context.request_context(request):
            answer = AccountAdapter(request).pre_login(
                request, bo, email_verification="none", signal_kwargs=None, email=None, signup=False, redirect_url=None
            )
    finally:
        current_scope.reset(token)

    assert answer is not None
    assert answer.headers["Location"] == "/account/login/"
    assert request.session.is_empty()


@pytest.mark.parametrize(
    "url",
    ["https://south.localhost/", "//south.localhost/", "https://evil.example/", "javascript:alert(1)", "ftp://x/"],
)
def test_next_never_leads_to_another_host(url: str, north: Agency, south: Agency):
    with context.request_context(request_at(north)):
        assert not AccountAdapter().is_safe_url(url)


def test_next_may_lead_to_a_page_here(north: Agency):
    with context.request_context(request_at(north)):
        assert AccountAdapter().is_safe_url("/start/")


def test_counts_by_address_are_kept_apart_per_agency_and_counts_by_network_are_not():
    def key(scope: str, name: str) -> str:
        token = current_scope.set(scope)
        try:
            return cache_key(name, "", 1)
        finally:
            current_scope.reset(token)

    by_address = "allauth:rl:account:confirm_email:1/10s/key:bo@shop.example"
    by_network = "allauth:rl:account:login:30/m/ip:ip:10.0.0.1"
    assert key("north", by_address) != key("south", by_address)
    assert key("north", by_network) == key("south", by_network)
