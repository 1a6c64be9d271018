"""The part of access that serves the console: what staff may read of their own agency, or 404."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Concat, Trim
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import customer_list
from accounts.customer_list import WAITING_STATES, CustomerPage, Filters
from accounts.models import (
    IN_THE_MAKING,
    Agency,
    Cause,
    Customer,
    Finding,
    Package,
    PanelTask,
    State,
    Subaccount,
    VendorAccount,
)
from portal.access import PersonRequest

WAITING_PAGE = 100
Row = TypeVar("Row", bound=Model)


def customer_page_for_staff(request: PersonRequest, filters: Filters, *, after: str) -> CustomerPage:
    """One page of the agency's customers; 404 for a place in the list that nobody gave."""
    try:
        return customer_list.page(request.agency, filters, now=timezone.now(), after=after)
    except customer_list.BadCursor:
        raise Http404 from None


@dataclass(frozen=True)
class Member:
    """Somebody of a customer, as staff read it."""

    name: str
    email: str
    role: str
    is_suspended: bool


@dataclass(frozen=True)
class CustomerFile:
    """A customer as staff see it: with subaccount, package, people and what is open in the vendor's panel."""

    customer: Customer
    subaccount: Subaccount
    members: list[Member]
    tasks: list[PanelTask]

    @property
    def state(self) -> str:
        """The subaccount's state, or `paused`."""
        is_paused = self.customer.paused_at and self.subaccount.state != State.CLOSED
        return "paused" if is_paused else str(self.subaccount.state)


def customer_for_staff_or_404(request: PersonRequest, customer: UUID) -> Customer:
    """A customer of this agency with its subaccount and package, in one statement."""
    found = _customers_for_staff(request, customer).first()
    if found is None:
        raise Http404
    _attach_agency(found, request.agency)
    return found


def _customers_for_staff(request: PersonRequest, customer: UUID) -> QuerySet[Customer]:
    rows = Customer.objects.for_agency(request.agency).filter(public_id=customer)
    return rows.select_related("package", "subaccount__vendor_account__active_credential")


def _attach_agency(customer: Customer, agency: Agency) -> None:
    customer.agency = customer.subaccount.agency = agency
    customer.subaccount.customer = customer


def customer_file_or_404(request: PersonRequest, customer: UUID) -> CustomerFile:
    """The same with its people (one row each) and its open tasks, in two statements."""
    rows = list(
        _customers_for_staff(request, customer)
        .annotate(
            member_name=Trim(
                Concat("memberships__person__first_name", Value(" "), "memberships__person__last_name"),
            ),
            member_email=F("memberships__person__email"),
            member_role=F("memberships__role"),
            member_suspended_at=F("memberships__suspended_at"),
        )
        .order_by("memberships__pk")
    )
    if not rows:
        raise Http404
    found = rows[0]
    _attach_agency(found, request.agency)
    members = [
        Member(row.member_name, row.member_email, row.member_role, bool(row.member_suspended_at))
        for row in rows
        if row.member_role
    ]
    tasks = PanelTask.objects.for_agency(found.agency).filter(customer=found, done_at=None).order_by("created_at")
    return CustomerFile(found, found.subaccount, members, list(tasks))


def task_or_404(request: PersonRequest, customer: UUID, task: UUID) -> PanelTask:
    """A task of one of this agency's customers."""
    found = (
        PanelTask.objects.for_agency(request.agency)
        .select_related("customer__agency", "customer__subaccount")
        .filter(public_id=task, customer__public_id=customer)
        .first()
    )
    if found is None:
        raise Http404
    return found


@dataclass(frozen=True)
class Waiting(Generic[Row]):
    """One page of what waits, longest first. `next` is where the next page starts, empty if there is none."""

    rows: list[Row]
    next: str = ""
    is_first: bool = True


def moment_or_none(text: str) -> datetime | None:
    """A moment with its zone as an address carries it, if there is such a moment in UTC."""
    try:
        moment = parse_datetime(text.replace(" ", "+"))
        return moment.astimezone(UTC) if moment and timezone.is_aware(moment) else None
    except (ValueError, OverflowError):
        return None


def page_of(rows: QuerySet[Row], *, after: str, by: str = "") -> Waiting[Row]:
    """The page of rows that starts behind `after`, by a moment and by the key; 404 for a place that nobody gave."""
    if after:
        text, _underscore, key = after.rpartition("_")
        moment = moment_or_none(text)
        if bool(text) != bool(by) or (by and moment is None) or not (key.isascii() and key.isdigit() and len(key) < 18):
            raise Http404
        behind = Q(pk__gt=int(key))
        rows = rows.filter(Q(**{f"{by}__gt": moment}) | Q(**{by: moment}) & behind if by else behind)
    found = list(rows.order_by(*[by] if by else [], "pk")[: WAITING_PAGE + 1])
    shown = found[:WAITING_PAGE]
    if len(found) == len(shown):
        return Waiting(shown, is_first=not after)
    last = shown[-1]
    return Waiting(shown, f"{getattr(last, by).isoformat()}_{last.pk}" if by else str(last.pk), is_first=not after)


def waiting_for_staff(request: PersonRequest, *, dismissed: bool = False, after: str = "") -> Waiting[Subaccount]:
    """What waits for a person at this agency, longest first."""
    rows = Subaccount.objects.for_agency(request.agency).filter(
        state__in=WAITING_STATES, dismissed_at__isnull=not dismissed
    )
    return _subaccounts(request, rows, after)


def open_tasks(request: PersonRequest, *, after: str = "") -> Waiting[PanelTask]:
    """What is to be done by hand in the vendor's panel, oldest first."""
    rows = PanelTask.objects.for_agency(request.agency).filter(done_at=None)
    return page_of(rows.select_related("customer__subaccount"), after=after)


def number_in_the_making(agency: Agency) -> int:
    """How many customers have no account yet, and will."""
    return Subaccount.objects.for_agency(agency).filter(state__in=IN_THE_MAKING).count()


def findings_for_staff(request: PersonRequest, *, which: str = "", after: str = "") -> Waiting[Finding]:
    """Where the vendor's list and ours differ, longest first: to decide, set aside, or asked for by the worker."""
    rows = Finding.objects.for_agency(request.agency)
    if which == "set_aside":
        rows = rows.open().filter(dismissed_at__isnull=False)
    elif which == "absent":
        rows = rows.open().filter(kind=Finding.Kind.ABSENT, dismissed_at=None)
    else:
        rows = rows.to_decide()
    return page_of(rows.select_related("subaccount__customer"), by="found_at", after=after)


def first_findings(request: PersonRequest, number: int = 5) -> list[Finding]:
    """The first of them, for the attention list."""
    rows = Finding.objects.for_agency(request.agency).to_decide().select_related("subaccount__customer")
    return list(rows.order_by("found_at", "pk")[:number])


def finding_or_404(request: PersonRequest, finding: UUID) -> Finding:
    """A finding of this agency."""
    rows = Finding.objects.for_agency(request.agency).select_related("agency", "subaccount__customer")
    found = rows.filter(public_id=finding).first()
    if found is None:
        raise Http404
    return found


def approvals_for_staff(request: PersonRequest, *, after: str = "") -> Waiting[Subaccount]:
    """The sign-ups that wait for a yes, longest first; not those that wait for room."""
    rows = Subaccount.objects.for_agency(request.agency).filter(state=State.AWAITING_APPROVAL, cause=Cause.NONE)
    return _subaccounts(request, rows, after)


def _subaccounts(request: PersonRequest, rows: QuerySet[Subaccount], after: str) -> Waiting[Subaccount]:
    page = page_of(rows.select_related("customer__package"), by="changed_at", after=after)
    for subaccount in page.rows:
        _attach_agency(subaccount.customer, request.agency)
    return page


def packages_of(agency: Agency, *, archived: bool = False) -> list[Package]:
    """All packages of an agency, those for assigning only among them; the archived ones if asked for."""
    rows = Package.objects.for_agency(agency).order_by("position", "pk")
    return list(rows if archived else rows.filter(archived_at=None))


def vendor_account_of(agency: Agency) -> VendorAccount:
    """The agency's vendor account with the credential in use."""
    found = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    found.agency = agency
    return found
