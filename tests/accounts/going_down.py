"""A vendor account that stops answering, what waits for it, and its coming back."""

from typing import Any

from django.core import mail
from django.utils import timezone

from accounts import jobs, provisioning
from accounts.models import Agency, Subaccount, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories
from tests.accounts.reading import LIST, probe_due


def wishes(agency: Agency, number: int) -> list[Subaccount]:
    people = [factories.person(agency, f"w{n}@shop.example") for n in range(number)]
    return [factories.customer(agency, person).subaccount for person in people]


def make_due(agency: Agency) -> None:
    Subaccount.objects.for_agency(agency).exclude(run_at=None).update(run_at=timezone.now())


def work_off(agency: Agency) -> None:
    """The worker, once everything's turn has come."""
    for _ in range(60):
        make_due(agency)
        if not (provisioning.attempt() or jobs.run()):
            return


def go_down(sandbox: Sandbox, agency: Agency, settings: Any) -> VendorAccount:
    settings.BREAKER_PROBE_SECONDS = 60.0
    sandbox.fault(LIST, "html", status=503, times=None)
    for _ in range(5):
        make_due(agency)
        provisioning.attempt()
    account = VendorAccount.objects.select_related("active_credential", "agency").get(agency=agency)
    assert account.is_open
    return account


def come_back(sandbox: Sandbox) -> None:
    sandbox.clear_faults()
    VendorAccount.objects.exclude(trouble="").update(probe_at=timezone.now())
    assert probe_due() == 1


def send_mails() -> list[str]:
    while jobs.run():
        pass
    return [message.subject for message in mail.outbox]
