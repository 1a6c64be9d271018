"""What is so after every step of the machine, whatever the order; the sandbox's ledger says what is true."""

from collections import Counter

from django.db.models import Q
from django.utils import timezone

from accounts import jobs, pausing, provisioning, reconcile
from accounts.models import Agency, Event, Finding, State, Subaccount, VendorAccount
from accounts.provisioning import MAX_CREATES_IN_FLIGHT
from accounts.states import ALLOWED
from tests.accounts.reading import probe_due
from tests.machine.stage import CREATE, Stage

SETTLED = (State.ACTIVE, State.NEEDS_REVIEW, State.MISSING, State.CLOSED, State.AWAITING_EMAIL, State.AWAITING_APPROVAL)
LONGEST_WAIT = 61  # seconds: the faults throttle for 20, and an open breaker is probed every minute


class Oracle:
    """One history's: it remembers what a restored copy of the database knows nothing of."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._proven: set[tuple[str, str]] = set()
        self._begun: set[tuple[str, str, str]] = set()  # whose account was asked for: client id, address, company
        self._asked_when_paused: dict[str, int] = {}

    def holds(self) -> None:
        self._nothing_is_lost_or_doubled()
        self._nothing_is_created_while_paused()
        self._at_most_two_of_an_agency_are_in_the_making()

    def _nothing_is_lost_or_doubled(self) -> None:
        effects = self.stage.sandbox.effects("subaccount_created")
        rows = list(Subaccount.objects.across_agencies().filter(agency__in=self.stage.agencies.values()))
        made = {effect["subaccount"]: effect for effect in effects}
        bound = [row for row in rows if row.vendor_id]
        assert len({row.vendor_id for row in bound}) == len(bound), "one account for two customers"
        for row in bound:
            effect = made[row.vendor_id]
            assert effect["client_id"] == self.stage.client_of(row), "the account of another agency"
            assert effect["email"] == row.email, "the account of another address"
        self._proven |= {(self.stage.client_of(row), row.email) for row in rows if row.verified_at}
        calls = self.stage.sandbox.requests(CREATE)
        asked = {(call.client_id, call.arguments["email"]) for call in calls if "email" in call.arguments}
        assert asked <= self._proven, "asked for an address that nobody proved"
        self._begun |= self._known_to_have_begun()
        wanted = {(effect["client_id"], effect["email"], effect["company_name"]) for effect in effects}
        assert wanted <= self._begun, "made for a wish that had not begun to ask"
        # Not one for each wish: what is listed under an address is bound to one, or shown to a person, and not made
        # again, whoever asks. A second attempt comes after a proven absence, and a proof that is wrong is a double.
        counts = Counter((effect["client_id"], effect["email"]) for effect in effects)
        assert set(counts.values()) <= {1}, "a second account for an address"

    def _known_to_have_begun(self) -> set[tuple[str, str, str]]:
        """The wishes that were CREATING once, as far as this database knows."""
        agencies = list(self.stage.agencies.values())
        moves = Event.objects.across_agencies().filter(kind=f"subaccount.{State.CREATING.value}", agency__in=agencies)
        keys = set(moves.values_list("object_id", flat=True))
        rows = Subaccount.objects.across_agencies().filter(agency__in=agencies).select_related("customer")
        begun = (row for row in rows if str(row.pk) in keys)
        return {(self.stage.client_of(row), row.email, row.customer.company_name) for row in begun}

    def creates_stop(self, side: str) -> None:
        """From now on the vendor is to hear of no create of this agency."""
        self._asked_when_paused[side] = self._creates_asked(side)

    def creates_go_on(self, side: str) -> None:
        self._asked_when_paused.pop(side, None)

    def _creates_asked(self, side: str) -> int:
        return sum(call.client_id == self.stage.client_id(side) for call in self.stage.sandbox.requests(CREATE))

    def _nothing_is_created_while_paused(self) -> None:
        for side, asked in self._asked_when_paused.items():
            assert self._creates_asked(side) == asked

    def _at_most_two_of_an_agency_are_in_the_making(self) -> None:
        for agency in self.stage.agencies.values():
            in_flight = Subaccount.objects.for_agency(agency).filter(
                state=State.CREATING, lease_until__gt=timezone.now()
            )
            assert in_flight.count() <= MAX_CREATES_IN_FLIGHT

    def ends_well(self) -> None:
        """The faults stop, agencies go on, time passes: every wish is settled, and every move was an allowed one."""
        self.stage.sandbox.clear_faults()
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
        self._nothing_is_lost_or_doubled()
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
            ours = {effect["subaccount"] for effect in self.stage.sandbox.effects("subaccount_created")}
            ours &= {row["ID"] for row in self.stage.sandbox.subaccounts(self.stage.client_id(side))}
            rows = Subaccount.objects.for_agency(agency)
            listed = Finding.objects.for_agency(agency).open().values_list("vendor_id", flat=True)
            assert ours - set(rows.values_list("vendor_id", flat=True)) <= set(listed), "a difference that nobody sees"
            pausing.acknowledge(agency, seen=account.reconciled_at, acting_user=self.stage.operator)
        self.creates_go_on(side)
