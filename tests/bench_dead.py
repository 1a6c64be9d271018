"""`./run bench --only dead`: what another agency's customers notice while one agency's vendor account is dead.

Five blocks of quiet and five of dead take turns. Dead means that every call of that agency hangs until its deadline,
with wishes of it in the queue all the while. Measured for the other agency: from the commit that makes a wish due to
ACTIVE, and a customer's start page over HTTP from `portal.serve`.
"""

import http.client
import statistics
import time
from pathlib import Path
from typing import Any, cast

import django

from tests import bench_stage

BLOCKS, WISHES, PAGES = 5, 8, 40
LATENCY, DEADLINE = 0.05, 3.0
GOAL = 1.5


class Page:
    """The start page of a customer who is signed in, on a kept connection."""

    def __init__(self, stage: Any, agency: Any, port: int) -> None:
        from django.test import Client

        from tests import factories

        person = factories.person(agency, "page@shop.example")
        customer = factories.customer(agency, person, proven=False)
        factories.activate(customer, None)
        client = Client(headers={"host": agency.canonical_host})
        client.force_login(person)
        session = client.session
        session["scope"] = person.scope
        session.save()
        self.path, self.connection = f"/c/{customer.public_id}/", http.client.HTTPConnection("127.0.0.1", port)
        self.headers = {"Host": f"{agency.canonical_host}:{port}", "Cookie": f"session={session.session_key}"}

    def milliseconds(self) -> float:
        started = time.perf_counter()
        self.connection.request("GET", self.path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, answer.status
        assert b'data-state="active"' in body
        return (time.perf_counter() - started) * 1000


def provisioning(agency: Any, number: int) -> float:
    """Milliseconds from the commit to ACTIVE."""
    from accounts import customers
    from accounts.models import State, Subaccount
    from tests import factories

    person = factories.person(agency, f"d{number}@shop.example")
    wish = factories.customer(agency, person, proven=False).subaccount
    started = time.perf_counter()
    customers.prove_mailbox(acting_user=person, email=person.email)
    rows = Subaccount.objects.for_agency(agency).filter(pk=wish.pk, state=State.ACTIVE)
    bench_stage.until(rows.exists, seconds=60, pause=0.005)
    return (time.perf_counter() - started) * 1000


def measure(stage: Any, vendor: bench_stage.Vendor, page: Page) -> bool:
    from accounts.models import Subaccount, VendorAccount

    dying, living = stage.agencies
    times: dict[str, dict[str, list[float]]] = {"provisioning": {}, "page": {}}
    load, number = bench_stage.load(), 0
    for block in range(2 * BLOCKS + 2):  # the first two warm it up
        kind = "dead" if block % 2 else "quiet"
        if kind == "dead":
            vendor.kill("id-1")
            stage.agencies = [dying]
            stage.wish(10)
            stage.agencies = [dying, living]
            time.sleep(0.5)  # its first call hangs
        for _ in range(WISHES):
            number += 1
            took = provisioning(living, number)
            page.connection.close()  # the server keeps an idle one for 5 s
            _first, *seen = [page.milliseconds() for _ in range(1 + PAGES // WISHES)]
            if block >= 2:
                times["provisioning"].setdefault(kind, []).append(took)
                times["page"].setdefault(kind, []).extend(seen)
        if kind == "dead":
            assert any(call[2] == "id-1" for call in vendor.calls()), "the dead one was asked"
            # Buried, so that the next block is quiet: nothing of it is due, and what hangs has ended.
            Subaccount.objects.for_agency(dying).update(run_at=None)
            bench_stage.until(lambda: not _is_held(dying), seconds=30)
            vendor.kill()
            Subaccount.objects.for_agency(dying).update(run_at=None)
            VendorAccount.objects.filter(agency=dying).update(
                trouble="", trouble_since=None, probe_at=None, recent_failures=0
            )
    met = True
    for title, by_kind in times.items():
        quiet, dead = (statistics.median(by_kind[kind]) for kind in ("quiet", "dead"))
        ratio = max(quiet, dead) / min(quiet, dead)
        met = met and ratio <= GOAL
        verdict = "met" if ratio <= GOAL else "MISSED"
        print(f"{title:20}{quiet:>10.1f}{dead:>10.1f}{ratio:>8.2f}  goal {GOAL}: {verdict} ({load})", flush=True)
    return met


def _is_held(agency: Any) -> bool:
    from django.utils import timezone

    from accounts.models import Subaccount

    return bool(Subaccount.objects.for_agency(agency).filter(lease_until__gt=timezone.now()).exists())


def main() -> int:
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from tests.bench_worker import NoSandbox
    from tests.crash.stage import Stage
    from tests.ports import free_port

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    print(f"\nOne agency's vendor account is dead; another agency's medians of {BLOCKS} + {BLOCKS} blocks, ms")
    print(f"{'':20}{'quiet':>10}{'dead':>10}{'ratio':>8}")
    port = free_port()
    with bench_stage.vendor(LATENCY) as vendor:
        stage = Stage(cast(Any, NoSandbox()), Path("/nonexistent"))
        stage.open_agencies(2)
        page = Page(stage, stage.agencies[1], port)
        own = {
            "COUPONTOOLS_API_URL": vendor.url,
            "EMAIL_URL": "dummymail://",
            "VENDOR_DEADLINE_SECONDS": str(DEADLINE),
            "VENDOR_LIST_DEADLINE_SECONDS": str(DEADLINE),
            "PORT": str(port),
        }
        with bench_stage.running("-m", "portal.serve", **own), bench_stage.worker(threads=4, **own):
            bench_stage.until(lambda: bench_stage.listens(port), seconds=40)
            return 0 if measure(stage, vendor, page) else 1


if __name__ == "__main__":
    raise SystemExit(main())
