"""Every order of what may happen to a wish, as hypothesis finds it; what is then so is oracle.py's."""

import contextlib
import sqlite3
from collections import Counter
from random import Random
from typing import Any, ClassVar

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accounts import (
    attention,
    customer_care,
    jobs,
    operators,
    outages,
    panel,
    pausing,
    provisioning,
    reconcile,
    vendor,
)
from accounts.attention import Choice
from accounts.errors import DoorError, NotAllowed
from accounts.models import Agency, State, Subaccount, VendorAccount
from coupontools_api.errors import CoupontoolsError
from coupontools_api.sandbox import Sandbox
from tests.accounts.reading import probe_due
from tests.machine.oracle import Oracle
from tests.machine.rules import draw, names, possible
from tests.machine.seen import Seen, customer_of, owner_of, prove, row_of
from tests.machine.stage import CREATE, DEATHS, FAULTS, GET, LIST, SSO, Stage, copy_of_database, dying

SIDES = ("north", "south")
APPROVING: tuple[tuple[str, ...], ...] = ((), ("south",), ("north", "south"))
STARTS = ("refused", "made", "waits")
SEEDS = st.integers(0, 2**32 - 1)
MOST_LEFT_OUT = 6
PACKAGE_REFUSED = 302
ADDRESSES = [f"shop{n}@trade.example" for n in range(4)]


class Machine(RuleBasedStateMachine):
    """One world: two agencies with the same few addresses among their customers."""

    sandbox: ClassVar[Sandbox]
    stage: ClassVar[Stage]
    steps: ClassVar[Counter[str]] = Counter()

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        """One address has signed up at both agencies and proved it: what North's has come to, and who asks first."""
        self.stage.begin()
        self.has_begun = True
        chance = self.chance(seed)
        approving, email, start = chance.choice(APPROVING), chance.choice(ADDRESSES), chance.choice(STARTS)
        self.left_out = set(chance.sample(names(), chance.randint(0, MOST_LEFT_OUT)))
        self.copy: sqlite3.Connection | None = None
        self.oracle = Oracle(self.stage)
        if start == "refused":
            self.sandbox.fault(CREATE, "status", status=422, codes=[PACKAGE_REFUSED])
        prove(self.stage.sign_up("north", email))
        while start != "waits" and (provisioning.attempt() or jobs.run()):
            pass
        pks = [self.stage.agencies[side].pk for side in approving]
        Agency.objects.filter(pk__in=pks).update(approval_required=True)
        second = self.stage.sign_up("south", email)
        if approving:
            prove(second)
        self.oracle.holds()

    @invariant()
    def read(self) -> None:
        self.seen = Seen(self.stage.agencies)

    def chance(self, seed: int) -> Random:
        """Another one for each profile of the vendor: hypothesis draws the same seeds for both."""
        return Random(f"{self.stage.email_unique} {seed}")

    def teardown(self) -> None:
        if getattr(self, "has_begun", False):
            self.oracle.ends_well()

    @rule(seed=SEEDS)
    def step(self, seed: int) -> None:
        """One of the rules that can do something now, but for those that this history leaves out.

        Hypothesis draws a seed and nothing else, because what is possible depends on the clock, too.
        """
        chance = self.chance(seed)
        getattr(self, draw(self, self.left_out, chance))(chance)

    # -- people ----------------------------------------------------------------------------------------------------

    @possible()
    def sign_up(self, chance: Random) -> None:
        """A shop signs up, perhaps its second one, perhaps at both agencies under one address."""
        side = chance.choice(SIDES)
        email = chance.choice(ADDRESSES)
        self.stage.sign_up(side, email)
        self.steps["sign up"] += 1

    @possible(lambda machine: machine.seen.in_state(State.AWAITING_EMAIL))
    def verify(self, chance: Random) -> None:
        assert prove(chance.choice(self.seen.in_state(State.AWAITING_EMAIL))) > 0
        self.steps["verify"] += 1

    @possible(lambda machine: machine.seen.which("waits_for_a_yes"), often=8)
    def approve(self, chance: Random) -> None:
        wish = chance.choice(self.seen.which("waits_for_a_yes"))
        attention.approve(row_of(wish), acting_user=self.stage.staff_of(wish))
        self.steps["approve"] += 1

    @possible(lambda machine: machine.seen.which("waits_for_a_choice"), often=12)
    def choose(self, chance: Random) -> None:
        """Staff make one of the choices that the console offers for a row that waits for them."""
        wish = chance.choice(self.seen.which("waits_for_a_choice"))
        row, staff = row_of(wish), self.stage.staff_of(wish)
        offered = [
            option.choice
            for option in attention.options(row)
            if option.choice in (Choice.RETRY, Choice.LOOK, Choice.DISMISS)
            or (option.choice == Choice.LINK and row.candidates)
        ]
        with contextlib.suppress(NotAllowed):
            match chance.choice(offered):
                case Choice.RETRY:
                    attention.retry(row, acting_user=staff)
                case Choice.LOOK:
                    attention.look(row, acting_user=staff)
                case Choice.DISMISS:
                    attention.dismiss(row, acting_user=staff)
                case Choice.LINK:
                    attention.link(row, vendor_id=row.candidates[0], reason="hers", acting_user=staff)
            self.steps["choose"] += 1

    @possible(lambda machine: machine.seen.which("is_open"))
    def suspend(self, chance: Random) -> None:
        """The agency pauses a customer, or lets one go on."""
        wish = chance.choice(self.seen.which("is_open"))
        customer, staff = customer_of(wish), self.stage.staff_of(wish)
        with contextlib.suppress(NotAllowed):
            if customer.paused_at:
                customer_care.resume(customer, acting_user=staff)
            else:
                customer_care.pause(customer, message="Call us.", acting_user=staff)
            self.steps["suspend"] += 1

    @possible()
    def stop_agency(self, chance: Random) -> None:
        """The operator stops an agency, or lets one go on."""
        side = chance.choice(SIDES)
        agency = Agency.objects.get(pk=self.stage.agencies[side].pk)
        change = operators.resume if agency.stopped_at else operators.stop
        change(agency, reason="asked", acting_user=self.stage.operator)
        self.steps["stop agency"] += 1

    @possible(lambda machine: machine.seen.which("may_be_deleted"))
    def delete(self, chance: Random) -> None:
        wish = chance.choice(self.seen.which("may_be_deleted"))
        with contextlib.suppress(NotAllowed):
            customer_care.close(customer_of(wish), message="", acting_user=self.stage.staff_of(wish))
            self.steps["delete"] += 1

    @possible(lambda machine: machine.seen.launched(), often=3)
    def launch(self, chance: Random) -> None:
        """One click: at most one call. It opens the panel of its own account, unless the vendor has a fault."""
        row = row_of(chance.choice(self.seen.launched()))
        url, made = self._click(row)
        assert len(made) <= 1
        if url:
            assert [effect["subaccount"] for effect in made] == [row.vendor_id]
            self.steps["launch"] += 1

    @possible(lambda machine: machine.seen.refused())
    def launch_in_vain(self, chance: Random) -> None:
        """For whom it is not no call is made."""
        assert self._click(row_of(chance.choice(self.seen.refused()))) == ("", [])
        self.steps["launch refused"] += 1

    def _click(self, row: Subaccount) -> tuple[str, list[Any]]:
        cache.clear()
        url, before = "", len(self.sandbox.effects("sign_on"))
        with contextlib.suppress(DoorError):
            url = panel.open_panel(row, acting_user=owner_of(row.customer))
        return url, self.sandbox.effects("sign_on")[before:]

    @possible()
    def swap_credentials(self, chance: Random) -> None:
        """The agency has a new secret made; it tells us at once, or the old one is refused for a while."""
        side = chance.choice(SIDES)
        forgets = chance.choice((True, False))
        self.stage.secrets[side] += 1
        self.stage.let_in(side)
        if not forgets:
            self.stage.tell_secret(side)
        self.steps["swap credentials"] += 1

    # -- backups and the comparison with the vendor's list -----------------------------------------------------------

    @possible()
    def back_up(self, chance: Random) -> None:
        self.copy = copy_of_database()
        self.steps["back up"] += 1

    @possible(lambda machine: machine.copy is not None)
    def restore(self, chance: Random) -> None:
        """What was written since the copy is forgotten here; the vendor forgets nothing."""
        assert self.copy is not None
        self.copy.backup(connection.connection)
        self.copy = None
        pausing.pause(why=pausing.RESTORED)
        for side in self.stage.agencies:
            self.stage.tell_secret(side)
            self.oracle.creates_stop(side)
            with pytest.raises(NotAllowed):  # it was not compared since
                pausing.acknowledge(self.stage.agencies[side], seen=None, acting_user=self.stage.operator)
        self.steps["restore"] += 1

    @possible(lambda machine: machine.seen.answered)
    def compare(self, chance: Random) -> None:
        side = chance.choice(self.seen.answered)
        with contextlib.suppress(vendor.Waiting, CoupontoolsError):
            reconcile.run(self.stage.agencies[side])
            self.steps["compare"] += 1

    @possible(lambda machine: machine.seen.compared, often=8)
    def acknowledge(self, chance: Random) -> None:
        """The operator has seen how the list and we differ: all of it is there to be seen."""
        side = chance.choice(self.seen.compared)
        agency = self.stage.agencies[side]
        account = VendorAccount.objects.get(agency=agency)
        pausing.acknowledge(agency, seen=account.reconciled_at, acting_user=self.stage.operator)
        self.oracle.creates_go_on(side)
        self.steps["acknowledge"] += 1

    # -- the worker, the clock, the vendor ---------------------------------------------------------------------------

    @possible(lambda machine: machine.seen.is_a_wish_due, often=3)
    def tick(self, chance: Random) -> None:
        self.steps["tick"] += provisioning.attempt()
        self.oracle.holds()

    @possible(lambda machine: machine.seen.is_work_due)
    def work(self, chance: Random) -> None:
        """The worker until nothing is due."""
        did = probe_due() > 0
        reconcile.schedule()
        outages.report(timezone.now())
        for _ in range(60):
            if not (provisioning.attempt() or jobs.run()):
                break
            did = True
        self.steps["work"] += did
        self.oracle.holds()

    @possible(often=2)
    def pass_time(self, chance: Random) -> None:
        seconds = chance.choice((1, 6, 31, 61, 130, 700, 4000))
        self.stage.pass_time(seconds)
        self.steps["pass time"] += 1

    @possible(lambda machine: machine.seen.is_a_wish_due or machine.seen.is_a_job_due, often=3)
    def kill(self, chance: Random) -> None:
        """A worker dies over what is due. One whose step had an end before that has lived, and done a step."""
        how = chance.choice(DEATHS)
        at = chance.randint(1, 4)
        of_jobs = chance.choice((True, False))
        is_job = self.seen.is_a_job_due and (of_jobs or not self.seen.is_a_wish_due)
        did = False
        with dying(how, at) as death:
            did = jobs.run() if is_job else provisioning.attempt()
        self.steps["kill"] += death.has_come
        self.steps["work" if is_job else "tick"] += did
        self.oracle.holds()

    @possible()
    def fault(self, chance: Random) -> None:
        kind = chance.choice(sorted(FAULTS))
        path = chance.choice((CREATE, CREATE, CREATE, LIST, GET, SSO))
        times = chance.choice((1, 1, 1, 6))
        given = FAULTS[kind]
        if kind == "wrong_id" and path == LIST:
            path = CREATE  # a list of other ids under the right addresses is the truth as far as anybody can know
        if kind == "wrong_id" and path == CREATE:
            # Somebody's id. One that nobody has, under the right address, is found out by the first reading only.
            made = [effect["subaccount"] for effect in self.sandbox.effects("subaccount_created")]
            if not made:
                return
            given = {"id": made[0]}
        self.sandbox.fault(path, kind.partition(" ")[0], times=times, **given)
        self.steps["fault"] += 1
