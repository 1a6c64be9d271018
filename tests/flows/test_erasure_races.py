"""Who is erased while others are at work: owners come one by one, and the last one stays; no wish is lost by it."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from allauth.account.models import EmailAddress
from django.db import connections, transaction
from django.utils import timezone

from accounts import customer_care, customers, erasure, jobs, members, people, provisioning, refreshes, retention
from accounts.erasure import Why
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Invitation, Job, Membership, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.conftest import NORTH_KEYS

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


@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="SQLite lets one write at a time")
@pytest.mark.parametrize("has_limit", [False, True], ids=["room", "a limit"])
def test_a_wish_that_is_proven_while_it_is_purged_is_gone_before_the_vendor_hears_of_it_or_stays(
    has_limit: bool, sandbox: Sandbox, north: Agency, monkeypatch: pytest.MonkeyPatch
):
    Agency.objects.filter(pk=north.pk).update(customer_limit=5 if has_limit else None)
    lee = factories.person(north, "lee@shop.example", verified=False)
    wish = factories.customer(north, lee, proven=False).subaccount
    User.objects.filter(pk=lee.pk).update(date_joined=timezone.now() - timedelta(days=8))
    has_decided, end_sessions, went_on = Event(), erasure._end_sessions, []

    def at_length(person: User) -> None:
        has_decided.set()
        time.sleep(1)
        end_sessions(person)

    def proves() -> None:
        try:
            with transaction.atomic():
                EmailAddress.objects.filter(user=lee).update(verified=True)
                went_on.append(customers.prove_mailbox(acting_user=lee, email=lee.email))
            while provisioning.attempt():
                pass
        finally:
            connections.close_all()

    monkeypatch.setattr(erasure, "_end_sessions", at_length)
    proof = Thread(target=lambda: (has_decided.wait(20), proves()))
    proof.start()
    retention.enforce(timezone.now())
    proof.join(30)
    assert has_decided.is_set()

    is_there = Subaccount.objects.for_agency(north).filter(pk=wish.pk).exists()
    assert (went_on, len(sandbox.effects("subaccount_created"))) == ([int(is_there)], int(is_there))


@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="SQLite lets one write at a time")
@pytest.mark.parametrize("first", ["the worker", "the door"])
def test_who_is_erased_while_the_worker_reads_their_campaigns_waits_for_it_or_it_for_them(
    first: str, sandbox: Sandbox, north: Agency, monkeypatch: pytest.MonkeyPatch
):
    bo = factories.person(north, "bo@shop.example")
    customer = factories.customer(north, bo)
    factories.member(customer, "owner", "kim@shop.example")
    active = factories.activate(customer, sandbox, NORTH_KEYS[0], campaigns=["Spring"])
    Customer.objects.for_agency(north).update(first_campaign_at=None)
    active.campaigns.all().delete()
    Job.objects.for_agency(north).delete()
    refresh = Job.objects.create(kind="refresh", agency=north, payload={"subaccount": active.pk})
    is_in, others = Event(), {"the worker": (refreshes, "_is_bound_still"), "the door": (erasure, "customers_of")}
    real = getattr(*others[first])

    def holds_on(*arguments: object) -> object:
        answer = real(*arguments)
        is_in.set()
        time.sleep(0.7)
        return answer

    monkeypatch.setattr(*others[first], holds_on)

    def works(who: str) -> None:
        if who != first:
            assert is_in.wait(20)
        if who == "the worker":
            jobs.run()
        else:
            erase(bo)

    assert at_once(lambda: works("the worker"), lambda: works("the door")) == [True, True]
    refresh.refresh_from_db()
    assert (refresh.last_error, refresh.done_at is None) == ("", False)
    assert not User.objects.filter(pk=bo.pk).exists()


def one_holds_on(
    monkeypatch: pytest.MonkeyPatch,
    where: tuple[object, str],
    first: Callable[[], object],
    second: Callable[[], object],
    *,
    after: bool = False,
) -> list[bool]:
    """Whether each came about: the second begins while the first holds what it has taken before (or `after`) there."""
    is_in, real = Event(), getattr(*where)

    def holds_on(*arguments: object, **named: object) -> object:
        answer = real(*arguments, **named) if after else None
        is_in.set()
        time.sleep(0.7)
        return answer if after else real(*arguments, **named)

    monkeypatch.setattr(*where, holds_on)
    return at_once(first, lambda: (is_in.wait(20), second()))


@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="SQLite lets one write at a time")
def test_who_accepts_an_invitation_while_they_are_purged_comes_in_or_after(
    north: Agency, ada: User, monkeypatch: pytest.MonkeyPatch
):
    lee = factories.person(north, "lee@shop.example", verified=False)
    factories.customer(north, lee, proven=False)
    invitation = people.invite_staff(agency=north, email=lee.email, staff_role="support", acting_user=ada)

    assert one_holds_on(
        monkeypatch,
        (customers, "withdraw"),
        lambda: people.accept_invitation(invitation, password="oven window bicycle"),
        lambda: erasure.erase_never_proven(lee),
        after=True,
    ) == [True, True]
    assert User.objects.get(agency=north, email=lee.email).staff_role == "support"


@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="SQLite lets one write at a time")
def test_an_owner_comes_in_while_another_of_their_people_is_erased(
    north: Agency, ada: User, monkeypatch: pytest.MonkeyPatch
):
    about = {"company_name": "X", "first_name": "N", "last_name": "W", "country": "NL", "email": "new@shop.example"}
    company = customer_care.add(agency=north, package=north.packages.get(name="Plus"), acting_user=ada, **about)
    editor = factories.member(factories.customer_of(north, company.pk), "editor", "ed@shop.example")
    open_ones = Invitation.objects.for_agency(north).select_related("customer__agency", "agency")
    invitation = open_ones.get(email=about["email"])

    assert one_holds_on(
        monkeypatch,
        (customers, "prove_mailbox"),
        lambda: people.accept_invitation(invitation, password="oven window bicycle"),
        lambda: erasure.erase_person(editor, why=Why.ASKED, acting_user=ada),
    ) == [True, True]
    assert owners(company) == 1
    assert Customer.objects.for_agency(north).get().contact.email == "new@shop.example"


@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="SQLite lets one write at a time")
def test_who_is_erased_by_an_owner_and_purged_is_gone_once(north: Agency, ada: User, monkeypatch: pytest.MonkeyPatch):
    lee = factories.person(north, "lee@shop.example", verified=False)

    assert one_holds_on(
        monkeypatch,
        (erasure, "_end_sessions"),
        lambda: erasure.erase_person(lee, why=Why.ASKED, acting_user=ada),
        lambda: erasure.erase_never_proven(lee),
    ) == [True, True]
    assert not User.objects.filter(pk=lee.pk).exists()
