"""The agencies and wishes that the workers are killed over, and the hands that stand in for the passing of time."""

import itertools
import os
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from accounts import claimed, claims, provisioning, vendor
from accounts.models import Agency, Customer, Job, Membership, Package, State, Subaccount, User, VendorAccount
from tests import factories
from tests.crash import failpoints
from tests.crash.failpoints import Plan
from tests.crash.nursery import Report
from tests.crash.vendor import SandboxProcess

LOOKS = (0.25, 1.5)  # within the quarantine, which is as much shorter here than the product's
WORKING = (State.REQUESTED, State.CREATING, State.UNCERTAIN)
_numbers = itertools.count(1)


@dataclass
class Stage:
    """One profile's agencies at one sandbox, and what was done to the workers on them."""

    sandbox: SandboxProcess
    folder: Path
    agencies: list[Agency] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)  # by point; only while a claim was held
    idle_kills: Counter[str] = field(default_factory=Counter)  # by point; no claim was held
    stops: int = 0
    # Whose handing over of a mail may have been forgotten: gone or stopped while they held that job, and when.
    cut_short: dict[int, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))
    unaged: list[Report] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    wished: int = 0  # what went in: a wish that is no row any more is lost

    def open_agencies(self, number: int) -> None:
        numbers = [next(_numbers) for _ in range(number)]
        self.sandbox.add_accounts([(f"id-{n}", f"secret-{n}") for n in numbers])
        for n in numbers:
            self.agencies.append(factories.agency(f"Agency{n}", f"a{n}.localhost", keys=(f"id-{n}", f"secret-{n}")))

    def wish(self, number: int) -> None:
        """Puts so many proven wishes into the queue, spread over the agencies."""
        ours = [self.agencies[(self.wished + n) % len(self.agencies)] for n in range(number)]
        packages = {
            row.agency_id: row
            for row in Package.objects.across_agencies().filter(agency__in=self.agencies, vendor_package_id="pac_1")
        }
        accounts = {row.agency_id: row for row in VendorAccount.objects.filter(agency__in=self.agencies)}
        numbers = [next(_numbers) for _ in ours]
        emails = [f"n{n}@shop.example" for n in numbers]
        people = User.objects.bulk_create(
            User(agency=agency, email=email, username=f"{agency.pk.hex}:{email}")
            for agency, email in zip(ours, emails, strict=True)
        )
        customers = Customer.objects.bulk_create(
            Customer(
                agency=agency,
                company_name=f"Shop {n}",
                first_name="Nova",
                last_name="Novak",
                country="NL",
                email=email,
                package=packages[agency.pk],
            )
            for agency, n, email in zip(ours, numbers, emails, strict=True)
        )
        Membership.objects.bulk_create(
            Membership(person=person, customer=customer, role="owner")
            for person, customer in zip(people, customers, strict=True)
        )
        now = timezone.now()
        Subaccount.objects.bulk_create(
            Subaccount(
                agency=customer.agency,
                customer=customer,
                vendor_account=accounts[customer.agency_id],
                email=customer.email,
                state=State.REQUESTED,
                verified_at=now,
                run_at=now,
            )
            for customer in customers
        )
        self.wished += number

    @property
    def log(self) -> str:
        return os.fspath(self.folder / "workers.log")

    @property
    def subaccounts(self) -> Any:
        return Subaccount.objects.across_agencies().filter(agency__in=self.agencies)

    @property
    def jobs(self) -> Any:
        return Job.objects.across_agencies().filter(agency__in=self.agencies)

    def open_work(self) -> int:
        working = self.subaccounts.filter(state__in=WORKING).count()
        return working + self.jobs.filter(done_at=None).count()

    def due_work(self) -> int:
        """What a worker could take just now."""
        due = claims.due(timezone.now())
        return int(self.subaccounts.filter(due, state__in=WORKING).count() + self.jobs.filter(due).count())

    # -- the passing of time -------------------------------------------------------------------------------------

    def note(self, reports: list[Report]) -> None:
        """Lets the leases of workers that are gone or stopped end, and counts the killed that held one.

        One that ended by itself holds a lease only if it lost the database before it could let go.
        """
        waiting, self.unaged = [*self.unaged, *reports], []
        for number, report in enumerate(waiting):
            if report.how == "woken":
                continue
            try:
                held = self.end_leases_of(report.worker)
            except DatabaseError:  # it is stopped just now
                connection.close()
                self.unaged = waiting[number:]
                return
            if report.how == "stopped":
                self.stops += 1
                continue
            is_news = report.worker not in self.gone  # a child of Celery's may be told of by two, or twice
            self.gone.add(report.worker)
            if report.how == "killed" and is_news:
                (self.kills if held else self.idle_kills)[report.point] += 1

    def end_leases_of(self, worker: str) -> bool:
        """Whether it held a claim: one whose lease was over already, say because it was stopped, is nobody's."""
        now = timezone.now()
        past = now - timedelta(seconds=1)
        # Asked at each of ten thousand ends: by the index of what is held.
        held = Q(lease_until__gt=now, lease_owner__startswith=f"{worker}.")
        rows = Subaccount.objects.across_agencies().filter(held).update(lease_until=past)
        jobs = list(Job.objects.across_agencies().filter(held).values_list("pk", flat=True))
        if jobs:
            Job.objects.across_agencies().filter(held, pk__in=jobs).update(lease_until=past)
            for pk in jobs:
                self.cut_short[pk].setdefault(worker, now)
        return bool(rows or jobs)

    def hurry(self) -> int:
        """What waits for longer than this harness does is due now: a minute after a fault, an hour of back-off.

        So is what was claimed by the last word of a worker: a busy database may read a COMMIT after its sender's end,
        and after its leases were ended.
        """
        now = timezone.now()
        for rows in (self.subaccounts, self.jobs):
            owners = rows.filter(lease_until__gt=now).values_list("lease_owner", flat=True)
            for worker in {owner.partition(".")[0] for owner in owners} & self.gone:
                self.end_leases_of(worker)
        later = Q(run_at__gt=now + timedelta(seconds=5))
        return int(self.subaccounts.filter(later).update(run_at=now)) + int(
            self.jobs.filter(later, done_at=None).update(run_at=now)
        )


def forget_connections() -> None:
    """Before a fork: no connection, no client and no thread may be shared."""
    connection.close()
    vendor.clients.forget()
    while threading.active_count() > 1:  # a call's own watchdog ends in a moment
        time.sleep(0.001)


def warm_up() -> None:
    """One wish by this process: what is made once per process (the template engine) is made before the forks."""
    failpoints.arm(Plan(""), name="warm")
    provisioning.attempt()


def ready(folder: Path) -> None:
    """Settings that the environment cannot give, once per process."""
    settings.DATABASES["default"].get("OPTIONS", {}).pop("pool", None)  # a worker here lives for milliseconds
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "tests.crash.outbox.Outbox"
    settings.EMAIL_FILE_PATH = str(folder / "outbox")
    for module in (claimed, provisioning):
        module.LOOKS_BEFORE_QUARANTINE_ENDS = LOOKS
