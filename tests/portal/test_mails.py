"""Mails that waited: they say what is so when they are sent, or are not sent."""

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import jobs
from accounts.models import Customer

pytestmark = pytest.mark.django_db


def sent(customer: Customer, name: str, **facts: Any) -> str:
    """The text of the mail when the worker gets to it and `facts` are so; empty if it is not sent."""
    mail.outbox.clear()
    jobs.put_mail(name, agency=customer.agency, customer=customer)
    Customer.objects.for_agency(customer.agency).filter(pk=customer.pk).update(**facts)
    while jobs.run():
        pass
    return next((message.body for message in mail.outbox if message.to == [customer.email]), "")


def test_a_pause_that_is_over_is_not_reported(bos_company: Customer):
    assert sent(bos_company, "paused", paused_at=None) == ""
    assert sent(bos_company, "paused", paused_at=timezone.now(), closed_at=timezone.now(), message="Bye") == ""


def test_nobody_reads_that_it_goes_on_while_it_is_paused_again(bos_company: Customer):
    assert sent(bos_company, "resumed", paused_at=timezone.now(), message="Wait") == ""
    assert sent(bos_company, "resumed", paused_at=None, message="")


@pytest.mark.parametrize("name", ["paused", "closed", "declined"])
def test_a_mail_with_no_message_quotes_nobody(bos_company: Customer, name: str):
    facts = {"paused_at": timezone.now()} if name == "paused" else {}

    without, within = sent(bos_company, name, message="", **facts), sent(bos_company, name, message="Call us.", **facts)

    assert bos_company.company_name in without
    assert "writes:" not in without
    assert "A colleague writes:\n\nCall us.\n" in within
