"""Rounds of two or three at once: one wish, at most one create for an address, and an end that the rules allow.

RACE_ROUNDS says how many of each; `./run crash` takes 1,000.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from accounts import customer_care, customers, jobs, operators, provisioning, vendor_accounts
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Host, Job, Package, PanelTask, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.conftest import NORTH_KEYS
from tests.figures import RecordFigure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove]
ROUNDS = int(os.environ.get("RACE_ROUNDS", "40"))
HANDS = 3
OPEN = (State.REQUESTED, State.CREATING, State.UNCERTAIN)
AtOnce = Callable[..., list[Any]]


@pytest.fixture
def at_once() -> Iterator[AtOnce]:
    """Runs what it is given at the same moment; answers results, or the refusals that doors are allowed to give."""
    with ThreadPoolExecutor(HANDS) as pool:

        def run(*works: Callable[[], Any]) -> list[Any]:
            ready = threading.Barrier(len(works))

            def one(work: Callable[[], Any]) -> Any:
                ready.wait(timeout=20)
                try:
                    return work()
                except (NotAllowed, IntegrityError) as refusal:
                    return refusal

            return list(pool.map(one, works))

        yield run
        run(*[connections.close_all] * HANDS)  # each in a thread of its own: the barrier keeps them apart


class Stopwatch:
    """Lets a door begin anywhere in the step that a worker takes at the same time: as long as the last ones took."""

    def __init__(self) -> None:
        self.chance, self.took = random.Random(20_252), 0.05

    def step(self, subaccount: Subaccount) -> Callable[[], bool]:
        def work() -> bool:
            started = time.monotonic()
            did = provisioning.attempt(subaccount.pk)
            self.took = 0.7 * self.took + 0.3 * (time.monotonic() - started)
            return did

        return work

    def meanwhile(self, door: Callable[[], Any]) -> Callable[[], Any]:
        wait = self.chance.uniform(0, 1.3 * self.took)
        return lambda: (time.sleep(wait), door())[1]


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def race(sandbox: Sandbox, north: Agency, settings: Any, at_once: AtOnce, record_figure: RecordFigure) -> Any:
    """Rounds with a new customer each, and what has to be true after every one."""
    settings.PROVISIONING_QUARANTINE_SECONDS = settings.PROVISIONING_LOOK_GAP_SECONDS = 0.0
    settings.PROVISIONING_BACKOFF_MIN_SECONDS = settings.PROVISIONING_BACKOFF_MAX_SECONDS = 0.0
    settings.PROVISIONING_DAILY_CREATES = 10 * ROUNDS
    settings.LIMIT_VENDOR_CHECK = "1000000/60"

    def run(title: str, one_round: Callable[[Customer], None], *, proven: bool = True) -> None:
        for number in range(ROUNDS):
            person = factories.person(north, f"race{number}@shop.example")
            customer = factories.customer(north, person, proven=proven)
            one_round(customer)
            _is_legal(sandbox, customer)
        record_figure(f"Races ({connection.vendor})", {title: ROUNDS})

    return run


def work_off(customer: Customer) -> Subaccount:
    """The worker at this customer's row, until it rests."""
    rows = Subaccount.objects.for_agency(customer.agency).filter(customer=customer)
    while (row := rows.get()).state in OPEN and row.run_at is not None:
        rows.update(run_at=timezone.now())
        provisioning.attempt(row.pk)
    return row


def _is_legal(sandbox: Sandbox, customer: Customer) -> None:
    row = work_off(customer)
    made = [effect for effect in sandbox.effects("subaccount_created") if effect["email"] == customer.email]
    asked = [r for r in sandbox.requests("/v4/subaccount/create") if r.arguments.get("email") == customer.email]
    sandbox.clear_ledger()
    assert len(asked) <= 1
    assert len(made) <= 1
    if row.state == State.ACTIVE:
        assert row.vendor_id == made[0]["subaccount"]
    else:
        assert row.state == State.CLOSED, (row.state, row.cause)
        assert not made or row.vendor_id or PanelTask.objects.for_agency(customer.agency).filter(customer=customer)


def test_several_submits_make_one_person_and_one_wish(
    sandbox: Sandbox, north: Agency, package: Package, at_once: AtOnce, record_figure: RecordFigure
):
    def submit(email: str) -> Callable[[], Customer]:
        def work() -> Customer:
            with transaction.atomic():
                person = factories.PersonFactory.build(agency=north, email=email)
                person.save()
                return customers.sign_up(
                    agency=north,
                    package=package,
                    company_name="Kim's Kiosk",
                    first_name="Kim",
                    last_name="Kist",
                    country="NL",
                    terms_accepted_at=timezone.now(),
                    acting_user=person,
                )

        return work

    for number in range(ROUNDS):
        email = f"kim{number}@shop.example"
        at_once(*[submit(email)] * 3)
        assert User.objects.filter(email=email).count() == 1
        assert Subaccount.objects.for_agency(north).filter(email=email).count() == 1
    record_figure(f"Races ({connection.vendor})", {"parallel submits": ROUNDS})


def test_a_code_entered_twice_lets_the_wish_go_on_once(race: Any, at_once: AtOnce):
    def one_round(customer: Customer) -> None:
        person = customer.memberships.get().person
        answers = at_once(*[lambda: customers.prove_mailbox(acting_user=person, email=person.email)] * 3)

        went_on = Event.objects.for_agency(customer.agency).filter(
            customer_id=customer.pk, kind=f"subaccount.{State.REQUESTED.value}"
        )
        assert went_on.count() == 1
        assert not any(isinstance(answer, Exception) for answer in answers)  # nobody reads an error

    race("code entered twice", one_round, proven=False)


def test_several_workers_at_one_row_ask_once(race: Any, at_once: AtOnce):
    race(
        "two workers or three",
        lambda customer: at_once(*[lambda: provisioning.attempt(customer.subaccount.pk)] * 3) and None,
    )


def test_a_customer_closed_in_the_making_is_closed_or_stays(race: Any, at_once: AtOnce, clock: Stopwatch, ada: User):
    def one_round(customer: Customer) -> None:
        _, refused = at_once(
            clock.step(customer.subaccount),
            clock.meanwhile(lambda: customer_care.close(customer, message="", acting_user=ada)),
        )
        row = work_off(customer)
        closed = Customer.objects.for_agency(customer.agency).get(pk=customer.pk).closed_at
        assert bool(closed) == (row.state == State.CLOSED) == (refused is None)

    race("close", one_round)


def test_a_customer_paused_in_the_making_leaves_the_task(race: Any, at_once: AtOnce, clock: Stopwatch, ada: User):
    def one_round(customer: Customer) -> None:
        _, refused = at_once(
            clock.step(customer.subaccount),
            clock.meanwhile(lambda: customer_care.pause(customer, message="", acting_user=ada)),
        )
        assert refused is None
        assert work_off(customer).state == State.ACTIVE
        tasks = PanelTask.objects.for_agency(customer.agency).filter(customer=customer, kind=PanelTask.Kind.BLOCK)
        assert tasks.count() == 1

    race("pause", one_round)


def test_an_agency_stopped_in_the_making_goes_on_later(race: Any, at_once: AtOnce, clock: Stopwatch):
    olu = factories.operator()

    def one_round(customer: Customer) -> None:
        at_once(
            clock.step(customer.subaccount),
            clock.meanwhile(lambda: operators.stop(customer.agency, reason="Race", acting_user=olu)),
        )
        operators.resume(customer.agency, reason="Race", acting_user=olu)
        assert work_off(customer).state == State.ACTIVE

    race("suspend", one_round)


def test_another_host_in_the_making_changes_nothing(race: Any, at_once: AtOnce, clock: Stopwatch, north: Agency):
    olu = factories.operator()
    operators.add_host(north, name="other.localhost", acting_user=olu)

    def one_round(customer: Customer) -> None:
        host = Host.objects.get(agency=north, is_canonical=False)
        _, refused = at_once(
            clock.step(customer.subaccount),
            clock.meanwhile(lambda: operators.make_canonical(host, acting_user=olu)),
        )
        assert refused is None
        assert work_off(customer).state == State.ACTIVE
        ours = Job.objects.for_agency(north).filter(customer_id=customer.pk, kind=Job.Kind.MAIL)
        jobs.run(ours.get().pk)
        assert ours.get().done_at is not None

    race("change of host", one_round)


def test_credentials_swapped_in_the_making_ask_once(
    race: Any, at_once: AtOnce, clock: Stopwatch, ada: User, north: Agency
):
    vendor_accounts.store(north, client_id=NORTH_KEYS[0], client_secret=NORTH_KEYS[1], acting_user=ada)

    def one_round(customer: Customer) -> None:
        account = customer.subaccount.vendor_account
        account.refresh_from_db()
        other = account.credentials.exclude(pk=account.active_credential_id).get()
        vendor_accounts.check(north, slot=other.slot, acting_user=ada)
        _, swapped = at_once(
            clock.step(customer.subaccount),
            clock.meanwhile(lambda: vendor_accounts.switch(north, slot=other.slot, acting_user=ada)),
        )
        assert not isinstance(swapped, Exception), swapped
        assert work_off(customer).state == State.ACTIVE

    race("swap of credentials", one_round)


def test_another_client_in_the_making_has_the_account_or_is_refused(
    race: Any,
    at_once: AtOnce,
    clock: Stopwatch,
    ada: User,
    north: Agency,
    sandbox: Sandbox,
    record_figure: RecordFigure,
):
    """Two vendor accounts that know nothing of each other; the agency goes over from one to the other, and back."""
    sandbox.add_account("second-id", "second-secret", packages=["pac_1", "pac_2"])
    vendor_accounts.store(north, client_id="second-id", client_secret="second-secret", acting_user=ada)
    outcomes: Counter[str] = Counter()

    def one_round(customer: Customer) -> None:
        account = customer.subaccount.vendor_account
        account.refresh_from_db()
        here, there = account.active_credential, account.credentials.exclude(pk=account.active_credential_id).get()
        assert vendor_accounts.check(north, slot=there.slot, acting_user=ada).is_good
        if clock.chance.random() < 0.5:
            sandbox.fault("/v4/subaccount/create", "reset_after")
        _, answer = at_once(  # either may be first: what is not asked for yet goes over, too
            clock.meanwhile(clock.step(customer.subaccount)),
            clock.meanwhile(lambda: vendor_accounts.switch(north, slot=there.slot, acting_user=ada)),
        )
        outcome = type(answer).__name__ if isinstance(answer, Exception) else answer.outcome
        outcomes[outcome] += 1
        assert outcome in ("ok", "InTheMaking", "misses_customers"), answer
        in_use = there if outcome == "ok" else here
        account.refresh_from_db()
        assert account.active_credential == in_use

        row = work_off(customer)

        made = [effect for effect in sandbox.effects("subaccount_created") if effect["email"] == customer.email]
        assert row.state == State.ACTIVE
        assert [(each["client_id"], each["subaccount"]) for each in made] == [(in_use.client_id, row.vendor_id)]
        # Whoever is closed is expected in no list: the next round may go over again.
        customer_care.close(customer, message="", acting_user=ada)

    race("change of client", one_round)
    assert outcomes.keys() > {"ok"}, "nobody went over, or nobody was refused: the race shows nothing"
    record_figure(f"Changes of client in the making ({connection.vendor})", dict(outcomes))
