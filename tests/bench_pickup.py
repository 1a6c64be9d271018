"""`./run bench --only pickup`: from the commit that makes a wish due to the first byte at the vendor.

Beside it, in turns, a bare LISTEN/NOTIFY pickup: another process waits for the notification of a commit and reads one
row. Both clocks start when COMMIT is sent. The worker rests before each; nothing is in its hands. With BROKER_URL it
is Celery's worker and not `./run work`.
"""

import random
import statistics
import subprocess
import sys
import time
from typing import Any, cast

import django
import psycopg

from tests import bench_stage

TRIES, WARM = 100, 5
GOAL = 3.0
BARE = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute("LISTEN bare")
    print("listening", flush=True)
    while True:
        (told,) = connection.notifies(stop_after=1)
        connection.execute("SELECT number FROM bare WHERE number = %s", [int(told.payload)]).fetchone()
        print(time.monotonic(), flush=True)
"""


def bare_pickup(connection: "psycopg.Connection[Any]", listener: "subprocess.Popen[str]", number: int) -> float:
    assert listener.stdout is not None
    with connection.transaction():
        connection.execute("INSERT INTO bare VALUES (%s)", [number])
        connection.execute("SELECT pg_notify('bare', %s)", [str(number)])
        started = time.monotonic()
    return float(listener.stdout.readline()) - started


def pickup(stage: Any, vendor: bench_stage.Vendor, number: int) -> float:
    from django.db import transaction

    from accounts import customers
    from tests import factories

    agency = stage.agencies[number % len(stage.agencies)]
    person = factories.person(agency, f"p{number}@shop.example")
    factories.customer(agency, person, proven=False)
    time.sleep(random.uniform(0.05, 0.2))
    vendor.calls()
    with transaction.atomic():
        customers.prove_mailbox(acting_user=person, email=person.email)
        started = time.monotonic()
    bench_stage.until(lambda: not stage.open_work(), seconds=60)
    return vendor.calls()[0][0] - started


def compare(stage: Any, vendor: bench_stage.Vendor, url: str, title: str) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (number integer)")
        listener = subprocess.Popen([sys.executable, "-c", BARE, url], stdout=subprocess.PIPE, text=True)
        try:
            assert listener.stdout is not None
            listener.stdout.readline()
            load, bare, ours = bench_stage.load(), [], []
            for number in range(TRIES + WARM):
                bare.append(bare_pickup(connection, listener, number))
                ours.append(pickup(stage, vendor, number))
        finally:
            listener.terminate()
            listener.wait(timeout=20)
            connection.execute("DROP TABLE bare")
    middle_bare, middle_ours = (statistics.median(times[WARM:]) * 1000 for times in (bare, ours))
    ratio = middle_ours / middle_bare
    print(
        f"{title:20}{middle_bare:>12.2f}{middle_ours:>12.2f}{ratio:>8.2f}"
        f"  goal {GOAL}: {'met' if ratio <= GOAL else 'MISSED'} ({load})",
        flush=True,
    )
    return ratio


def main() -> int:
    django.setup()
    from pathlib import Path

    from django.conf import settings
    from django.core.management import call_command

    from tests.bench_worker import NoSandbox
    from tests.crash.stage import Stage

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    print(f"\nCommit to the first byte at the vendor: median ms of {TRIES} on PostgreSQL")
    print(f"{'':20}{'bare notify':>12}{'product':>12}{'ratio':>8}")
    with bench_stage.vendor(0.0) as vendor:
        stage = Stage(cast(Any, NoSandbox()), Path("/nonexistent"))
        stage.open_agencies(10)
        own = {"COUPONTOOLS_API_URL": vendor.url, "EMAIL_URL": "dummymail://"}
        title = "Celery" if settings.BROKER_URL else "./run work"
        if settings.BROKER_URL:
            started = bench_stage.running("-m", "celery", "-A", "portal", "worker", "-c", "2", "-l", "ERROR", **own)
        else:
            started = bench_stage.worker(threads=4, **own)
        with cast(Any, started):
            ratio = compare(stage, vendor, settings.DATABASE_URL, title)
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
