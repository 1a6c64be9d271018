"""The agency next door: it stands beside North in every test, with people of the same addresses and rows of each kind.

A query that forgets whose rows it asks for finds these, and the test that runs it reads another answer.
"""

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import connection
from django.utils import timezone

from accounts.crypto import seal
from accounts.models import (
    Agency,
    Cause,
    Credential,
    Customer,
    Event,
    Finding,
    Host,
    Invitation,
    Job,
    Membership,
    Note,
    Package,
    PanelTask,
    State,
    Subaccount,
    User,
    VendorAccount,
    VendorCall,
)

ADDRESSES = ("bo@shop.example", "kim@shop.example", "ada@north.example", "new@shop.example", "due@shop.example")


MODELS: tuple[type[Any], ...] = (
    *(Agency, Host, VendorAccount, Credential, Package, User, EmailAddress, Customer, Subaccount, Membership),
    *(Invitation, Note, PanelTask, Job, VendorCall, Finding),
)


# How a table without a column for the agency finds whose its rows are.
OF_AGENCY = {
    Agency: "id = %s",
    EmailAddress: "user_id IN (SELECT id FROM accounts_user WHERE agency_id = %s)",
    Credential: "vendor_account_id IN (SELECT id FROM accounts_vendoraccount WHERE agency_id = %s)",
    Membership: "customer_id IN (SELECT id FROM accounts_customer WHERE agency_id = %s)",
}


def rows_of(agency: Agency) -> dict[str, list[dict[str, Any]]]:
    """All that stands next door: the same at the end of a test as at its beginning. Plain SQL, as every test asks."""
    found = {}
    key = Agency._meta.pk.get_db_prep_value(agency.pk, connection)
    with connection.cursor() as cursor:
        for model in MODELS:
            is_theirs = OF_AGENCY.get(model, "agency_id = %s")
            cursor.execute(f"SELECT * FROM {model._meta.db_table} WHERE {is_theirs} ORDER BY id", [key])
            names = [column[0] for column in cursor.description]
            # What is sealed may be sealed anew.
            found[model.__name__] = [
                {
                    name: bool(value) if name.startswith("sealed_") else value
                    for name, value in zip(names, row, strict=True)
                }
                for row in cursor.fetchall()
            ]
    return found


def stand_beside() -> Agency:
    """Writes the agency next door. Once a process: tests begin with a copy (tests/copies.py)."""
    now = timezone.now()
    agency = Agency.objects.create(name="Next Door", product_name="Next Door", support_email="help@next.example")
    Host.objects.create(agency=agency, name="next-door.localhost", is_canonical=True)
    account = VendorAccount.objects.create(agency=agency)
    credential = Credential(vendor_account=account, slot=1)
    credential.put("next-door-id", "next-door-secret")
    credential.save()
    packages = Package.objects.bulk_create(
        Package(agency=agency, name=name, vendor_package_id="pac_1", position=0, is_recommended=True)
        for name in ("First", "Second")
    )
    people = [
        User(
            agency=agency, email=email, staff_role="owner" if "north" in email else "", password="!", first_name="Next"
        )
        for email in ADDRESSES
    ]
    for person in people:
        person.username = person.login_key
    User.objects.bulk_create(people)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=person, email=person.email, verified=True, primary=True) for person in people
    )
    states = (State.CREATING, State.CREATING, State.ACTIVE, State.NEEDS_REVIEW, State.REQUESTED)
    causes = {State.NEEDS_REVIEW: Cause.EMAIL_TAKEN_ELSEWHERE, State.REQUESTED: Cause.CREATES_PAUSED}
    customers = Customer.objects.bulk_create(
        Customer(
            agency=agency,
            package=packages[0],
            company_name="Next Door's",
            first_name="N",
            last_name="N",
            country="NL",
            email=person.email,
            created_at=now - timedelta(days=1),
        )
        for person in people
    )
    Subaccount.objects.bulk_create(
        Subaccount(
            agency=agency,
            customer=customer,
            vendor_account=account,
            email=customer.email,
            state=state,
            run_at=now + timedelta(days=3650) if state == State.REQUESTED else None,  # never due
            late_since=now,
            lease_owner="next-door" if state == State.CREATING else "",
            lease_until=now + timedelta(days=1) if state == State.CREATING else None,
            sealed_keys=seal("key:secret") if state == State.ACTIVE else "",
            vendor_id="sub_1001" if state == State.ACTIVE else "",
            refreshed_at=now + timedelta(days=3650) if state == State.ACTIVE else None,
            bound_at=now - timedelta(days=30) if state == State.ACTIVE else None,
            cause=causes.get(state, ""),
            had_unknown_outcome=state == State.NEEDS_REVIEW,
            changed_at=now - timedelta(days=30),
        )
        for customer, state in zip(customers, states, strict=True)
    )
    Membership.objects.bulk_create(
        Membership(person=person, customer=customer, role="owner")
        for person, customer in zip(people, customers, strict=True)
    )
    Invitation.objects.bulk_create(
        Invitation(
            agency=agency,
            email=email,
            staff_role="analyst",
            token_hash=f"next-door-{number}",
            expires_at=now + timedelta(days=7),
        )
        for number, email in enumerate(ADDRESSES)
    )
    Note.objects.create(agency=agency, customer=customers[0], author_id=people[0].pk, text="Next door")
    PanelTask.objects.create(agency=agency, customer=customers[0], kind=PanelTask.Kind.BLOCK)
    Job.objects.create(
        agency=agency, kind=Job.Kind.MAIL, run_at=None, payload={"mail": "invitation", "to": ADDRESSES[0]}
    )
    Finding.objects.create(agency=agency, kind=Finding.Kind.UNBOUND, vendor_id="sub_77", found_at=now)
    VendorCall.objects.create(agency=agency, endpoint="subaccount/list", milliseconds=900, outcome="NoAnswer")
    for kind, outcome in (("launch", "opened"), ("launch", "NoAnswer"), (f"subaccount.{State.CREATING.value}", "")):
        Event.objects.record(
            kind,
            agency=agency,
            customer=customers[0],
            acting_user=people[0],
            **({"outcome": outcome} if outcome else {}),
        )
    return agency
