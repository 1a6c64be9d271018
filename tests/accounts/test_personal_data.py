"""What is classified, handed out and erased: nothing is forgotten, and nothing is left."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from accounts import data_export, erasure, people
from accounts.erasure import CannotErase, Obstacle, Why
from accounts.errors import NotAllowed
from accounts.mails import put_mail
from accounts.management.commands.describe_personal_data import describe
from accounts.models import (
    Agency,
    Customer,
    Event,
    Invitation,
    Membership,
    Note,
    State,
    Subaccount,
    User,
)
from accounts.personal_data import TABLES, table_of
from tests import factories
from tests.accounts.canaries import SECRETS, everything, plant
from tests.accounts.closing import reloaded, tasks

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).parents[2] / "docs/personal-data.md"
MODELS = apps.get_models(include_auto_created=True)


# -- the classification --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_column_is_classified_once(model: Any):
    columns = [column.attname for column in model._meta.concrete_fields]

    assert sorted(table_of(model).columns) == sorted(columns)


def test_nothing_is_classified_that_is_not_there():
    assert set(TABLES) == {model._meta.label for model in MODELS}


def test_the_document_says_what_the_code_says():
    assert DOCUMENT.read_text() == f"{describe()}\n", "run: ./run manage describe_personal_data > docs/personal-data.md"


# -- the export ----------------------------------------------------------------------------------------------------


@pytest.fixture
def planted(bo: User, bos_company: Customer) -> dict[tuple[str, str], str]:
    return plant(bo, bos_company)


def test_the_canaries_stand_in_every_personal_column(planted: dict[tuple[str, str], str]):
    personal = {(label, column) for label, table in TABLES.items() for column in table.personal}

    assert set(planted) == personal


def test_an_export_by_the_agency_holds_every_personal_value_and_no_secret(
    ada: User, bo: User, planted: dict[tuple[str, str], str]
):
    data = data_export.export_person(reloaded(bo), acting_user=ada)["data"]

    for (label, column), canary in planted.items():
        assert canary in json.dumps([row[column] for row in data[label]]), (label, column)
    written = json.dumps(data)
    assert "canary-passkey" in written
    assert [secret for secret in SECRETS if secret in written] == []
    for label, table in TABLES.items():
        for row in data.get(label, []):
            assert set(table.never_shown.split()) & set(row) <= set(table.shows), label
    assert Event.objects.for_agency(bo.agency).latest("pk").kind == "person.data_exported"


def test_a_persons_own_export_leaves_out_what_staff_write_for_each_other_only(
    bo: User, planted: dict[tuple[str, str], str]
):
    person = reloaded(bo)
    written = json.dumps(data_export.export_person(person, acting_user=person))

    missing = {key for key, canary in planted.items() if canary not in written}
    assert missing == {("accounts.Note", "text")}


def test_an_export_holds_nothing_of_anybody_else(
    north: Agency, bo: User, bos_company: Customer, planted: dict[tuple[str, str], str]
):
    ed = factories.member(bos_company, "viewer", "ed@shop.example")
    factories.customer(north, factories.person(north, "noor@zuid.example"), company_name="Zuid")

    written = json.dumps(data_export.export_person(ed, acting_user=ed))

    assert "ed@shop.example" in written
    assert "canary" not in written
    assert "noor@zuid.example" not in written


def test_no_row_is_in_the_exports_of_two_people(
    north: Agency, ada: User, bo: User, planted: dict[tuple[str, str], str]
):
    kim = factories.person(north, "kim@shop.example")
    factories.customer(north, kim)

    bos, kims = (
        {
            (label, row["id"])
            for label, rows in data_export.export_person(reloaded(person), acting_user=ada)["data"].items()
            for row in rows
        }
        for person in (bo, kim)
    )

    assert {label for label, _key in bos} >= {label for label, _column in planted}
    assert not bos & kims


def test_a_suspended_owner_gets_nothing_of_a_customer_in_anothers_name_any_more(
    bo: User, bos_company: Customer, planted: dict[tuple[str, str], str]
):
    eve = factories.member(bos_company, "owner", "eve@shop.example")
    Customer.objects.for_agency(bo.agency).filter(pk=bos_company.pk).update(contact=eve)
    bo.memberships.update(suspended_at=timezone.now())
    person = reloaded(bo)

    written = json.dumps(data_export.export_person(person, acting_user=person))

    assert "canary-first" in written
    assert "canary-company" not in written
    assert "canary-campaign" not in written


def test_a_members_data_is_handed_out_by_managers_and_staffs_by_owners(
    north: Agency, south: Agency, ada: User, bo: User, cy: User, bos_company: Customer
):
    admin, support = (factories.staff(north, f"{role}@north.example", role) for role in ("admin", "support"))
    souths = factories.staff(south, "sid@south.example", "owner")
    stranger = factories.person(north, "nobody@north.example")
    allowed = {
        (ada, bo),
        (admin, bo),
        (ada, support),
        (ada, admin),
        (ada, ada),
        (bo, bo),
        (support, support),
        (admin, admin),
    }

    for acting in (ada, admin, support, bo, cy, souths):
        for person in (bo, support, admin, ada, stranger):
            assert data_export.may_export(acting, person) == ((acting, person) in allowed), (acting, person)
    with pytest.raises(NotAllowed):
        data_export.export_person(bo, acting_user=support)


# -- erasing a person ----------------------------------------------------------------------------------------------


def free_of_obstacles(bo: User) -> User:
    """Bo without a number at the vendor, which only an owner of the agency can take away."""
    User.objects.filter(pk=bo.pk).update(teammate_id="")
    return reloaded(bo)


def test_after_a_person_is_erased_no_table_session_or_cache_holds_them(
    north: Agency, ada: User, bo: User, active: Subaccount, client_for: Callable[..., Any]
):
    company = active.customer
    plant(bo, company)
    eve = factories.member(company, "owner", "eve@shop.example", first_name="Eve", last_name="Other")
    Customer.objects.for_agency(north).filter(pk=company.pk).update(company_name="Stays", message="")
    Subaccount.objects.for_agency(north).filter(pk=active.pk).update(facts={})
    active.campaigns.filter(vendor_id="cam_77").delete()
    company.notes.all().delete()  # what staff have written of the customer stays, but for names: see below
    person = free_of_obstacles(bo)
    client_for(north, person).get("/account/profile/")
    assert "canary" in everything()

    erasure.erase_person(person, why=Why.ASKED, acting_user=ada)

    left = [line[:200] for line in everything().splitlines() if "canary" in line and "canary-guest" not in line]
    assert left == []
    after = Customer.objects.for_agency(north).select_related("subaccount").get(pk=company.pk)
    assert (after.email, after.first_name, after.subaccount.email) == (eve.email, "Eve", eve.email)
    assert after.subaccount.vendor_id == active.vendor_id
    assert tasks(after) == [("erase_contact", {})]


def test_notes_about_a_customer_that_goes_on_no_longer_name_who_was_erased(
    north: Agency, ada: User, bos_company: Customer
):
    ed = factories.member(bos_company, "editor", "ed@shop.example", first_name="Edward", last_name="Editor")
    other = factories.customer(north, factories.person(north, "kim@shop.example"))
    for customer in (bos_company, other):
        text = "EDWARD EDITOR called from ed@shop.example, not fred@shop.example: likes it short."
        Note.objects.create(agency=north, customer=customer, author_id=ada.pk, text=text)

    erasure.erase_person(ed, why=Why.ASKED, acting_user=ada)

    assert bos_company.notes.get().text == "… called from …, not fred@shop.example: likes it short."
    assert other.notes.get().text == text, "of whom another customer's notes speak nobody knows"


def test_who_invited_somebody_and_is_erased_no_longer_vouches_for_them(
    north: Agency, ada: User, bo: User, bos_company: Customer
):
    factories.member(bos_company, "owner", "eve@shop.example")
    activated(bos_company)
    people.invite_member(customer=bos_company, email="guest@shop.example", role="viewer", acting_user=bo)

    erasure.erase_person(bo, why=Why.OWN_WISH, acting_user=bo)

    invitation = Invitation.objects.for_agency(north).get(email="guest@shop.example")
    assert invitation.revoked_at is not None


def activated(customer: Customer) -> Customer:
    factories.activate(customer, None)
    return customer


def test_events_stay_and_say_who_erased_whom(north: Agency, ada: User, bo: User, bos_company: Customer):
    factories.member(activated(bos_company), "owner", "eve@shop.example")
    before = list(Event.objects.for_agency(north).values_list("pk", flat=True))

    erasure.erase_person(bo, why=Why.OWN_WISH, acting_user=bo)

    after = list(Event.objects.for_agency(north).order_by("pk"))
    assert [event.pk for event in after][: len(before)] == before
    event = next(event for event in after if event.kind == "person.erased")
    assert (event.actor_id, event.object_id, event.data) == (bo.pk, str(bo.pk), {"why": "own_wish"})


def test_sessions_end_and_the_address_may_sign_up_again_as_somebody_new(
    north: Agency, bo: User, bos_company: Customer, client_for: Callable[..., Any]
):
    factories.member(activated(bos_company), "owner", "eve@shop.example")
    client = client_for(north, bo)

    erasure.erase_person(bo, why=Why.OWN_WISH, acting_user=bo)

    assert client.get("/account/profile/").status_code == 302
    assert factories.person(north, bo.email).pk != bo.pk


def test_the_same_address_at_another_agency_is_another_person(
    north: Agency, south: Agency, bo: User, bos_company: Customer
):
    double = factories.person(south, bo.email)
    factories.customer(south, double)
    put_mail("invitation", agency=south, to=bo.email)
    factories.member(activated(bos_company), "owner", "eve@shop.example")

    erasure.erase_person(bo, why=Why.OWN_WISH, acting_user=bo)

    assert reloaded(double).memberships.count() == 1
    assert south.jobs.filter(payload__to=bo.email).count() == 1


def test_a_member_who_is_not_the_contact_leaves_the_customer_as_it_is(north: Agency, bo: User, bos_company: Customer):
    ed = factories.member(bos_company, "editor", "ed@shop.example")

    erasure.erase_person(ed, why=Why.OWN_WISH, acting_user=ed)

    after = Customer.objects.for_agency(north).get(pk=bos_company.pk)
    assert (after.email, tasks(after)) == (bo.email, [])
    assert list(after.memberships.values_list("person", flat=True)) == [bo.pk]


def _only_owner(north: Agency, company: Customer, bo: User) -> User:
    activated(company)
    factories.member(company, "editor", "ed@shop.example")
    return bo


def _suspended_co_owner(north: Agency, company: Customer, bo: User) -> User:
    eve = factories.member(activated(company), "owner", "eve@shop.example")
    Membership.objects.for_agency(north).filter(person=eve).update(suspended_at=timezone.now())
    return bo


def _being_made(north: Agency, company: Customer, bo: User) -> User:
    factories.member(company, "owner", "eve@shop.example")
    Subaccount.objects.for_agency(north).filter(customer=company).update(state=State.UNCERTAIN)
    return bo


def _only_owner_of_the_agency(north: Agency, company: Customer, bo: User) -> User:
    return factories.staff(north, "sole@north.example", "owner")


def _teammate(north: Agency, company: Customer, bo: User) -> User:
    return factories.staff(north, "mate@north.example", "support", teammate_id="4711")


def _support_address(north: Agency, company: Customer, bo: User) -> User:
    return factories.staff(north, north.support_email, "support")


def _last_operator(north: Agency, company: Customer, bo: User) -> User:
    return factories.operator()


@pytest.mark.parametrize(
    ("prepare", "obstacle"),
    [
        (_only_owner, Obstacle.ONLY_OWNER_OF_CUSTOMER),
        (_suspended_co_owner, Obstacle.ONLY_OWNER_OF_CUSTOMER),
        (_being_made, Obstacle.IN_THE_MAKING),
        (_only_owner_of_the_agency, Obstacle.ONLY_OWNER_OF_AGENCY),
        (_teammate, Obstacle.TEAMMATE),
        (_support_address, Obstacle.SUPPORT_ADDRESS),
        (_last_operator, Obstacle.LAST_OPERATOR),
    ],
)
def test_a_person_is_not_erased_before_this_is_settled(
    north: Agency, bo: User, bos_company: Customer, prepare: Callable[..., User], obstacle: Obstacle
):
    person = prepare(north, bos_company, bo)

    with pytest.raises(CannotErase) as refused:
        erasure.erase_person(person, why=Why.OWN_WISH, acting_user=person)

    assert refused.value.obstacle is obstacle
    assert User.objects.filter(pk=person.pk).exists()


def test_nobody_but_owners_of_the_agency_erases_others(
    north: Agency, south: Agency, ada: User, bo: User, bos_company: Customer
):
    ed = factories.member(bos_company, "editor", "ed@shop.example")
    admin = factories.staff(north, "admin@north.example", "admin")
    suspended = factories.staff(north, "gone@north.example", "owner", is_active=False)
    souths = factories.staff(south, "sid@south.example", "owner")

    for acting in (bo, admin, suspended, souths, factories.operator()):
        with pytest.raises(NotAllowed):
            erasure.erase_person(ed, why=Why.ASKED, acting_user=acting)
    erasure.erase_person(ed, why=Why.ASKED, acting_user=ada)
    assert not User.objects.filter(pk=ed.pk).exists()
