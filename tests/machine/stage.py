"""What the state machine acts on: two agencies, the sandbox, a clock that can be put forward, workers that die."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

from django.core.cache import cache
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, F

from accounts import vendor, vendor_accounts
from accounts.models import Agency, Job, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from coupontools_api.transport import _Watched
from tests import factories

# The times by which the worker decides. The clock goes forward by putting them back.
CLOCKS: dict[type[Any], tuple[str, ...]] = {
    Subaccount: ("run_at", "lease_until", "create_started_at", "uncertain_since", "looked_at", "first_look_at"),
    Job: ("run_at", "lease_until"),
    VendorAccount: (
        *("probe_at", "throttled_until", "trouble_since"),
        *("reconciled_at", "compared_at", "creates_paused_at"),
    ),
}
CREATE, LIST, GET, SSO = "/v4/subaccount/create", "/v4/subaccount/list", "/v4/subaccount", "/v3/subaccount/sso"
FAULTS: dict[str, dict[str, Any]] = {
    "reset_before": {},
    "reset_after": {},
    "html": {"status": 502},
    "html after the effect": {"status": 500, "after_effect": True},
    "truncated": {},
    "not_json": {},
    "empty": {},
    "missing_id": {},
    "throttle": {"retry_after": 20},
    "email_taken": {},
    "redirect": {},
    "wrong_id": {},
    "status": {"status": 422, "codes": [999]},
}
DEATHS = ("before a commit", "after a commit", "before the request is sent", "after the request is sent")


class Killed(BaseException):
    """The worker is gone: nothing of ours handles it, and what was not committed is undone."""


class Stage:
    """Two agencies at a sandbox. Made once; `begin` puts everything back to how it was made, here and there."""

    def __init__(self, sandbox: Sandbox, *, email_unique: str) -> None:
        self.sandbox, self.email_unique = sandbox, email_unique
        self.secrets = dict.fromkeys(("north", "south"), 1)
        self.agencies: dict[str, Agency] = {}
        self.staff: dict[str, User] = {}
        self.operator = factories.operator()
        for side in self.secrets:
            keys = (self.client_id(side), self.secret(side))
            self.agencies[side] = factories.agency(side, f"{side}.localhost", keys=keys)
            self.staff[side] = factories.staff(self.agencies[side], f"ada@{side}.example", "owner")
        self.made = copy_of_database()

    def begin(self) -> None:
        vendor.clients.forget()
        self.made.backup(connection.connection)
        cache.clear()
        self.sandbox.reset()
        self.sandbox.settings(email_unique=self.email_unique)
        self.secrets = dict.fromkeys(self.secrets, 1)
        for side in self.secrets:
            self.let_in(side)

    def client_id(self, side: str) -> str:
        return f"{side}-id"

    def sign_up(self, side: str, email: str) -> int:
        agency = Agency.objects.get(pk=self.agencies[side].pk)
        owner = User.objects.filter(agency=agency, email=email).first()
        owner = owner or factories.person(agency, email, verified=False)
        return factories.customer(agency, owner, proven=False).pk

    def tell_secret(self, side: str) -> None:
        pair = {"client_id": self.client_id(side), "client_secret": self.secret(side)}
        vendor_accounts.connect(self.agencies[side], **pair)

    def client_of(self, row: Subaccount) -> str:
        side = next(side for side, agency in self.agencies.items() if agency.pk == row.agency_id)
        return self.client_id(side)

    def staff_of(self, wish: int) -> User:
        agency = Subaccount.objects.across_agencies().get(customer_id=wish).agency_id
        return next(person for person in self.staff.values() if person.agency_id == agency)

    def secret(self, side: str) -> str:
        return f"{side}-secret-{self.secrets[side]}"

    def let_in(self, side: str, *, secret: str = "") -> None:
        """The vendor takes this secret, or that of the day, and no other."""
        self.sandbox.add_account(self.client_id(side), secret or self.secret(side), packages=["pac_1", "pac_2"])

    def pass_time(self, seconds: float) -> None:
        """Puts the clock forward, for everything that waits."""
        gone = timedelta(seconds=seconds)
        for model, names in CLOCKS.items():
            assert {field.name for field in model._meta.fields if isinstance(field, DateTimeField)} >= set(names)
            rows = getattr(model.objects, "across_agencies", model.objects.all)()
            rows.update(**{name: F(name) - gone for name in names})


def copy_of_database() -> sqlite3.Connection:
    """A copy of the database as it is, in memory."""
    copy = sqlite3.connect(":memory:")
    connection.ensure_connection()
    connection.connection.backup(copy)
    return copy


@dataclass
class Death:
    has_come: bool = False


@contextmanager
def dying(how: str, at: int) -> Iterator[Death]:
    """The n-th commit, or request, is the last thing that the worker does."""
    seen, death = 0, Death()

    def counted(work: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
        def deadly(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen < at:
                return work(*args, **kwargs)
            if first:
                raise Killed
            work(*args, **kwargs)
            raise Killed

        return deadly

    owner, name = (BaseDatabaseWrapper, "commit") if "commit" in how else (_Watched, "send")
    with mock.patch.object(owner, name, counted(getattr(owner, name), first=how.startswith("before"))):
        try:
            yield death
        except Killed:
            death.has_come = True
            # What the process held is gone with it: an open transaction is undone, connections are closed.
            connection.rollback()
            time.sleep(0.01)  # the vendor does what it was asked, whoever listens
            vendor.clients.forget()
            vendor._looks.clear()
