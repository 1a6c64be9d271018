"""`./run bench --only worker`: sign-ups a second of `./run work` at 50 ms vendor latency, over the bound.

The bound is threads ÷ (calls per sign-up × latency), with the calls counted at the vendor: what the hands could do if
they did nothing but wait. Counted are all of a sign-up's steps: look, create, mail and the reading of campaigns. The
hourly comparisons are not due meanwhile: their calls are no sign-up's, and would raise the ratio.
"cpu ms" is what the worker uses of the processor for one sign-up: a process has one core, so 1,000 over that is a
second bound, which more threads do not move. The same threads are measured in one process and shared out to two; the
better of both is held to the goal.
"""

import os
from pathlib import Path
from typing import Any, cast

import django

from tests import bench_stage

LATENCY = 0.05
RUNS = {8: (32, 10), 32: (64, 12)}  # threads: agencies, sign-ups of each
PROCESSES = (1, 2)
GOAL = 0.75


class NoSandbox:
    def add_accounts(self, keys: list[tuple[str, str]]) -> None:
        """The lean vendor takes any key."""


def measure(threads: int, processes: int, agencies: int, each: int, folder: Path) -> float:
    from django.utils import timezone

    from accounts.models import VendorAccount
    from tests.crash.stage import Stage

    number = agencies * each
    with bench_stage.vendor(LATENCY) as vendor:
        stage = Stage(cast(Any, NoSandbox()), folder)
        stage.open_agencies(agencies)
        VendorAccount.objects.update(reconciled_at=timezone.now())
        own = {"COUPONTOOLS_API_URL": vendor.url, "EMAIL_URL": "dummymail://"}
        with bench_stage.worker(threads=threads // processes, processes=processes, **own) as workers:
            vendor.calls()
            load, before = bench_stage.load(), sum(map(bench_stage.cpu_seconds, workers))
            stage.wish(number)
            bench_stage.until(lambda: not stage.open_work(), seconds=120, pause=0.5)
            cpu = (sum(map(bench_stage.cpu_seconds, workers)) - before) / number * 1000
        calls = vendor.calls()
    times = sorted(call[0] for call in calls)
    seconds = times[-1] + LATENCY - times[0]
    per_sign_up = len(calls) / number
    bound = threads / (per_sign_up * LATENCY)
    ratio = number / seconds / bound
    print(
        f"{threads:>7}{processes:>10}{number:>10}{per_sign_up:>8.2f}"
        f"{number / seconds:>12.1f}{bound:>9.1f}{cpu:>9.1f}{ratio:>8.2f}"
        f"  ({load})",
        flush=True,
    )
    return ratio


def main() -> int:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(f"\nThe worker at {LATENCY * 1000:.0f} ms vendor latency, on PostgreSQL")
    columns = (
        ("processes", 10),
        ("sign-ups", 10),
        ("calls", 8),
        ("sign-ups/s", 12),
        ("bound", 9),
        ("cpu ms", 9),
        ("ratio", 8),
    )
    print(f"{'threads':>7}" + "".join(f"{title:>{width}}" for title, width in columns))
    chosen = os.environ.get("BENCH_THREADS", "")
    met = []
    for threads, size in RUNS.items():
        if not chosen or str(threads) in chosen.split(","):
            ratio = max(measure(threads, processes, *size, Path("/nonexistent")) for processes in PROCESSES)
            met.append(ratio >= GOAL)
            print(f"{threads} threads: goal {GOAL} {'met' if met[-1] else 'MISSED'}", flush=True)
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
