"""Production's engine for real: Celery's worker and beat, each broker, PostgreSQL with its pool; nothing is lost."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import PreconditionFailed
from kombu import Connection

from tests.crash.profiles import CREATE
from tests.crash.vendor import SandboxProcess, sandbox_process
from tests.deployment.brokers import throw_away_rabbitmq, throw_away_redis
from tests.figures import RecordFigure
from tests.flows.installation import Installation
from tests.kept_alive import KeptAlive, kept_alive
from tests.ports import free_port
from tests.run import throw_away_postgres

PATIENCE = 150.0  # seconds, for one batch; a sweep is every 15
BATCH = 6
CELERY = [sys.executable, "-m", "celery", "-A", "portal"]
# A lost answer whose effect comes within the quarantine. Addresses are not unique: the vendor refuses no double, and
# whoever asks again before the effect makes one. Without a back-off nothing but the quarantine keeps anybody from it.
LATE_SECONDS, EVERY = 8.0, 3
TIMES = {
    "PROVISIONING_QUARANTINE_SECONDS": "11",
    "PROVISIONING_LOOK_GAP_SECONDS": "1",
    "PROVISIONING_BACKOFF_MIN_SECONDS": "0",
    "PROVISIONING_BACKOFF_MAX_SECONDS": "1",
}
BROKERS = {"rabbitmq": throw_away_rabbitmq, "redis": throw_away_redis}


class Engine:
    """An installation, and what was wished for there."""

    def __init__(self, portal: Installation, sandbox: SandboxProcess) -> None:
        self.portal, self.sandbox = portal, sandbox
        self.wished = 0

    def wish(self) -> None:
        names = [f"n{self.wished + number}" for number in range(BATCH)]
        self.wished += BATCH
        self.portal.ask(f"for name in {names!r}: wish(name)")

    def settle(self, kept: KeptAlive) -> float:
        """Waits until every wish is active and every job done; answers the seconds."""
        started = time.monotonic()
        found: Any = None
        while time.monotonic() - started < PATIENCE:
            kept.look()
            found = self.portal.ask(
                "active = Subaccount.objects.for_agency(north).filter(state='active').count()\n"
                "answer = [active, Job.objects.for_agency(north).filter(done_at=None).count()]"
            )
            if found == [self.wished, 0]:
                return time.monotonic() - started
            time.sleep(0.5)
        raise AssertionError(f"{found} of {self.wished}: {self.portal.ask('answer = states()')}")


def let_double(sandbox: SandboxProcess) -> None:
    """A vendor that makes whatever it is asked for, though late and without saying so every third time."""
    sandbox.settings(email_unique="none")
    late = {"path": CREATE, "kind": "late_effect", "seconds": LATE_SECONDS, "then": "reset"}
    sandbox.faults([{**late, "call": call} for call in range(1, 100, EVERY)])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("kind", BROKERS)
def test_wishes_become_accounts_though_the_broker_dies_and_forgets(
    kind: str, tmp_path: Path, record_figure: RecordFigure
):
    """The bell rings, the broker is killed and emptied, a child of the pool is killed: each account is made once."""
    with (
        throw_away_postgres(durable=True) as database,
        BROKERS[kind]() as broker,
        sandbox_process(free_port()) as sandbox,
    ):
        sandbox.add_accounts([("north-id", "north-secret")])
        let_double(sandbox)
        portal = Installation(database, sandbox)
        portal.environment |= {"BROKER_URL": broker.url, "DATABASE_POOL_SIZE": "4", **TIMES}
        portal.manage("migrate", "-v0")
        portal.ask("factories.agency('North', 'north.localhost', keys=('north-id', 'north-secret'))")
        worker = [*CELERY, "worker", "--concurrency=2", "--loglevel=ERROR"]
        beat = [*CELERY, "beat", "--loglevel=ERROR", f"--schedule={tmp_path / 'schedule'}", "--pidfile="]
        engine, seconds = Engine(portal, sandbox), {}
        with kept_alive(worker, beat, environment=portal.environment) as kept:
            engine.wish()
            seconds["rung"] = engine.settle(kept)
            if kind == "rabbitmq":
                _assert_quorum(broker.url)

            broker.stop()
            engine.wish()  # nobody is rung
            broker.start()
            seconds["broker killed"] = engine.settle(kept)

            [celery, _clock] = kept.processes
            os.kill(celery.pid, signal.SIGSTOP)  # so that the messages are lost before it has them
            engine.wish()
            broker.flush()
            os.kill(celery.pid, signal.SIGCONT)
            os.kill(_children(celery.pid)[0], signal.SIGKILL)
            portal.ask(
                "import datetime\npast = timezone.now() - datetime.timedelta(seconds=1)\n"
                "for kind in (Subaccount, Job):\n"
                "    kind.objects.for_agency(north).exclude(lease_until=None).update(lease_until=past)"
            )
            seconds["emptied, child killed"] = engine.settle(kept)

        # RabbitMQ's transport comes back by itself; Redis's may end the worker where the broker is killed: once.
        assert kept.ends <= (1 if kind == "redis" else 0)
        time.sleep(LATE_SECONDS)  # whatever was asked for has come
        emails = [effect["email"] for effect in sandbox.created()]
        assert len(emails) == len(set(emails)) == engine.wished
        assert portal.ask("answer = [worker.name.split('@')[0] for worker in Worker.objects.all()]").count("celery")
        record_figure(
            f"Celery with {kind}, PostgreSQL's pool, 2 processes",
            f"{len(emails)} of {engine.wished} made, none twice; "
            + ", ".join(f"{what}: {spent:.0f} s" for what, spent in seconds.items())
            + f"; {kept.ends} restarts",
        )


def _assert_quorum(url: str) -> None:
    """RabbitMQ itself says of which type a queue is, to whoever declares another."""
    other = {"x-queue-type": "classic"}
    for queue in ("interactive", "bulk", "probes"):
        with Connection(url) as connection, pytest.raises(PreconditionFailed, match=r"x-queue-type.*quorum"):
            connection.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=other)
