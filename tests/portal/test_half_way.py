"""What ends sessions ends those that are half-way in, too, and those of the agency alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from django.utils import timezone

from accounts import erasure, operators, people, staff, views_as
from accounts.crypto import unseal
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Job, User
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "entirely different words"


def sign_in(agency: Agency, email: str) -> Client:
    client = Client(headers={"host": agency.canonical_host})
    client.post("/account/login/", {"login": email, "password": PASSWORD})
    return client


def code_of(person: User) -> str:
    """What the person's authenticator shows now."""
    seed = unseal(Authenticator.objects.get(user=person, type="totp").data["secret"])
    return str(format_hotp_value(hotp_value(seed, next(iter(yield_hotp_counters_from_time())))))


ENDS: dict[str, Callable[[User, User], None]] = {
    "another password": lambda ben, ada: (ben.set_password(NEW), ben.save()),
    "sessions ended by an owner": lambda ben, ada: staff.end_sessions(ben, acting_user=ada),
    "another role": lambda ben, ada: staff.change_role(ben, role="support", acting_user=ada),
    "suspended": lambda ben, ada: staff.suspend(ben, acting_user=ada),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_sign_in_that_waits_for_its_second_step_is_over(north: Agency, ada: User, how: str):
    ben = factories.staff(north, "ben@north.example", "admin")
    client = sign_in(north, ben.email)
    ENDS[how](ben, ada)

    client.post("/account/2fa/authenticate/", {"code": code_of(ben)})

    assert client.get("/console/").status_code == 302


def test_one_that_nothing_ended_goes_on(north: Agency, ada: User):
    client = sign_in(north, ada.email)

    client.post("/account/2fa/authenticate/", {"code": code_of(ada)})

    assert client.get("/console/").status_code == 200


def test_a_code_for_a_new_password_is_over_when_the_person_is_suspended(north: Agency, ada: User):
    ben = factories.staff(north, "ben@north.example", "admin")
    client = Client(headers={"host": north.canonical_host})
    client.post("/account/password/reset/", {"email": ben.email})
    code = unseal(Job.objects.for_agency(north).latest("pk").sealed_secret)
    assert client.post("/account/password/reset/confirm/", {"code": code}).status_code == 302
    staff.suspend(ben, acting_user=ada)

    client.post("/account/password/reset/complete/", {"password1": NEW, "password2": NEW})

    ben.refresh_from_db()
    assert not ben.check_password(NEW)


def test_a_code_for_a_new_password_is_over_when_its_mailbox_is_not_theirs_any_more(north: Agency, bo: User):
    """Or whoever reads the mailbox that Bo has left gets in by what was begun before."""
    client = Client(headers={"host": north.canonical_host})
    client.post("/account/password/reset/", {"email": bo.email})
    code = unseal(Job.objects.for_agency(north).latest("pk").sealed_secret)
    assert client.post("/account/password/reset/confirm/", {"code": code}).status_code == 302
    EmailAddress.objects.create(user=bo, email="bo@new.example", verified=True).set_as_primary()

    client.post("/account/password/reset/complete/", {"password1": NEW, "password2": NEW})

    bo.refresh_from_db()
    assert not bo.check_password(NEW)


def test_it_is_over_too_where_somebody_else_waits_in_the_same_browser(north: Agency, ada: User):
    ben, own = factories.staff(north, "ben@north.example", "admin"), factories.person(north, "own@home.example")
    factories.second_factor(own)
    client = Client(headers={"host": north.canonical_host})
    client.post("/account/password/reset/", {"email": ben.email})
    code = unseal(Job.objects.for_agency(north).latest("pk").sealed_secret)
    client.post("/account/password/reset/confirm/", {"code": code})
    client.post("/account/login/", {"login": own.email, "password": PASSWORD})
    staff.suspend(ben, acting_user=ada)

    client.post("/account/password/reset/complete/", {"password1": NEW, "password2": NEW})

    ben.refresh_from_db()
    assert not ben.check_password(NEW)


def test_a_code_for_a_new_password_is_over_when_the_person_may_not_sign_in_any_more(north: Agency):
    ben = factories.staff(north, "ben@north.example", "admin")
    client = Client(headers={"host": north.canonical_host})
    client.post("/account/password/reset/", {"email": ben.email})
    User.objects.filter(pk=ben.pk).update(is_active=False)

    page = client.get("/account/password/reset/confirm/")

    assert page.status_code == 302
    assert "account_password_reset_verification" not in client.session


def test_who_joins_the_staff_goes_on_in_the_session_in_which_they_accept(north: Agency, ada: User, bo: User):
    factories.second_factor(bo)
    client = Client(headers={"host": north.canonical_host})
    client.force_login(bo)
    people.invite_staff(agency=north, email=bo.email, staff_role="admin", acting_user=ada)
    token = unseal(Job.objects.for_agency(north).latest("pk").sealed_secret)

    answer = client.post(f"/invitation/{token}/")

    assert answer.url == "/console/"
    assert client.get("/console/").status_code == 200


def test_a_view_is_over_when_the_operators_sessions_are(north: Agency, ada: User):
    olu = factories.operator()
    client = Client(headers={"host": north.canonical_host})
    client.get(f"/view-as/{views_as.ask(north, person=ada, reason='To look', acting_user=olu)}/")
    assert client.get("/console/").status_code == 200

    people.end_sessions(olu)

    assert client.get("/console/").status_code == 403


def test_who_was_signed_in_when_an_agency_was_stopped_signs_in_again(north: Agency, bo: User):
    client, olu = sign_in(north, bo.email), factories.operator()
    assert client.get("/account/profile/").status_code == 200

    operators.stop(north, reason="x", acting_user=olu)
    operators.resume(Agency.objects.get(pk=north.pk), reason="x", acting_user=olu)

    assert client.get("/account/profile/").status_code == 302


@pytest.mark.parametrize("address", ["e@shop.example", "cecile@shop.example"])
def test_who_is_erased_ends_no_session_of_another_agency(north: Agency, south: Agency, address: str):
    """Not that of the same address, nor of one that ends like it."""
    factories.person(south, "cecile@shop.example")
    hers = sign_in(south, "cecile@shop.example")
    late = factories.person(north, address, verified=False)
    factories.customer(north, late, proven=False)

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert erasure.erase_never_proven(late)

    assert hers.get("/account/profile/").status_code == 200


def test_staff_bring_no_staff_and_no_second_owner_into_a_customer(north: Agency, bos_company: Customer):
    sam = factories.staff(north, "sam@north.example", "support")
    factories.staff(north, "colleague@north.example", "analyst")

    for email, role in (
        (sam.email, "editor"),
        ("colleague@north.example", "viewer"),
        ("friend@else.example", "owner"),
    ):
        with pytest.raises(NotAllowed):
            people.invite_member(customer=bos_company, email=email, role=role, acting_user=sam)
    assert people.invite_member(customer=bos_company, email="new@shop.example", role="editor", acting_user=sam)


ADDRESS = '"<h1>x</h1><button\x0cformaction=/console/staff/invite/>"@evil.example'


def test_an_address_is_text_wherever_it_is_shown(north: Agency, ada: User, bos_company: Customer):
    stranger = factories.member(bos_company, "editor", ADDRESS)
    path = f"/console/customers/{bos_company.public_id}/people/{stranger.pk}/erase/"

    for person, shown in ((ada, path), (stranger, "/account/data/erase/")):
        client = Client(headers={"host": north.canonical_host})
        client.force_login(person)
        client.post("/account/reauthenticate/", {"password": PASSWORD})
        page = client.get(shown).content.decode()
        assert "&lt;h1&gt;" in page
        assert "<h1>x" not in page
