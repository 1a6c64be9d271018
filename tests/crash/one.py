"""The whole harness on one database: `python -m tests.crash.one`, called by `./run crash`."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deployment.production import free_port
from tests.run import environment_for, throw_away_postgres

# The order of the times is production's: lease over deadlines, quarantine over the latest effect that a profile calls
# late. Leases of the dead are ended by hand; nothing else is hurried.
TIMES = {
    "PROVISIONING_LEASE_SECONDS": "120",
    "PROVISIONING_QUARANTINE_SECONDS": "1.5",
    "PROVISIONING_LOOK_GAP_SECONDS": "0.2",
    "PROVISIONING_BACKOFF_MIN_SECONDS": "0",
    "PROVISIONING_BACKOFF_MAX_SECONDS": "0.05",
    "PROVISIONING_ATTEMPTS": "30000",  # every kill in a create is an attempt
    "PROVISIONING_DAILY_CREATES": "1000000",
    "BREAKER_PROBE_SECONDS": "0.1",
    "VENDOR_DEADLINE_SECONDS": "10",
}


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'crash.sqlite3'}"
    else:
        with throw_away_postgres(durable=True) as url:
            yield url


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=("sqlite", "postgres"), required=True)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--profile", default="")
    given = parser.parse_args()
    folder, port = Path(tempfile.mkdtemp(prefix="portal-crash-")), free_port()
    started = time.monotonic()
    try:
        with database(given.database, folder) as url:
            os.environ.update(
                environment_for(
                    DATABASE_URL=url, COUPONTOOLS_API_URL=f"http://127.0.0.1:{port}", **TIMES, LOG_LEVEL="ERROR"
                )
            )
            import django

            django.setup()
            from django.core.management import call_command

            from tests.crash import failpoints, figures, kills, stage
            from tests.crash.profiles import PROFILES

            stage.ready(folder)
            call_command("migrate", verbosity=0)
            failpoints.install()
            chosen = [profile for profile in PROFILES if given.profile in profile.name]
            outcomes = []
            for profile in chosen:
                share = -(-given.kills // len(chosen))
                outcomes.append(kills.run(profile, kills=share, seed=given.seed, folder=folder, port=port))
                figures.show(outcomes[-1])
            stage.forget_connections()
            return figures.summary(given.database, given.seed, outcomes, time.monotonic() - started)
    finally:
        if "CRASH_KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
