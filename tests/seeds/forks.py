"""Forked processes for the proof: each has a copy of the database, and nobody notices what it leaves behind."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection


@dataclass
class Fork:
    """A forked process with its own copy of the database."""

    folder: Path
    pid: int = 0
    started: float = 0.0

    @property
    def sign(self) -> Path:
        """A file that is touched whenever it gets on."""
        return self.folder / "sign"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def result(self) -> Path:
        return self.folder / "result"

    @classmethod
    def start(cls, within: Path, work: Callable[["Fork"], None]) -> "Fork":
        fork = cls(Path(tempfile.mkdtemp(dir=within)))
        fork.started = time.monotonic()
        fork.sign.touch()
        sys.stdout.flush()
        fork.pid = os.fork()
        if fork.pid == 0:
            code = 70
            try:
                with fork.output.open("w") as file:
                    os.dup2(file.fileno(), 1)
                    os.dup2(file.fileno(), 2)
                own = fork.folder / "test.sqlite3"
                shutil.copyfile(connection.settings_dict["NAME"], own)
                connection.settings_dict["NAME"] = str(own)
                work(fork)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                os._exit(code)
        return fork

    def ended(self, longest: float) -> int | None:
        """The exit code; None while it runs. One that does not get on for so many seconds is killed."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.time() - self.sign.stat().st_mtime > longest:
            os.kill(self.pid, signal.SIGKILL)
        return None
