"""Every order of what may happen to a wish, as hypothesis finds it; the sandbox's ledger says what is true."""

import contextlib
import sqlite3
from collections import Counter
from typing import Any, ClassVar

from django.core.cache import cache
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, precondition, rule

from accounts import (
    attention,
    customer_care,
    customers,
    jobs,
    operators,
    outages,
    panel,
    pausing,
    provisioning,
    reconcile,
    vendor,
    vendor_accounts,
)
from accounts.attention import Choice
from accounts.errors import DoorError, NotAllowed
from accounts.models import Agency, Customer, Event, Finding, State, Subaccount, User, VendorAccount
from accounts.provisioning import MAX_CREATES_IN_FLIGHT
from accounts.states import ALLOWED
from coupontools_api.errors import CoupontoolsError
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import probe_due
from tests.machine.stage import CREATE, DEATHS, FAULTS, GET, LIST, SSO, Stage, copy_of_database, dying

SETTLED = (State.ACTIVE, State.NEEDS_REVIEW, State.MISSING, State.CLOSED, State.AWAITING_EMAIL, State.AWAITING_APPROVAL)
LONGEST_WAIT = 61  # seconds: the faults throttle for 20, and an open breaker is probed every minute
SIDES = st.sampled_from(("north", "south"))
ADDRESSES = st.sampled_from([f"shop{n}@trade.example" for n in range(4)])


class Machine(RuleBasedStateMachine):
    """One world: two agencies with the same few addresses among their customers."""

    sandbox: ClassVar[Sandbox]
    stage: ClassVar[Stage]
    steps: ClassVar[Counter[str]] = Counter()

    wishes = Bundle("wishes")

    @initialize(target=wishes, approves=st.booleans(), email=ADDRESSES)
    def begin(self, approves: bool, email: str) -> Any:
        """One address has signed up at both agencies, and proved it at one."""
        self.stage.begin()
        self.has_begun = True
        Agency.objects.filter(pk=self.stage.agencies["south"].pk).update(approval_required=approves)
        first, second = (self.sign_up_at(side, email) for side in ("north", "south"))
        self.prove(first)
        self.copy: sqlite3.Connection | None = None
        self.proven: set[tuple[str, str]] = set()
        # Whose account was asked for, client id, address and company: also what a restored copy knows nothing of.
        self.begun: set[tuple[str, str, str]] = set()
        self.asked_when_paused: dict[str, int] = {}
        return multiple(first, second)

    def teardown(self) -> None:
        if getattr(self, "has_begun", False):
            self._ends_well()

    # -- people ----------------------------------------------------------------------------------------------------

    @rule(target=wishes, side=SIDES, email=ADDRESSES)
    def sign_up(self, side: str, email: str) -> int:
        """A shop signs up, perhaps its second one, perhaps at both agencies under one address."""
        self.steps["sign up"] += 1
        return self.sign_up_at(side, email)

    def sign_up_at(self, side: str, email: str) -> int:
        agency = Agency.objects.get(pk=self.stage.agencies[side].pk)
        owner = User.objects.filter(agency=agency, email=email).first()
        owner = owner or factories.person(agency, email, verified=False)
        return factories.customer(agency, owner, proven=False).pk

    @rule(wish=wishes)
    def verify(self, wish: int) -> None:
        self.steps["verify"] += 1
        if self._is_known(wish):
            self.prove(wish)

    def prove(self, wish: int) -> None:
        customer = self._customer(wish)
        customers.prove_mailbox(acting_user=self._owner(customer), email=customer.email)

    @rule(wish=wishes)
    def approve(self, wish: int) -> None:
        self.steps["approve"] += 1
        if not self._is_known(wish):
            return
        with contextlib.suppress(NotAllowed):
            attention.approve(self._row(wish), acting_user=self._staff(wish))

    @rule(wish=wishes, number=st.integers(0, 9))
    def choose(self, wish: int, number: int) -> None:
        """Staff make one of the choices that the console offers for a row that waits for them."""
        self.steps["choose"] += 1
        if not self._is_known(wish):
            return
        row, staff = self._row(wish), self._staff(wish)
        offered = [
            option.choice
            for option in attention.options(row)
            if option.choice in (Choice.RETRY, Choice.LOOK, Choice.LINK, Choice.DISMISS)
        ]
        if not offered:
            return
        with contextlib.suppress(NotAllowed):
            match offered[number % len(offered)]:
                case Choice.RETRY:
                    attention.retry(row, acting_user=staff)
                case Choice.LOOK:
                    attention.look(row, acting_user=staff)
                case Choice.DISMISS:
                    attention.dismiss(row, acting_user=staff)
                case Choice.LINK if row.candidates:
                    attention.link(row, vendor_id=row.candidates[0], reason="hers", acting_user=staff)

    @rule(wish=wishes)
    def suspend(self, wish: int) -> None:
        """The agency pauses a customer, or lets one go on."""
        self.steps["suspend"] += 1
        if not self._is_known(wish):
            return
        customer, staff = self._customer(wish), self._staff(wish)
        with contextlib.suppress(NotAllowed):
            if customer.paused_at:
                customer_care.resume(customer, acting_user=staff)
            else:
                customer_care.pause(customer, message="Call us.", acting_user=staff)

    @rule(side=SIDES)
    def stop_agency(self, side: str) -> None:
        """The operator stops an agency, or lets one go on."""
        self.steps["stop agency"] += 1
        agency = Agency.objects.get(pk=self.stage.agencies[side].pk)
        change = operators.resume if agency.stopped_at else operators.stop
        change(agency, reason="asked", acting_user=self.stage.operator)

    @rule(wish=wishes)
    def delete(self, wish: int) -> None:
        self.steps["delete"] += 1
        if not self._is_known(wish):
            return
        with contextlib.suppress(NotAllowed):
            customer_care.close(self._customer(wish), message="", acting_user=self._staff(wish))

    @rule(wish=wishes)
    def launch(self, wish: int) -> None:
        """One click: at most one call, and none for whom it is not."""
        self.steps["launch"] += 1
        if not self._is_known(wish):
            return
        cache.clear()
        row, before = self._row(wish), len(self.sandbox.effects("sign_on"))
        is_open = row.state == State.ACTIVE and row.customer.paused_at is None
        url = ""
        with contextlib.suppress(DoorError):
            url = panel.open_panel(row, acting_user=self._owner(row.customer))
        made = self.sandbox.effects("sign_on")[before:]
        assert len(made) <= (1 if is_open else 0)
        if url:
            assert [effect["subaccount"] for effect in made] == [row.vendor_id]

    @rule(side=SIDES, forgets=st.booleans())
    def swap_credentials(self, side: str, forgets: bool) -> None:
        """The agency has a new secret made; it tells us at once, or the old one is refused for a while."""
        self.steps["swap credentials"] += 1
        self.stage.secrets[side] += 1
        self.stage.let_in(side)
        if not forgets:
            self._tell_secret(side)

    def _tell_secret(self, side: str) -> None:
        agency = self.stage.agencies[side]
        vendor_accounts.connect(agency, client_id=self.stage.client_id(side), client_secret=self.stage.secret(side))

    # -- backups and the comparison with the vendor's list -----------------------------------------------------------

    @rule()
    def back_up(self) -> None:
        self.steps["back up"] += 1
        self.copy = copy_of_database()

    @precondition(lambda self: getattr(self, "copy", None) is not None)
    @rule()
    def restore(self) -> None:
        """What was written since the copy is forgotten here; the vendor forgets nothing."""
        self.steps["restore"] += 1
        assert self.copy is not None
        self.copy.backup(connection.connection)
        self.copy = None
        pausing.pause(why=pausing.RESTORED)
        for side in self.stage.agencies:
            self._tell_secret(side)
            self.asked_when_paused[side] = self._creates_asked(side)

    @rule(side=SIDES)
    def compare(self, side: str) -> None:
        self.steps["compare"] += 1
        with contextlib.suppress(vendor.Waiting, CoupontoolsError):
            reconcile.run(self.stage.agencies[side])

    @rule(side=SIDES)
    def acknowledge(self, side: str) -> None:
        """The operator has seen how the list and we differ: all of it is there to be seen."""
        self.steps["acknowledge"] += 1
        agency = self.stage.agencies[side]
        account = VendorAccount.objects.get(agency=agency)
        with contextlib.suppress(NotAllowed):
            pausing.acknowledge(agency, seen=account.reconciled_at, acting_user=self.stage.operator)
            del self.asked_when_paused[side]

    def _creates_asked(self, side: str) -> int:
        return sum(call.client_id == self.stage.client_id(side) for call in self.sandbox.requests(CREATE))

    def nothing_is_created_while_paused(self) -> None:
        for side, asked in getattr(self, "asked_when_paused", {}).items():
            assert self._creates_asked(side) == asked

    # -- the worker, the clock, the vendor ---------------------------------------------------------------------------

    @rule()
    def tick(self) -> None:
        self.steps["tick"] += 1
        provisioning.attempt()
        self._is_as_it_should_be()

    @rule()
    def work(self) -> None:
        """The worker until nothing is due."""
        self.steps["work"] += 1
        probe_due()
        reconcile.schedule()
        outages.report(timezone.now())
        for _ in range(60):
            if not (provisioning.attempt() or jobs.run()):
                break
        self._is_as_it_should_be()

    @rule(seconds=st.sampled_from((1, 6, 31, 61, 130, 700, 4000)))
    def pass_time(self, seconds: int) -> None:
        self.steps["pass time"] += 1
        self.stage.pass_time(seconds)

    @rule(how=st.sampled_from(DEATHS), at=st.integers(1, 4), of_jobs=st.booleans())
    def kill(self, how: str, at: int, of_jobs: bool) -> None:
        self.steps["kill"] += 1
        with dying(how, at):
            jobs.run() if of_jobs else provisioning.attempt()
        self._is_as_it_should_be()

    @rule(
        kind=st.sampled_from(sorted(FAULTS)),
        path=st.sampled_from((CREATE, CREATE, CREATE, LIST, GET, SSO)),
        times=st.sampled_from((1, 1, 1, 6)),
    )
    def fault(self, kind: str, path: str, times: int) -> None:
        self.steps["fault"] += 1
        given = FAULTS[kind]
        if kind == "wrong_id" and path == LIST:
            return  # a list of other ids under the right addresses is the truth as far as anybody can know
        if kind == "wrong_id" and path == CREATE:
            # Somebody's id. One that nobody has, under the right address, is found out by the first reading only.
            made = [effect["subaccount"] for effect in self.sandbox.effects("subaccount_created")]
            if not made:
                return
            given = {"id": made[0]}
        self.sandbox.fault(path, kind.partition(" ")[0], times=times, **given)

    # -- what is so after each step in which the worker did something ------------------------------------------------

    def _is_as_it_should_be(self) -> None:
        self.nothing_is_lost_or_doubled()
        self.nothing_is_created_while_paused()
        self.at_most_two_of_an_agency_are_in_the_making()

    def nothing_is_lost_or_doubled(self) -> None:
        effects = self.sandbox.effects("subaccount_created")
        rows = list(Subaccount.objects.across_agencies().filter(agency__in=self.stage.agencies.values()))
        made = {effect["subaccount"]: effect for effect in effects}
        bound = [row for row in rows if row.vendor_id]
        assert len({row.vendor_id for row in bound}) == len(bound), "one account for two customers"
        for row in bound:
            effect = made[row.vendor_id]
            assert effect["client_id"] == self._client_of(row), "the account of another agency"
            assert effect["email"] == row.email, "the account of another address"
        self.proven |= {(self._client_of(row), row.email) for row in rows if row.verified_at}
        calls = self.sandbox.requests(CREATE)
        asked = {(call.client_id, call.arguments["email"]) for call in calls if "email" in call.arguments}
        assert asked <= self.proven, "asked for an address that nobody proved"
        self.begun |= self._begun()
        wanted = {(effect["client_id"], effect["email"], effect["company_name"]) for effect in effects}
        assert wanted <= self.begun, "made for a wish that had not begun to ask"
        # Not one for each wish: what is listed under an address is bound to one, or shown to a person, and not made
        # again, whoever asks. A second attempt comes after a proven absence, and a proof that is wrong is a double.
        counts = Counter((effect["client_id"], effect["email"]) for effect in effects)
        assert set(counts.values()) <= {1}, "a second account for an address"

    def _begun(self) -> set[tuple[str, str, str]]:
        """The wishes that were CREATING once, as far as this database knows."""
        agencies = list(self.stage.agencies.values())
        moves = Event.objects.across_agencies().filter(kind=f"subaccount.{State.CREATING.value}", agency__in=agencies)
        keys = set(moves.values_list("object_id", flat=True))
        rows = Subaccount.objects.across_agencies().filter(agency__in=agencies).select_related("customer")
        return {(self._client_of(row), row.email, row.customer.company_name) for row in rows if str(row.pk) in keys}

    def at_most_two_of_an_agency_are_in_the_making(self) -> None:
        for agency in self.stage.agencies.values():
            in_flight = Subaccount.objects.for_agency(agency).filter(
                state=State.CREATING, lease_until__gt=timezone.now()
            )
            assert in_flight.count() <= MAX_CREATES_IN_FLIGHT

    def _ends_well(self) -> None:
        """The faults stop, agencies go on, time passes: every wish is settled, and every move was an allowed one."""
        self.sandbox.clear_faults()
        for side, agency in self.stage.agencies.items():
            Agency.objects.filter(pk=agency.pk).update(stopped_at=None)
            # Who is told a secret probes at once. Here the vendor takes again what it refused, and tells nobody.
            pair = VendorAccount.objects.get(agency=agency).active_credential
            self.stage.let_in(side, secret=pair.client_secret)
        self._vendor_is_asked_again()
        for side in self.stage.agencies:
            self._see_differences(side)
        rows = Subaccount.objects.across_agencies().filter(agency__in=self.stage.agencies.values())
        for _ in range(40):
            probe_due()
            while provisioning.attempt() or jobs.run():
                pass
            if not rows.exclude(state__in=SETTLED).exists():
                break
            self.stage.pass_time(130)
        stuck = list(rows.exclude(state__in=SETTLED).values_list("state", "cause", "attempts", "run_at"))
        assert stuck == [], "neither made nor in front of a person"
        self.nothing_is_lost_or_doubled()
        moves = Event.objects.across_agencies().filter(
            agency__in=self.stage.agencies.values(), kind__startswith="subaccount.", data__has_key="was"
        )
        for kind, was in moves.values_list("kind", "data__was"):
            to = kind.partition(".")[2]
            if to in State.values:
                assert State(to) in ALLOWED[State(was)]

    def _vendor_is_asked_again(self) -> None:
        """Nobody's hand closes a breaker or ends a pause: the prober does, once its time has come, and the clock."""
        self.stage.pass_time(LONGEST_WAIT)
        probe_due()
        accounts = VendorAccount.objects.filter(agency__in=self.stage.agencies.values())
        waits = Q(throttled_until__gt=timezone.now()) | ~Q(trouble="")
        stuck = list(accounts.filter(waits).values_list("trouble", "probe_at", "throttled_until"))
        assert stuck == [], "a vendor account that is never asked again"

    def _see_differences(self, side: str) -> None:
        """One comparison lists what is bound to nobody; after a restore an operator lets creates go on."""
        agency = self.stage.agencies[side]
        reconcile.run(agency)
        account = VendorAccount.objects.get(agency=agency)
        if account.creates_paused_at:
            ours = {effect["subaccount"] for effect in self.sandbox.effects("subaccount_created")}
            ours &= {row["ID"] for row in self.sandbox.subaccounts(self.stage.client_id(side))}
            rows = Subaccount.objects.for_agency(agency)
            listed = Finding.objects.for_agency(agency).open().values_list("vendor_id", flat=True)
            assert ours - set(rows.values_list("vendor_id", flat=True)) <= set(listed), "a difference that nobody sees"
            pausing.acknowledge(agency, seen=account.reconciled_at, acting_user=self.stage.operator)
        self.asked_when_paused.pop(side, None)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _is_known(self, wish: int) -> bool:
        """Not if it signed up after the copy that was restored. Its number may be somebody else's then: so what."""
        return Customer.objects.across_agencies().filter(pk=wish, agency__in=self.stage.agencies.values()).exists()

    def _row(self, wish: int) -> Subaccount:
        rows = Subaccount.objects.across_agencies().select_related(
            "agency", "customer__package", "customer__agency", "vendor_account__active_credential"
        )
        return rows.get(customer_id=wish)

    def _customer(self, wish: int) -> Customer:
        return Customer.objects.across_agencies().select_related("agency", "package", "subaccount").get(pk=wish)

    def _owner(self, customer: Customer) -> User:
        return User.objects.get(memberships__customer=customer)

    def _staff(self, wish: int) -> User:
        agency = self._row(wish).agency_id
        return next(person for person in self.stage.staff.values() if person.agency_id == agency)

    def _client_of(self, row: Subaccount) -> str:
        side = next(side for side, agency in self.stage.agencies.items() if agency.pk == row.agency_id)
        return self.stage.client_id(side)
