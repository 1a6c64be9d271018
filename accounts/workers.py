"""What workers of every kind share: each says every few seconds that it is alive, and no fault of one step ends it."""

import os
import socket
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import close_old_connections

from accounts import claims, clock
from accounts.models import Worker

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
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


def guarded(work: Callable[[], Answer]) -> Answer | None:
    """A fault in one step (the database is away, say) must not end the worker: the row's lease brings it back.

    What is done for no claim is written down under a name like a claim's.
    """
    close_old_connections()
    with structlog.contextvars.bound_contextvars(claim=claims.owner_name()):
        try:
            return work()
        except Exception:
            log.exception("work.fault")
            return None
