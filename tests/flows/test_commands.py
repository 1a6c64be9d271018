"""The commands as a newcomer meets them: real processes, own folders, free ports."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.check import PRODUCTION
from tests.ports import free_port
from tests.signals import heed_signals

ROOT = Path(__file__).resolve().parents[2]


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    return {**kept, "PORTAL_ENV_FILE": "/nonexistent", **settings}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A working copy of its own, with the environment of this one."""
    for name in ("accounts", "portal", "coupontools_api", "templates", "static"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("run", "manage.py", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    environment = Path(sys.executable).parent.parent
    (tmp_path / ".venv").symlink_to(environment)
    return tmp_path


def start_demo(copy: Path, port: int, sandbox_port: int) -> subprocess.Popen[str]:
    """The demo in a process group of its own."""
    return subprocess.Popen(
        [copy / "run", "demo"],
        cwd=copy,
        env=environment(PORT=str(port), SANDBOX_PORT=str(sandbox_port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )


@pytest.fixture
def demo(copy: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    port, sandbox_port = free_port(), free_port()
    process = start_demo(copy, port, sandbox_port)
    yield process, port, sandbox_port
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(f"it ended without saying {words!r}:\n{seen}")


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_starts_shows_itself_and_ends_with_all_its_children(demo: tuple[subprocess.Popen[str], int, int]):
    process, port, sandbox_port = demo
    said = read_until(process, "Ctrl-C stops everything")

    pages = {
        (host, path): requests.get(
            f"http://127.0.0.1:{port}{path}", headers={"Host": f"{host}:{port}"}, timeout=10
        ).status_code
        for host, path in (
            ("northlight.localhost", "/account/login/"),
            ("northlight.localhost", "/start/"),
            ("sunbeam.localhost", "/start/"),
            ("platform.localhost", "/demo/"),
            ("platform.localhost", "/account/login/"),
            ("northlight.localhost", "/static/portal.css"),
        )
    }
    unknown = requests.get(f"http://127.0.0.1:{port}/static/portal.css", headers={"Host": "evil.example"}, timeout=10)

    assert set(pages.values()) == {200}, pages
    assert unknown.status_code == 400
    for words in (f"northlight.localhost:{port}", f"platform.localhost:{port}/demo/", "/etc/hosts", "ssh -L"):
        assert words in said
    os.kill(process.pid, signal.SIGTERM)
    process.wait(timeout=60)
    for _ in range(100):
        if not (is_listening(port) or is_listening(sandbox_port)):
            break
        time.sleep(0.1)
    assert not is_listening(port)
    assert not is_listening(sandbox_port)


def test_a_second_start_keeps_the_data(demo: tuple[subprocess.Popen[str], int, int], copy: Path):
    process, port, sandbox_port = demo
    read_until(process, "Ctrl-C stops everything")
    os.killpg(process.pid, signal.SIGHUP)  # its window is closed
    assert process.wait(timeout=60) == 0

    again = start_demo(copy, port, sandbox_port)
    try:
        said = read_until(again, "Ctrl-C stops everything")
    finally:
        os.killpg(again.pid, signal.SIGINT)
        read_until(again, "Stopping")
        os.killpg(again.pid, signal.SIGINT)  # by somebody who cannot wait: the children are ended all the same
        assert again.wait(timeout=60) == 0
        assert again.stdout is not None
        again.stdout.close()

    assert "with the data it had" in said


def test_servers_that_start_together_leave_each_other_their_files(copy: Path):
    start = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from portal.serve import collect_static\n"
        "collect_static(settings.STATIC_ROOT)"
    )
    production = environment(DJANGO_SETTINGS_MODULE="portal.settings", **PRODUCTION)
    servers = [
        subprocess.Popen([sys.executable, "-c", start], cwd=copy, env=production, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [server.communicate(timeout=120)[1] for server in servers]

    assert [server.returncode for server in servers] == [0, 0, 0], said
    assert (copy / "var" / "static" / "staticfiles.json").exists()


def test_a_busy_port_is_named_with_the_way_out(copy: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [copy / "run", "demo"],
            cwd=copy,
            env=environment(PORT=str(port), SANDBOX_PORT=str(free_port())),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert f"Port {port} is busy" in done.stderr
    assert f"PORT={port + 10} ./run demo" in done.stderr
    assert "Traceback" not in done.stderr


def fake_python(folder: Path, script: str) -> dict[str, str]:
    """A PATH with bash's own tools and a python3 that behaves as told."""
    folder.mkdir()
    for name in ("bash", "dirname", "sed", "sha256sum", "cat", "id", "rm", "env"):
        program = shutil.which(name)
        assert program
        (folder / name).symlink_to(program)
    python = folder / "python3"
    python.write_text(f"#!/bin/bash\n{script}\n")
    python.chmod(0o755)
    return {"PATH": str(folder), "HOME": str(folder)}


def test_a_wrong_python_is_named_with_the_way_out(copy: Path, tmp_path: Path):
    (copy / ".venv").unlink()
    path = fake_python(tmp_path / "old", 'if [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi')

    done = subprocess.run([copy / "run", "demo"], env=path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in done.stderr
    assert "PORTAL_PYTHON=" in done.stderr


def test_a_missing_venv_module_is_named_with_the_command_that_mends_it(copy: Path, tmp_path: Path):
    (copy / ".venv").unlink()
    path = fake_python(tmp_path / "bare", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')

    done = subprocess.run([copy / "run", "demo"], env=path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "sudo apt-get install python3-venv" in done.stderr


def test_run_alone_lists_what_it_does():
    done = subprocess.run([ROOT / "run"], capture_output=True, text=True, timeout=20, check=False)

    assert re.findall(r"^  \./run ([\w-]+)", done.stdout, re.M) == [
        "demo",
        "test",
        "prove",
        "bench",
        "crash",
        "screenshots",
        "check",
        "serve",
        "work",
        "sandbox",
        "vendor-check",
        "manage",
    ]


def test_a_database_without_its_tables_is_named_with_the_command_that_makes_them(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "portal.serve"],
        cwd=ROOT,
        env=environment(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3", PORT=str(free_port())),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "./run manage migrate" in done.stderr
