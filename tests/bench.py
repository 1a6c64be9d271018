"""`./run bench`: pages of the console with 1,000 and with 100,000 customers, as ratios measured in one run.

Each size has a database of its own, on SQLite and on a throw-away PostgreSQL. Both sizes are asked in turns by a
process each, so that whatever else the machine does falls on both. Prints milliseconds for orientation; the ratios
are what counts: at most 1.2. Then the times of sign-in and sign-up for known and unknown addresses. On PostgreSQL
the worker's sign-ups a second, its pickup of a wish, and what others notice of a dead vendor account. Of the client,
how a long list of subaccounts is read. `--only` names the parts to run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run by its path, as ./run does

SIZES = (1_000, 100_000)
ROUNDS, REQUESTS = 8, 10
GOAL = 1.2
OF_THE_WORKER = {"worker": "tests.bench_worker", "pickup": "tests.bench_pickup", "dead": "tests.bench_dead"}
PARTS = ("pages", "addresses", "list", *OF_THE_WORKER)
PAGE = 50
HOST = "bench.localhost"


def serve_size() -> None:
    """One process with one database: fills it, then answers `page` on standard input with the times of requests."""
    import django

    django.setup()
    from django.core.cache import cache
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import Customer
    from tests import factories
    from tests.many import fill

    size = int(os.environ["BENCH_CUSTOMERS"])
    call_command("migrate", verbosity=0)
    agency = factories.agency("Bench", HOST, keys=("bench-id", "bench-secret"))
    fill(agency, size)
    client = Client(headers={"host": HOST})
    client.force_login(factories.staff(agency, "ada@bench.example", "owner"))
    newest = list(Customer.objects.for_agency(agency).order_by("-pk").values_list("pk", flat=True))
    far = newest[min(99 * PAGE, len(newest) - PAGE) - 1]
    pages = {
        "list, page 1": ("/console/customers/", {}),
        "list, page 100 (or the last)": ("/console/customers/", {"after": str(far)}),
        "search, one match": ("/console/customers/", {"q": f"n{size // 2}@many.example"}),
        "search, thousands of matches": ("/console/customers/", {"q": "sho"}),
        "list, filtered by state": ("/console/customers/", {"state": "needs_review"}),
        "one customer": (f"/console/customers/{Customer.objects.for_agency(agency).first().public_id}/", {}),
        "overview": ("/console/", {}),
    }
    print(json.dumps(list(pages)), flush=True)
    for line in sys.stdin:
        address, query = pages[json.loads(line)]
        times = []
        for _ in range(REQUESTS):
            cache.clear()
            started = time.perf_counter()
            answer = client.get(address, query)
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, (address, answer.status_code)
        print(json.dumps(times), flush=True)


def ask(process: "subprocess.Popen[str]", question: str) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def compare(title: str, urls: dict[int, str]) -> bool:
    """Measures both sizes in turns and prints a line for each page. Whether the goal is met for lists and search."""
    from tests.run import environment_for

    with ExitStack() as stack:
        processes = {}
        for size, url in urls.items():
            environment = environment_for(DATABASE_URL=url, BENCH_CUSTOMERS=str(size), BENCH_CHILD="1")
            process = subprocess.Popen(
                [sys.executable, __file__],
                cwd=ROOT,
                env=environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes[size] = process
        pages, _same = [json.loads(process.stdout.readline()) for process in processes.values()]
        print(f"\n{title}: median ms of {ROUNDS * REQUESTS} requests")
        print(f"{'':32}{SIZES[0]:>10,}{SIZES[1]:>10,}{'ratio':>8}")
        met = True
        for page in pages:
            times: dict[int, list[float]] = {size: [] for size in SIZES}
            for size in SIZES:
                ask(processes[size], page)  # warm
            for _ in range(ROUNDS):
                for size in SIZES:
                    times[size] += ask(processes[size], page)
            small, large = (statistics.median(times[size]) for size in SIZES)
            ratio, counts = large / small, page.startswith(("list, page", "search"))
            met = met and (ratio <= GOAL or not counts)
            goal = f"  goal {GOAL}: {'met' if ratio <= GOAL else 'MISSED'}" if counts else ""
            print(f"{page:32}{small:>10.2f}{large:>10.2f}{ratio:>8.2f}{goal}", flush=True)
    return met


def compare_addresses(url: str) -> None:
    """Prints the times of sign-in and sign-up, which must not say whether an address is known."""
    from tests.run import environment_for

    environment = environment_for(DATABASE_URL=url, LIMIT_SIGN_UP="100000/60", LIMIT_VISITOR="100000/60")
    subprocess.run([sys.executable, "-m", "tests.bench_addresses"], cwd=ROOT, env=environment, check=True)


def measure_the_worker(part: str) -> bool:
    """One part in a process and on a PostgreSQL of its own; the pickup with Celery, too, where there is a Redis."""
    from tests.deployment.production import throw_away_redis
    from tests.run import environment_for, provide, throw_away_postgres

    def run(**settings: str) -> bool:
        # Durable, as in production: a commit is on the disk before the vendor is asked.
        with throw_away_postgres(durable=True) as url:
            environment = environment_for(DATABASE_URL=url, **settings)
            command = [sys.executable, "-m", OF_THE_WORKER[part]]
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0

    met = run()
    if part == "pickup" and not provide(["brokers"]):
        with throw_away_redis() as url:
            run(BROKER_URL=url.replace("rediscache:", "redis:"))  # to be seen; the goal is the product's without it
    return met


def main() -> int:
    from tests.run import postgres_bin, provide, throw_away_postgres

    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--without", default="", help="postgres")
    parser.add_argument("--only", default=",".join(PARTS), help=f"comma-separated: {', '.join(PARTS)}")
    options = parser.parse_args()
    only, with_postgres = options.only.split(","), "postgres" not in options.without.split(",")
    if unknown := set(only) - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}.")
    if with_postgres and provide(["postgres"]):
        print("PostgreSQL is missing; --without postgres leaves it out.")
        return 1
    met: dict[str, bool] = {}
    if "pages" in only or "addresses" in only:
        with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder, ExitStack() as stack:
            if "pages" in only:
                met["pages"] = compare("SQLite", {size: f"sqlite:///{folder}/{size}.sqlite3" for size in SIZES})
            if "addresses" in only:
                compare_addresses(f"sqlite:///{folder}/addresses.sqlite3")
            url = stack.enter_context(throw_away_postgres()) if with_postgres else ""
            if url and "addresses" in only:
                compare_addresses(url)
            if url and "pages" in only:
                programs, port = postgres_bin(), url.rpartition(":")[2].partition("/")[0]
                assert programs is not None
                for size in SIZES:
                    create = [
                        str(programs / "createdb"),
                        "-h",
                        "127.0.0.1",
                        "-p",
                        port,
                        "-U",
                        "portal",
                        f"bench_{size}",
                    ]
                    subprocess.run(create, check=True)
                met["pages"] &= compare("PostgreSQL", {s: url.replace("/postgres", f"/bench_{s}") for s in SIZES})
    if "list" in only:
        met["list"] = subprocess.run([sys.executable, "-m", "tests.bench_list"], cwd=ROOT, check=False).returncode == 0
    if with_postgres:
        met |= {part: measure_the_worker(part) for part in OF_THE_WORKER if part in only}
    print("\nGoals: " + ", ".join(f"{part} {'met' if is_met else 'MISSED'}" for part, is_met in met.items()))
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    if os.environ.get("BENCH_CHILD"):
        serve_size()
        sys.exit(0)
    sys.exit(main())
