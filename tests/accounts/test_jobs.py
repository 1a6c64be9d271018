"""Jobs: tried again until they are done, never piling up, and blanked afterwards."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import psycopg
import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts import clock, customer_care, jobs, operators, panel, provisioning, refreshes, vendor
from accounts.claimed import Claimed
from accounts.mails import put_mail
from accounts.models import Agency, Customer, Event, Job, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import no_mail_server

pytestmark = pytest.mark.django_db


def put(agency: Agency) -> Job:
    return put_mail(
        "account/email/password_reset_code", agency=agency, to="bo@shop.example", secret="CODE-CANARY", language="en"
    )


def test_a_mail_server_that_is_away_loses_nothing(north: Agency):
    job = put(north)

    with no_mail_server():
        jobs.run()
    job.refresh_from_db()
    assert (job.attempts, job.last_error, job.done_at) == (1, "ConnectionRefusedError", None)
    assert job.run_at > timezone.now()

    Job.objects.for_agency(north).update(run_at=timezone.now())
    jobs.run()
    job.refresh_from_db()
    assert "CODE-CANARY" in mail.outbox[0].body
    assert (job.sealed_secret, job.run_at) == ("", None)
    assert job.done_at is not None


def test_a_secret_in_a_job_is_sealed(north: Agency):
    job = put(north)

    assert "CODE-CANARY" not in job.sealed_secret + str(job.payload)


def test_a_job_that_another_worker_holds_is_left_alone(north: Agency):
    put(north)
    Job.objects.for_agency(north).update(lease_owner="another", lease_until=timezone.now() + timedelta(minutes=1))

    assert jobs.run() is False


def test_a_mail_about_a_customer_that_is_gone_is_not_sent(north: Agency):
    Job.objects.create(agency=north, kind=Job.Kind.MAIL, payload={"mail": "account_ready", "customer": 424242})

    jobs.run()

    assert mail.outbox == []
    assert not Job.objects.for_agency(north).exclude(run_at=None).exists()


def test_refreshes_do_not_pile_up_while_nobody_does_them(sandbox: Sandbox, active: Subaccount):
    north = active.agency
    Job.objects.for_agency(north).delete()
    Subaccount.objects.for_agency(north).update(refreshed_at=timezone.now() - timedelta(hours=2))

    for _ in range(3):
        refreshes.schedule()
    assert Job.objects.for_agency(north).count() == 1

    Job.objects.for_agency(north).delete()
    VendorAccount.objects.filter(agency__name="North").update(trouble=VendorAccount.Trouble.UNREACHABLE)
    refreshes.schedule()
    assert Job.objects.for_agency(north).count() == 0


def test_a_mail_that_was_sent_keeps_nothing_of_whom_it_went_to(north: Agency):
    put_mail(
        "invitation",
        agency=north,
        to="bo@shop.example",
        invited_to="Bo's",
        expires_at="2026-11-22T10:00:00+00:00",
        secret="x",
    )
    jobs.run()

    job = Job.objects.for_agency(north).get()
    assert mail.outbox[0].to == ["bo@shop.example"]
    assert (job.payload, job.sealed_secret) == ({"mail": "invitation"}, "")


def test_what_a_reading_brings_of_a_customer_that_was_closed_meanwhile_is_dropped(
    sandbox: Sandbox, active: Subaccount, ada: User, monkeypatch: pytest.MonkeyPatch
):
    Subaccount.objects.for_agency(active.agency).filter(pk=active.pk).update(facts={})
    active.campaigns.all().delete()
    ask = vendor.ask

    def close_meanwhile(*args: Any, **kwargs: Any) -> Any:
        answer = ask(*args, **kwargs)
        customer_care.close(active.customer, message="Bye", acting_user=ada)
        return answer

    monkeypatch.setattr(vendor, "ask", close_meanwhile)
    Job.objects.for_agency(active.agency).delete()  # one reading a minute
    refreshes.put(active)
    while jobs.run():
        pass

    active.refresh_from_db()
    assert (active.facts, active.campaigns.count()) == ({}, 0)


def test_a_display_name_cannot_start_another_header(north: Agency):
    north.name = 'North"\r\nBcc: evil@evil.example\r\n'
    north.save()
    put(north)

    jobs.run()

    assert "\n" not in mail.outbox[0].from_email
    assert set(mail.outbox[0].message().keys()) >= {"From", "To"}
    assert "Bcc" not in mail.outbox[0].message()


def test_a_mail_goes_before_refreshes_that_are_due_longer(sandbox: Sandbox, active: Subaccount):
    north = active.agency
    Job.objects.for_agency(north).delete()
    refreshes.put(active, after=timedelta(minutes=-5))
    put(north)

    jobs.run()

    assert len(mail.outbox) == 1


def test_campaigns_that_were_never_read_are_read_in_the_end(sandbox: Sandbox, active: Subaccount):
    long_ago = timezone.now() - timedelta(days=2)
    Job.objects.for_agency(active.agency).delete()
    Subaccount.objects.for_agency(active.agency).update(refreshed_at=None, bound_at=long_ago)

    assert refreshes.schedule() == 1
    jobs.run()

    active.refresh_from_db()
    assert active.refreshed_at is not None


def test_nothing_is_read_again_for_an_agency_that_is_stopped(active: Subaccount):
    Subaccount.objects.for_agency(active.agency).update(refreshed_at=timezone.now() - timedelta(days=2))
    Agency.objects.filter(pk=active.agency_id).update(stopped_at=timezone.now())

    assert refreshes.schedule() == 0


def test_a_mail_that_nobody_takes_for_a_week_is_given_up_and_its_secret_blanked(
    north: Agency, monkeypatch: pytest.MonkeyPatch
):
    job = put(north)
    monkeypatch.setattr(EmailBackend, "send_messages", lambda self, messages: 1 / 0)
    Job.objects.for_agency(north).update(created_at=timezone.now() - timedelta(days=8))
    jobs.run()
    job.refresh_from_db()
    assert job.run_at is not None, "it may have waited in a copy for so long, and was tried once"

    Job.objects.for_agency(north).update(run_at=timezone.now(), attempts=jobs.MAILS_GIVE_UP_TRIES)
    jobs.run()

    job.refresh_from_db()
    assert (job.run_at, job.sealed_secret, job.last_error) == (None, "", "ZeroDivisionError")


@pytest.mark.parametrize("trouble", ["credentials", "unreachable", "unsealed"])
def test_staff_read_why_everything_waits(trouble: str, north: Agency):
    VendorAccount.objects.filter(agency=north).update(trouble=trouble)
    Job.objects.create(agency=north, kind=Job.Kind.MAIL, payload={"mail": "vendor_trouble", "trouble": trouble})

    jobs.run()

    assert mail.outbox[0].to == ["owner@north.example"]
    assert "Nothing is lost" in mail.outbox[0].body


def test_a_stopped_agencys_refresh_asks_nobody(sandbox: Sandbox, active: Subaccount):
    Job.objects.for_agency(active.agency).delete()
    refreshes.put(active)
    Agency.objects.filter(pk=active.agency_id).update(stopped_at=timezone.now())
    before = len(sandbox.requests())

    assert jobs.run()

    assert len(sandbox.requests()) == before
    assert Job.objects.for_agency(active.agency).get(kind=Job.Kind.REFRESH, done_at=None).last_error == "stopped"


def test_a_mail_that_says_nothing_that_is_still_so_leaves_no_event(north: Agency, bos_company: Customer):
    put_mail("paused", agency=north, customer=bos_company)

    assert jobs.run()

    assert mail.outbox == []
    assert not Event.objects.for_agency(north).filter(kind="mail.sent").exists()
    assert Job.objects.for_agency(north).get().done_at is not None


def test_a_refused_mail_is_logged_without_whom_it_was_for(
    north: Agency, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    def refuse(*args: Any) -> None:
        raise SMTPRecipientsRefused({"bo@shop.example": (550, b"no such user bo@shop.example")})

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    put_mail("invitation", agency=north, to="bo@shop.example", invited_to="B", expires_at="2026-11-22T10:00+00:00")

    assert jobs.run()

    said = caplog.text + "".join(capsys.readouterr())
    assert "SMTPRecipientsRefused" in said
    assert "bo@shop.example" not in said


@pytest.mark.parametrize("skew", [timedelta(days=1), timedelta(days=-1)], ids=["a day ahead", "a day behind"])
@pytest.mark.parametrize("launches", [True, False], ids=["after a launch", "at once"])
def test_a_refresh_is_named_and_due_by_the_databases_clock(
    launches: bool, skew: timedelta, active: Subaccount, bo: User, monkeypatch: pytest.MonkeyPatch
):
    Job.objects.for_agency(active.agency).delete()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)  # on SQLite it is this machine's own

    with time_machine.travel(now + skew):
        if launches:
            panel.open_panel(active, acting_user=bo)
        else:
            refreshes.put(active, after=timedelta(minutes=1))

    [job] = Job.objects.for_agency(active.agency)
    assert abs(job.run_at - now - timedelta(minutes=1)) < timedelta(minutes=5)
    assert job.once.endswith(f":{active.pk}:{job.run_at:%Y%m%d%H%M}")
    if launches:
        assert abs(parse_datetime(job.payload["launched_at"]) - now) < timedelta(minutes=5)


@pytest.mark.django_db(transaction=True)
def test_nobody_is_mailed_a_link_that_a_stopped_agency_does_not_answer(
    sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    """Stopped while the account was made. The word is kept for as long as it takes."""
    bind, operator = Claimed.bind, factories.operator()

    def stop_and_bind(step: Claimed, vendor_id: str) -> None:
        operators.stop(north, reason="No invoice was paid", acting_user=operator)
        bind(step, vendor_id)

    monkeypatch.setattr(Claimed, "bind", stop_and_bind)
    Job.objects.for_agency(north).delete()
    provisioning.attempt(bos_subaccount.pk)
    word = Job.objects.for_agency(north).filter(payload__mail="account_ready")
    assert mail.outbox == []
    word.update(run_at=timezone.now(), attempts=500, created_at=timezone.now() - timedelta(days=60))
    while jobs.run():
        pass
    assert (mail.outbox, word.get().last_error) == ([], "stopped")

    Agency.objects.filter(pk=north.pk).update(stopped_at=None)
    word.update(run_at=timezone.now())
    while jobs.run():
        pass

    assert [message.to for message in mail.outbox] == [["bo@shop.example"]]


@pytest.mark.django_db(transaction=True)
def test_what_was_put_off_because_its_agency_was_stopped_goes_on_with_it(
    sandbox: Sandbox, north: Agency, south: Agency
):
    operator = factories.operator()
    later = timezone.now() + timedelta(hours=1)
    others = [put(north).pk, put_mail("daily_budget", agency=south, allowed=3).pk]
    Job.objects.for_agency(north).update(run_at=later, last_error="ConnectionRefusedError")
    Job.objects.for_agency(south).update(run_at=later, last_error="stopped")
    operators.stop(south, reason="No invoice was paid", acting_user=operator)
    put_mail("daily_budget", agency=north, allowed=3)
    Job.objects.create(kind=Job.Kind.RECONCILE, agency=north)
    owed = Job.objects.for_agency(north).exclude(pk__in=others)
    operators.stop(north, reason="No invoice was paid", acting_user=operator)
    for _ in range(8):
        owed.update(run_at=timezone.now())
        while jobs.run():
            pass
    assert not owed.filter(run_at__lte=timezone.now()).exists(), "each waits for its next turn"

    operators.resume(north, reason="Paid", acting_user=operator)

    assert {job.run_at for job in Job.objects.across_agencies().filter(pk__in=others)} == {later}, "they wait as before"
    while jobs.run():
        pass
    assert [message.to for message in mail.outbox] == [[north.support_email]]
    assert not owed.filter(done_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_an_agency_is_resumed_without_waiting_for_a_job_that_is_being_claimed(north: Agency):
    """Who claims it may wait for a lock that we have."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks no rows")
    operator = factories.operator()
    job = put_mail("daily_budget", agency=north, allowed=3)
    operators.stop(north, reason="No invoice was paid", acting_user=operator)
    later = timezone.now() + timedelta(hours=1)
    Job.objects.for_agency(north).update(run_at=later, last_error="stopped")

    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM accounts_job WHERE id = %s FOR UPDATE", [job.pk])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            operators.resume(north, reason="Paid", acting_user=operator)

    job.refresh_from_db()
    assert job.run_at == later


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_being_put_off_when_its_agency_goes_on_is_not(north: Agency, monkeypatch: pytest.MonkeyPatch):
    """The worker has read that the agency is stopped; then the operator lets it go on."""
    operator = factories.operator()
    put_mail("daily_budget", agency=north, allowed=3)
    operators.stop(north, reason="No invoice was paid", acting_user=operator)
    fail = jobs._fail

    def resumed_meanwhile(job: Job, problem: str) -> None:
        operators.resume(north, reason="Paid", acting_user=operator)
        fail(job, problem)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_fail", resumed_meanwhile)
        assert jobs.run()

    assert jobs.run()
    assert [message.to for message in mail.outbox] == [[north.support_email]]
