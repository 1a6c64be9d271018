"""What the customer reads, what staff read, and what the ledger says."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts import provisioning, vendor
from accounts.claimed import Claimed
from accounts.models import Subaccount, VendorAccount
from coupontools_api.sandbox import Sandbox
from portal import wording
from portal.access import Place

CREATE, LIST, GET = "/v4/subaccount/create", "/v4/subaccount/list", "/v4/subaccount"
Work = Callable[..., Subaccount]


def calls(sandbox: Sandbox, path: str) -> int:
    return len(sandbox.requests(path))


def made(sandbox: Sandbox) -> int:
    return len(sandbox.effects("subaccount_created"))


def fresh(subaccount: Subaccount) -> Subaccount:
    rows = Subaccount.objects.for_agency(subaccount.agency)
    return rows.select_related("customer__package", "agency", "vendor_account").get(pk=subaccount.pk)


def attempt(subaccount: Subaccount) -> Subaccount:
    """The wish's next step, whenever it is due."""
    Subaccount.objects.for_agency(subaccount.agency).filter(pk=subaccount.pk).update(run_at=timezone.now())
    provisioning.attempt(subaccount.pk)
    return fresh(subaccount)


@contextmanager
def in_other_hands(subaccount: Subaccount) -> Iterator[None]:
    """Somebody else is claiming the row just now and has it locked. What waits for it here fails; PostgreSQL only."""
    parameters: dict[str, Any] = connection.get_connection_params()
    with psycopg.connect(**parameters) as other, transaction.atomic(), connection.cursor() as cursor:
        other.execute("SELECT FROM accounts_subaccount WHERE id = %s FOR UPDATE", [subaccount.pk])
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        yield


@contextmanager
def made_meanwhile(subaccount: Subaccount, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another worker has asked for that account: the vendor has made it, and the answer is not written down yet."""
    bind, go_on = Claimed.bind, threading.Event()

    def make() -> None:
        provisioning.attempt(subaccount.pk)
        connections.close_all()

    def bind_late(step: Claimed, vendor_id: str) -> None:
        if step.subaccount.pk == subaccount.pk:
            go_on.wait(30)
        bind(step, vendor_id)

    monkeypatch.setattr(Claimed, "bind", bind_late)
    before, worker, until = made(sandbox), threading.Thread(target=make), time.monotonic() + 20
    worker.start()
    try:
        while made(sandbox) == before and time.monotonic() < until:
            time.sleep(0.02)
        yield
    finally:
        go_on.set()
        worker.join()


def probe_due() -> int:
    """Asks every vendor account whose probe is due. Returns how many."""
    return sum(map(vendor.probe, vendor.probes_due()))


def customer_reads(subaccount: Subaccount) -> str:
    """The headline of the set-up page."""
    return page_of(subaccount).title


def page_of(subaccount: Subaccount) -> wording.Setup:
    """The set-up page in words."""
    place = Place(
        membership=subaccount.customer.memberships.get(),
        customer=subaccount.customer,
        subaccount=subaccount,
        vendor_account=subaccount.vendor_account,
    )
    return wording.setup_page(place)


def staff_read(subaccount: Subaccount) -> str:
    return wording.cause_sentence(subaccount.cause, subaccount.cause_codes)


@contextmanager
def no_mail_server() -> Iterator[None]:
    """Nobody takes a mail until the end of the block."""

    def away(self: Any, messages: Any) -> int:
        raise ConnectionRefusedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", away)
        yield


def five_clicks(active: Subaccount) -> VendorAccount:
    """Five launches that fail. Returns the vendor account as it stands then."""
    account = VendorAccount.objects.select_related("active_credential", "agency").get(agency=active.agency)
    for _ in range(5):
        with pytest.raises(Exception, match="sso"):
            vendor.ask(account, lambda client: client.subaccounts.sign_on(active.vendor_id), for_click=True)
    account.refresh_from_db()
    return account
