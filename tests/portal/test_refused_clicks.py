"""A click that the vendor refuses: what it says of one account, and what it does not say of the others."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import provisioning, staff_panel
from accounts.errors import BadCredentials
from accounts.models import Agency, Job, State, Subaccount, User, VendorAccount, VendorCall
from coupontools_api.sandbox import Sandbox
from portal import wording_problems
from tests import factories
from tests.accounts.reading import probe_due

SSO, RESET, LIST, GET = "/v3/subaccount/sso", "/v3/subaccount/reset/url", "/v4/subaccount/list", "/v4/subaccount"
REFUSALS: list[dict[str, Any]] = [
    {"status": 200, "codes": [101]},
    {"status": 200, "codes": [102]},
    {"status": 401},
    {"status": 403},
]
pytestmark = pytest.mark.django_db(transaction=True)


def account_of(agency: Agency) -> VendorAccount:
    return VendorAccount.objects.get(agency=agency)


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.parametrize(("door", "path"), [("launch", SSO), ("password-link", RESET)])
def test_one_account_that_cannot_be_opened_shuts_nobody_elses_door(
    door: str,
    path: str,
    refusal: dict[str, Any],
    sandbox: Sandbox,
    north: Agency,
    active: Subaccount,
    bo_client: Client,
    client_for: Callable[..., Client],
):
    kim = factories.person(north, "kim@shop.example")
    theirs = factories.activate(factories.customer(north, kim), sandbox, "north-id")
    sandbox.fault(path, "status", times=1, **refusal)
    sandbox.clear_ledger()

    refused = bo_client.post(f"/c/{active.customer.public_id}/{door}/")

    assert refused.status_code == 503
    assert "We were told" not in refused.text
    assert len(sandbox.requests()) == 1, "who waits for a click waits for no list"
    assert account_of(north).trouble == ""
    assert probe_due() == 1
    assert len(sandbox.requests(LIST)) == 1
    assert (account_of(north).trouble, account_of(north).probe_at) == ("", None)
    assert probe_due() == 0
    assert client_for(north, kim).post(f"/c/{theirs.customer.public_id}/launch/").status_code == 303
    assert not Job.objects.for_agency(north).filter(payload__mail="vendor_trouble").exists()


def test_who_clicks_again_and_again_has_the_list_read_once(
    sandbox: Sandbox, north: Agency, active: Subaccount, bo_client: Client
):
    sandbox.fault(SSO, "status", status=403, times=None)
    sandbox.clear_ledger()

    for _ in range(3):
        bo_client.post(f"/c/{active.customer.public_id}/launch/")
        probe_due()

    assert len(sandbox.requests(LIST)) == 1
    assert account_of(north).probe_at > timezone.now()


def test_what_another_agency_has_read_puts_nothing_off(
    sandbox: Sandbox, north: Agency, south: Agency, active: Subaccount, bo_client: Client
):
    VendorCall.objects.create(agency=south, endpoint="subaccount/list", milliseconds=9, outcome="ok")
    sandbox.fault(SSO, "status", status=403, times=1)

    bo_client.post(f"/c/{active.customer.public_id}/launch/")

    assert probe_due() == 1


def test_refused_credentials_are_known_once_the_list_is_refused_too(
    sandbox: Sandbox, north: Agency, active: Subaccount, bo_client: Client
):
    sandbox.fault("*", "revoked", times=None)
    launch = f"/c/{active.customer.public_id}/launch/"
    for _ in range(3):
        assert bo_client.post(launch).status_code == 503
    sandbox.clear_ledger()

    assert probe_due() == 1

    assert len(sandbox.requests()) == 1, "three clicks are one question"
    assert account_of(north).trouble == VendorAccount.Trouble.CREDENTIALS
    assert bo_client.post(launch).status_code == 503
    assert len(sandbox.requests()) == 1
    assert Job.objects.for_agency(north).filter(payload__mail="vendor_trouble").count() == 1


def test_any_answer_to_the_pair_settles_what_a_click_asked(
    sandbox: Sandbox, north: Agency, active: Subaccount, bo_client: Client
):
    sandbox.fault(SSO, "status", status=403, times=1)
    bo_client.post(f"/c/{active.customer.public_id}/launch/")

    assert bo_client.post(f"/c/{active.customer.public_id}/launch/").status_code == 303

    assert probe_due() == 0


def test_staff_are_not_sent_to_credentials_that_work(sandbox: Sandbox, active: Subaccount, ada: User):
    sandbox.fault(SSO, "status", status=200, codes=[101], times=1)

    with pytest.raises(BadCredentials) as refused:
        staff_panel.open_customers_panel(active, acting_user=ada, reason="To help")

    assert account_of(active.agency).trouble == ""
    words = wording_problems.staff_problem(refused.value, seconds=5)
    assert "refuses this account, or" in words.what
    assert "find out which" in words.next


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_lost_account_that_may_not_be_read_stops_nobody(
    refusal: dict[str, Any], sandbox: Sandbox, north: Agency, active: Subaccount
):
    Subaccount.objects.for_agency(north).update(state=State.MISSING, run_at=timezone.now())
    sandbox.fault(GET, "status", times=1, **refusal)

    assert provisioning.attempt(active.pk)

    assert account_of(north).trouble == ""


@pytest.mark.parametrize(("door", "path"), [("launch", SSO), ("password-link", RESET)])
def test_an_account_of_a_moment_ago_that_is_not_found_yet_is_not_gone(
    door: str, path: str, sandbox: Sandbox, active: Subaccount, bo_client: Client
):
    Subaccount.objects.for_agency(active.agency).filter(pk=active.pk).update(bound_at=timezone.now())
    sandbox.fault(path, "status", status=400, codes=[510], times=1)
    click = f"/c/{active.customer.public_id}/{door}/"

    refused = bo_client.post(click)

    active.refresh_from_db()
    assert (refused.status_code, active.state) == (503, State.ACTIVE)
    assert "still putting it in place" in refused.text
    assert bo_client.post(click).status_code in (200, 303)
