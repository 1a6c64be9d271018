"""Pages that are refused to somebody who may see others like them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Agency, Customer, User
from tests import factories
from tests.access.making import session_of

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]
PLACES = ("x", "_", "9_", "2026-01-01_1", "2026-01-01T00:00:00Z_x", f"2026-01-01T00:00:00Z_{'9' * 4500}")


def with_session(person: User, *, hours: int) -> Client:
    """As somebody who typed their password so long ago."""
    host = person.agency.canonical_host if person.agency else "platform.localhost"
    client = Client(headers={"host": host})
    client.cookies["session"] = session_of(person, ago=timedelta(hours=hours))
    return client


def test_an_operator_who_signed_in_long_ago_looks_on_as_nobody(north: Agency, ada: User):
    olu = factories.operator()
    path = f"/operator/agencies/{north.pk}/view-as/"

    assert with_session(olu, hours=0).get(path).status_code == 200
    assert "/reauthenticate/" in with_session(olu, hours=3).get(path).headers["Location"]
    assert "/reauthenticate/" in with_session(olu, hours=3).post(path, {"person": ada.pk}).headers["Location"]


def test_who_is_no_operator_any_more_finds_nothing(north: Agency):
    olu = factories.operator()
    User.objects.filter(pk=olu.pk).update(is_staff=False)
    olu.refresh_from_db()

    for path in ("/operator/", f"/operator/agencies/{north.pk}/view-as/"):
        assert with_session(olu, hours=0).get(path).status_code == 404, path


def test_an_admin_changes_no_owner_and_nobody_themselves(client_for: Browse, north: Agency, ada: User):
    ben = factories.staff(north, "ben@north.example", "admin")
    bens = client_for(north, ben)

    for person in (ada, ben):
        assert bens.post(f"/console/staff/{person.pk}/", {"do": "suspend"}).status_code == 403


@pytest.mark.parametrize("what", ["second-factor", "hand-over"])
def test_an_owner_does_to_others_only_what_is_for_others(north: Agency, ada: User, what: str):
    assert with_session(ada, hours=0).get(f"/console/staff/{ada.pk}/{what}/").status_code == 403


def test_nobody_hands_a_customer_over_to_themselves(bo: User, bos_company: Customer):
    path = f"/c/{bos_company.public_id}/people/{bo.pk}/hand-over/"

    assert with_session(bo, hours=0).get(path).status_code == 403


@pytest.mark.parametrize("shown", ["x", "-1", "999999", "٣"])
def test_a_timeline_is_not_shown_from_a_place_that_nobody_linked(
    shown: str, client_for: Browse, north: Agency, ada: User, bos_company: Customer
):
    answer = client_for(north, ada).get(f"/console/customers/{bos_company.public_id}/", {"shown": shown})

    assert answer.status_code == 404


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_nobody_gave_is_404(client_for: Browse, north: Agency, ada: User, place: str):
    adas = client_for(north, ada)
    for path in (f"attention/?after={place}", f"attention/?tasks_after={place}", f"approvals/?after={place}"):
        assert adas.get(f"/console/{path}").status_code == 404, path


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-02-31T00:00:00Z", "2026-01-01", "9" * 4500],
)
def test_a_moment_that_does_not_exist_is_404(
    client_for: Browse, north: Agency, ada: User, bos_company: Customer, moment: str
):
    path = f"/console/customers/{bos_company.public_id}/?before={moment}"

    assert client_for(north, ada).get(path).status_code == 404
