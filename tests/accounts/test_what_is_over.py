"""What is over counts for nothing: who was suspended, a view that ended, a customer that is closed, an owner who left.

And the doors ask for themselves: whoever calls them, by whichever page, is refused what is not theirs.
"""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import (
    attention,
    data_export,
    erasure,
    jobs,
    members,
    operators,
    overview,
    people,
    reconcile,
    retention,
    staff,
    staff_panel,
    views_as,
)
from accounts.erasure import Obstacle, Why
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Customer, Finding, Membership, State, Subaccount, User, ViewAs
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "second@shop.example"


def suspended(person: User) -> User:
    User.objects.filter(pk=person.pk).update(is_active=False)
    person.refresh_from_db()
    return person


def membership_of(customer: Customer, person: User) -> Membership:
    rows = Membership.objects.for_agency(customer.agency).select_related("person", "customer__agency")
    return rows.get(customer=customer, person=person)


# -- members -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "changes"), [("editor", {}), ("owner", {"suspended_at": timezone.now()})])
def test_an_address_that_only_a_former_owner_has_is_not_taken_for_the_wish(
    role: str, changes: dict[str, object], ada: User, bos_company: Customer
):
    """It would go on by itself, with somebody who does not own the customer."""
    second = factories.member(bos_company, role, ADDRESS)
    Membership.objects.for_agency(bos_company.agency).filter(person=second).update(**changes)
    rows = Subaccount.objects.for_agency(bos_company.agency).filter(customer=bos_company)
    rows.update(state=State.NEEDS_REVIEW, cause=Cause.EMAIL_INVALID, run_at=None)

    with pytest.raises(NotAllowed):
        attention.change_address(rows.select_related("agency", "customer").get(), email=ADDRESS, acting_user=ada)


def test_an_owner_whose_sign_in_is_suspended_changes_nobody(bos_company: Customer, bo: User):
    second = factories.member(bos_company, "editor", ADDRESS)

    with pytest.raises(NotAllowed):
        members.suspend(membership_of(bos_company, second), acting_user=suspended(bo))


def test_staff_bring_no_staff_into_a_customer_of_which_they_are_no_owner_any_more(ada: User, bos_company: Customer):
    factories.staff(ada.agency, "lee@north.example", "support")
    own = Membership.objects.create(person=ada, customer=bos_company, role="editor")

    def invite() -> None:
        people.invite_member(customer=bos_company, email="lee@north.example", role="viewer", acting_user=ada)

    with pytest.raises(NotAllowed):
        invite()
    own.role, own.suspended_at = "owner", timezone.now()
    own.save()
    with pytest.raises(NotAllowed):
        invite()
    own.suspended_at = None
    own.save()
    invite()


def test_staff_invite_an_owner_where_those_who_are_left_cannot_sign_in(ada: User, bos_company: Customer, bo: User):
    suspended(bo)

    people.invite_member(customer=bos_company, email=ADDRESS, role="owner", acting_user=ada)


def test_an_address_that_works_for_another_agency_is_no_staff_here(ada: User, bos_company: Customer, south: Agency):
    factories.staff(south, "sue@south.example", "owner")

    people.invite_member(customer=bos_company, email="sue@south.example", role="viewer", acting_user=ada)


def test_who_only_belongs_to_a_customer_gets_nothing_of_it_in_the_export(bos_company: Customer):
    viewer = factories.member(bos_company, "viewer", ADDRESS)

    data = data_export.export_person(viewer, acting_user=viewer)["data"]

    assert data.keys().isdisjoint({"accounts.Customer", "accounts.Subaccount", "accounts.SearchWord"})


# -- staff ---------------------------------------------------------------------------------------------------------


def test_staff_who_were_suspended_and_operators_change_nobody(ada: User, north: Agency):
    lee, sam = (factories.staff(north, f"{name}@north.example", "admin") for name in ("lee", "sam"))

    for acting in (suspended(lee), factories.operator()):
        with pytest.raises(NotAllowed):
            staff.suspend(sam, acting_user=acting)


def test_a_teammate_who_is_stored_again_is_no_clash(ada: User):
    for _ in range(2):
        staff.store_teammate(ada, teammate_id="4711", acting_user=ada)

    ada.refresh_from_db()
    assert ada.teammate_id == "4711"


def test_the_doors_into_panels_ask_for_themselves(active: Subaccount, north: Agency, south: Agency, ada: User):
    sue = factories.staff(south, "sue@south.example", "owner", teammate_id="4711")
    analyst = factories.staff(north, "ana@north.example", "analyst")
    admin = factories.staff(north, "adam@north.example", "admin")
    former = factories.person(north, "former@north.example", teammate_id="4712")

    for acting in (sue, analyst):
        with pytest.raises(NotAllowed):
            staff_panel.open_customers_panel(active, acting_user=acting, reason="To look.")
    for acting in (sue, admin):
        with pytest.raises(NotAllowed):
            staff_panel.open_agencys_panel(active.vendor_account, acting_user=acting)
    for acting in (sue, admin, former):
        with pytest.raises(NotAllowed):
            staff_panel.open_teammates_panel(active.vendor_account, acting_user=acting)


# -- erasure -------------------------------------------------------------------------------------------------------


def test_operators_who_cannot_come_in_do_not_count(db: None):
    olu = factories.operator()
    suspended(factories.operator("left@platform.example"))
    factories.person(None, "no-operator@platform.example")

    assert erasure.obstacles(olu) == [Obstacle.LAST_OPERATOR]


def test_owners_of_the_agency_who_cannot_come_in_do_not_count(ada: User, north: Agency):
    suspended(factories.staff(north, "lee@north.example", "owner"))

    assert Obstacle.ONLY_OWNER_OF_AGENCY in erasure.obstacles(ada)


def test_a_suspended_owner_erases_no_customer(ada: User, bos_company: Customer):
    Customer.objects.for_agency(ada.agency).filter(pk=bos_company.pk).update(closed_at=timezone.now())

    with pytest.raises(NotAllowed):
        erasure.erase_customer(bos_company, why=Why.ASKED, acting_user=suspended(ada))


def test_a_suspended_owner_hands_out_nobodys_data(ada: User, bo: User, bos_company: Customer):
    with pytest.raises(NotAllowed):
        data_export.export_person(bo, acting_user=suspended(ada))


def test_who_is_gone_is_not_erased_again(ada: User, north: Agency):
    lee = factories.person(north, "lee@north.example")
    gone = User.objects.select_related("agency").get(pk=lee.pk)
    erasure.erase_person(lee, why=Why.ASKED, acting_user=ada)

    with pytest.raises(NotAllowed):
        erasure.erase_person(gone, why=Why.ASKED, acting_user=ada)


def test_staff_are_never_purged_for_an_address_that_is_not_proven(north: Agency):
    lee = factories.person(north, "lee@north.example", verified=False, staff_role="support")

    assert not erasure.erase_never_proven(lee)
    assert lee not in retention._never_proven(timezone.now() + timedelta(days=1))


# -- views, agencies, findings -------------------------------------------------------------------------------------


def test_an_agency_is_stopped_and_goes_on_once_and_views_that_ended_keep_their_end(ada: User, north: Agency):
    olu, long_ago = factories.operator(), timezone.now() - timedelta(days=3)
    views_as.ask(north, person=ada, reason="To help.", acting_user=olu)
    ViewAs.objects.for_agency(north).update(ended_at=long_ago)

    operators.stop(north, reason="A test.", acting_user=olu)
    with pytest.raises(NotAllowed):
        operators.stop(north, reason="Again.", acting_user=olu)
    operators.resume(north, reason="Over.", acting_user=olu)
    with pytest.raises(NotAllowed):
        operators.resume(north, reason="Again.", acting_user=olu)

    assert ViewAs.objects.for_agency(north).get().ended_at == long_ago


def test_views_are_in_the_export_of_their_own_two_people_only(ada: User, north: Agency):
    olu, other = factories.operator(), factories.operator("other@platform.example")
    lee = factories.staff(north, "lee@north.example", "admin")
    views_as.ask(north, person=ada, reason="To help.", acting_user=olu)

    rows = {
        who: data_export.export_person(who, acting_user=who)["data"].get("accounts.ViewAs", [])
        for who in (olu, other, ada, lee)
    }

    assert {who.email: len(found) for who, found in rows.items()} == {
        olu.email: 1,
        other.email: 0,
        ada.email: 1,
        lee.email: 0,
    }
    assert "accounts.Note" not in data_export.export_person(other, acting_user=other)["data"]


def test_a_finding_that_is_over_is_not_set_aside(ada: User, north: Agency):
    finding = Finding.objects.create(
        agency=north, kind=Finding.Kind.TWICE, vendor_id="sub_99001", ended_at=timezone.now()
    )

    with pytest.raises(NotAllowed):
        reconcile.dismiss(finding, acting_user=ada)


# -- numbers -------------------------------------------------------------------------------------------------------


def test_closed_customers_are_in_no_number_of_those_who_are_here(north: Agency, bo: User):
    today, now = timezone.localdate(), timezone.now()
    for ends, paused in ((today + timedelta(days=3), None), (today - timedelta(days=3), None), (None, now)):
        made = factories.customer(north, factories.person(north))
        Customer.objects.for_agency(north).filter(pk=made.pk).update(trial_ends_on=ends, paused_at=paused)

    before = overview.overview(north, now=now).numbers
    assert (before.trials, before.trials_7, before.trials_over, before.paused) == (1, 1, 1, 1)
    Customer.objects.for_agency(north).update(closed_at=now)
    after = overview.overview(north, now=now).numbers

    assert (after.trials, after.trials_7, after.trials_over, after.paused) == (0, 0, 0, 0)


def test_somebody_suspended_gets_no_code_for_a_new_password(north: Agency, bo: User):
    suspended(bo)
    client = Client(headers={"host": north.canonical_host})
    for address in (bo.email, "nobody@shop.example"):
        client.post("/account/password/reset/", {"email": address})
    while jobs.run():
        pass

    theirs, nobodys = mail.outbox
    assert theirs.body.replace(bo.email, "") == nobodys.body.replace("nobody@shop.example", "")


def test_nobody_is_erased_for_what_a_stopped_agency_kept_them_from_proving(north: Agency):
    """Its host answers nobody, so no code can be entered there."""
    late = factories.person(north, "late@new.example", verified=False)
    User.objects.filter(pk=late.pk).update(date_joined=timezone.now() - timedelta(days=400))
    Agency.objects.filter(pk=north.pk).update(stopped_at=timezone.now())

    retention.enforce(timezone.now())
    assert User.objects.filter(pk=late.pk).exists()

    Agency.objects.filter(pk=north.pk).update(stopped_at=None)
    retention.enforce(timezone.now())
    assert not User.objects.filter(pk=late.pk).exists()
