"""What the benchmarks of the worker stand on: a database of their own, a vendor, and the worker as a process."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.run import ROOT


def load() -> str:
    """What else the machine does: a ratio of one run hides most of it, and not all."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


class Vendor:
    """The lean vendor of tests/bench_vendor.py, held by its levers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def calls(self) -> list[tuple[float, str, str]]:
        """When their first bytes came, path and client id; since it was asked last."""
        return [tuple(call) for call in self._get("/_calls")]

    def kill(self, *client_ids: str) -> None:
        """Lets these hang from now on, and nobody else."""
        self._get(f"/_dead?{','.join(client_ids)}" if client_ids else "/_dead")

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return json.load(answer)


@contextmanager
def vendor(latency: float) -> Iterator[Vendor]:
    port = free_port()
    command = [sys.executable, str(ROOT / "tests" / "bench_vendor.py"), str(port), str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield Vendor(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def running(*command: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the product, with this process's environment and more settings. Its log is not shown."""
    environment = {**os.environ, **settings}
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def worker(*, threads: int, processes: int = 1, **settings: str) -> Iterator["list[subprocess.Popen[bytes]]"]:
    """`./run work`, so many times with so many threads each, once all are ready for work."""
    from accounts.models import Worker

    Worker.objects.all().delete()
    with ExitStack() as stack:
        settings["WORKER_THREADS"] = str(threads)
        started = [stack.enter_context(running("manage.py", "work", **settings)) for _ in range(processes)]
        until(lambda: Worker.objects.count() == processes, seconds=60)
        time.sleep(1)  # the hands have had their first look
        yield started


def cpu_seconds(process: "subprocess.Popen[bytes]") -> float:
    """What a process has used of a core so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(holds: Callable[[], object], *, seconds: float, pause: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(pause)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
