"""A portal with a database of its own that a test asks by command, as an operator would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]

HEADER = """
import json
from django.utils import timezone
from accounts import jobs, pausing, provisioning
from accounts.models import *
from tests import factories
north = Agency.objects.filter(name="North").first()
def wish(name):
    return factories.customer(north, factories.person(north, f"{name}@shop.example")).subaccount
def settle():
    for _ in range(40):
        for kind in (Subaccount, Job):
            kind.objects.for_agency(north).filter(run_at__gt=timezone.now()).update(run_at=timezone.now())
        if not any([provisioning.attempt(), jobs.run()]):
            return
def states():
    rows = Subaccount.objects.for_agency(north).order_by("email")
    return {email.split("@")[0]: [state, cause] for email, state, cause in rows.values_list("email", "state", "cause")}
"""


class Vendor(Protocol):
    """A sandbox, in this process or in one of its own."""

    @property
    def url(self) -> str: ...


class Installation:
    """A portal with a database of its own, asked by command."""

    def __init__(self, url: str, vendor: Vendor) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in ("BROKER_URL", "CACHE_URL")}
        self.environment = kept | {
            "DATABASE_URL": url,
            "PORTAL_ENV_FILE": "/nonexistent",
            "COUPONTOOLS_API_URL": vendor.url,
            "EMAIL_URL": "dummymail://",
            "LOG_LEVEL": "ERROR",
            "PROVISIONING_QUARANTINE_SECONDS": "0",
            "PROVISIONING_LOOK_GAP_SECONDS": "0",
        }

    def manage(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, code: str) -> Any:
        """Runs code inside, and returns what it puts into `answer`."""
        said = self.manage(
            "shell", "--no-imports", "-c", f"{HEADER}\nanswer = None\n{code}\nprint('@@' + json.dumps(answer))"
        )
        return json.loads(said.rpartition("@@")[2].splitlines()[0])
