"""What a newcomer reads on the demo's inbox page."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client

from portal import demo_inbox

pytestmark = pytest.mark.django_db


def test_it_shows_the_mails_that_were_written_to_files(settings: Any, tmp_path: Path):
    settings.EMAIL_FILE_PATH = str(tmp_path)
    backend = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(tmp_path))
    message = EmailMessage("Your code", "Here it is:\n\nABCD-EFGH\n", '"North" <a@b.example>', ["kim@shop.example"])
    backend.send_messages([message, message])

    page = Client(headers={"host": "platform.localhost"}).get("/demo/")

    assert page.status_code == 200
    assert page.text.count("ABCD-EFGH") == 2
    assert "kim@shop.example" in page.text
    assert [mail.agency for mail in demo_inbox.mails()] == ["North", "North"]


def test_the_codes_are_those_of_the_standard():
    """RFC 6238, appendix B, last six of eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    assert demo_inbox.totp(secret, 59) == "287082"
    assert demo_inbox.totp(secret, 1111111109) == "081804"


def test_it_is_not_there_in_production(settings: Any):
    settings.DEPLOYMENT = "production"

    assert Client(headers={"host": "platform.localhost"}).get("/demo/").status_code == 404
