"""The parts of the harness in their order, on the database that Django was set up with."""

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management import call_command

from tests.crash import failpoints, figures, kills, pool, signups, stage
from tests.crash.kills import Outcome
from tests.crash.options import repeat
from tests.crash.profiles import PROFILES, Profile
from tests.crash.stops import Stopping
from tests.run import Postgres

STOPS_SHARE = 5  # one in so many of the kills is on a PostgreSQL that is stopped again and again
KILLS_BETWEEN_STOPS = 20
HARDEST = Profile("none", "late")  # no address is unique, and nothing but the quarantine is against a double
# Many creates come to nothing within the quarantine, and that is short: a wish soon passes what it seldom passes.
BUSIEST = Profile("per_account", "overdue")


class Parts:
    def __init__(self, given: argparse.Namespace, folder: Path, port: int, server: Postgres | None) -> None:
        self.given, self.folder, self.server = given, folder, server
        self.outcomes: list[Outcome] = []
        self._ground: Any = {"seed": given.seed, "folder": folder, "port": port}

    def run(self) -> int:
        """Prints each part as it ends, and the sum. 1 if anything is wrong."""
        started, wanted = time.monotonic(), self.given.only.split(",")
        stage.ready(self.folder)
        call_command("migrate", verbosity=0)
        failpoints.install()
        if "profiles" in wanted:
            self._profiles()
        if "stops" in wanted and self.server is not None:
            self._stops(self.server)
        if "pool" in wanted:
            self._add(pool.run(self._given(HARDEST), kills=self.given.pool_kills, **self._ground))
        if "sign-ups" in wanted:
            self._add(signups.run(self._given(HARDEST), number=self.given.sign_ups, **self._ground))
        # A control has to fail for the doubles that it makes, and for nothing else.
        points = failpoints.POINTS if "profiles" in wanted and not self.given.without else ()
        self._seek(points)
        stage.forget_connections()
        seconds = time.monotonic() - started
        return figures.summary(self.given.database, repeat(self.given), self.outcomes, seconds, points=points)

    def _profiles(self) -> None:
        chosen = [self._given(profile) for profile in PROFILES if self.given.profile in profile.name]
        share = -(-self.given.kills // len(chosen))
        for profile in chosen:
            self._add(kills.run(profile, kills=share, **self._ground))

    def _stops(self, server: Postgres) -> None:
        stopping = Stopping(server, random.Random(self.given.seed), KILLS_BETWEEN_STOPS)
        outcome = kills.run(
            self._given(HARDEST),
            kills=self.given.kills // STOPS_SHARE,
            disturb=stopping,
            **self._ground,
        )
        outcome.title = "PostgreSQL stopped in the middle"
        outcome.notes = {"stops of the server": stopping.stops}
        self._add(outcome)

    def _seek(self, points: Sequence[str]) -> None:
        """Few kills leave points out by chance: workers are sent to what nobody came to."""
        kills_there = sum((outcome.stage.kills for outcome in self.outcomes), Counter[str]())
        idle_there = sum((outcome.stage.idle_kills for outcome in self.outcomes), Counter[str]())
        if missed := failpoints.unreached(points, kills_there, idle_there):
            outcome = kills.run(BUSIEST, kills=0, sought=missed, **self._ground)
            outcome.title = "Where nobody had come to"
            self._add(outcome)

    def _given(self, profile: Profile) -> Profile:
        return replace(profile, without=self.given.without)

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        figures.show(outcome)
