"""An address that somebody else has by now: what goes there is theirs. And one that is typed, and not proven yet."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import erasure, jobs, people
from accounts.erasure import Why
from accounts.models import Agency, Customer, Invitation, Job, User
from tests import factories
from tests.accounts.canaries import everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def bos(bo_client: Client, bos_company: Customer) -> Client:
    """Bo's browser, right after the password was typed; somebody else owns the company, too."""
    factories.activate(bos_company, None)
    factories.member(bos_company, "owner", "eve@shop.example")
    bo_client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    return bo_client


@pytest.fixture
def noor(north: Agency, ada: User, bo: User, bos: Client, client_for: Callable[..., Client]) -> User:
    """She has the address that Bo had, asks for a new password, and is invited by another customer."""
    bos.post("/account/email/", {"action_add": "", "email": "bo@new.example"})
    bos.post("/account/confirm-email/", {"code": bos.session["account_email_verification_code"]["code"]})
    bo.refresh_from_db()
    assert bo.email == "bo@new.example"
    Job.objects.for_agency(north).delete()
    noor = factories.person(north, "bo@shop.example", first_name="Noor")
    rival = factories.customer(north, factories.person(north, "boss@rival.example"), company_name="Rivalcanary")
    client_for(north).post("/account/password/reset/", {"email": noor.email})
    people.invite_member(customer=rival, email=noor.email, role="editor", acting_user=ada)
    return noor


def waiting_for(person: User) -> tuple[int, int]:
    """Mails and invitations."""
    return (
        Job.objects.for_agency(person.agency).filter(payload__to=person.email).count(),
        Invitation.objects.for_agency(person.agency).filter(email=person.email).count(),
    )


def test_the_export_of_who_had_it_tells_nothing_of_who_has_it(noor: User, bos: Client):
    data = bos.post("/account/data/").content.decode()

    assert "bo@new.example" in data
    assert "Rivalcanary" not in data


def test_erasing_who_had_it_takes_nothing_from_who_has_it(noor: User, bo: User):
    assert waiting_for(noor) == (2, 1)

    erasure.erase_person(User.objects.get(pk=bo.pk), why=Why.OWN_WISH, acting_user=bo)

    assert waiting_for(noor) == (2, 1)


def test_an_address_that_was_typed_and_not_proven_yet_is_erased_too(bos: Client, bo: User):
    bos.post("/account/email/", {"action_add": "", "email": "canary-private@home.example"})
    assert "canary-private" in everything()

    erasure.erase_person(User.objects.get(pk=bo.pk), why=Why.OWN_WISH, acting_user=bo)

    assert "canary-private" not in everything()


def test_the_mail_to_it_says_of_nobody_that_they_asked_once_it_is_sent(north: Agency, bos: Client, bo: User):
    bos.post("/account/email/", {"action_add": "", "email": "bo@new.example"})
    while jobs.run():
        pass

    assert [job.payload for job in Job.objects.for_agency(north) if "asked_by" in job.payload] == []
