"""PostgreSQL that is stopped with `-m immediate` in the middle of everything, and started again."""

import random
import time
from dataclasses import dataclass, field

from django.db import connection

from tests.crash.stage import Stage
from tests.run import Postgres


@dataclass
class Stopping:
    """Stops the server every so many kills; each start is a recovery from the log."""

    server: Postgres
    chance: random.Random
    every: int
    stops: int = 0
    slowest: float = 0.0
    next_at: int = field(default=0)

    def __call__(self, stage: Stage) -> None:
        if stage.kills.total() < self.next_at:
            return
        connection.close()
        self.server.stop()
        time.sleep(self.chance.uniform(0, 0.2))
        started = time.monotonic()
        self.server.start()
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.stops += 1
        self.next_at = stage.kills.total() + self.every
