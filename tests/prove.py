"""`./run prove`: the long proofs. Seeded faults of isolation, killed workers, killed rotations, floods, hostile input.

Prints the minutes of each part and its figures; `--only` names the parts to run.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.run import NEEDS, NOTHING_RAN, PLACES, PROCESSES, ROOT, provide, pytest, throw_away_postgres
from tests.seeds import proof

# What touches no database, or is about what the vendor says and what stands in a field.
ONLY_ON_SQLITE = (
    "tests/coupontools_api",
    "tests/accounts/test_mutated_urls.py",
    "tests/flows/test_spoiled_vendor.py",
    "tests/machine",
    "tests/portal/test_calls_out.py",
)


def on_sqlite() -> int:
    return pytest("Long proofs on SQLite", [*PROCESSES, "-m", "prove and not browser"])


def on_postgres() -> int:
    """Those that a database has a say in; the others belong to the part sqlite."""
    with throw_away_postgres() as url:
        chosen = [*PROCESSES, "-m", "prove and not browser", *(f"--ignore={path}" for path in ONLY_ON_SQLITE)]
        return pytest("Long proofs on PostgreSQL", chosen, DATABASE_URL=url)


def crashes() -> int:
    """A share of `./run crash`, which alone takes 10,000 kills on each database and 200 in Celery's pool.

    Both databases at once: each ends its workers one after the other.
    """
    share = ["--kills", "180", "--pool-kills", "20", "--sign-ups", "150"]
    parts = {"sqlite": "profiles,sign-ups", "postgres": "profiles,stops,pool"}
    command = [sys.executable, "-m", "tests.crash", *share]
    with TemporaryDirectory(prefix="portal-crash-") as folder:
        running = []
        for name, only in parts.items():
            output = Path(folder, name)
            arguments = [*command, "--database", name, "--only", only]
            with output.open("w") as file:
                running.append((output, subprocess.Popen(arguments, cwd=ROOT, stdout=file, stderr=file)))
        codes = [process.wait() for _output, process in running]
        for output, _process in running:
            print(output.read_text(), flush=True)
    return max(codes, key=abs)


def in_chromium() -> int:
    return pytest("Long proofs in Chromium", [*PROCESSES, "-m", "prove and browser", *PLACES["browser"]])


PARTS: dict[str, Callable[[], int]] = {
    "faults": proof.main,
    "crash": crashes,
    "sqlite": on_sqlite,
    "postgres": on_postgres,
    "browser": in_chromium,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=f"comma-separated: {', '.join(PARTS)}")
    wanted = parser.parse_args().only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}.")
    if missing := provide(list(NEEDS)):
        print(f"FAILED: missing {', '.join(missing)}; ./run test says how to get them.")
        return 1
    started, minutes, failed = time.monotonic(), {}, []
    for part in wanted:
        begun = time.monotonic()
        print(f"\n=== Part: {part}", flush=True)
        if PARTS[part]() not in (0, NOTHING_RAN):
            failed.append(part)
        minutes[part] = (time.monotonic() - begun) / 60
    print("\n" + ", ".join(f"{part} {spent:.1f} min" for part, spent in minutes.items()))
    print(
        f"{len(wanted) - len(failed)} of {len(wanted)} parts proved, {(time.monotonic() - started) / 60:.1f} minutes."
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
