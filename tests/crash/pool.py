"""Celery's pool under SIGKILL, its broker flushed and stopped, and messages that come three times, shuffled."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from celery import Celery
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts import claims
from accounts.models import Job, Subaccount
from tests.crash.failpoints import RANDOM
from tests.crash.kills import AGENCIES, DRAIN_SECONDS, DUE, Outcome, work_off
from tests.crash.nursery import Report
from tests.crash.pool_worker import deaths_in
from tests.crash.profiles import Profile
from tests.crash.stage import Stage
from tests.crash.vendor import sandbox_process
from tests.kept_alive import KeptAlive, kept_alive
from tests.ports import free_port

TIMES_SENT = 3
MOST_WAITING = 60
KILLS_BETWEEN_LOSSES = 12


@dataclass
class Broker:
    """A Redis of our own that forgets everything when it is stopped."""

    port: int
    folder: str
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", ""]
        self.process = subprocess.Popen([program, *options, "--appendonly", "no"], stdout=subprocess.DEVNULL)
        with redis.Redis(port=self.port) as client:
            for _ in range(200):
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    return
                time.sleep(0.02)
        raise AssertionError("Redis does not answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def waiting(self) -> int:
        with redis.Redis(port=self.port) as client:
            return int(client.llen("interactive")) + int(client.llen("bulk"))

    def flush(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()


@contextmanager
def broker() -> Iterator[Broker]:
    found = Broker(free_port(), tempfile.mkdtemp(prefix="portal-redis-"))
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(found.folder, ignore_errors=True)


@dataclass
class _Pool:
    """The harness's side of a running Celery worker."""

    stage: Stage
    broker: Broker
    chance: random.Random
    sent: int = 0
    flushed: int = 0
    stopped: int = 0
    read: int = 0  # bytes of the file of deaths
    app: Celery = field(init=False)

    def __post_init__(self) -> None:
        self.app = Celery("bell", broker=self.broker.url)
        self.app.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0}

    def ring(self) -> None:
        """Every message three times, and in no order; not while as many still wait as the pool can take in a while."""
        if self.broker.waiting() > MOST_WAITING:
            return
        names = {"accounts.tasks.provision": Subaccount, "accounts.tasks.run_job": Job}
        messages = [(name, pk) for name, kind in names.items() for pk in claims.due_keys(kind, limit=40)] * TIMES_SENT
        self.chance.shuffle(messages)
        for name, pk in messages:
            with contextlib.suppress(OperationalError):
                self.app.send_task(name, (pk,), retry=False, ignore_result=True, queue="interactive")
                self.sent += 1

    def note_deaths(self) -> None:
        file = deaths_in(self.stage.folder)
        if file.exists():
            with file.open("rb") as lines:
                lines.seek(self.read)
                text = lines.read()
            self.read += len(text)
            self.stage.note([Report(*line.split("|")) for line in text.decode().splitlines()])

    def kill_at_random(self) -> None:
        """A child that holds a claim just now, wherever in its work it is."""
        if names := self._holders():
            name = self.chance.choice(names)
            with contextlib.suppress(ProcessLookupError):
                os.kill(_pid(name), signal.SIGKILL)
                self.stage.note([Report(name, "killed", RANDOM)])

    def forget_the_gone(self) -> None:
        """Celery ends children, too, when its broker goes away: their leases end as those of the killed do."""
        for name in self._holders():
            try:
                os.kill(_pid(name), 0)
            except ProcessLookupError:
                self.stage.end_leases_of(name)

    def _holders(self) -> list[str]:
        now = timezone.now()
        rows = [row for kind in (self.stage.subaccounts, self.stage.jobs) for row in kind.filter(lease_until__gt=now)]
        return sorted({row.lease_owner.partition(".")[0] for row in rows if row.lease_owner.startswith("c")})

    def lose_messages(self) -> None:
        if self.chance.random() < 0.75:
            self.broker.flush()
            self.flushed += 1
        else:
            self.broker.stop()
            time.sleep(self.chance.uniform(0, 0.5))
            self.broker.start()
            self.stopped += 1


def _pid(name: str) -> int:
    return int(name[1:].partition("t")[0])


@contextmanager
def _celery(pool: _Pool, profile: Profile, seed: int, *modes: str) -> Iterator[KeptAlive]:
    folder = pool.stage.folder
    command = [sys.executable, "-m", "tests.crash.pool_worker", str(folder), str(seed), *modes]
    environment = os.environ | profile.times.environment() | {"BROKER_URL": pool.broker.url}
    with (
        open(pool.stage.log, "ab") as output,
        kept_alive(command, environment=environment, output=output) as it,
    ):
        yield it


def run(profile: Profile, *, kills: int, seed: int, folder: Path, port: int) -> Outcome:
    """At least so many kills of pool children that held a claim, then a calm pool works the rest off."""
    started, chance = time.monotonic(), random.Random(f"{seed}:pool")
    with broker() as bell, sandbox_process(port) as sandbox:
        stage = Stage(sandbox, folder)
        sandbox.settings(email_unique=profile.unique)
        stage.open_agencies(AGENCIES)
        sandbox.faults(profile.faults(chance, max(200, 2 * kills)))
        pool = _Pool(stage, bell, chance)
        with _celery(pool, profile, seed) as celery:
            _kill(pool, celery, kills)
        pool.note_deaths()
        with _celery(pool, profile, seed, "calm") as calm:
            verdict = work_off(stage, profile, lambda: _drain(pool, calm))
    assert celery.ends <= pool.stopped, "Celery's worker ended by itself, and no broker had gone away"
    assert calm.ends == 0
    notes = {
        "messages": pool.sent,
        "broker flushed": pool.flushed,
        "broker stopped": pool.stopped,
        "restarts": celery.ends,
    }
    return Outcome("Celery's pool", stage, verdict, seconds=time.monotonic() - started, notes=notes)


def _kill(pool: _Pool, celery: KeptAlive, kills: int) -> None:
    stage, next_loss = pool.stage, KILLS_BETWEEN_LOSSES
    while stage.kills.total() < kills:
        celery.look()
        if (missing := DUE - stage.due_work()) > DUE // 4:
            stage.wish(missing)
        pool.ring()
        for _ in range(5):
            time.sleep(0.05)
            pool.note_deaths()
        pool.kill_at_random()
        pool.forget_the_gone()
        if stage.kills.total() >= next_loss:
            pool.lose_messages()
            next_loss += KILLS_BETWEEN_LOSSES


def _drain(pool: _Pool, calm: KeptAlive) -> None:
    until = time.monotonic() + DRAIN_SECONDS
    while pool.stage.open_work() and time.monotonic() < until:
        calm.look()
        pool.stage.hurry()
        pool.forget_the_gone()
        pool.ring()
        time.sleep(0.3)
