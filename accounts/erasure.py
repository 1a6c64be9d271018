"""Doors that erase: a person, or a closed customer with all that is known of it.

Rows of a person go; of a customer the row stays, without a name, because the vendor's id must stay bound: the same
account is never linked twice. Events stay, they hold ids only. What the vendor keeps is taken out by hand, which a
PanelTask says. Mails that were sent are out of our hands.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import attention, customer_care, people, personal_data, search
from accounts.errors import NotAllowed
from accounts.models import (
    Agency,
    Campaign,
    Customer,
    Event,
    Invitation,
    Job,
    Membership,
    Note,
    PanelTask,
    State,
    Subaccount,
    User,
)

OWNER = Membership.Role.OWNER
SETTLED = (State.ACTIVE, State.MISSING, State.CLOSED)


class Why(StrEnum):
    """Why something is erased. A word of this list, not a text: texts may name people."""

    OWN_WISH = "own_wish"
    ASKED = "asked"
    CUSTOMER_CLOSED = "customer_closed"
    NEVER_PROVEN = "never_proven"


class Obstacle(StrEnum):
    """What has to be settled before a person can be erased."""

    ONLY_OWNER_OF_AGENCY = "only_owner_of_agency"
    ONLY_OWNER_OF_CUSTOMER = "only_owner_of_customer"
    LAST_OPERATOR = "last_operator"
    IN_THE_MAKING = "in_the_making"
    TEAMMATE = "teammate"
    SUPPORT_ADDRESS = "support_address"


@dataclass(frozen=True)
class Tie:
    """What binds a person to a customer: they belong to it, it is in their name, or both. `others` belong to it, too:
    owners who can come in first.
    """

    customer: Customer
    membership: Membership | None
    others: list[Membership]
    is_contact: bool


class CannotErase(NotAllowed):
    """Something has to be settled first: `obstacle` says what."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle


def obstacles(person: User) -> list[Obstacle]:
    """What stands in the way of erasing this person now; for pages. The door asks again, under the lock."""
    found: set[Obstacle] = set()
    if person.agency is None:
        if not User.objects.filter(agency=None, is_staff=True, is_active=True).exclude(pk=person.pk).exists():
            found.add(Obstacle.LAST_OPERATOR)
        return sorted(found)
    owners = User.objects.filter(agency=person.agency, staff_role=User.StaffRole.OWNER, is_active=True)
    if person.staff_role == User.StaffRole.OWNER and not owners.exclude(pk=person.pk).exists():
        found.add(Obstacle.ONLY_OWNER_OF_AGENCY)
    if person.teammate_id:
        found.add(Obstacle.TEAMMATE)  # the vendor's panel knows them, and only an owner can take them out there
    if person.agency.support_email.lower() in personal_data.addresses_of(person):
        found.add(Obstacle.SUPPORT_ADDRESS)
    for tie in _ties(person):
        if tie.customer.closed_at is None and (obstacle := _obstacle_at(tie)):
            found.add(obstacle)
    return sorted(found)


def may_erase(acting: User, person: User) -> bool:
    """Everybody themselves; owners of the agency everybody in it."""
    if acting.pk == person.pk:
        return True
    is_of_agency = acting.agency_id is not None and acting.agency_id == person.agency_id
    return is_of_agency and acting.is_active and acting.staff_role == User.StaffRole.OWNER


@transaction.atomic
def erase_person(person: User, *, why: Why, acting_user: User) -> None:
    """Takes everything of one person out: their sign-in, sessions, addresses, invitations and mails, and their name
    where a customer is in it, whether or not they belong to it. Closed customers that were theirs alone are erased
    with them. The address may sign up again, as somebody new. Raises NotAllowed, CannotErase.
    """
    acting, row = _locked(person, acting_user)
    if not may_erase(acting, row):
        raise NotAllowed("Not this person's to erase.")
    if found := obstacles(row):
        raise CannotErase(found[0])
    _erase_person(row, why, acting)


@transaction.atomic
def erase_customer(customer: Customer, *, why: Why, acting_user: User) -> None:
    """Takes everything personal out of a closed customer, and erases its people who sign in for nothing else.

    For owners of the agency. Raises NotAllowed if it is open, or was erased already.
    """
    acting = User.objects.filter(pk=acting_user.pk, agency=customer.agency, is_active=True).first()
    if acting is None or acting.staff_role != User.StaffRole.OWNER:
        raise NotAllowed("Only an owner of the agency erases a customer.")
    for membership in customer.memberships.select_related("person").order_by("person"):
        _hold_addresses(membership.person)
    Agency.objects.select_for_update(no_key=True).get(pk=customer.agency_id)
    wishes_of([customer.pk], customer.agency)
    rows = Customer.objects.for_agency(customer.agency).select_for_update(of=("self",))
    row = rows.select_related("agency", "subaccount").filter(pk=customer.pk, erased_at=None).first()
    if row is None or row.closed_at is None:
        raise NotAllowed("Only a closed customer is erased, and once.")
    members = [membership.person for membership in row.memberships.select_related("person__agency")]
    _erase_customer(row, why, acting)
    for person in members:
        if not (person.staff_role or person.memberships.exists() or personal_data.in_the_name_of(person).exists()):
            _erase_person(person, Why.CUSTOMER_CLOSED, acting)


@transaction.atomic
def erase_never_proven(person: User) -> bool:
    """Erases somebody who signed up and never proved the address, with what they signed up for. For the worker.

    False, and nothing is done, where it turns out that they did prove it, or belong here by other means.
    """
    assert person.agency is not None
    _hold_addresses(person)
    Agency.objects.select_for_update(no_key=True).get(pk=person.agency.pk)
    customers_of(person)
    row = personal_data.never_proven().select_related("agency").filter(pk=person.pk).first()
    if row is None:
        return False
    signed_up_for = [tie.customer.pk for tie in _ties(row)]
    _erase_person(row, Why.NEVER_PROVEN, None)
    # The vendor never heard of it: there is no binding to keep, and no row either.
    Subaccount.objects.for_agency(row.agency).filter(customer__in=signed_up_for).delete()
    Customer.objects.for_agency(row.agency).filter(pk__in=signed_up_for).delete()
    return True


# -- a person ------------------------------------------------------------------------------------------------------


def _locked(person: User, acting_user: User) -> tuple[User, User]:
    """Both as they are now, behind the agency's lock and those of the customers: two owners come one by one."""
    if person.agency_id is not None:
        _hold_addresses(person)
        Agency.objects.select_for_update(no_key=True).get(pk=person.agency_id)
        customers_of(person)
    found = {row.pk: row for row in User.objects.select_related("agency").filter(pk__in=(person.pk, acting_user.pk))}
    acting, row = found.get(acting_user.pk), found.get(person.pk)
    if acting is None or row is None:
        raise NotAllowed("Gone already.")
    return acting, row


def _hold_addresses(person: User) -> None:
    """Before all else: whoever enters a code just now has the address, then the wish (customers.prove_mailbox)."""
    list(person.emailaddress_set.select_for_update())  # type: ignore[attr-defined]  # allauth's, unknown to the stubs


def customers_of(person: User) -> list[int]:
    """The keys of the customers that the person belongs to or that are in their name, whose rows are held from here
    on, with those of their wishes.
    """
    wishes_of([row.pk for row in _tied(person)], person.agency)
    return [row.pk for row in _tied(person).select_for_update(no_key=True, of=("self",))]


def wishes_of(customers: list[int], agency: Agency | None) -> list[int]:
    """The keys of the customers' wishes, whose rows are held from here on: before those of the customers, as the worker
    takes them. In the other order the two could wait for each other.
    """
    wishes = Subaccount.objects.for_agency(agency).filter(customer__in=customers).order_by("pk")
    return [row.pk for row in wishes.select_for_update().only("pk")]


def _tied(person: User) -> QuerySet[Customer]:
    own = Membership.objects.for_agency(person.agency).filter(person=person).values("customer")
    named = personal_data.in_the_name_of(person).values("pk")
    return Customer.objects.for_agency(person.agency).filter(Q(pk__in=own) | Q(pk__in=named)).order_by("pk")


def _ties(person: User) -> list[Tie]:
    rows = Membership.objects.for_agency(person.agency).filter(person=person).select_related("person")
    own, proven = {row.customer_id: row for row in rows}, personal_data.proven_addresses_of(person)
    ties = []
    for customer in _tied(person).select_related("agency", "subaccount"):
        membership, others = own.get(customer.pk), _others(customer, person)
        is_named = customer.contact_id == person.pk or _is_at(customer, proven)
        is_contact = is_named or (membership is not None and _is_contact(customer, membership, others))
        ties.append(Tie(customer, membership, others, is_contact))
    return ties


def _others(customer: Customer, person: User) -> list[Membership]:
    """Who else belongs to the customer: owners who can come in first, then who is its contact, then the longest."""
    rows = customer.memberships.exclude(person=person).select_related("person").order_by("pk")
    return sorted(rows, key=lambda other: (not _is_owner(other), other.person_id != customer.contact_id))


def _is_owner(membership: Membership) -> bool:
    return membership.role == OWNER and membership.suspended_at is None and membership.person.is_active


def _is_at(customer: Customer, addresses: Collection[str]) -> bool:
    """Whether the portal or the vendor reaches the customer at one of these addresses."""
    return customer.email.lower() in addresses or customer.subaccount.email.lower() in addresses


def _is_contact(customer: Customer, membership: Membership, others: Collection[Membership]) -> bool:
    """Whether a customer that names nobody's sign-in is a member's: by the name, or because it is nobody else's."""
    person = membership.person
    if customer.contact_id is not None:
        return False  # it is in somebody else's name, whatever this person calls themselves
    if person.last_name and (customer.first_name, customer.last_name) == (person.first_name, person.last_name):
        return True
    return membership.role == OWNER and customer.email.lower() not in {other.person.email for other in others}


def _obstacle_at(tie: Tie) -> Obstacle | None:
    """What has to be settled at an open customer before somebody who belongs to it, or is its contact, is erased."""
    owns = tie.membership is not None and tie.membership.role == OWNER
    if (owns or tie.is_contact) and not (tie.others and _is_owner(tie.others[0])):
        return Obstacle.ONLY_OWNER_OF_CUSTOMER
    if tie.is_contact and tie.customer.subaccount.state not in SETTLED:
        return Obstacle.IN_THE_MAKING  # the vendor is, or was, asked for an account with this address
    return None


def _erase_person(person: User, why: Why, acting: User | None) -> None:
    agency = person.agency
    # First what is found by an address: a customer that is put in another's name no longer tells it.
    mails, invitations = personal_data.jobs_to(person), personal_data.invitations_to(person)
    if why is Why.NEVER_PROVEN:
        # Who was invited at that address may be somebody else, who reads the mail there: their link stays good.
        mails, invitations = mails.exclude(payload__mail="invitation"), invitations.none()
    mails.delete()
    _end_sessions(person)
    invitations.delete()
    personal_data.notes_about(person).delete()
    for tie in _ties(person):
        _blank_in_notes(tie.customer, person)
        _leave(tie, person, why, acting)
    Event.objects.record("person.erased", agency=agency, acting_user=acting, about=person, why=why.value)
    User.objects.filter(pk=person.pk).delete()
    if agency is not None:
        people.withdraw_invitations_of(person, agency=agency, acting_user=acting)


def _leave(tie: Tie, person: User, why: Why, acting: User | None) -> None:
    """Takes a person out of one customer; what was in their name is in another's now, or nobody's."""
    customer = tie.customer
    if tie.membership is not None:
        Event.objects.record(
            "member.erased",
            agency=customer.agency,
            customer=customer,
            about=person,
            acting_user=acting,
            was=tie.membership.role,
        )
    if tie.is_contact:
        if tie.others:
            _hand_contact_over(customer, tie.others[0].person, acting)
        elif customer.erased_at is None:
            _erase_customer(customer, why, acting)
    if tie.membership is not None:
        tie.membership.delete()


def _blank_in_notes(customer: Customer, person: User) -> None:
    """Takes a name and addresses out of what staff have written about a customer that goes on."""
    words = set(personal_data.addresses_of(person))
    if person.first_name and person.last_name:  # one name alone is a word of many other texts
        words.add(person.get_full_name())
    for word in words:
        for note in customer.notes.filter(text__icontains=word):
            note.text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "…", note.text, flags=re.IGNORECASE)
            note.save(update_fields=["text"])


def _hand_contact_over(customer: Customer, person: User, acting: User | None) -> None:
    """Puts a customer in the name of another of its people. The vendor is told by hand."""
    subaccount = customer.subaccount
    customer.first_name, customer.last_name, customer.email = person.first_name, person.last_name, person.email
    customer.contact = person
    customer.save(update_fields=["first_name", "last_name", "email", "contact"])
    rows = Subaccount.objects.for_agency(customer.agency).filter(pk=subaccount.pk, state__in=SETTLED)
    if not rows.update(email=person.email):
        raise CannotErase(Obstacle.IN_THE_MAKING)
    search.index(customer, subaccount.vendor_id)
    customer_care.put_task(customer, PanelTask.Kind.ERASE_CONTACT)
    Event.objects.record(
        "customer.contact_changed", agency=customer.agency, customer=customer, about=person, acting_user=acting
    )


def _end_sessions(person: User) -> None:
    """Deletes every session of the agency that names the person: signed in, or half-way in with a code on its way."""
    words = {str(person.pk), person.pk.hex, *personal_data.addresses_of(person)}
    keys = [
        session.session_key
        for session in Session.objects.iterator()
        if (data := session.get_decoded()).get("scope", person.scope) == person.scope and _names_one(data, words)
    ]
    for start in range(0, len(keys), 500):
        Session.objects.filter(session_key__in=keys[start : start + 500]).delete()


def _names_one(value: Any, words: Collection[str]) -> bool:
    """Whether one of the words stands there as a whole: an address is the end of many longer ones."""
    if isinstance(value, dict):
        return any(_names_one(part, words) for part in value.values())
    if isinstance(value, list):
        return any(_names_one(part, words) for part in value)
    return str(value).lower() in words


# -- a customer ----------------------------------------------------------------------------------------------------


def _erase_customer(customer: Customer, why: Why, acting: User | None) -> None:
    """Blanks a closed customer and deletes what hangs on it. The rows of the wish and of the events stay."""
    agency, subaccount = customer.agency, customer.subaccount
    Note.objects.for_agency(agency).filter(customer=customer).delete()
    Invitation.objects.for_agency(agency).filter(customer=customer).delete()
    Campaign.objects.for_agency(agency).filter(subaccount=subaccount).delete()
    jobs = Job.objects.for_agency(agency)
    jobs.filter(customer_id=customer.pk).delete()
    jobs.filter(payload__customer=customer.pk).delete()
    Subaccount.objects.for_agency(agency).filter(pk=subaccount.pk).update(email="", facts={}, sealed_keys="")
    customer.company_name, customer.erased_at = customer.reference, timezone.now()
    customer.first_name = customer.last_name = customer.email = customer.message = ""
    customer.contact = None  # there is no name any more that could be theirs
    customer.save(update_fields=["company_name", "erased_at", "first_name", "last_name", "email", "message", "contact"])
    search.index(customer, subaccount.vendor_id)
    if (at_vendor := _at_vendor(subaccount)) is not None:
        customer_care.drop_task(customer, PanelTask.Kind.DELETE)
        PanelTask.objects.create(agency=agency, customer=customer, kind=PanelTask.Kind.ERASE, data=at_vendor)
    Event.objects.record("customer.erased", agency=agency, customer=customer, acting_user=acting, why=why.value)
    Membership.objects.for_agency(agency).filter(customer=customer).delete()


def _at_vendor(subaccount: Subaccount) -> dict[str, Any] | None:
    """By what somebody finds the customer in the vendor's panel, beside its account; None if the vendor never heard
    of it."""
    if subaccount.vendor_id:
        return {} if subaccount.is_bound_here else {"left": True}
    if unproven := attention.unproven_accounts(subaccount):
        return {"unproven": unproven}
    asked_at = subaccount.create_started_at
    return {"date": asked_at.date().isoformat()} if subaccount.had_unknown_outcome and asked_at else None
