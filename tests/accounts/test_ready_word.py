"""Word of a new account: sent by whoever made it, once, and owed to whoever was never told."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from accounts import customer_care, jobs, mails, provisioning, refreshes
from accounts.models import Event, Job, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import fresh, no_mail_server

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_made_an_account_sends_word_of_it_and_nobody_else(
    sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    Job.objects.for_agency(bos_subaccount.agency).delete()
    do = jobs.do

    def others_look_first(job: Job) -> None:
        monkeypatch.setattr(jobs, "do", do)
        while jobs.run():
            pass
        assert mail.outbox == []
        do(job)

    monkeypatch.setattr(jobs, "do", others_look_first)
    provisioning.attempt()

    assert [message.to for message in mail.outbox] == [[bos_subaccount.email]]
    assert not Job.objects.for_agency(bos_subaccount.agency).exclude(run_at=None).exists()


def test_a_mail_server_that_is_slow_keeps_no_wish_of_the_agency_waiting(
    sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    agency = bos_subaccount.agency
    for number in range(3):
        factories.customer(agency, factories.person(agency, f"p{number}@shop.example"))
    Job.objects.for_agency(agency).delete()
    send, others, taken = EmailMultiAlternatives.send, [3], []

    def send_slowly(message: EmailMultiAlternatives) -> None:
        """Another hand takes another wish meanwhile, and sends another mail."""
        if others[0]:
            others[0] -= 1
            taken.append(provisioning.attempt())
        send(message)

    monkeypatch.setattr(EmailMultiAlternatives, "send", send_slowly)
    provisioning.attempt()

    assert taken == [True, True, True]
    assert len(mail.outbox) == 4


def test_word_is_sent_once_where_the_reading_before_it_took_longer_than_the_lease(
    sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    word = Job.objects.for_agency(bos_subaccount.agency).filter(payload__mail="account_ready")
    do = jobs.do

    def read_slowly(job: Job) -> None:
        do(job)
        monkeypatch.setattr(jobs, "do", do)
        word.update(lease_until=timezone.now() - timedelta(seconds=1))
        while jobs.run():
            pass  # another hand

    Job.objects.for_agency(bos_subaccount.agency).delete()
    monkeypatch.setattr(jobs, "do", read_slowly)
    provisioning.attempt()

    assert [message.to for message in mail.outbox] == [[bos_subaccount.email]]


def test_the_lease_of_word_begins_when_its_turn_comes(
    sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    do, left = jobs.do, []

    def look_at_lease(job: Job) -> None:
        if job.kind == Job.Kind.REFRESH:
            most_of_it_is_over = timezone.now() + timedelta(seconds=settings.PROVISIONING_LEASE_SECONDS / 4)
            Job.objects.for_agency(job.agency).exclude(lease_until=None).update(lease_until=most_of_it_is_over)
        else:
            job.refresh_from_db()
            left.append((job.lease_until - timezone.now()).total_seconds())
        do(job)

    Job.objects.for_agency(bos_subaccount.agency).delete()
    monkeypatch.setattr(jobs, "do", look_at_lease)
    provisioning.attempt()

    assert left[0] > settings.PROVISIONING_LEASE_SECONDS / 2
    assert len(mail.outbox) == 1


def test_word_is_sent_where_the_reading_before_it_lost_the_database(
    sandbox: Sandbox, bos_subaccount: Subaccount, monkeypatch: pytest.MonkeyPatch
):
    do = jobs.do

    def lose_the_database(job: Job) -> None:
        monkeypatch.setattr(jobs, "do", do)
        raise OperationalError("gone")

    Job.objects.for_agency(bos_subaccount.agency).delete()
    monkeypatch.setattr(jobs, "do", lose_the_database)
    with pytest.raises(OperationalError):
        provisioning.attempt()

    assert [message.to for message in mail.outbox] == [[bos_subaccount.email]]


def test_with_a_broker_word_of_an_account_has_a_task_of_its_own(
    sandbox: Sandbox, bos_subaccount: Subaccount, settings: Any
):
    """What is left of the time of a task that asked a slow vendor may be too little for a slow mail server."""
    Job.objects.for_agency(bos_subaccount.agency).delete()
    settings.BROKER_URL = "memory://"

    provisioning.attempt()
    word = Job.objects.for_agency(bos_subaccount.agency).get(payload__mail="account_ready")
    assert (word.lease_owner, word.lease_until, mail.outbox) == ("", None, [])

    jobs.run(word.pk)
    assert [message.to for message in mail.outbox] == [[bos_subaccount.email]]


def test_word_of_an_account_that_no_mail_server_takes_is_sent_later(sandbox: Sandbox, bos_subaccount: Subaccount):
    with no_mail_server():
        provisioning.attempt()
    bos_subaccount.refresh_from_db()
    word = Job.objects.for_agency(bos_subaccount.agency).get(payload__mail="account_ready")
    assert bos_subaccount.state == State.ACTIVE
    assert (word.attempts, word.last_error, word.lease_owner) == (1, "ConnectionRefusedError", "")

    Job.objects.for_agency(bos_subaccount.agency).filter(pk=word.pk).update(run_at=timezone.now())
    while jobs.run():
        pass
    assert [message.to for message in mail.outbox] == [[bos_subaccount.email]]


def _sent(subaccount: Subaccount) -> list[str]:
    Job.objects.for_agency(subaccount.agency).filter(done_at=None).update(run_at=timezone.now())
    while jobs.run():
        pass
    events = Event.objects.for_agency(subaccount.agency).filter(kind="mail.sent").order_by("pk")
    return [event.data["mail"] for event in events]


def test_whom_a_pause_kept_from_reading_that_they_may_start_reads_it_after_it(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User
):
    factories.customer(
        bos_subaccount.agency, factories.person(bos_subaccount.agency, "next@shop.example"), proven=False
    )
    Job.objects.for_agency(bos_subaccount.agency).delete()
    stale = fresh(bos_subaccount).customer

    with no_mail_server():
        provisioning.attempt()
    customer_care.pause(fresh(bos_subaccount).customer, message="x", acting_user=ada)
    assert _sent(bos_subaccount) == ["paused"]

    customer_care.resume(stale, acting_user=ada)

    assert _sent(bos_subaccount) == ["paused", "account_ready"]


def test_who_is_resumed_just_when_word_is_dropped_reads_it_all_the_same(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, monkeypatch: pytest.MonkeyPatch
):
    Job.objects.for_agency(bos_subaccount.agency).delete()
    with no_mail_server():
        provisioning.attempt()
    customer_care.pause(fresh(bos_subaccount).customer, message="x", acting_user=ada)
    render_as_ever = mails.render
    kept_back = []

    def render(job: Job) -> Any:
        message = render_as_ever(job)
        if message is None and not kept_back:
            kept_back.append(job.payload["mail"])
            customer_care.resume(fresh(bos_subaccount).customer, acting_user=ada)
        return message

    monkeypatch.setattr(mails, "render", render)

    assert {*_sent(bos_subaccount), *_sent(bos_subaccount)} == {"account_ready", "resumed"}
    assert kept_back == ["account_ready"]


def test_whom_a_pause_and_a_lost_account_kept_from_it_reads_it_when_it_is_found_again(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User
):
    Job.objects.for_agency(bos_subaccount.agency).delete()
    customer_care.pause(bos_subaccount.customer, message="x", acting_user=ada)
    provisioning.attempt()
    refreshes.missing(fresh(bos_subaccount))
    customer_care.resume(fresh(bos_subaccount).customer, acting_user=ada)
    assert "account_ready" not in _sent(bos_subaccount)

    Subaccount.objects.for_agency(bos_subaccount.agency).update(run_at=timezone.now())
    provisioning.attempt()

    assert fresh(bos_subaccount).state == State.ACTIVE
    assert _sent(bos_subaccount)[-1] == "account_ready"


def test_word_that_was_given_up_is_owed(sandbox: Sandbox, bos_subaccount: Subaccount, ada: User):
    Job.objects.for_agency(bos_subaccount.agency).delete()
    customer_care.pause(bos_subaccount.customer, message="x", acting_user=ada)
    provisioning.attempt()
    after = fresh(bos_subaccount)
    about = {"agency": after.agency, "customer_id": after.customer_id}
    Job.objects.create(
        kind="mail", payload={"mail": "account_ready", "customer": after.customer_id}, run_at=None, **about
    )
    Event.objects.record(
        "mail.sent", agency=after.agency, customer=after.customer, outcome="failed", mail="account_ready"
    )

    customer_care.resume(after.customer, acting_user=ada)

    assert _sent(bos_subaccount)[-1] == "account_ready"


def test_who_read_it_before_the_pause_is_told_no_more_than_that_it_is_over(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User
):
    """Also where the clock of the machine that paused is behind the database's."""
    Job.objects.for_agency(bos_subaccount.agency).delete()
    provisioning.attempt()
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=True):
        customer_care.pause(fresh(bos_subaccount).customer, message="x", acting_user=ada)
    assert _sent(bos_subaccount) == ["account_ready", "paused"]
    customer_care.resume(fresh(bos_subaccount).customer, acting_user=ada)

    assert _sent(bos_subaccount) == ["account_ready", "paused", "resumed"]


def test_word_is_dropped_behind_the_lock_of_who_resumes(
    sandbox: Sandbox, bos_subaccount: Subaccount, ada: User, monkeypatch: pytest.MonkeyPatch
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks no rows")
    Job.objects.for_agency(bos_subaccount.agency).delete()
    with no_mail_server():
        provisioning.attempt()
    customer_care.pause(fresh(bos_subaccount).customer, message="x", acting_user=ada)
    Job.objects.for_agency(bos_subaccount.agency).filter(done_at=None).update(run_at=timezone.now())
    word = Job.objects.for_agency(bos_subaccount.agency).get(payload__mail="account_ready")
    drop, meets = jobs._drop, threading.Event()

    def say_that_it_drops(*args: Any) -> None:
        meets.set()
        drop(*args)

    def work() -> None:
        jobs.run(word.pk)
        connections.close_all()

    monkeypatch.setattr(jobs, "_drop", say_that_it_drops)
    worker = threading.Thread(target=work)
    with transaction.atomic():
        customer_care.resume(fresh(bos_subaccount).customer, acting_user=ada)
        worker.start()
        assert meets.wait(20)
        time.sleep(0.3)  # time enough to end it, for one that waits for nobody
    worker.join()

    assert "account_ready" in _sent(bos_subaccount)
