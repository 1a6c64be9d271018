"""`./run crash`: forks real workers, kills and stops them, takes database and broker away, and counts what came of it.

Prints kills, intents, lost, doubled, wrongly bound, stuck and seconds; `--kills N --seed S`. The choice of fail-points,
faults and vendor profiles comes from the seed and these numbers: the last line is the command that repeats a run.
Points that no worker came to by then are sought in a last round; a run in which one is left has failed.
"""

import signal
import subprocess
import sys

from tests.crash.options import arguments
from tests.run import ROOT, provide, pytest, throw_away_postgres

NEEDED = ("postgres", "brokers")


def harness(command: list[str]) -> int:
    """The harness in a process of its own, which takes down what it started when this one is told to end."""
    process = subprocess.Popen(command, cwd=ROOT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()


def races(database: str, rounds: int) -> int:
    """Two or three at once, again and again (`test_races.py`); `./run prove` takes fewer rounds of the same."""
    chosen = ["tests/crash/test_races.py", "-m", "prove", "-q"]
    if database == "sqlite":
        return pytest(f"{rounds} races of each kind", chosen, RACE_ROUNDS=str(rounds))
    with throw_away_postgres() as url:
        return pytest(f"{rounds} races of each kind", chosen, RACE_ROUNDS=str(rounds), DATABASE_URL=url)


def main() -> int:
    given = arguments().parse_args()
    databases = [given.database] if given.database else ["sqlite", "postgres"]
    if missing := provide(list(NEEDED)):
        print(f"FAILED: missing {', '.join(missing)}; ./run test says how to get them.")
        return 1
    codes = []
    for database in databases:
        print(f"\n=== {database}", flush=True)
        command = [sys.executable, "-m", "tests.crash.one", *sys.argv[1:], "--database", database]
        if given.only != "races":
            codes.append(harness(command))
        if "races" in given.only.split(","):
            codes.append(races(database, given.rounds))
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
