"""What the database holds after a step: which rules can do something now, and for whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q
from django.utils import timezone

from accounts import claims, customers, pausing
from accounts.models import Agency, Cause, Customer, Job, State, Subaccount, User, VendorAccount


@dataclass(frozen=True)
class Wish:
    """One customer's, as far as a rule asks."""

    customer: int
    state: str
    cause: str
    is_paused: bool
    is_asked: bool  # whether calls reach its vendor account: the agency is at work, the breaker closed

    @property
    def is_open(self) -> bool:
        return self.state != State.CLOSED

    @property
    def may_be_deleted(self) -> bool:
        return self.is_open and self.state not in (State.CREATING, State.UNCERTAIN)

    @property
    def waits_for_a_yes(self) -> bool:
        return self.state == State.AWAITING_APPROVAL and self.cause != Cause.NO_ROOM

    @property
    def waits_for_a_choice(self) -> bool:
        return self.state in (State.NEEDS_REVIEW, State.MISSING)

    @property
    def may_be_launched(self) -> bool:
        return self.state == State.ACTIVE and not self.is_paused


class Seen:
    """What is so after a step, each part read when the first rule asks for it."""

    def __init__(self, agencies: dict[str, Agency]) -> None:
        self._agencies, self._ours = agencies, Q(agency__in=agencies.values())
        self._due = claims.due(timezone.now())

    @cached_property
    def wishes(self) -> list[Wish]:
        rows = Subaccount.objects.across_agencies().filter(self._ours).order_by("pk")
        read = ("customer_id", "state", "cause", "customer__paused_at", "agency__stopped_at", "vendor_account__trouble")
        return [
            Wish(customer, state, cause, paused is not None, stopped is None and not trouble)
            for customer, state, cause, paused, stopped, trouble in rows.values_list(*read)
        ]

    @cached_property
    def is_a_wish_due(self) -> bool:
        return Subaccount.objects.across_agencies().filter(self._ours, self._due).exists()

    @cached_property
    def is_a_job_due(self) -> bool:
        return Job.objects.across_agencies().filter(self._ours, self._due).exists()

    @property
    def is_a_probe_due(self) -> bool:
        now = timezone.now()
        return any(account.probe_at and account.probe_at <= now for account in self._accounts.values())

    @property
    def is_work_due(self) -> bool:
        return self.is_a_wish_due or self.is_a_job_due or self.is_a_probe_due

    @cached_property
    def _accounts(self) -> dict[str, VendorAccount]:
        by_agency = {account.agency_id: account for account in VendorAccount.objects.filter(self._ours)}
        return {side: by_agency[agency.pk] for side, agency in self._agencies.items()}

    @property
    def compared(self) -> list[str]:
        return [side for side, account in self._accounts.items() if pausing.is_compared(account)]

    @property
    def answered(self) -> list[str]:
        return [side for side, account in self._accounts.items() if not account.trouble]

    def which(self, name: str) -> list[int]:
        """The customers whose wish is so, by the name of a property."""
        return _customers(wish for wish in self.wishes if getattr(wish, name))

    def in_state(self, state: State) -> list[int]:
        return _customers(wish for wish in self.wishes if wish.state == state)

    def launched(self) -> list[int]:
        """Those whose launch is answered, unless the vendor has a fault."""
        return _customers(wish for wish in self.wishes if wish.may_be_launched and wish.is_asked)

    def refused(self) -> list[int]:
        """Those whose launch no vendor hears of."""
        return _customers(wish for wish in self.wishes if not wish.may_be_launched)


def _customers(wishes: Iterable[Wish]) -> list[int]:
    return [wish.customer for wish in wishes]


def row_of(wish: int) -> Subaccount:
    rows = Subaccount.objects.across_agencies().select_related(
        "agency", "customer__package", "customer__agency", "vendor_account__active_credential"
    )
    return rows.get(customer_id=wish)


def customer_of(wish: int) -> Customer:
    return Customer.objects.across_agencies().select_related("agency", "package", "subaccount").get(pk=wish)


def owner_of(customer: Customer) -> User:
    return User.objects.get(memberships__customer=customer)


def prove(wish: int) -> int:
    """How many wishes went on."""
    customer = customer_of(wish)
    return customers.prove_mailbox(acting_user=owner_of(customer), email=customer.email)
