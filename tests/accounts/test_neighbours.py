"""A door leaves the rows of the neighbours alone: of another agency, and of another customer of the same one."""

from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts import attention, customer_care, customers, people, provisioning, search, vendor_accounts
from accounts.errors import NotAllowed
from accounts.models import (
    Agency,
    Cause,
    Customer,
    Event,
    PanelTask,
    SearchWord,
    State,
    Subaccount,
    UnscopedQuery,
    User,
    VendorAccount,
)
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def kims_company(north: Agency) -> Customer:
    """Another customer of the same agency."""
    return factories.customer(north, factories.person(north, "kim@kims.example"), company_name="Kim's")


@pytest.fixture
def cys_company(south: Agency, cy: User) -> Customer:
    """A customer of another agency."""
    return factories.customer(south, cy, company_name="Cy's")


@pytest.fixture
def sam(north: Agency) -> User:
    return factories.staff(north, "sam@north.example", "support")


def review(customer: Customer, **changes: Any) -> Subaccount:
    rows = Subaccount.objects.for_agency(customer.agency).filter(customer=customer)
    rows.update(
        state=State.NEEDS_REVIEW, cause=Cause.EMAIL_TAKEN_ELSEWHERE, run_at=None, first_look="absent", **changes
    )
    return rows.select_related("agency", "customer").get()


def invitations(customer: Customer) -> list[str]:
    rows = people.open_invitations(customer.agency).filter(customer=customer)
    return sorted(rows.values_list("email", flat=True))


def test_another_address_that_a_neighbours_owner_has_is_invited_all_the_same(
    bos_company: Customer, kims_company: Customer, sam: User
):
    attention.change_address(review(bos_company), email="kim@kims.example", acting_user=sam)

    assert invitations(bos_company) == ["kim@kims.example"]


def test_an_address_proven_at_another_agency_is_not_proven_here(
    bos_company: Customer, bo: User, south: Agency, sam: User
):
    factories.person(south, "bo@shop.example")
    EmailAddress.objects.filter(user=bo).update(verified=False)

    attention.change_address(review(bos_company, email="old@shop.example"), email="bo@shop.example", acting_user=sam)

    assert Subaccount.objects.for_agency(bos_company.agency).get(customer=bos_company).state == State.AWAITING_EMAIL


def test_a_changed_address_leaves_the_neighbours_invitations_open(
    north: Agency, kims_company: Customer, ada: User, sam: User
):
    added = customer_care.add(
        agency=north,
        package=kims_company.package,
        company_name="New",
        first_name="N",
        last_name="N",
        country="NL",
        email="first@new.example",
        acting_user=ada,
    )
    people.invite_member(customer=kims_company, email="helper@kims.example", role="editor", acting_user=ada)

    attention.change_address(added.subaccount, email="second@new.example", acting_user=sam)

    assert invitations(added) == ["second@new.example"]
    assert invitations(kims_company) == ["helper@kims.example"]


@pytest.mark.parametrize("kind", ["change_expiry", "make_customer"])
def test_a_ticked_task_says_nothing_of_the_neighbours_end(
    bos_company: Customer, kims_company: Customer, ada: User, kind: str
):
    ends = date(2027, 5, 1)
    rows = Subaccount.objects.for_agency(bos_company.agency)
    rows.update(expiry_date=ends)
    data = {"date": "2027-09-09"} if kind == "change_expiry" else {"removes_expiry": True}
    task = PanelTask.objects.create(agency=bos_company.agency, customer=bos_company, kind=kind, data=data)

    customer_care.tick(task, acting_user=ada)

    assert rows.get(customer=bos_company).expiry_date != ends
    assert rows.get(customer=kims_company).expiry_date == ends


def test_a_sign_up_that_is_withdrawn_takes_no_other_with_it(north: Agency):
    first, second = (factories.person(north, f"{name}@new.example", verified=False) for name in ("first", "second"))
    theirs, others = (factories.customer(north, person, proven=False) for person in (first, second))

    customers.withdraw(first, acting_user=first)

    states = {row.customer_id: row.state for row in Subaccount.objects.for_agency(north)}
    assert states == {theirs.pk: State.CLOSED, others.pk: State.AWAITING_EMAIL}


def test_customers_of_another_agency_take_no_room(north: Agency, bos_company: Customer, cys_company: Customer):
    Agency.objects.filter(pk=north.pk).update(customer_limit=2)
    north.refresh_from_db()

    assert customers.has_room(north)


def test_a_proven_mailbox_lets_go_on_only_what_its_person_asked_for(
    north: Agency, bos_company: Customer, bo: User, ada: User
):
    facts = {"first_name": "N", "last_name": "N", "country": "NL"}
    added = customer_care.add(
        agency=north, package=bos_company.package, company_name="New", email=bo.email, acting_user=ada, **facts
    )

    customers.prove_mailbox(acting_user=bo, email=bo.email)

    assert Subaccount.objects.for_agency(north).get(customer=added).state == State.AWAITING_EMAIL


def test_a_proven_mailbox_is_no_word_of_another_customers_owner(
    north: Agency, bos_company: Customer, kims_company: Customer, bo: User, sam: User
):
    """Staff gave Kim's wish the address that is Bo's: Kim has to take it up, not Bo."""
    attention.change_address(review(kims_company), email=bo.email, acting_user=sam)

    customers.prove_mailbox(acting_user=bo, email=bo.email)

    assert Subaccount.objects.for_agency(north).get(customer=kims_company).state == State.AWAITING_EMAIL


def test_a_viewers_proven_mailbox_is_no_word_of_the_owner(north: Agency, kims_company: Customer, sam: User):
    attention.change_address(review(kims_company), email="lotte@kims.example", acting_user=sam)
    viewer = factories.member(kims_company, "viewer", "lotte@kims.example")

    customers.prove_mailbox(acting_user=viewer, email=viewer.email)

    assert Subaccount.objects.for_agency(north).get(customer=kims_company).state == State.AWAITING_EMAIL


def test_a_customer_that_was_approved_is_no_yes_to_another(north: Agency, bos_company: Customer):
    Agency.objects.filter(pk=north.pk).update(approval_required=True)
    north.refresh_from_db()

    asked = factories.customer(north, factories.person(north, "new@shop.example"))

    assert asked.subaccount.state == State.AWAITING_APPROVAL


def test_an_account_of_another_agency_hides_none_that_was_found_here(
    bos_company: Customer, kims_company: Customer, cys_company: Customer
):
    wish = review(bos_company, candidates=["sub_1", "sub_2"])
    for customer, vendor_id in ((kims_company, "sub_1"), (cys_company, "sub_2")):
        row = Subaccount.objects.for_agency(customer.agency).filter(customer=customer)
        row.update(vendor_id=vendor_id, bound_at=timezone.now())

    assert attention.unproven_accounts(wish) == ["sub_2"]


def test_who_works_at_another_agency_may_be_invited_here(north: Agency, south: Agency, ada: User):
    factories.staff(south, "sam@both.example", "owner")

    people.invite_staff(agency=north, email="sam@both.example", staff_role="support", acting_user=ada)

    assert people.open_invitations(north).filter(email="sam@both.example").exists()
    assert not people.open_invitations(south).filter(email="sam@both.example").exists()


def test_who_invites_has_to_be_of_the_agency_and_of_the_customer(
    north: Agency, south: Agency, bos_company: Customer, kims_company: Customer, bo: User, cy: User
):
    strangers = [
        cy,
        factories.staff(south, "sue@south.example", "owner"),
        factories.member(bos_company, "viewer", "vi@shop.example"),
        kims_company.memberships.get().person,
    ]

    for person in strangers:
        with pytest.raises(NotAllowed):
            people.invite_member(customer=bos_company, email="new@shop.example", role="viewer", acting_user=person)
    for person in (*strangers, bo, factories.staff(north, "sam@north.example", "support")):
        with pytest.raises(NotAllowed):
            people.invite_staff(agency=north, email="new@north.example", staff_role="analyst", acting_user=person)

    assert not people.open_invitations(north).filter(email__startswith="new@").exists()
    people.invite_member(customer=bos_company, email="new@shop.example", role="viewer", acting_user=bo)


def test_an_admin_gives_no_role_above_their_own(north: Agency):
    admin = factories.staff(north, "al@north.example", "admin")

    with pytest.raises(NotAllowed):
        people.invite_staff(agency=north, email="new@north.example", staff_role="owner", acting_user=admin)


def test_a_mail_is_in_the_language_that_its_reader_chose_at_this_agency(north: Agency, south: Agency):
    factories.person(south, "both@shop.example", language="fr")
    factories.person(north, "both@shop.example", language="nl")

    assert people.language_for(north, "both@shop.example") == "nl"
    assert people.language_for(south, "both@shop.example") == "fr"


def test_the_words_of_a_customer_replace_no_others(north: Agency, bos_company: Customer, kims_company: Customer):
    search.index(bos_company)

    found = {row.customer_id for row in SearchWord.objects.for_agency(north)}
    assert found == {bos_company.pk, kims_company.pk}


def test_creates_of_another_agency_are_not_counted(north: Agency, south: Agency, cys_company: Customer):
    now = timezone.now()
    Event.objects.record("subaccount.creating", agency=south, customer=cys_company)

    assert provisioning.creates_today(south, now=now)[0] == 1
    assert provisioning.creates_today(north, now=now)[0] == 0


def test_credentials_are_those_of_ones_own_account(
    north: Agency, south: Agency, bos_company: Customer, cys_company: Customer
):
    factories.activate(cys_company, None)
    before = VendorAccount.objects.get(agency=south).active_credential_id

    vendor_accounts.connect(north, client_id="another-id", client_secret="another-secret")
    vendor_accounts.connect(north, client_id="another-id", client_secret="a-third-secret")

    account = VendorAccount.objects.select_related("active_credential").get(agency=north)
    assert (account.active_credential.client_id, account.active_credential.client_secret) == (
        "another-id",
        "a-third-secret",
    )
    assert VendorAccount.objects.get(agency=south).active_credential_id == before
    with pytest.raises(vendor_accounts.HeldElsewhere):
        vendor_accounts.connect(south, client_id="another-id", client_secret="another-secret")


def test_a_query_without_an_agency_is_an_error():
    with pytest.raises(UnscopedQuery):
        list(Customer.objects.all())
