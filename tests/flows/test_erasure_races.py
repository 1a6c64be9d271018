"""Two owners who erase themselves at the same moment come one by one: the last one stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts import erasure, members
from accounts.erasure import Why
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Membership, User
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eve(bos_company: Customer) -> User:
    factories.activate(bos_company, None)
    return factories.member(bos_company, "owner", "eve@shop.example")


def at_once(*works: Callable[[], None]) -> list[bool]:
    """Whether each came about, all begun at the same moment."""
    ready = Barrier(len(works))

    def run(work: Callable[[], None]) -> bool:
        ready.wait(timeout=20)
        try:
            work()
        except NotAllowed:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def erase(person: User) -> None:
    erasure.erase_person(person, why=Why.OWN_WISH, acting_user=person)


def owners(customer: Customer) -> int:
    return Membership.objects.for_agency(customer.agency).filter(customer=customer, role="owner").count()


@pytest.mark.parametrize("round_", range(5))
def test_of_two_owners_of_a_customer_one_stays(north: Agency, bo: User, eve: User, bos_company: Customer, round_: int):
    done = at_once(lambda: erase(bo), lambda: erase(eve))

    assert sorted(done) == [False, True]
    assert owners(bos_company) == 1


@pytest.mark.parametrize("round_", range(5))
def test_an_owner_who_goes_and_one_who_is_removed_leave_an_owner(
    north: Agency, bo: User, eve: User, bos_company: Customer, round_: int
):
    hers = Membership.objects.for_agency(north).select_related("customer__agency", "person").get(person=eve)

    done = at_once(lambda: erase(bo), lambda: members.remove(hers, acting_user=bo))

    assert True in done
    assert owners(bos_company) == 1


@pytest.mark.parametrize("round_", range(5))
def test_of_two_owners_of_an_agency_one_stays(north: Agency, ada: User, round_: int):
    abe = factories.staff(north, "abe@north.example", "owner")

    done = at_once(lambda: erase(ada), lambda: erase(abe))

    assert sorted(done) == [False, True]
    assert User.objects.filter(agency=north, staff_role="owner").count() == 1
