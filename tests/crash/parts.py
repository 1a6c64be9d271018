"""The parts of the harness in their order, on the database that Django was set up with."""

import argparse
import random
import time
from pathlib import Path

from django.core.management import call_command

from tests.crash import failpoints, figures, kills, pool, signups, stage
from tests.crash.kills import Outcome
from tests.crash.profiles import PROFILES, Profile
from tests.crash.stops import Stopping
from tests.run import Postgres

STOPS_SHARE = 5  # one in so many of the kills is on a PostgreSQL that is stopped again and again
KILLS_BETWEEN_STOPS = 20


class Parts:
    def __init__(self, given: argparse.Namespace, folder: Path, port: int, server: Postgres | None) -> None:
        self.given, self.folder, self.port, self.server = given, folder, port, server
        self.outcomes: list[Outcome] = []

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
            self._add(pool.run(kills=self.given.pool_kills, seed=self.given.seed, folder=self.folder, port=self.port))
        if "sign-ups" in wanted:
            number = self.given.sign_ups
            self._add(signups.run(number, seed=self.given.seed, folder=self.folder, port=self.port))
        stage.forget_connections()
        return figures.summary(self.given.database, self.given.seed, self.outcomes, time.monotonic() - started)

    def _profiles(self) -> None:
        chosen = [profile for profile in PROFILES if self.given.profile in profile.name]
        share = -(-self.given.kills // len(chosen))
        for profile in chosen:
            self._add(kills.run(profile, kills=share, seed=self.given.seed, folder=self.folder, port=self.port))

    def _stops(self, server: Postgres) -> None:
        stopping = Stopping(server, random.Random(self.given.seed), KILLS_BETWEEN_STOPS)
        outcome = kills.run(
            Profile("none", "late"),
            kills=self.given.kills // STOPS_SHARE,
            seed=self.given.seed,
            folder=self.folder,
            port=self.port,
            disturb=stopping,
        )
        outcome.title = "PostgreSQL stopped in the middle"
        outcome.notes = {"stops of the server": stopping.stops}
        self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        figures.show(outcome)
