"""Mails over real sockets: what a mail server does with its time takes no more of ours than a mail has."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage

from accounts import jobs
from accounts.mails import put_mail
from accounts.models import Customer, Job
from tests.deployment import certificates
from tests.flows.smtp import DRIPS_FOR, SCANS_FOR, MailServer, mail_server
from tests.run import ROOT

BOUND = 0.5  # seconds of a mail
IN_TIME = 3  # far from both, on a machine that is busy


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    authority, pair = certificates.write(tmp_path, ["localhost"])
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    return pair


@pytest.fixture
def in_clear(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        yield _sends_to(server, settings)


@pytest.fixture(params=["smtp+tls", "smtp+ssl"])
def over_tls(request: pytest.FixtureRequest, settings: Any, certificate: Path) -> Iterator[MailServer]:
    is_tls_only = request.param == "smtp+ssl"
    with mail_server(certificate, is_tls_only=is_tls_only) as server:
        settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = is_tls_only, not is_tls_only
        yield _sends_to(server, settings)


def _sends_to(server: MailServer, settings: Any) -> MailServer:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "portal.smtp.EmailBackend",
        "localhost",
        server.port,
    )
    settings.EMAIL_TIMEOUT, settings.EMAIL_DEADLINE_SECONDS = DRIPS_FOR + 2, BOUND
    return server


def send() -> int:
    return EmailMessage("Hello", "Here you are.", "north@agency.example", ["bo@shop.example"]).send()


def drips(server: MailServer, where: str) -> None:
    server.mood = f"drips at {where}"
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        send()
    assert time.monotonic() - started < IN_TIME


def test_a_mail_leaves_over_tls(over_tls: MailServer, settings: Any):
    settings.EMAIL_DEADLINE_SECONDS = 10

    assert send() == 1

    assert "Here you are." in over_tls.mails[0]


@pytest.mark.parametrize("where", ["CONN", "EHLO", "MAIL", "RCPT", "DATA", "SENT"])
def test_a_mail_server_that_drips_is_left_when_the_time_of_a_mail_is_over(where: str, in_clear: MailServer):
    drips(in_clear, where)


@pytest.mark.parametrize("where", ["TLS", "EHLO", "SENT"])
def test_it_is_left_over_tls_too(where: str, over_tls: MailServer):
    drips(over_tls, where)


def test_a_mail_that_was_taken_is_sent_however_long_the_parting_takes(in_clear: MailServer):
    in_clear.mood = "drips at QUIT"
    started = time.monotonic()

    assert send() == 1

    assert time.monotonic() - started < IN_TIME
    assert len(in_clear.mails) == 1


def test_a_mail_is_not_sent_again_because_its_server_looks_into_it_first(in_clear: MailServer, settings: Any):
    settings.EMAIL_TIMEOUT, settings.EMAIL_DEADLINE_SECONDS = SCANS_FOR / 4, SCANS_FOR * 10
    in_clear.mood = "scans"

    assert send() == 1

    assert len(in_clear.mails) == 1


@pytest.mark.parametrize(("where", "sent"), [("CONN", 0), ("DATA", 0), ("QUIT", 1)])
def test_a_server_that_says_nothing_is_left_soon_where_no_mail_is_with_it(
    where: str, sent: int, in_clear: MailServer, settings: Any
):
    settings.EMAIL_TIMEOUT, settings.EMAIL_DEADLINE_SECONDS = 0.3, DRIPS_FOR
    in_clear.mood = f"silent at {where}"
    started = time.monotonic()

    with contextlib.suppress(OSError):
        assert send() == sent

    assert time.monotonic() - started < IN_TIME
    assert len(in_clear.mails) == sent


@pytest.mark.django_db
def test_the_hand_of_a_worker_is_free_again_before_its_lease_is_over(
    bos_company: Customer, in_clear: MailServer, settings: Any
):
    in_clear.mood = "drips at CONN"
    job = put_mail("paused", agency=bos_company.agency, to="bo@shop.example", message="Back soon")
    started = time.monotonic()

    assert jobs.run(job.pk)

    assert time.monotonic() - started < IN_TIME
    job = Job.objects.for_agency(bos_company.agency).get(pk=job.pk)
    assert (job.last_error, job.lease_owner) == ("TimeoutError", "")
    assert job.run_at is not None, "it is tried again"


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+tls", "smtp+ssl"])
def test_every_mail_server_is_bound_below_the_lease(scheme: str):
    asks = "from django.conf import settings as s; print(s.EMAIL_BACKEND, s.EMAIL_DEADLINE_SECONDS)"
    environment = os.environ | {
        "EMAIL_URL": f"{scheme}://mail.example:587",
        "PROVISIONING_LEASE_SECONDS": "100",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": "/nonexistent",
    }

    said = subprocess.run(
        [sys.executable, "-c", asks], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["portal.smtp.EmailBackend", "75.0"]
