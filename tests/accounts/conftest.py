import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts import jobs, provisioning, vendor
from accounts.models import Subaccount, VendorAccount


@pytest.fixture
def quick(settings: Any) -> None:
    """The same rules with no waits between the steps."""
    settings.PROVISIONING_QUARANTINE_SECONDS = 0.0
    settings.PROVISIONING_LOOK_GAP_SECONDS = 0.0
    settings.PROVISIONING_BACKOFF_MIN_SECONDS = 0.0
    settings.PROVISIONING_BACKOFF_MAX_SECONDS = 0.0
    settings.BREAKER_PROBE_SECONDS = 0.0
    settings.VENDOR_DEADLINE_SECONDS = 1.0
    settings.VENDOR_LIST_DEADLINE_SECONDS = 2.0


@pytest.fixture
def work(quick: None) -> Callable[..., Subaccount]:
    """The worker, until nothing is due; returns the subaccount as it stands then."""

    def run(subaccount: Subaccount, seconds: float = 6.0) -> Subaccount:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not (provisioning.attempt() or jobs.run()):
                row = Subaccount.objects.for_agency(subaccount.agency).get(pk=subaccount.pk)
                if row.run_at is None or (row.run_at - timezone.now()).total_seconds() > 3:
                    break
                time.sleep(0.02)
        return (
            Subaccount.objects.for_agency(subaccount.agency)
            .select_related("customer__package", "agency", "vendor_account")
            .get(pk=subaccount.pk)
        )

    return run


@pytest.fixture
def while_looking(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Does something while the worker has the vendor's list in its hands, once."""

    def arrange(act: Callable[[], Any]) -> None:
        real, acted = vendor.look, []

        def look(account: VendorAccount) -> Any:
            listing = real(account)
            if not acted:
                acted.append(True)
                act()
            return listing

        monkeypatch.setattr(vendor, "look", look)

    return arrange
