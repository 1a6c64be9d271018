"""Clicks on a vendor account that hangs leave threads for everybody's pages."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.test import Client

from accounts import clicks
from accounts.models import Agency, Event, Subaccount, VendorAccount
from coupontools_api.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def waiting(account: VendorAccount, number: int) -> Iterator[None]:
    with ExitStack() as places:
        for _ in range(number):
            places.enter_context(clicks.one(account))
        yield


def has_room(account: VendorAccount) -> bool:
    try:
        with clicks.one(account):
            return True
    except clicks.NoThread:
        return False


@pytest.fixture
def accounts(north: Agency, south: Agency, settings: Any) -> list[VendorAccount]:
    settings.WEB_THREADS = 8
    return [VendorAccount.objects.get(agency=agency) for agency in (north, south)]


def test_one_that_has_just_failed_has_a_quarter_of_the_threads(accounts: list[VendorAccount]):
    hangs, other = accounts
    hangs.recent_failures = 1
    with waiting(hangs, 2):
        assert (has_room(hangs), has_room(other)) == (False, True)
    assert has_room(hangs), "a place is given back"


def test_all_of_them_have_half(accounts: list[VendorAccount]):
    third = VendorAccount(pk=-1)
    with waiting(accounts[0], 3), waiting(accounts[1], 1):
        assert not has_room(third)
    assert has_room(third)


def test_one_that_has_not_answered_for_long_has_one(accounts: list[VendorAccount]):
    hangs = accounts[0]
    hangs.recent_failures = 0b11111
    with waiting(hangs, 1):
        assert not has_room(hangs)


def test_a_place_is_given_back_whatever_comes_of_the_click(accounts: list[VendorAccount]):
    with pytest.raises(ZeroDivisionError), clicks.one(accounts[0]):
        raise ZeroDivisionError
    assert has_room(accounts[0])


def test_who_finds_no_thread_reads_so_and_the_vendor_hears_nothing(
    active: Subaccount, bo_client: Client, sandbox: Sandbox
):
    sandbox.clear_ledger()
    account = VendorAccount.objects.get(agency=active.agency)
    with waiting(account, 8):
        answer = bo_client.post(f"/c/{active.customer.public_id}/launch/", {"page": "campaigns"})

    assert answer.status_code == 503
    assert "Many are opening the editor at this moment, so we did not try." in answer.content.decode()
    assert sandbox.requests() == []
    events = Event.objects.for_agency(active.agency).filter(outcome__startswith="not_asked")
    outcomes = events.values_list("outcome", flat=True)
    assert list(outcomes) == ["not_asked:busy"]


def test_clicks_that_hang_are_as_many_as_may_be(
    accounts: list[VendorAccount],
):
    """Twelve people of one agency click at the same moment on a vendor that says nothing."""
    accounts[0].recent_failures = 1
    go_on, both_wait, refused, hanging = threading.Event(), threading.Event(), list[bool](), list[bool]()

    def click() -> None:
        try:
            with clicks.one(accounts[0]):
                hanging.append(True)
                if len(hanging) == 2:
                    both_wait.set()
                go_on.wait(20)
        except clicks.NoThread:
            refused.append(True)

    people = [threading.Thread(target=click) for _ in range(12)]
    for person in people:
        person.start()
    assert both_wait.wait(20)
    for person in people:
        person.join(0.2)
    go_on.set()
    for person in people:
        person.join()
    assert (len(hanging), len(refused)) == (2, 10)
