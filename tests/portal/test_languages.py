"""Whose language a page and a mail are in."""

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts import jobs, people
from accounts.models import Agency, User
from portal.languages import wanted
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        ("de-DE,de;q=0.9,fr;q=0.5", "fr"),
        ("de", ""),
        ("", ""),
        ("*", ""),
        ("xx;q=nonsense, " * 400, ""),
    ],
)
def test_a_browser_gets_the_first_of_its_languages_that_we_have(header: str, language: str):
    assert wanted(header) == language


def test_somebody_unknown_reads_the_browsers_language_else_the_agencys(client_for: Browse, north: Agency):
    Agency.objects.filter(pk=north.pk).update(language="fr")
    browser = client_for(north)

    spanish = browser.get("/account/login/", headers={"accept-language": "es-ES"})
    german = browser.get("/account/login/", headers={"accept-language": "de"})

    assert spanish.headers["Content-Language"] == "es"
    assert b'<html lang="es">' in spanish.content
    assert "Accept-Language" in spanish.headers["Vary"]
    assert german.headers["Content-Language"] == "fr"


def test_somebody_known_reads_their_own_language_whatever_the_browser_says(
    client_for: Browse, north: Agency, bo: User, bos_company: object
):
    User.objects.filter(pk=bo.pk).update(language="nl")

    response = client_for(north, bo).get("/account/profile/", headers={"accept-language": "es"})

    assert response.headers["Content-Language"] == "nl"


def test_somebody_known_who_chose_none_reads_the_agencys(client_for: Browse, north: Agency, bo: User):
    Agency.objects.filter(pk=north.pk).update(language="fr")

    response = client_for(north, bo).get("/account/profile/", headers={"accept-language": "es"})

    assert response.headers["Content-Language"] == "fr"


def test_a_brands_style_sheet_has_no_language(client_for: Browse, north: Agency):
    response = client_for(north).get(f"/brand/{north.brand.hash}.css", headers={"accept-language": "es"})

    assert not response.has_header("Content-Language")
    assert "Accept-Language" not in response.headers.get("Vary", "")


def test_one_language_does_not_stay_for_the_next_request(client_for: Browse, north: Agency):
    browser = client_for(north)
    browser.get("/account/login/", headers={"accept-language": "es"})

    assert browser.get("/account/login/").headers["Content-Language"] == "en"


def test_a_mail_is_in_its_receivers_language(north: Agency, ada: User):
    Agency.objects.filter(pk=north.pk).update(language="fr")
    north.refresh_from_db()
    factories.person(north, "known@shop.example", language="nl")

    assert people.language_for(north, "Known@shop.example", otherwise="es") == "nl"
    assert people.language_for(north, "unknown@shop.example", otherwise="es") == "es"
    assert people.language_for(north, "unknown@shop.example") == "fr"
    assert people.language_for(None, "olu@platform.example") == "en"


def test_the_dates_of_a_mail_are_written_as_its_reader_writes_them(north: Agency):
    Agency.objects.filter(pk=north.pk).update(language="nl")
    people.invite_staff(agency=north, email="new@north.example", staff_role="support", acting_user=None)
    while jobs.run():
        pass

    expires = timezone.localdate() + people.INVITATION_DAYS
    with translation.override("nl"):
        assert date_format(expires) in mail.outbox[-1].body
