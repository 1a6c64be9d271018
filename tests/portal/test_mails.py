"""Mails that waited: they say what is so when they are sent, or are not sent."""

from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts import customer_care, jobs
from accounts.mails import put_mail
from accounts.models import Customer, Job, Membership, State, Subaccount, User
from tests import factories

pytestmark = pytest.mark.django_db


def sent(customer: Customer, name: str, **facts: Any) -> str:
    """The text of the mail when the worker gets to it and `facts` are so; empty if it is not sent."""
    mail.outbox.clear()
    put_mail(name, agency=customer.agency, customer=customer)
    Customer.objects.for_agency(customer.agency).filter(pk=customer.pk).update(**facts)
    while jobs.run():
        pass
    return next((message.body for message in mail.outbox if message.to == [customer.email]), "")


def put_in(customer: Customer, state: State) -> None:
    row = Subaccount.objects.for_agency(customer.agency).filter(customer=customer)
    row.update(state=state, vendor_id="sub_5", bound_at=timezone.now(), run_at=None)


def test_a_pause_that_is_over_is_not_reported(bos_company: Customer):
    assert sent(bos_company, "paused", paused_at=None) == ""
    assert sent(bos_company, "paused", paused_at=timezone.now(), closed_at=timezone.now(), message="Bye") == ""


@pytest.mark.parametrize("state", [State.AWAITING_EMAIL, State.REQUESTED, State.UNCERTAIN, State.NEEDS_REVIEW])
def test_nobody_reads_that_an_account_is_open_that_is_not_made_yet(state: State, bos_company: Customer, ada: User):
    Subaccount.objects.for_agency(bos_company.agency).filter(customer=bos_company).update(state=state, run_at=None)
    customer_care.pause(bos_company, message="", acting_user=ada)
    customer_care.resume(bos_company, acting_user=ada)

    while jobs.run():
        pass

    [message] = [message for message in mail.outbox if message.to == [bos_company.email]]
    assert message.subject == "The pause is over"
    assert "open again" not in message.body
    assert "Where your account stands" in message.body


def test_whose_account_was_made_during_the_pause_reads_that_it_is_ready(bos_company: Customer, ada: User):
    customer_care.pause(bos_company, message="", acting_user=ada)
    put_in(bos_company, State.ACTIVE)
    customer_care.resume(bos_company, acting_user=ada)

    while jobs.run():
        pass

    assert "You can make your first coupon now" in mail.outbox[-1].body
    assert "open again" in sent(bos_company, "resumed"), "of a pause of an account that there was"


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


def test_each_owner_gets_a_mail_of_their_own_that_fails_alone(
    bos_company: Customer, monkeypatch: pytest.MonkeyPatch, settings: Any
):
    settings.PROVISIONING_BACKOFF_MIN_SECONDS = settings.PROVISIONING_BACKOFF_MAX_SECONDS = 0
    factories.member(bos_company, "owner", "eve@shop.example")
    send, refused = EmailMultiAlternatives.send, ["eve@shop.example"]

    def send_unless_refused(message: EmailMultiAlternatives, *given: Any, **named: Any) -> int:
        if refused and message.to == refused:
            refused.clear()
            raise SMTPRecipientsRefused({"eve@shop.example": (451, b"greylisted")})
        return send(message, *given, **named)

    monkeypatch.setattr(EmailMultiAlternatives, "send", send_unless_refused)
    mail.outbox.clear()
    put_mail("paused", agency=bos_company.agency, customer=bos_company, once="paused:1")
    Customer.objects.for_agency(bos_company.agency).filter(pk=bos_company.pk).update(paused_at=timezone.now())

    for _ in range(6):
        Job.objects.for_agency(bos_company.agency).filter(done_at=None).update(run_at=timezone.now())
        jobs.run()

    assert sorted(message.to for message in mail.outbox) == [["bo@shop.example"], ["eve@shop.example"]]
    mails = Job.objects.for_agency(bos_company.agency).filter(payload__mail="paused")
    assert sorted(mails.values_list("once", flat=True), key=str) == [None, "paused:1"]
    assert not mails.filter(done_at=None).exists()


def test_who_is_no_owner_any_more_gets_no_mail_that_waited(bos_company: Customer):
    eve = factories.member(bos_company, "owner", "eve@shop.example")
    mail.outbox.clear()
    put_mail("resumed", agency=bos_company.agency, customer=bos_company)
    jobs.run()  # one of their own for each
    Membership.objects.for_agency(bos_company.agency).filter(person=eve).delete()

    while jobs.run():
        pass

    assert [message.to for message in mail.outbox] == [["bo@shop.example"]]


@pytest.mark.parametrize(
    ("name", "state"),
    [("needs_review", State.ACTIVE), ("missing", State.ACTIVE), ("account_ready", State.MISSING)],
)
def test_what_is_settled_meanwhile_is_not_told(bos_company: Customer, name: str, state: State):
    put_in(bos_company, state)
    mail.outbox.clear()
    put_mail(name, agency=bos_company.agency, customer=bos_company)

    while jobs.run():
        pass

    assert mail.outbox == []


def test_nobody_reads_that_they_can_start_while_they_are_paused(bos_company: Customer):
    put_in(bos_company, State.ACTIVE)

    assert sent(bos_company, "account_ready", paused_at=timezone.now()) == ""
    assert sent(bos_company, "account_ready", paused_at=None)
