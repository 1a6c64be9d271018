"""RabbitMQ and Redis of our own, which a test may kill, start again and empty."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kombu import Connection

from tests.crash import pool
from tests.ports import free_port
from tests.run import rabbitmq

START_SECONDS = 90  # Erlang on a busy machine


class Broker(Protocol):
    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def flush(self) -> None: ...


@dataclass
class RabbitMQ:
    """A server on free loopback ports with everything it writes in one folder, and an epmd of its own."""

    folder: Path
    port: int
    distribution_port: int
    epmd_port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def prefix(self) -> list[str]:
        return ["runuser", "-u", "rabbitmq", "--"] if os.geteuid() == 0 else []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),  # the cookie lies there
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"portal{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.epmd_port),
        }

    def start(self) -> None:
        program = rabbitmq()
        assert program is not None
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                [*self.prefix, str(program)],
                cwd="/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), Connection(self.url, connect_timeout=5) as connection:
                connection.connect()
                return
            time.sleep(0.2)
        raise AssertionError(f"RabbitMQ does not answer: {(self.folder / 'said').read_text()[-2000:]}")

    def stop(self) -> None:
        """At once, in the middle of whatever it does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=20)
            self.process = None

    def flush(self) -> None:
        with Connection(self.url) as connection:
            for queue in ("interactive", "bulk", "probes"):
                connection.channel().queue_purge(queue)


@contextmanager
def throw_away_rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ that takes guest and keeps nothing when it is over. No epmd is left behind."""
    epmd = shutil.which("epmd")
    assert epmd is not None
    folder = Path(tempfile.mkdtemp(prefix="portal-rabbitmq-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "rabbitmq")
    server = RabbitMQ(folder, free_port(), free_port(), free_port())
    # Ours, in the foreground: else the first node would start one that outlives it.
    names = subprocess.Popen([epmd, "-port", str(server.epmd_port), "-address", "127.0.0.1"], stdin=subprocess.DEVNULL)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        names.terminate()
        names.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def throw_away_redis() -> "contextlib.AbstractContextManager[pool.Broker]":
    """A Redis that forgets everything when it is stopped."""
    return pool.broker()
