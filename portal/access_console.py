"""The part of access that serves the console: what staff may read of their own agency, or 404."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat, Trim
from django.http import Http404
from django.utils import timezone

from accounts import customer_list
from accounts.customer_list import WAITING_STATES, CustomerPage, Filters
from accounts.models import Agency, Customer, Package, PanelTask, State, Subaccount, VendorAccount
from portal.access import PersonRequest


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
    tasks = PanelTask.objects.for_agency(request.agency).filter(customer=found, done_at=None).order_by("created_at")
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


def waiting_for_staff(request: PersonRequest, *, dismissed: bool = False, limit: int = 200) -> list[Subaccount]:
    """What waits for a person at this agency, longest first."""
    rows = (
        Subaccount.objects.for_agency(request.agency)
        .filter(state__in=WAITING_STATES, dismissed_at__isnull=not dismissed)
        .select_related("customer__package")
        .order_by("changed_at")[:limit]
    )
    found = list(rows)
    for subaccount in found:
        _attach_agency(subaccount.customer, request.agency)
    return found


def open_tasks(request: PersonRequest, limit: int = 100) -> list[PanelTask]:
    """What is to be done by hand in the vendor's panel, oldest first."""
    rows = PanelTask.objects.for_agency(request.agency).filter(done_at=None)
    return list(rows.select_related("customer__subaccount").order_by("created_at")[:limit])


def approvals_for_staff(request: PersonRequest, limit: int = 200) -> list[Subaccount]:
    """The sign-ups that wait for a yes, longest first."""
    rows = (
        Subaccount.objects.for_agency(request.agency)
        .filter(state=State.AWAITING_APPROVAL)
        .select_related("customer__package")
        .order_by("changed_at")[:limit]
    )
    found = list(rows)
    for subaccount in found:
        _attach_agency(subaccount.customer, request.agency)
    return found


def packages_of(agency: Agency, *, archived: bool = False) -> list[Package]:
    """All packages of an agency, those for assigning only among them; the archived ones if asked for."""
    rows = Package.objects.for_agency(agency).order_by("position", "pk")
    return list(rows if archived else rows.filter(archived_at=None))


def vendor_account_of(agency: Agency) -> VendorAccount:
    """The agency's vendor account with the credential in use."""
    found = VendorAccount.objects.select_related("active_credential").get(agency=agency)
    found.agency = agency
    return found
