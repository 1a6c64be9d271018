"""The harness can fail: where one of the product's cautions is taken away, it finds doubles and says so."""

import re
import subprocess
import sys

import pytest
from django.db import connection

from tests.crash.profiles import CAUTIONS
from tests.run import ROOT, environment_for

pytestmark = pytest.mark.prove
KILLS, SIGN_UPS = "80", "40"


@pytest.mark.parametrize("part", ["profiles", "sign-ups"])
@pytest.mark.parametrize("caution", CAUTIONS)
def test_without_a_caution_doubles_are_found(caution: str, part: str):
    database = "postgres" if connection.vendor == "postgresql" else "sqlite"
    command = [sys.executable, "-m", "tests.crash.one", "--database", database, "--only", part]
    command += ["--profile", "not unique, late", "--kills", KILLS, "--sign-ups", SIGN_UPS, "--without", caution]

    done = subprocess.run(command, cwd=ROOT, env=environment_for(), capture_output=True, text=True, check=False)

    doubled = [int(number) for number in re.findall(r"(\d+) doubled", done.stdout)]
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert min(doubled) > 0
