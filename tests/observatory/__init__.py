"""The MDN HTTP Observatory's engine: installed from its lock, without its scripts, and asked about pages."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / "var" / "observatory"


def engine() -> Path:
    """The folder of the engine, installed on first use.

    Its scripts would download two lists. It reads one of them, which sites browsers know to be https only: none.
    """
    lock = (HERE / "package-lock.json").read_bytes()
    home = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    folder = home / "node_modules/@mdn/mdn-http-observatory"
    preloaded = folder / "conf/hsts-preload.json"
    if not preloaded.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        home.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, home)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home, check=True)
        preloaded.write_text("{}")
    return folder


def judge(pages: list[dict[str, Any]], *, authority: Path) -> list[dict[str, Any]]:
    """What the engine says of each page: grade, score, status, failed and all results."""
    done = subprocess.run(
        ["node", str(HERE / "scan.mjs")],
        input=json.dumps({"engine": str(engine()), "pages": pages}),
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(authority)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
