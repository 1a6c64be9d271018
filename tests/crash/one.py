"""The whole harness on one database: `python -m tests.crash.one`, called by `./run crash`."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from tests.crash.options import arguments
from tests.ports import free_port
from tests.run import Postgres, environment_for, own_postgres

# Leases of the dead are ended by hand, and are longer than any deadline. Quarantine and looks: `profiles.Times`.
TIMES = {
    "PROVISIONING_LEASE_SECONDS": "120",
    "PROVISIONING_BACKOFF_MIN_SECONDS": "0",
    "PROVISIONING_BACKOFF_MAX_SECONDS": "0.05",
    "PROVISIONING_ATTEMPTS": "30000",  # every kill in a create is an attempt
    "PROVISIONING_DAILY_CREATES": "1000000",
    "BREAKER_PROBE_SECONDS": "0.1",
    "VENDOR_DEADLINE_SECONDS": "10",
}


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, Postgres | None]]:
    """Its URL, and the server where there is one. Durable, as production has to be."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'crash.sqlite3'}", None
    else:
        with own_postgres(durable=True) as server:
            yield server.url, server


def main() -> int:
    given = arguments().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped on the way out
    folder, port = Path(tempfile.mkdtemp(prefix="portal-crash-")), free_port()
    try:
        with database(given.database, folder) as (url, server):
            vendor = f"http://127.0.0.1:{port}"
            os.environ.update(environment_for(DATABASE_URL=url, COUPONTOOLS_API_URL=vendor, **TIMES))
            os.environ["LOG_LEVEL"] = "ERROR"
            django.setup()
            from tests.crash.parts import Parts

            return Parts(given, folder, port, server).run()
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
