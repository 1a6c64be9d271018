"""`./run bench --only list`: how a list of 100,000 subaccounts is read, beside a bare `json.loads` of the same body.

Time is the best of three rounds in one process, in turns. Memory is what a fresh process gains at its peak over what
it held with the body in hand, by getrusage; both as ratios, since a machine's own pace is nobody's goal.
"""

import gc
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from coupontools_api import listing
from coupontools_api.replies import Answer
from coupontools_api.subaccounts import LIST

LINES = 100_000
ROUNDS = 3
GOALS = {"list()": (5, 8), "list(), every line read": (5, 8), "the look: list(brief=True)": (2, None)}
"""By the way it is read: times the time of json.loads, times the bytes of the body."""


def body() -> bytes:
    """Lines as they may come: id, address, and some of what "get subaccount" is documented to say.

    Written line by line: the peak of what makes it must not hide the peak of what reads it.
    """
    written = io.BytesIO()
    written.write(b'{"status": {"status": "OK"}, "subaccounts": [')
    for number in range(1, LINES + 1):
        row = {
            "ID": f"sub_{number}",
            "email": f"owner-{number}@shop.example",
            "first_name": "Kim",
            "last_name": f"Owner {number}",
            "company_name": f"Shop {number}",
            "status": "trial",
            "expiry_date": "2030-12-31",
        }
        written.write(json.dumps(row).encode() + (b", " if number < LINES else b"]}"))
    return written.getvalue()


WAYS: dict[str, Callable[[bytes], Any]] = {
    "json.loads": json.loads,
    "list()": lambda content: listing.whole(LIST, Answer(200, {}, content)),
    "list(), every line read": lambda content: tuple(listing.whole(LIST, Answer(200, {}, content))),
    "the look: list(brief=True)": lambda content: listing.brief(LIST, Answer(200, {}, content)),
}


def seconds(way: str, content: bytes) -> float:
    gc.collect()
    started = time.perf_counter()
    found = WAYS[way](content)
    spent = time.perf_counter() - started
    assert len(found["subaccounts"] if way == "json.loads" else found) == LINES
    return spent


def gained(way: str) -> int:
    """Bytes at the peak of a process of its own."""
    command = [sys.executable, "-m", "tests.bench_list", way]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_gain(way: str) -> None:
    content = body()
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = WAYS[way](content)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
    assert found


def main() -> bool:
    """Prints a line for each way; whether all goals are met."""
    # First, while this process is small: a child starts with the peak of its parent.
    peaks = {way: gained(way) for way in WAYS}
    content = body()
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way in WAYS:
            times[way].append(seconds(way, content))
    bare = min(times["json.loads"])
    print(f"\nA list of {LINES:,} subaccounts, {len(content) / 1e6:.1f} MB: against json.loads, and against its bytes")
    met = True
    for way in WAYS:
        slower, larger = min(times[way]) / bare, peaks[way] / len(content)
        time_goal, memory_goal = GOALS.get(way, (None, None))
        is_met = (time_goal is None or slower <= time_goal) and (memory_goal is None or larger <= memory_goal)
        goals = f"  goals {time_goal} and {memory_goal or 'none'}: {'met' if is_met else 'MISSED'}" if time_goal else ""
        print(f"{way:32}{slower:>8.2f} x time{larger:>8.2f} x bytes{goals}", flush=True)
        met = met and is_met
    return met


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure_gain(sys.argv[1])
        sys.exit(0)
    sys.exit(0 if main() else 1)
