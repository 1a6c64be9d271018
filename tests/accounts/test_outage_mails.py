"""Of an outage staff are mailed once for each cause, and once of its end; of what is over, nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import jobs, outages
from accounts.models import Agency, Cause, Event, Job, Subaccount, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests.accounts.going_down import come_back, go_down, send_mails, wishes, work_off
from tests.accounts.reading import LIST, attempt, five_clicks, probe_due

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_outage_that_fails_in_two_ways_is_one_mail_for_each_way(account: VendorAccount):
    started, ways = timezone.now(), (VendorAccount.Trouble.UNREACHABLE, VendorAccount.Trouble.CREDENTIALS)
    for ten_minutes in range(30):
        now = started + timedelta(minutes=10 * ten_minutes)
        outages.begin(account, ways[ten_minutes % 2], now=now, probe_at=now)
        Job.objects.for_agency(account.agency).filter(once__endswith=now.isoformat()).update(created_at=now)

    account.refresh_from_db()
    assert account.trouble_since == started
    assert Job.objects.for_agency(account.agency).filter(payload__mail="vendor_trouble").count() == 2


def test_an_outage_that_begins_in_the_quiet_after_another_is_told_of_once_it_lasts(account: VendorAccount):
    started, ours = timezone.now(), Job.objects.for_agency(account.agency)

    def passes(minutes: int) -> list[str]:
        now = started + timedelta(minutes=minutes)
        outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=now, probe_at=now)
        ours.filter(once__endswith=now.isoformat()).update(created_at=now)
        return list(ours.order_by("pk").values_list("payload__mail", flat=True))

    assert passes(0) == ["vendor_trouble"]
    send_mails()
    outages.end(account, now=started + timedelta(minutes=5))
    ours.filter(payload__mail="vendor_recovered").update(created_at=started + timedelta(minutes=5))
    back = ["vendor_trouble", "vendor_recovered"]

    assert passes(30) == back, "a vendor that comes and goes is one mail"
    assert [passes(minutes) for minutes in (50, 59)] == [back, back]
    assert [passes(minutes) for minutes in (62, 90, 600, 6000)] == [[*back, "vendor_trouble"]] * 4
    send_mails()
    outages.end(account, now=started + timedelta(minutes=6001))
    assert list(ours.order_by("pk").values_list("payload__mail", flat=True)) == back * 2


def test_an_outage_of_which_nobody_read_says_nothing_of_the_next(account: VendorAccount):
    """The first is over before its mail's turn. The second, a minute later, is no quiet after a mail."""
    now = timezone.now()
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=now, probe_at=now)
    outages.end(account, now=now + timedelta(seconds=20))
    assert send_mails() == []

    later = now + timedelta(minutes=1)
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=later, probe_at=later)
    assert ["wait" in subject for subject in send_mails()] == [True]
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=later + timedelta(minutes=1), probe_at=later)
    assert len(send_mails()) == 1, "told once"


def test_a_mail_that_is_sent_in_the_next_outage_tells_of_that_one_and_its_end_is_told(account: VendorAccount):
    """The mail server was down in the first, in which nobody waited."""
    now = timezone.now()
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=now, probe_at=now)
    outages.end(account, now=now)
    Job.objects.for_agency(account.agency).update(created_at=now - timedelta(minutes=10))
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=now, probe_at=now)
    assert len(send_mails()) == 1

    outages.end(account, now=now + timedelta(minutes=5))

    assert ["caught up" in subject for subject in send_mails()] == [False, True]


@pytest.mark.parametrize("mail_comes", ["first", "last"])
def test_who_was_late_is_reported_also_where_the_mail_of_the_beginning_came_too_late(
    mail_comes: str, sandbox: Sandbox, account: VendorAccount, bos_subaccount: Subaccount, quick: None
):
    Subaccount.objects.for_agency(account.agency).update(cause=Cause.VENDOR_UNREACHABLE)
    now = timezone.now()
    outages.begin(account, VendorAccount.Trouble.UNREACHABLE, now=now - timedelta(minutes=10), probe_at=now)
    outages.end(account, now=now)
    if mail_comes == "first":
        assert send_mails() == []
    work_off(account.agency)

    outages.report(timezone.now())

    assert sum("caught up" in subject for subject in send_mails()) == 1


def test_an_outage_in_which_nobody_waited_is_reported_at_once(
    sandbox: Sandbox, active: Subaccount, quick: None, settings: Any
):
    settings.BREAKER_PROBE_SECONDS = 60.0
    for path in ("/v3/subaccount/sso", LIST):
        sandbox.fault(path, "html", status=503, times=None)
    account = five_clicks(active)
    assert not account.is_open, "so far it may be this account alone"
    assert probe_due() == 1
    send_mails()

    come_back(sandbox)

    assert send_mails() == [
        "North: new accounts and launches have to wait",
        "North: all that waited for the vendor is caught up",
    ]
    assert "Nobody had to wait for an account." in mail.outbox[-1].body


def test_a_vendor_that_comes_and_goes_is_one_mail_for_each_cause(
    sandbox: Sandbox, north: Agency, quick: None, settings: Any
):
    wishes(north, 1)
    for _ in range(4):
        account = go_down(sandbox, north, settings)
        come_back(sandbox)
        Subaccount.objects.for_agency(north).update(late_since=None)
    account = go_down(sandbox, north, settings)
    for _ in range(2):
        outages.begin(
            account,
            VendorAccount.Trouble.CREDENTIALS,
            now=timezone.now(),
            probe_at=timezone.now() + timedelta(minutes=1),
        )

    told = Job.objects.for_agency(north).filter(payload__mail="vendor_trouble")
    assert sorted(told.values_list("payload__trouble", flat=True)) == ["credentials", "unreachable"]
    assert Event.objects.for_agency(north).filter(kind="vendor_account.troubled").count() == 6


def test_no_mail_begins_an_outage_after_its_end(sandbox: Sandbox, north: Agency, bos_subaccount: Subaccount):
    """The mail server was away as long as the vendor: staff are told that it is over, and no more that it has begun."""
    sandbox.fault(LIST, "status", status=401, codes=[1000], times=1)
    attempt(bos_subaccount)
    told = Job.objects.for_agency(north).get(payload__mail="vendor_trouble")
    VendorAccount.objects.filter(agency=north).update(probe_at=timezone.now())
    assert probe_due() == 1

    jobs.run(told.pk)

    told.refresh_from_db()
    assert told.done_at is not None
    assert [message.subject for message in mail.outbox if "have to wait" in message.subject] == []
