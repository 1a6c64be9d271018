"""Processes that are started again where they end by themselves, as a service manager does it.

Celery's worker may: a broker that goes away at the wrong moment is an error in its transport from which it does not
come back ("Unrecoverable error" in its log, and the main process ends).
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.run import ROOT

MOST_ENDS = 5  # more of them are no accident of the broker's


class KeptAlive:
    """So many commands, each running; `look` from time to time."""

    def __init__(self, commands: list[list[str]], environment: dict[str, str], output: IO[bytes] | None) -> None:
        self.environment, self.output = environment, output
        self.ends = 0
        self.commands = commands
        self.processes = [self._start(command) for command in commands]

    def _start(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.output, stderr=self.output)

    def look(self) -> None:
        """Starts again what has ended. Fails where that happens again and again."""
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                self.ends += 1
                assert self.ends <= MOST_ENDS, f"{self.commands[number]} ends by itself again and again"
                self.processes[number] = self._start(self.commands[number])

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=20)


@contextmanager
def kept_alive(
    *commands: list[str], environment: dict[str, str], output: IO[bytes] | None = None
) -> Iterator[KeptAlive]:
    """The commands, until the end of the block."""
    kept = KeptAlive(list(commands), environment, output)
    try:
        yield kept
    finally:
        kept.stop()
