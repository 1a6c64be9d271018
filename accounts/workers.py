"""Which workers are alive: each says so every few seconds, and operators read when it last did."""

import os
import socket
from datetime import timedelta

from django.utils import timezone

from accounts.models import Worker

BEAT_SECONDS = 10.0
FORGOTTEN_AFTER = timedelta(days=1)


def name_of_this(kind: str) -> str:
    """What this process is called: kind, machine, process number."""
    return f"{kind}@{socket.gethostname()}:{os.getpid()}"[:80]


def beat(name: str) -> None:
    """Says that the worker is alive, and forgets those that have been silent for a day."""
    now = timezone.now()
    Worker.objects.update_or_create(name=name, defaults={"seen_at": now})
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def leave(name: str) -> None:
    """Says that the worker stops, so that nobody misses it."""
    Worker.objects.filter(name=name).delete()
