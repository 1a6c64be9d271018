"""`./run check`: everything that needs no test run. Prints one line per check, and the output of those that fail."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = sys.executable
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.html"))

# What a production installation sets; the values are for this check only.
PRODUCTION = {
    "DEPLOYMENT": "production",
    "SECRET_KEY": "check-only-" + "x1Y2z3" * 12,
    "SEALING_KEYS": "Y2hlY2stb25seS1rZXktMDAwMDAwMDAwMDAwMDAwMDA=",
    "DATABASE_URL": "postgres://portal@db.example/portal",
    "CACHE_URL": "rediscache://cache.example:6379/0",
    "BROKER_URL": "amqp://broker.example//",
    "EMAIL_URL": "smtp+tls://mail.example:587",
    "PLATFORM_HOST": "portal.example.com",
    "TRUSTED_PROXY_COUNT": "1",
}

CHECKS: dict[str, tuple[list[str], dict[str, str]]] = {
    "format": ([str(BIN / "ruff"), "format", "--check", "."], {}),
    "lint": ([str(BIN / "ruff"), "check", "."], {}),
    "types": ([str(BIN / "mypy")], {}),
    "imports": ([str(BIN / "lint-imports"), "--no-cache"], {}),
    "templates": ([str(BIN / "djade"), "--check", "--target-version", "5.2", *TEMPLATES], {}),
    "migrations": ([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    "system": ([PYTHON, "manage.py", "check", "--fail-level", "WARNING"], {}),
    "deployment": ([PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
}


def main() -> int:
    failed = []
    names = sys.argv[1:] or list(CHECKS)
    for name in names:
        command, settings = CHECKS[name]
        environment = {**os.environ, "PORTAL_ENV_FILE": "/nonexistent", **settings}
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        print(f"{'ok' if done.returncode == 0 else 'FAILED':8}{name} ({seconds:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    print(f"{len(names) - len(failed)} of {len(names)} checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
