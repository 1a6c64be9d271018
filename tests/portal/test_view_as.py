"""An operator sees a console as one of its staff: read-only, short, never hidden."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from accounts import views_as
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Note, User, ViewAs
from portal.viewing import OPERATOR, VIEW
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]
PLATFORM = "platform.localhost"


@pytest.fixture
def token(north: Agency, ada: User, olu: User) -> str:
    return views_as.ask(north, person=ada, reason="Their list looks empty", acting_user=olu)


@pytest.fixture
def viewing(client_for: Browse, north: Agency, token: str) -> Client:
    """A browser in the view."""
    client = client_for(north)
    assert client.get(f"/view-as/{token}/").url == "/console/"
    return client


def test_it_is_asked_with_a_reason_after_the_password_and_leads_to_the_agencys_host(
    client_for: Browse, north: Agency, ada: User, olu: User
):
    client = client_for(PLATFORM, olu)
    path = f"/operator/agencies/{north.pk}/view-as/"
    assert client.get(path).url.startswith("/account/reauthenticate/")
    client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    assert "is-invalid" in client.post(path, {"person": str(ada.pk), "reason": ""}).content.decode()

    left = client.post(path, {"person": str(olu.pk), "reason": "Their list looks empty"}).content.decode()
    assert "This person does not work here any more" in left
    assert str(olu.pk) not in left

    response = client.post(path, {"person": str(ada.pk), "reason": "Their list looks empty"})

    assert response.url.startswith("http://north.localhost")
    assert "/view-as/" in response.url
    event = Event.objects.for_agency(north).latest("pk")
    assert (event.kind, event.actor_id) == ("view_as.asked", olu.pk)
    assert (event.on_behalf_of, event.object_type) == (ada.pk, "viewas")
    assert Note.objects.for_agency(north).get(event=event).text == "Their list looks empty"
    secret = response.url.rstrip("/").rpartition("/")[2]
    assert secret not in str(list(ViewAs.objects.for_agency(north).values()))


def test_the_console_opens_with_both_names_on_every_page(viewing: Client, ada: User, olu: User, bos_company: Customer):
    for path in ("/console/", "/console/staff/", f"/console/staff/{ada.pk}/", "/console/nowhere/", "/account/profile/"):
        text = viewing.get(path).content.decode()
        assert olu.get_full_name() in text, path
        assert ada.get_full_name() in text, path
        assert "End the view" in text, path


def test_somebody_without_a_second_factor_is_looked_on_as_too(client_for: Browse, north: Agency, olu: User):
    nia = factories.person(north, "nia@north.example", staff_role="analyst")
    client = client_for(north)
    client.get(f"/view-as/{views_as.ask(north, person=nia, reason='To look', acting_user=olu)}/")

    assert client.get("/console/").status_code == 200


def test_nobody_signs_in_by_it(viewing: Client, ada: User):
    before = ada.last_login
    ada.refresh_from_db()

    assert ada.last_login == before
    assert not UserSession.objects.filter(user=ada).exists()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/console/customers/export/",
        "/account/profile/",
        "/account/2fa/",
        "/account/reauthenticate/",
        "/account/logout/",
        "/start/",
        "/demo/",
    ],
)
def test_nothing_but_the_console_is_shown(viewing: Client, path: str):
    assert viewing.get(path).status_code == 403
    assert viewing.post(path).status_code == 403


def test_a_customers_own_pages_are_not_shown_even_if_the_person_is_a_member(
    client_for: Browse, north: Agency, ada: User, viewing: Client
):
    own = factories.customer(north, ada)

    assert viewing.get(f"/c/{own.public_id}/").status_code == 403
    assert viewing.post(f"/c/{own.public_id}/launch/", {"page": "campaigns"}).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_changed(viewing: Client, north: Agency, ada: User, method: str):
    ben = factories.staff(north, "ben@north.example", "support")
    number = Event.objects.for_agency(north).count()

    response = getattr(viewing, method)(f"/console/staff/{ben.pk}/", {"do": "remove"})

    assert response.status_code == 403
    assert "Only for looking" in response.content.decode()
    ben.refresh_from_db()
    assert ben.staff_role == "support"
    assert Event.objects.for_agency(north).count() == number


def test_no_password_can_be_proven_in_it(viewing: Client, north: Agency):
    ben = factories.staff(north, "ben@north.example", "support")

    answer = viewing.get(f"/console/staff/{ben.pk}/hand-over/", follow=True)

    assert answer.status_code == 403


def test_a_token_opens_once(client_for: Browse, north: Agency, viewing: Client, token: str):
    assert client_for(north).get(f"/view-as/{token}/").status_code == 404


def test_a_token_of_a_minute_ago_opens_nothing(client_for: Browse, north: Agency, token: str):
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert client_for(north).get(f"/view-as/{token}/").status_code == 404


def test_a_look_without_opening_does_not_use_the_token_up(client_for: Browse, north: Agency, token: str):
    assert client_for(north).head(f"/view-as/{token}/").status_code == 404
    assert client_for(north).get(f"/view-as/{token}/").status_code == 302


@pytest.mark.parametrize("who", ["operator", "person"])
def test_a_token_of_somebody_who_is_gone_changes_nothing(client_for: Browse, north: Agency, token: str, who: str):
    """What it would change silently is that it was used."""
    view = ViewAs.objects.for_agency(north).get()
    User.objects.filter(pk=getattr(view, who).pk).update(is_active=False)
    before = Event.objects.for_agency(north).count()

    assert client_for(north).get(f"/view-as/{token}/").status_code == 404

    view.refresh_from_db()
    assert (view.opened_at, Event.objects.for_agency(north).count()) == (None, before)


def test_a_token_opens_at_its_own_agency_only(client_for: Browse, south: Agency, token: str):
    assert client_for(south).get(f"/view-as/{token}/").status_code == 404


def test_it_is_over_after_a_quarter_of_an_hour(viewing: Client):
    with time_machine.travel(timezone.now() + timedelta(minutes=14), tick=False):
        assert viewing.get("/console/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert viewing.get("/console/").status_code in (302, 403)
    assert viewing.get("/console/").status_code == 302, "the session is gone"


def test_it_ends_when_it_is_ended(viewing: Client, north: Agency, olu: User):
    text = viewing.post("/view-as/end/").content.decode()

    assert "The view is over" in text
    assert f"/operator/agencies/{north.pk}/" in text
    event = Event.objects.for_agency(north).latest("pk")
    assert (event.kind, event.actor_id) == ("view_as.ended", olu.pk)
    assert viewing.get("/console/").status_code == 302


@pytest.mark.parametrize(
    ("whose", "changes"),
    [
        ("olu", {"is_active": False}),
        ("olu", {"is_staff": False}),
        ("ada", {"is_active": False}),
        ("ada", {"staff_role": ""}),
    ],
)
def test_it_ends_with_the_people_in_it(
    viewing: Client, ada: User, olu: User, whose: str, changes: dict[str, bool | str]
):
    User.objects.filter(pk={"ada": ada, "olu": olu}[whose].pk).update(**changes)

    assert viewing.get("/console/").status_code == 403
    assert viewing.get("/console/").status_code == 302


def test_it_ends_when_the_operator_belongs_to_an_agency(viewing: Client, north: Agency, olu: User):
    User.objects.filter(pk=olu.pk).update(agency=north, username=f"{north.pk.hex}:{olu.email}")

    assert viewing.get("/console/").status_code == 403


def test_the_session_that_was_there_is_gone(
    client_for: Browse, north: Agency, bo: User, bos_company: Customer, token: str
):
    client = client_for(north, bo)

    client.get(f"/view-as/{token}/")
    client.post("/view-as/end/")

    assert client.get(f"/c/{bos_company.public_id}/").status_code == 302


def test_what_is_over_runs_no_more_whatever_a_browser_keeps(north: Agency, ada: User, olu: User):
    views = []
    for _ in range(2):
        view = views_as.open_view(north, token=views_as.ask(north, person=ada, reason="To look", acting_user=olu))
        assert view is not None
        views.append(view)

    views_as.end(views[0])

    assert [views_as.running(north, view.public_id) for view in views] == [None, views[1]]
    with time_machine.travel(timezone.now() + views_as.LASTS):
        assert views_as.running(north, views[1].public_id) is None


def test_ending_it_twice_is_once(north: Agency, ada: User, olu: User):
    view = views_as.open_view(north, token=views_as.ask(north, person=ada, reason="To look", acting_user=olu))
    assert view is not None

    views_as.end(view)
    views_as.end(view)

    assert Event.objects.for_agency(north).filter(kind="view_as.ended").count() == 1


def test_only_operators_ask_and_only_for_staff_who_can_sign_in(
    north: Agency, south: Agency, ada: User, bo: User, cy: User, olu: User
):
    gone = factories.staff(north, "gone@north.example", "support", is_active=False)
    left = factories.operator("left@platform.example")
    left.is_active = False
    insider = factories.staff(north, "insider@north.example", "owner", is_staff=True)
    sue = factories.staff(south, "sue@south.example", "owner")
    for person, acting in ((ada, ada), (ada, left), (ada, insider), (bo, olu), (cy, olu), (sue, olu), (gone, olu)):
        with pytest.raises(NotAllowed):
            views_as.ask(north, person=person, reason="Curious", acting_user=acting)


def test_a_view_runs_in_no_session_but_that_of_its_person(client_for: Browse, north: Agency, viewing: Client):
    bens = client_for(north, factories.staff(north, "ben@north.example", "support"))
    session = bens.session
    session.update({key: viewing.session[key] for key in (VIEW, OPERATOR)})
    session.save()

    assert bens.get("/console/").status_code == 403


def test_a_view_is_the_one_that_was_opened_and_of_this_agency(north: Agency, south: Agency, ada: User, olu: User):
    sue = factories.staff(south, "sue@south.example", "owner")
    ben = factories.staff(north, "ben@north.example", "support")
    asked = [(north, ada), (north, ben), (south, sue)]
    tokens = [views_as.ask(agency, person=who, reason="To look", acting_user=olu) for agency, who in asked]
    views = [views_as.open_view(agency, token=token) for (agency, _who), token in zip(asked, tokens, strict=True)]

    found = [views_as.running(agency, view.public_id) for (agency, _who), view in zip(asked, views, strict=True)]

    assert [view.person for view in found] == [ada, ben, sue]
    assert views_as.running(north, views[2].public_id) is None
    views_as.ask(north, person=ada, reason="To look", acting_user=olu)
    assert views_as.running(north, ViewAs.objects.for_agency(north).get(opened_at=None).public_id) is None
