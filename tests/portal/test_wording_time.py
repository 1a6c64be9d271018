"""Days, moments and durations: everywhere as the reader writes them."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client, RequestFactory
from django.utils import translation

from accounts import jobs, timeline
from accounts.limits import TooMany
from accounts.mails import put_mail
from accounts.models import Agency, Job, Subaccount, User
from portal import wording_changes, wording_problems, wording_timeline
from portal.views.console import connection
from portal.visitors import too_many
from portal.wording_time import readable, waiting_time
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (45, "45 seconds"), (90, "90 seconds"), (91, "2 minutes"), (2692, "45 minutes")],
)
def test_a_wait_is_said_in_minutes_once_seconds_cannot_be_counted_along(seconds: int, words: str):
    assert waiting_time(seconds) == words


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("2027-03-31", "31 Mar 2027"),
        ("2026-11-30 16:14:16.194968+00:00", "30 Nov 2026, 17:14"),
        ("2026-11-30T16:14:16.194968+00:00", "30 Nov 2026, 17:14"),
        ("9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59+00:00"),
        ("soon", "soon"),
        ("", ""),
        ("–", "–"),
    ],
)
def test_what_was_stored_is_written_as_the_reader_writes_it(stored: str, words: str):
    assert readable(stored) == words


def test_who_tried_too_often_reads_minutes_wherever_it_is_said(rf: RequestFactory, north: Agency):
    request, problem = rf.get("/"), TooMany(2692)
    request.agency = north

    assert "Wait 45 minutes and try again" in too_many(request, problem).content.decode()
    assert wording_problems.problem(problem, seconds=5).next == "Please wait 45 minutes and try again."
    assert connection._too_many(problem).endswith("Please wait 45 minutes.")


def test_a_mail_about_ones_sign_in_writes_its_moment_as_its_reader_does(bo_client: Client, bo: User, north: Agency):
    User.objects.filter(pk=bo.pk).update(language="nl")
    new = "window bicycle oven"
    bo_client.post("/account/password/change/", {"oldpassword": factories.PASSWORD, "password1": new, "password2": new})
    moment = Job.objects.for_agency(north).get(payload__mail="account/email/password_changed").payload["timestamp"]
    while jobs.run():
        pass

    with translation.override("nl"):
        assert f"Wanneer: {readable(moment)}\n" in mail.outbox[-1].body
    assert "+00:00" not in mail.outbox[-1].body


def test_an_english_mail_begins_with_a_capital(north: Agency, bo: User):
    put_mail("account/email/password_changed", agency=north, to=bo.email)
    while jobs.run():
        pass

    assert mail.outbox[-1].body.startswith("Hello,\n\nYour password was changed.")


def test_what_the_vendor_said_of_an_end_is_written_like_every_other_day(
    client_for: Any, north: Agency, ada: User, active: Subaccount
):
    facts = {"expiry_date": "2027-03-31", "last_login": "2026-11-30 16:14:16+00:00"}
    Subaccount.objects.for_agency(north).update(facts=facts)
    active.refresh_from_db()

    page = client_for(north, ada).get(f"/console/customers/{active.customer.public_id}/").text

    assert "31 Mar 2027" in page
    assert "30 Nov 2026, 17:14" in page
    assert "2027-03-31" not in page
    assert "31 Mar 2027" in wording_changes._expiry(active.customer)


def test_durations_in_the_timeline_are_written_as_the_reader_writes_numbers(active: Subaccount, bo_client: Client):
    bo_client.post(f"/c/{active.customer.public_id}/launch/", {"page": ""})

    with translation.override("nl"):
        lines = [wording_timeline.line(entry).text for entry in timeline.page(active.customer).entries]

    opened = next(text for text in lines if "Geopend in" in text)
    assert "," in opened
    assert "\N{NO-BREAK SPACE}s" in opened
