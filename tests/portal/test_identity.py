"""One address, many agencies: sign-in, sessions, limits and second factors stay within the agency."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts import jobs, people
from accounts.crypto import unseal
from accounts.models import Agency, Event, Invitation, Job, User
from portal.demo_inbox import totp
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/account/login/", {"login": email, "password": password})


def send_mails() -> None:
    while jobs.run():
        pass


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_same_address_signs_in_with_its_own_password_at_each_agency(north: Agency, south: Agency, client_for: Any):
    factories.person(north, "bo@shop.example")
    at_south = factories.person(south, "bo@shop.example")
    at_south.set_password("another window bicycle")
    at_south.save()

    wrong, right = client_for(south), client_for(south)
    sign_in(wrong, "bo@shop.example", PASSWORD)
    sign_in(right, "BO@Shop.Example", "another window bicycle")

    assert not is_signed_in(wrong)
    assert right.session["_auth_user_id"] == str(at_south.pk)


def test_a_session_on_another_host_is_destroyed(north: Agency, south: Agency, bo: User, client_for: Any):
    client = client_for(north)
    sign_in(client, bo.email)
    assert Session.objects.count() == 1

    answer = client.get("/", headers={"host": "south.localhost"})

    assert answer.status_code == 302
    assert Session.objects.count() == 0


def test_a_person_forced_into_another_agencys_host_is_anonymous(south: Agency, bo: User):
    client = Client(headers={"host": "south.localhost"})
    client.force_login(bo)

    assert client.get("/").headers["Location"].startswith("/account/login/")


def test_the_address_and_its_login_key_move_together(north: Agency, bo: User):
    bo.email = "New@Shop.example"
    bo.save(update_fields=["email"])

    assert User.objects.get(pk=bo.pk).username == f"{north.pk.hex}:new@shop.example"
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=bo.pk).update(email="other@shop.example")


def test_two_operators_cannot_share_an_address(db: None):
    factories.operator("olu@platform.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        User(agency=None, email="OLU@platform.example").save()


def test_operators_sign_in_on_the_platform_host_only(north: Agency, client_for: Any):
    operator = factories.operator()
    at_north, at_platform = client_for(north), client_for("platform.localhost")

    sign_in(at_north, operator.email)
    answer = sign_in(at_platform, operator.email)

    assert not is_signed_in(at_north)
    assert answer.headers["Location"] == reverse("mfa_authenticate")


def test_nobody_signs_up_with_the_operator(client_for: Any, db: None):
    assert client_for("platform.localhost").get("/account/signup/").status_code == 404


def test_a_wrong_password_and_an_unknown_address_read_the_same(north: Agency, bo: User, client_for: Any):
    known = sign_in(client_for(north), bo.email, "wrong wrong wrong")
    unknown = sign_in(client_for(north), "nobody@shop.example", "wrong wrong wrong")

    def masked(text: str) -> str:
        return re.sub(r'value="[^"]*"|nonce="[^"]*"', "", text)

    assert masked(known.text) == masked(unknown.text)
    assert "username" not in known.text.lower()


def test_five_failures_lock_the_address_at_one_agency_only(north: Agency, south: Agency, bo: User, client_for: Any):
    factories.person(south, bo.email)
    for _ in range(6):
        sign_in(client_for(north), bo.email, "wrong wrong wrong")
    locked, free = client_for(north), client_for(south)

    answer = sign_in(locked, bo.email)
    sign_in(free, bo.email)

    assert "Too many" in answer.text
    assert not is_signed_in(locked)
    assert is_signed_in(free)


def test_a_reset_at_one_agency_leaves_the_other_alone(north: Agency, south: Agency, bo: User, client_for: Any):
    other = factories.person(south, bo.email)
    client_for(north).post("/account/password/reset/", {"email": bo.email})
    client_for(south).post("/account/password/reset/", {"email": "nobody@shop.example"})
    send_mails()

    bodies = {address: message.body for message in mail.outbox for address in message.to}
    assert sorted(bodies) == [bo.email, "nobody@shop.example"]
    assert "South" not in bodies[bo.email]
    assert "North" not in bodies["nobody@shop.example"]
    assert User.objects.get(pk=other.pk).check_password(PASSWORD)


def test_a_changed_password_ends_the_other_sessions(north: Agency, bo: User, client_for: Any):
    old, new = client_for(north), client_for(north)
    sign_in(old, bo.email)
    sign_in(new, bo.email)

    new.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": "a brand new window", "password2": "a brand new window"},
    )

    assert old.get("/account/email/").headers["Location"].startswith("/account/login/")
    assert new.get("/account/email/").status_code in (200, 302)
    assert is_signed_in(new)


def test_ended_sessions_are_over_at_the_next_request(north: Agency, bo: User, client_for: Any):
    client = client_for(north)
    sign_in(client, bo.email)

    people.end_sessions(bo)

    assert client.get("/").headers["Location"].startswith("/account/login/")


def test_staff_reach_nothing_before_their_second_factor(north: Agency, client_for: Any):
    person = factories.person(north, "new@north.example", staff_role="support")
    client = client_for(north, person)

    page, change = client.get("/console/"), client.post("/account/email/", {"email": "x@y.example"})

    assert (page.status_code, change.status_code) == (303, 403)
    assert page.headers["Location"].startswith("/account/2fa/totp/activate/")


def test_a_second_factor_is_asked_for_and_its_seed_is_sealed(north: Agency, ada: User, client_for: Any):
    client = client_for(north)

    asked = sign_in(client, ada.email)
    seed = Authenticator.objects.get(user=ada).data["secret"]
    client.post(asked.headers["Location"], {"code": totp(unseal(seed))})

    assert asked.headers["Location"] == "/account/2fa/authenticate/"
    assert is_signed_in(client)
    assert client.get("/console/").status_code == 200
    assert unseal(seed) not in seed


def test_an_agency_may_ask_its_members_for_a_second_factor(north: Agency, bo: User, client_for: Any):
    north.members_need_mfa = True
    north.save()

    assert client_for(north, bo).get("/").status_code == 303


def test_an_invitation_is_good_for_one_use_at_one_agency(north: Agency, south: Agency, client_for: Any):
    people.invite_staff(agency=north, email="new@north.example", staff_role="support", acting_user=None)
    send_mails()
    path = re.search(r"/invitation/[\w-]+/", mail.outbox[0].body).group(0)
    form = {"first_name": "New", "last_name": "Person", "password": PASSWORD}

    foreign = client_for(south).get(path)
    shown = client_for(north).get(path)
    accepted = client_for(north).post(path, form)
    again = client_for(north).post(path, form)

    assert (foreign.status_code, shown.status_code) == (404, 200)
    assert (accepted.status_code, again.status_code) == (302, 404)
    person = User.objects.get(email="new@north.example")
    assert (person.agency, person.staff_role) == (north, "support")
    assert EmailAddress.objects.get(user=person).verified


def invitation_for(agency: Agency, email: str) -> str:
    people.invite_staff(agency=agency, email=email, staff_role="owner", acting_user=None)
    send_mails()
    return re.search(r"/invitation/[\w-]+/", mail.outbox[-1].body).group(0)


def test_somebody_who_signed_up_with_the_address_of_an_invited_owner_does_not_keep_it(north: Agency, client_for: Any):
    squatter = client_for(north)
    squatter.post("/account/signup/", factories.sign_up_form(north, email="ada@north.example"))
    path = invitation_for(north, "ada@north.example")
    ada = client_for(north)

    accepted = ada.post(path, {"first_name": "Ada", "last_name": "North", "password": "another window bicycle"})

    assert accepted.status_code == 302
    person = User.objects.get(agency=north, email="ada@north.example")
    assert (person.staff_role, person.check_password("another window bicycle")) == ("owner", True)
    assert not person.memberships.exists()
    assert north.subaccounts.get().state == "closed"
    assert not is_signed_in(squatter)


def test_somebody_who_signs_in_here_already_joins_with_the_same_sign_in(north: Agency, bo: User, client_for: Any):
    path = invitation_for(north, bo.email)
    stranger, own = client_for(north), client_for(north, bo)

    assert stranger.get(path).headers["Location"].startswith("/account/login/")
    assert "bo@shop.example already" in own.get(path).text
    assert own.post(path).headers["Location"] == "/console/"
    bo.refresh_from_db()
    assert (bo.staff_role, bo.check_password(PASSWORD)) == ("owner", True)


def test_an_invitation_is_not_accepted_by_somebody_else(north: Agency, bo: User, client_for: Any):
    path = invitation_for(north, bo.email)
    kim = factories.person(north, "kim@shop.example")

    assert client_for(north, kim).post(path).status_code == 404
    kim.refresh_from_db()
    assert kim.staff_role == ""


def test_readiness_is_denied_without_a_database(north: Agency, monkeypatch: pytest.MonkeyPatch):
    from django.db import DatabaseError, connection

    def gone(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    client = Client(headers={"host": "north.localhost"})
    assert client.get("/readyz").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", gone)
        denied = client.get("/readyz")
    assert denied.status_code == 503
    assert denied.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_an_old_invitation_is_gone(north: Agency, client_for: Any):
    people.invite_staff(agency=north, email="new@north.example", staff_role="support", acting_user=None)
    send_mails()
    Invitation.objects.for_agency(north).update(expires_at="2020-01-01T00:00Z")
    path = re.search(r"/invitation/[\w-]+/", mail.outbox[0].body).group(0)

    assert client_for(north).get(path).status_code == 404


def test_an_invitations_token_is_kept_nowhere_once_it_is_sent(north: Agency):
    people.invite_staff(agency=north, email="new@north.example", staff_role="support", acting_user=None)
    job = Job.objects.for_agency(north).get()
    send_mails()
    token = re.search(r"/invitation/([\w-]+)/", mail.outbox[0].body).group(1)

    assert token not in str(job.payload) + job.sealed_secret
    job.refresh_from_db()
    assert job.sealed_secret == ""
    assert token not in str(list(Event.objects.for_agency(north).values()))


def test_links_in_mails_use_the_agencys_own_host(north: Agency, bo: User, client_for: Any):
    client_for(north).post(
        "/account/signup/",
        {
            "package": str(north.packages.first().public_id),
            "company_name": "X",
            "first_name": "X",
            "last_name": "X",
            "country": "NL",
            "email": bo.email,
            "password1": PASSWORD,
        },
    )
    send_mails()

    links = re.findall(r"https?://[^/\s]+", mail.outbox[-1].body)
    assert set(links) == {"http://north.localhost:8000"}


def test_what_would_look_people_up_across_agencies_stays_off():
    assert django_settings.ACCOUNT_UNIQUE_EMAIL is False
    for app in ("allauth.headless", "allauth.socialaccount", "allauth.idp", "django.contrib.sites"):
        assert app not in django_settings.INSTALLED_APPS
    assert not getattr(django_settings, "ACCOUNT_LOGIN_BY_CODE_ENABLED", False)
    assert not getattr(django_settings, "ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE", False)


@pytest.mark.parametrize(
    "host", ["NORTH.localhost", "north.localhost.", "north.localhost:81", "north.localhost:", "a@north.localhost", ""]
)
def test_only_the_exact_host_is_served(host: str, north: Agency):
    answer, strangers = (Client(headers={"host": name}).get("/account/login/") for name in (host, "nobody.localhost"))

    assert answer.status_code == 400
    assert answer.content == strangers.content, "our own gate refuses, not only what stands behind it"


def test_another_host_of_the_agency_leads_to_its_canonical_one(north: Agency):
    north.hosts.create(name="old-north.localhost")

    answer = Client(headers={"host": "old-north.localhost"}).get("/start/?x=1")

    assert (answer.status_code, answer.headers["Location"]) == (301, "http://north.localhost:8000/start/?x=1")


def test_a_stopped_agency_answers_nobody(north: Agency, bo_client: Client):
    from django.utils import timezone

    north.stopped_at = timezone.now()
    north.save()

    assert bo_client.get("/").status_code == 400


def test_a_cookie_that_is_nobodys_owes_no_second_step(north: Agency, settings: Any):
    client = Client(headers={"host": north.canonical_host})
    client.cookies[settings.SESSION_COOKIE_NAME] = "nobody"

    assert client.get("/account/login/").status_code == 200
