"""Rows are locked in one order everywhere: two that take the same ones never wait for each other.

Only PostgreSQL locks rows. What it is asked for is read from the statements, so that no two have to meet.
"""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts import claims, customer_care, customers, erasure, operators, pausing, people, provisioning, reconcile
from accounts.models import Agency, Cause, Finding, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = ("account_emailaddress", "accounts_agency", "accounts_subaccount", "accounts_vendoraccount")
LOCKS = re.compile(
    r'(?:(?:UPDATE|SELECT .* FROM) "(?=.* (?:SET|FOR (?:NO KEY )?UPDATE))|DELETE FROM ")(\w+)"', re.DOTALL
)
Act = Callable[[], Any]


def locked(statements: CaptureQueriesContext) -> list[list[str]]:
    """The tables in which each transaction locked rows, in the order of their first locks."""
    found: list[list[str]] = [[]]
    for statement in (query["sql"] for query in statements.captured_queries):
        if statement in ("BEGIN", "COMMIT"):
            found.append([])
        elif (lock := LOCKS.match(statement)) and lock[1] in ORDER and lock[1] not in found[-1]:
            found[-1].append(lock[1])
    return [tables for tables in found if len(tables) > 1]


def with_room_for_one(agency: Agency) -> Subaccount:
    """One has the place, another one waits for it. Returns the first."""
    first, second = (factories.customer(agency, factories.person(agency)).subaccount for _ in range(2))
    factories.activate(first.customer, None)
    waits = {"state": State.AWAITING_APPROVAL, "cause": Cause.NO_ROOM, "run_at": None}
    Subaccount.objects.for_agency(agency).filter(pk=second.pk).update(**waits)
    Agency.objects.filter(pk=agency.pk).update(customer_limit=1)
    agency.refresh_from_db()
    return first


def an_account_is_made(agency: Agency, staff: User) -> Act:
    factories.customer(agency, factories.person(agency))
    return provisioning.attempt


def a_customer_is_closed(agency: Agency, staff: User) -> Act:
    customer = with_room_for_one(agency).customer
    customer.agency = agency
    return lambda: customer_care.close(customer, message="", acting_user=staff)


def the_limit_is_raised(agency: Agency, staff: User) -> Act:
    with_room_for_one(agency)
    operator = factories.operator()
    return lambda: operators.set_limits(agency, customer_limit=2, daily_creates=None, acting_user=operator)


def a_mailbox_is_proven(agency: Agency, staff: User) -> Act:
    person = factories.person(agency, verified=False)
    factories.customer(agency, person, proven=False)
    with_room_for_one(agency)
    person.agency = agency
    return lambda: customers.prove_mailbox(acting_user=person, email=person.email)


def an_invitation_is_accepted_by_who_never_proved_a_sign_up(agency: Agency, staff: User) -> Act:
    stranger = factories.person(agency, "new@shop.example", verified=False)
    factories.customer(agency, stranger, proven=False)
    customer = with_room_for_one(agency).customer
    people.invite_member(customer=customer, email=stranger.email, role="viewer", acting_user=staff)
    invitation = people.open_invitations(agency).select_related("agency", "customer__agency").get(email=stranger.email)
    return lambda: people.accept_invitation(invitation, password="oven window bicycle")


def a_customer_is_erased(agency: Agency, staff: User) -> Act:
    customer = factories.customer(agency, factories.person(agency))
    customer_care.close(customer, message="", acting_user=staff)
    return lambda: erasure.erase_customer(customer, why=erasure.Why.ASKED, acting_user=staff)


@pytest.mark.parametrize(
    "when",
    [
        an_account_is_made,
        a_customer_is_closed,
        the_limit_is_raised,
        a_mailbox_is_proven,
        an_invitation_is_accepted_by_who_never_proved_a_sign_up,
        a_customer_is_erased,
    ],
    ids=lambda when: when.__name__,
)
def test_locks_are_taken_in_one_order(
    sandbox: Sandbox, north: Agency, ada: User, when: Callable[[Agency, User], Act], quick: None
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks no rows")
    act = when(north, ada)

    with CaptureQueriesContext(connection) as statements:
        act()

    taken = locked(statements)
    assert taken, "several tables in one transaction"
    for tables in taken:
        assert all(ORDER.index(one) < ORDER.index(other) for one, other in pairwise(tables)), tables


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
def test_a_comparison_that_names_a_wish_and_a_claim_of_it_do_not_wait_for_each_other(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    """After a restore: the list has what the wish will find. The finding is written, and not yet committed."""
    sandbox.add_subaccount("north-id", email=bos_subaccount.email)
    pausing.pause(why=pausing.RESTORED, agency=north)
    write, claims_meanwhile = reconcile._write, threading.Event()

    def written(*given: Any) -> Any:
        found = write(*given)
        claims_meanwhile.set()
        time.sleep(0.5)  # the claim has the wish by now, and waits for the vendor account
        return found

    monkeypatch.setattr(reconcile, "_write", written)

    def compare() -> None:
        try:
            reconcile.run(north)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        comparison = pool.submit(compare)
        assert claims_meanwhile.wait(10)
        claimed = claims.claim(Subaccount, pk=bos_subaccount.pk)
        comparison.result()

    assert claimed is not None
    assert Finding.objects.for_agency(north).get().subaccount_id == bos_subaccount.pk
