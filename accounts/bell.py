"""The bell of workers without a broker: whoever rests is woken by the commit that brings work, on PostgreSQL.

It holds no decision: a ring that is lost, or one too many, changes nothing, because who rests looks by itself every
SWEEP_SECONDS. On SQLite that look is all there is.
"""

import threading
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections

log = structlog.get_logger(__name__)
CHANNEL = "portal_work"
LISTEN_SECONDS = 0.5  # so often the listener sees whether it is to stop


def ring() -> None:
    """Rings in all workers, at the commit of the transaction that this is part of."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


class Bell:
    """What the hands of one process rest on. One ring wakes one hand, and who then finds work passes it on."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it has rung: to be read before a look, so that no ring is missed between look and rest."""
        return self._rings

    def ring(self, hands: int = 1) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify(hands)

    def rest(self, heard: int, seconds: float) -> None:
        """Until it rings, at most so long; not at all if it has rung since `heard`."""
        with self._condition:
            if self._rings == heard:
                self._condition.wait(seconds)

    def listen(self, stop: threading.Event) -> None:
        """Rings for what other processes commit, until `stop`. A connection that is lost is opened again."""
        if connection.vendor != "postgresql":
            return
        while not stop.is_set():
            try:
                self._listen(stop)
            except psycopg.Error as problem:
                log.warning("bell.lost", problem=type(problem).__name__)
                stop.wait(settings.SWEEP_SECONDS)

    def _listen(self, stop: threading.Event) -> None:
        # A connection of its own: those of the pool are handed round. Whether it still lives only its keepalives tell.
        parameters: dict[str, Any] = {"keepalives_idle": 30, "connect_timeout": 10}
        parameters |= connections[DEFAULT_DB_ALIAS].get_connection_params()
        with psycopg.connect(**parameters, autocommit=True) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            self.ring()  # for what was committed while nobody listened
            while not stop.is_set():
                for _ in listener.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                    self.ring()
