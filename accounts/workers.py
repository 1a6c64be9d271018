"""Which workers are alive: each says so every few seconds, and operators read when it last did."""

import os
import socket

from accounts import clock
from accounts.models import Worker

BEAT_SECONDS = 10.0


def name_of_this(kind: str) -> str:
    """What this process is called: kind, machine, process number."""
    return f"{kind}@{socket.gethostname()}:{os.getpid()}"[:80]


def beat(name: str) -> None:
    """Says that the worker is alive. Those that are silent for long are forgotten (accounts/retention.py)."""
    Worker.objects.update_or_create(name=name, defaults={"seen_at": clock.now()})


def leave(name: str) -> None:
    """Says that the worker stops, so that nobody misses it."""
    Worker.objects.filter(name=name).delete()
