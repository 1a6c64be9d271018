"""A lot of everything at one agency, or around one customer: what of it is seen by somebody else is a leak."""

import itertools
from datetime import timedelta

from django.utils import timezone

from accounts import people as people_doors
from accounts.models import (
    Agency,
    Customer,
    Event,
    Membership,
    Package,
    PanelTask,
    State,
    Subaccount,
    User,
    VendorAccount,
    VendorCall,
)
from tests import factories

_numbers = itertools.count(1)


def gather_at(agency: Agency, *, addresses: list[str], staff: User) -> None:
    """Customers in every state with all that hangs on them; their people have the given addresses, too."""
    now = timezone.now()
    Package.objects.create(agency=agency, name="Crowd", vendor_package_id="pac_2", is_recommended=True, position=1)
    owners = [
        User.objects.filter(agency=agency, email=email).first() or factories.person(agency, email)
        for email in addresses
    ]
    for number, state in enumerate(State):
        owner = owners[number % len(owners)]
        customer = factories.customer(agency, owner, company_name=f"Crowd {next(_numbers)}")
        _fill(customer, state, owner, staff, weeks=number)
    VendorAccount.objects.filter(agency=agency).update(
        trouble=VendorAccount.Trouble.UNREACHABLE, trouble_since=now - timedelta(hours=3), recent_failures=0b11111
    )
    for outcome in ("ok", "NoAnswer", "Unauthorized"):
        VendorCall.objects.create(agency=agency, endpoint="subaccount/list", milliseconds=900, outcome=outcome)
    for email in addresses:
        if not people_doors.open_invitations(agency).filter(email=email).exists():
            people_doors.invite_staff(agency=agency, email=email, staff_role="analyst", acting_user=None)


def gather_around(agency: Agency, *, staff: User, members: list[User]) -> None:
    """More customers of the same agency, with people of their own, and `members` of another customer as theirs, too."""
    for number, state in enumerate(State):
        owner = factories.person(agency)
        customer = factories.customer(agency, owner, company_name=f"Crowd {next(_numbers)}")
        factories.member(customer, "editor")
        for person in members:
            Membership.objects.create(person=person, customer=customer, role="editor")
        people_doors.invite_member(
            customer=customer, email=f"new{number}@crowd.example", role="viewer", acting_user=None
        )
        _fill(customer, state, owner, staff, weeks=number)


def _fill(customer: Customer, state: State, owner: User, staff: User, *, weeks: int) -> None:
    now, agency = timezone.now(), customer.agency
    is_made = state in (State.ACTIVE, State.MISSING)
    Customer.objects.for_agency(agency).filter(pk=customer.pk).update(
        created_at=now - timedelta(weeks=weeks),
        trial_ends_on=timezone.localdate() + timedelta(days=3),
        closed_at=now if state == State.CLOSED else None,
    )
    Subaccount.objects.for_agency(agency).filter(customer=customer).update(
        state=state,
        run_at=None,
        vendor_id=f"sub_{990_000 + customer.pk}" if is_made else "",
        bound_at=now - timedelta(weeks=3) if is_made else None,
        cause="email_taken" if state == State.NEEDS_REVIEW else "",
    )
    customer.notes.create(agency=agency, author_id=staff.pk, text="Crowd note")
    PanelTask.objects.create(agency=agency, customer=customer, kind=PanelTask.Kind.BLOCK)
    for outcome, milliseconds in (("opened", 4000), ("opened", 6000), ("NoAnswer", 5000)):
        Event.objects.record(
            "launch",
            agency=agency,
            customer=customer,
            acting_user=owner,
            about=customer.subaccount,
            outcome=outcome,
            ms=milliseconds,
        )
    VendorCall.objects.create(
        agency=agency, customer_id=customer.pk, endpoint="subaccount", milliseconds=700, outcome="NoAnswer"
    )
