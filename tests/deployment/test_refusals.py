"""Production does not start on what would go wrong later, whatever starts it, and names it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.check import PRODUCTION
from tests.deployment.production import Production
from tests.deployment.world import NORTH
from tests.figures import RecordFigure
from tests.ports import free_port
from tests.run import ROOT, throw_away_postgres

SERVE = ["-m", "portal.serve"]
WORK = ["manage.py", "work", "--until-idle"]
RUNSERVER = ["manage.py", "runserver", "--noreload", "127.0.0.1:0"]
CELERY_WORKER = ["-m", "celery", "-A", "portal", "worker", "--pool", "solo"]
CELERY_BEAT = ["-m", "celery", "-A", "portal", "beat"]
WSGI = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "portal.wsgi"]
STARTS = {
    "serve": SERVE,
    "work": WORK,
    "runserver": RUNSERVER,
    "wsgi": WSGI,
    "worker": CELERY_WORKER,
    "beat": CELERY_BEAT,
}
LOCAL_SEALING_KEY = "bG9jYWwtaW5zdGFsbGF0aW9ucy1vbmx5LTAwMDAwMDA="
LOCAL_SECRET_KEY = "local-installations-only-" + "never-for-production-0123456789"
ABSENT = ""

# A setting, a value that must not be, and what the refusal says.
WRONG = [
    ("SECRET_KEY", ABSENT, "Not set: SECRET_KEY"),
    ("SEALING_KEYS", ABSENT, "Not set: SEALING_KEYS"),
    ("DATABASE_URL", ABSENT, "Not set: DATABASE_URL"),
    ("EMAIL_URL", ABSENT, "Not set: EMAIL_URL"),
    ("PLATFORM_HOST", ABSENT, "Not set: PLATFORM_HOST"),
    ("TRUSTED_PROXY_COUNT", ABSENT, "Not set: TRUSTED_PROXY_COUNT"),
    ("DEPLOYMENT", "staging", "must be local or production"),
    ("CACHE_URL", ABSENT, "portal.E002"),
    ("CACHE_URL", "dummycache://", "portal.E002"),
    ("CACHE_URL", "filecache:///tmp/nowhere", "portal.E002"),
    ("EMAIL_URL", "consolemail://", "portal.E003"),
    ("EMAIL_URL", "filemail://", "portal.E003"),
    ("EMAIL_URL", "smtp+tls://", "names no mail server"),
    ("EMAIL_URL", "smtp://mail.example.com:25", "portal.E018"),
    ("COUPONTOOLS_PANEL_HOSTS", "127.0.0.1:8090", "portal.E004"),
    ("COUPONTOOLS_PANEL_HOSTS", "www.controlpanel.center,[::1]", "portal.E004"),
    ("COUPONTOOLS_PANEL_HOSTS", ",", "portal.E004"),
    ("COUPONTOOLS_PANEL_HOSTS", "*", "portal.E004"),
    ("COUPONTOOLS_PANEL_HOSTS", "0.0.0.0:8090", "portal.E004"),
    ("DATABASE_URL", "sqlite:////tmp/x.sqlite3", "portal.E005"),
    ("LIMIT_SIGN_UP", "20", "portal.E006"),
    ("LIMIT_INVITATION", "0/60", "portal.E006"),
    ("PROVISIONING_LEASE_SECONDS", "60", "portal.E007"),
    ("COUPONTOOLS_API_URL", "http://api.coupontools.com", "portal.E008"),
    ("COUPONTOOLS_API_URL", "http://127.0.0.1:8090", "portal.E008"),
    ("COUPONTOOLS_API_URL", "https://", "portal.E008"),
    ("DEBUG", "true", "portal.E010"),
    ("SECRET_KEY", "short", "portal.E011"),
    ("SECRET_KEY", "ab" * 40, "portal.E011"),
    ("SECRET_KEY", "django-insecure-" + PRODUCTION["SECRET_KEY"], "portal.E011"),
    ("SECRET_KEY", LOCAL_SECRET_KEY, "portal.E011"),
    ("SECRET_KEY_FALLBACKS", LOCAL_SECRET_KEY, "portal.E011"),
    ("SEALING_KEYS", LOCAL_SEALING_KEY, "portal.E012"),
    ("SEALING_KEYS", f"{PRODUCTION['SEALING_KEYS']},{LOCAL_SEALING_KEY}", "portal.E012"),
    ("SEALING_KEYS", PRODUCTION["SECRET_KEY"], "not SECRET_KEY"),
    ("SEALING_KEYS", "not-a-key", "no Fernet key"),
    ("SEALING_KEYS", ",", "holds no key"),
    ("SEALING_KEYS", f"{PRODUCTION['SEALING_KEYS']},{'A' * 43}=", "easily guessed"),
    ("TRUSTED_PROXY_COUNT", "0", "portal.E013"),
    ("TRUSTED_PROXY_COUNT", "-1", "portal.E013"),
    ("PLATFORM_HOST", "platform.localhost", "portal.E014"),
    ("PLATFORM_HOST", "192.0.2.7", "portal.E014"),
    ("PLATFORM_HOST", "https://portal.example.com", "portal.E014"),
    ("PLATFORM_HOST", "portal.example.com:443", "portal.E014"),
    ("PLATFORM_HOST", NORTH, "portal.E015"),
    ("RETENTION_UNVERIFIED_DAYS", "0", "portal.E019"),
    ("RETENTION_INVITATIONS_DAYS", "-30", "portal.E019"),
    ("PROVISIONING_QUARANTINE_SECONDS", "0", "portal.E019"),
    ("WEB_WORKERS", "0", "portal.E019"),
    ("WORKER_THREADS", "1", "portal.E019"),
    ("VENDOR_DEADLINE_SECONDS", "0", "portal.E019"),
    ("LAUNCH_DEADLINE_SECONDS", "0", "portal.E019"),
    ("BROKER_URL", "memory://", "portal.E020"),
    ("BROKER_URL", "nonsense", "portal.E020"),
]


@pytest.fixture(scope="module")
def careless_database() -> Iterator[str]:
    """A PostgreSQL that forgets what it has committed when the power fails."""
    with throw_away_postgres() as url:
        yield url


def start(command: list[str], settings: dict[str, str], *, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Starts something that should refuse. An absent value stands for a setting that nobody gave."""
    environment = {name: value for name, value in (os.environ | settings).items() if value != ABSENT}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment | {"PORTAL_ENV_FILE": "/nonexistent", "PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_refused(done: "subprocess.CompletedProcess[str]", says: str) -> None:
    assert done.returncode != 0
    assert says in done.stdout + done.stderr, done.stderr[-2000:]


@pytest.mark.parametrize(("setting", "value", "says"), WRONG)
def test_the_server_refuses_to_start_and_names_what_is_wrong(
    setting: str, value: str, says: str, installation: Production, record_figure: RecordFigure
):
    assert_refused(start(SERVE, {**installation.settings, setting: value}), says)
    record_figure("Production refused to start on", {"wrong settings": 1})


@pytest.mark.parametrize("what", STARTS)
@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("SECRET_KEY", ABSENT, "Not set: SECRET_KEY"),
        ("PROVISIONING_LEASE_SECONDS", "60", "portal.E007"),
    ],
)
def test_so_does_everything_else_that_serves_or_works(
    what: str, setting: str, value: str, says: str, installation: Production
):
    assert_refused(start(STARTS[what], {**installation.settings, setting: value}), says)


@pytest.mark.parametrize("what", [name for name in STARTS if name != "runserver"])
def test_a_database_that_forgets_is_refused_by_all_that_serve_or_work(
    what: str, installation: Production, careless_database: str
):
    done = start(STARTS[what], {**installation.settings, "DATABASE_URL": careless_database})

    assert_refused(done, "fsync=off, full_page_writes=off")
    assert "portal.E017" in done.stdout + done.stderr


def test_commits_that_do_not_wait_are_refused(installation: Production):
    """The URL has the last word over our own option, so the server is asked what it really does."""
    url = f"{installation.settings['DATABASE_URL']}?options=-c%20synchronous_commit%3Doff"

    assert_refused(start(SERVE, {**installation.settings, "DATABASE_URL": url}), "synchronous_commit=off")


def test_the_servers_own_default_does_not_matter(installation: Production):
    """Our connections wait for the disk even where the role does not."""
    with installation.database() as database:
        database.execute("ALTER ROLE portal SET synchronous_commit = off")
        try:
            done = start(WORK, installation.settings)
        finally:
            database.execute("ALTER ROLE portal RESET synchronous_commit")

    assert done.returncode == 0, done.stderr


def test_a_database_that_is_away_is_named(installation: Production):
    url = f"postgres://portal@127.0.0.1:{free_port()}/portal?connect_timeout=1"

    assert_refused(start(SERVE, {**installation.settings, "DATABASE_URL": url}), "portal.E016")


def test_hosts_without_their_guard_are_refused(installation: Production, tmp_path: Path):
    for name in ("accounts", "portal", "coupontools_api", "templates", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = tmp_path / "portal/settings.py"
    text, replaced = re.subn(r'    "portal\.middleware\.HostMiddleware",\n', "", settings.read_text())
    assert replaced == 1
    settings.write_text(text)

    assert_refused(start(SERVE, installation.settings, folder=tmp_path), "portal.E001")


def test_several_local_processes_without_a_shared_cache_are_refused(tmp_path: Path):
    local = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3", "WEB_WORKERS": "4", "CACHE_URL": ABSENT}

    assert_refused(start(SERVE, local), "portal.E002")


def test_a_local_installation_listens_on_loopback_only(tmp_path: Path):
    local = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3", "BIND": "0.0.0.0"}

    assert_refused(start(SERVE, local), "listens on 127.0.0.1 only")


def test_a_new_sealing_key_is_printed_where_the_old_one_is_wrong(installation: Production):
    done = start(["manage.py", "make_sealing_key"], {**installation.settings, "SEALING_KEYS": "not-a-key"})

    assert done.returncode == 0
    assert len(done.stdout.strip()) == 44
