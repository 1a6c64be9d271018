"""What operators read of one agency is that agency's: a crowd next door is in none of its numbers and lists."""

import pytest
from django.http import Http404
from django.utils import timezone

from accounts import views_as
from accounts.models import Agency, Cause, Customer, Event, Finding, Host, State, Subaccount, User
from portal import access_agency, access_operator
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(south: Agency) -> Agency:
    """Of everything that is counted or listed there is something at South."""
    olu, staff = factories.operator(), factories.staff(south, "sue@south.example", "owner")
    for number, state in enumerate((State.REQUESTED, State.CREATING, State.NEEDS_REVIEW, State.CLOSED)):
        made = factories.customer(south, factories.person(south), company_name=f"South {number}")
        Subaccount.objects.for_agency(south).filter(customer=made).update(state=state, cause=Cause.REFUSED)
        Event.objects.record("launch", agency=south, customer=made, acting_user=staff, outcome="opened")
        Event.objects.record("launch", agency=south, customer=made, acting_user=staff, outcome="refused")
    Event.objects.record("subaccount.creating", agency=south, acting_user=None, was="requested")
    Event.objects.record(
        "credential.checked", agency=south, acting_user=staff, slot=1, result="ok", customers=[made.pk], outcome="done"
    )
    Finding.objects.create(agency=south, kind=Finding.Kind.TWICE, vendor_id="sub_99001")
    Host.objects.create(agency=south, name="spare.localhost")
    views_as.ask(south, person=staff, reason="To look.", acting_user=olu)
    return south


def numbers_of(agency: Agency) -> tuple[str, int, int, int, int]:
    found = next(row for row in access_operator.agencies(search="", after="") if row.pk == agency.pk)
    return found.host, found.customer_number, found.waiting, found.attention, found.launches


def test_the_numbers_in_the_list_are_each_agencys_own(north: Agency, crowd: Agency):
    factories.customer(north, factories.person(north))
    closed = factories.customer(north, factories.person(north))
    Customer.objects.for_agency(north).filter(pk=closed.pk).update(closed_at=timezone.now())
    Subaccount.objects.for_agency(north).filter(customer=closed).update(state=State.CLOSED)

    assert numbers_of(north) == ("north.localhost", 1, 1, 0, 0)
    assert numbers_of(crowd) == ("south.localhost", 4, 2, 1, 4)


def test_the_page_of_an_agency_is_about_that_agency(north: Agency, crowd: Agency, ada: User):
    about = access_operator.about(north)

    assert [host.name for host in about.hosts] == ["north.localhost"]
    assert about.staff == [ada]
    assert {event.agency_id for event in about.events} <= {north.pk}
    assert (about.created_today, about.oldest_wait, about.refused_launches) == (0, None, 0)
    assert access_operator.differences_of(north, after="").rows == []
    assert access_operator.number_waiting_for_pause(north) == 0
    assert access_operator.number_waiting_for_pause(crowd) == 1


def test_an_operator_looks_on_as_staff_of_that_agency_who_can_sign_in(north: Agency, crowd: Agency, ada: User):
    left = factories.staff(north, "left@north.example", "admin")
    User.objects.filter(pk=left.pk).update(is_active=False)

    assert access_operator.viewable_staff(north) == [ada]


def test_a_host_of_another_agency_is_not_found(north: Agency, crowd: Agency):
    with pytest.raises(Http404):
        access_operator.host_or_404(north, Host.objects.get(name="spare.localhost").pk)


def test_the_connection_of_an_agency_tells_its_own_news(north: Agency, crowd: Agency):
    found = access_agency.connection(north, now=timezone.now())

    assert {event.agency_id for event in found.lately} <= {north.pk}
    assert all(not pair.check and not pair.misses for pair in found.pairs)


def test_a_view_ends_when_its_person_may_not_sign_in_any_more(north: Agency, ada: User):
    olu = factories.operator()
    token = views_as.ask(north, person=ada, reason="To look.", acting_user=olu)
    view = views_as.open_view(north, token=token)
    assert view is not None
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert views_as.running(north, view.public_id) is None
