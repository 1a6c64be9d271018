"""The page about the vendor account: who sees it, who changes it, and what each way of failing is called."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts import vendor_accounts
from accounts.models import Agency, Credential, Event, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from portal import access_agency
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/console/connection/"
NEW_PAIR, PAIR, HOST = f"{PAGE}pair/", f"{PAGE}pair/2/", f"{PAGE}panel-host/"
LIST = "/v4/subaccount/list"
KEYS = {"client_id": "north-id-2", "client_secret": "another-secret"}


def flat(answer: Any) -> str:
    return " ".join(answer.text.split())


def just_signed_in(client: Client, person: User) -> Client:
    """As if the password had been typed a moment ago."""
    request = HttpRequest()
    request.session = SessionStore(client.cookies["session"].value)
    record_authentication(request, person, method="password", reauthenticated=True)
    request.session.save()
    return client


@pytest.fixture
def ada_client(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return just_signed_in(client_for(north, ada), ada)


@pytest.fixture
def second(sandbox: Sandbox) -> Sandbox:
    """The vendor knows another pair."""
    sandbox.add_account("north-id-2", "another-secret", packages=["pac_1"])
    return sandbox


def in_use(agency: Agency) -> int:
    return VendorAccount.objects.select_related("active_credential").get(agency=agency).active_credential.slot


def test_a_pair_is_stored_checked_switched_to_and_the_old_one_dropped(
    ada_client: Client, north: Agency, second: Sandbox
):
    answer = ada_client.post(NEW_PAIR, KEYS, follow=True)
    assert "The vendor accepted this pair. 0 accounts are listed." in flat(answer)
    assert "Checked, not in use" in answer.text
    assert in_use(north) == 1

    answer = ada_client.post(PAIR, {"do": "switch"}, follow=True)
    assert "Switched." in answer.text
    assert "Switch to this pair" not in answer.text, "it is in use"
    assert in_use(north) == 2

    assert "Dropped." in ada_client.post(f"{PAGE}pair/1/", {"do": "drop"}, follow=True).text
    assert "Nothing is stored here." in ada_client.get(PAGE).text


def test_no_page_and_no_refused_form_shows_a_value_of_a_pair(ada_client: Client, north: Agency, sandbox: Sandbox):
    refused = ada_client.post(NEW_PAIR, {"client_id": "has a space", "client_secret": "typed-secret"})
    ada_client.post(NEW_PAIR, KEYS)

    assert "no key has in it" in refused.text
    assert "has a space" in refused.text
    pages = [refused.text, *(ada_client.get(path).text for path in (PAGE, NEW_PAIR, PAIR))]
    for secret in ("typed-secret", "another-secret", "north-secret", "north-id"):
        assert all(secret not in page for page in pages)


@pytest.mark.parametrize(
    ("kind", "parameters", "says"),
    [
        ("revoked", {}, "wrong client id or secret"),
        ("throttle", {"retry_after": 30}, "asks us to slow down"),
        ("html", {"status": 500}, "answer was not understood"),
        ("reset_after", {}, "did not answer in time"),
    ],
)
def test_a_check_that_fails_says_why_and_that_nothing_changed(
    kind: str, parameters: dict[str, Any], says: str, ada_client: Client, north: Agency, second: Sandbox
):
    second.fault(LIST, kind, times=None, **parameters)

    text = flat(ada_client.post(NEW_PAIR, KEYS, follow=True))

    assert says in text
    assert "Check failed" in text
    assert "the other pair stays in use" in text
    assert in_use(north) == 1
    assert "Switch to this pair" not in text


def test_a_pair_that_misses_customers_names_them(
    ada_client: Client, north: Agency, active: Subaccount, second: Sandbox
):
    text = flat(ada_client.post(NEW_PAIR, KEYS, follow=True))

    assert "The account of 1 customer is not in it" in text
    assert "Bo&#x27;s Bakery" in text
    assert "has to pass a check first" in flat(ada_client.post(PAIR, {"do": "switch"}, follow=True))
    assert in_use(north) == 1


def test_a_neighbours_check_says_nothing_about_ones_own_pair(north: Agency, south: Agency, ada: User, sandbox: Sandbox):
    sam = factories.staff(south, "sam@south.example", "owner")
    vendor_accounts.check(north, slot=1, acting_user=ada)
    for number in range(3):
        sandbox.add_subaccount("south-id", email=f"{number}@south.example")
    vendor_accounts.check(south, slot=1, acting_user=sam)

    assert access_agency.pair_of(north, 1).check["listed"] == 0


def test_a_pair_of_another_agency_is_refused_without_naming_it(ada_client: Client, north: Agency, south: Agency):
    answer = ada_client.post(NEW_PAIR, {"client_id": "south-id", "client_secret": "x"})

    assert "already in use in this installation" in answer.text
    assert "South" not in answer.text
    assert not Credential.objects.filter(vendor_account__agency=north, slot=2).exists()


def test_switching_while_accounts_are_in_the_making_says_to_wait(
    ada_client: Client, north: Agency, bos_subaccount: Subaccount, second: Sandbox
):
    ada_client.post(NEW_PAIR, KEYS)
    Subaccount.objects.for_agency(north).update(state="creating")

    assert "Wait until none is in the making" in flat(ada_client.post(PAIR, {"do": "switch"}, follow=True))
    assert in_use(north) == 1


@pytest.mark.parametrize(("path", "data"), [(NEW_PAIR, KEYS), (PAIR, {"do": "drop"}), (HOST, {"host": ""})])
def test_credentials_and_panel_host_want_the_password_again(
    path: str, data: dict[str, str], client_for: Any, north: Agency, ada: User, second: Sandbox
):
    vendor_accounts.store(north, acting_user=ada, **KEYS)
    client = client_for(north, ada)

    for answer in (client.get(path), client.post(path, data)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/account/reauthenticate/")
    assert Credential.objects.filter(vendor_account__agency=north).count() == 2
    assert "another-secret" not in json.dumps(dict(client.session.items()), default=str)


@pytest.mark.parametrize("role", ["admin", "support", "analyst"])
def test_only_owners_change_anything(role: str, client_for: Any, north: Agency, sandbox: Sandbox):
    person = factories.staff(north, f"{role}@north.example", role)
    client = just_signed_in(client_for(north, person), person)

    seen = client.get(PAGE)
    assert seen.status_code == (200 if role == "admin" else 403)
    if role == "admin":
        assert "Only an owner of the agency changes these." in seen.text
        assert NEW_PAIR not in seen.text
    else:
        assert PAGE not in client.get("/console/packages/").text
    for path in (NEW_PAIR, f"{PAGE}pair/1/", HOST):
        assert (client.get(path).status_code, client.post(path, KEYS).status_code) == (403, 403)
    assert client.post(f"{PAGE}switches/", {"reads_statistics": "on"}).status_code == 403
    kinds = Event.objects.for_agency(north).values_list("kind", flat=True)
    assert not [kind for kind in kinds if kind.startswith("vendor_account")]


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ({"trouble": "credentials"}, "The vendor refuses your credentials, or your account there has expired"),
        ({"trouble": "unreachable"}, "The vendor cannot be reached"),
        ({"active_credential": None}, "Not connected"),
        ({"recent_failures": 0b11}, "The last 2 calls failed"),
        ({}, "The vendor answers, and the pair in use is accepted"),
    ],
)
def test_the_condition_is_said_in_words(state: dict[str, Any], title: str, ada_client: Client, north: Agency):
    if "trouble" in state:
        state = {**state, "trouble_since": timezone.now()}
    VendorAccount.objects.filter(agency=north).update(**state)

    text = flat(ada_client.get(PAGE))

    assert title in text
    assert ("Since" in text) is ("trouble" in state)


def test_being_throttled_says_until_when(ada_client: Client, north: Agency):
    until = timezone.now() + timedelta(minutes=3)
    VendorAccount.objects.filter(agency=north).update(throttled_until=until)

    assert f"We wait until {timezone.localtime(until):%H:%M:%S}" in flat(ada_client.get(PAGE))


def test_trying_now_closes_the_breaker(ada_client: Client, north: Agency, sandbox: Sandbox):
    VendorAccount.objects.filter(agency=north).update(trouble="unreachable", trouble_since=timezone.now())

    text = flat(ada_client.post(f"{PAGE}try/", follow=True))

    assert "The vendor accepted this pair." in text
    assert 'data-condition="working"' in text


def test_too_many_tries_are_said(ada_client: Client, sandbox: Sandbox, settings: Any):
    settings.LIMIT_VENDOR_CHECK = "0/60"

    for path, data in ((f"{PAGE}try/", {}), (HOST, {"host": "a.example"}), (f"{PAGE}pair/1/", {"do": "check"})):
        assert "several times in a short while" in ada_client.post(path, data, follow=True).text
    assert sandbox.requests() == []


def test_a_panel_host_is_saved_once_the_vendor_names_it(ada_client: Client, north: Agency, sandbox: Sandbox):
    assert "names no panel host" in ada_client.post(HOST, {"host": "login.north.example"}).text
    sandbox.add_account("north-id", "north-secret", whitelabel_host="login.north.example")

    other = ada_client.post(HOST, {"host": "evil.example"})
    assert "the vendor names login.north.example" in other.text
    assert 'value="evil.example"' in other.text
    assert VendorAccount.objects.get(agency=north).whitelabel_host == ""

    assert "login.north.example" in ada_client.post(HOST, {"host": "https://Login.North.example/"}, follow=True).text
    assert VendorAccount.objects.get(agency=north).whitelabel_host == "login.north.example"
    ada_client.post(HOST, {"host": ""})
    assert VendorAccount.objects.get(agency=north).whitelabel_host == ""


@pytest.mark.parametrize(
    "host", ["evil.example/path", "a b.example", "user@a.example", "localhost", "a.example:99999999"]
)
def test_what_is_no_host_name_is_refused_without_a_call(host: str, ada_client: Client, sandbox: Sandbox):
    assert "This is no host name" in ada_client.post(HOST, {"host": host}).text
    assert sandbox.requests() == []


def test_the_switches_move_and_unknown_fields_do_not(ada_client: Client, north: Agency):
    ada_client.post(f"{PAGE}switches/", {"reads_statistics": "on", "trouble": "x", "whitelabel_host": "evil.example"})

    account = VendorAccount.objects.get(agency=north)
    assert (account.offers_pages, account.reads_statistics) == (False, True)
    assert (account.trouble, account.whitelabel_host) == ("", "")


def test_the_page_counts_new_accounts_against_the_budget(ada_client: Client, north: Agency):
    Agency.objects.filter(pk=north.pk).update(daily_creates=7)
    Event.objects.record("subaccount.creating", agency=north)

    text = flat(ada_client.get(PAGE))

    assert '<p class="display-number mb-1">1</p>' in text
    assert "Of 7 a day" in text


def test_a_place_that_does_not_exist_or_is_empty_is_not_found(ada_client: Client):
    assert ada_client.get(PAIR).status_code == 404
    assert ada_client.get(f"{PAGE}pair/3/").status_code == 404
    assert ada_client.post(f"{PAGE}pair/1/", {"do": "explode"}).status_code == 400
    assert "in use" in ada_client.post(f"{PAGE}pair/1/", {"do": "drop"}, follow=True).text


def test_what_happened_lately_is_told_rightly(ada_client: Client, north: Agency, sandbox: Sandbox):
    ada_client.post(f"{PAGE}try/")
    assert "<div>Vendor credentials checked</div>" in ada_client.get(PAGE).text

    sandbox.fault(LIST, "revoked")
    ada_client.post(f"{PAGE}try/")
    assert "Vendor credentials checked: did not work, the vendor refused the credentials" in ada_client.get(PAGE).text


def test_the_page_needs_as_many_statements_however_much_happened(
    ada_client: Client, north: Agency, active: Subaccount, second: Sandbox, django_assert_max_num_queries: Any
):
    with django_assert_max_num_queries(12):
        ada_client.get(PAGE)
    for _ in range(3):
        ada_client.post(NEW_PAIR, KEYS)
    with django_assert_max_num_queries(12):
        assert "Bo&#x27;s Bakery" in ada_client.get(PAGE).text


@pytest.mark.parametrize(("failures", "sentence"), [(0b1, "The last call failed."), (0b111111, "The last 6 calls")])
def test_calls_that_fail_while_the_list_reads_are_not_called_working(
    failures: int, sentence: str, north: Agency, ada: User, client_for: Callable[..., Client]
):
    VendorAccount.objects.filter(agency=north).update(recent_failures=failures)

    text = flat(client_for(north, ada).get(PAGE))

    assert 'data-condition="some-calls-fail"' in text
    assert "Not all calls are answered" in text
    assert sentence in text
    assert "we read your list, and stop asking if that fails, too" in text
