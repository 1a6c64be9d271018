"""The client in an environment that has nothing but requests and pydantic: as somebody else would use it."""

import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

from coupontools_api import client
from coupontools_api.coverage import ENDPOINTS
from tests.coupontools_api.scripted import Vendor, answers

PACKAGE = Path(client.__file__).parent
NEEDED = ("requests", "pydantic")
SCRIPT = """
import sys

from coupontools_api import coverage
from coupontools_api.client import Coupontools

with Coupontools(client_id="id", client_secret="secret", base_url=sys.argv[1]) as vendor:
    print(len(coverage.ENDPOINTS), [line.email for line in vendor.subaccounts.list()])
for framework in ("django", "celery", "structlog", "cryptography"):
    assert framework not in sys.modules
    try:
        __import__(framework)
    except ImportError:
        continue
    raise AssertionError(f"{framework} is here: this environment is not bare")
"""


def with_what_they_need(names: tuple[str, ...]) -> set[str]:
    """The named distributions and all that they need, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needed = [line for line in distribution(name).requires or () if "extra ==" not in line]
        waiting += [re.match(r"[\w.-]+", line)[0] for line in needed]
    return found


def test_it_needs_nothing_but_requests_and_pydantic(tmp_path: Path, script: Vendor):
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = tmp_path / "bare" / "lib" / version / "site-packages"
    for name in with_what_they_need(NEEDED):
        for file in distribution(name).files or ():
            if not file.parts[0].startswith(".."):
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), site / file)
    leave_out = shutil.ignore_patterns("sandbox", "__pycache__")
    shutil.copytree(PACKAGE, site / "coupontools_api", ignore=leave_out)
    rows = [{"ID": "sub_1001", "email": "kim@shop.example"}]
    script.plays(answers({"status": {"status": "OK"}, "subaccounts": rows}))

    done = subprocess.run(
        [python, "-I", "-c", SCRIPT, script.url], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == f"{len(ENDPOINTS)} ['kim@shop.example']", done.stderr
    assert (site / "coupontools_api" / "py.typed").exists()
