"""Row F32 of the fault table: a PostgreSQL that is stopped at once while sign-ups and the worker go on."""

import contextlib
import random
import sys
import time
from collections.abc import Callable

import requests

from tests.crash.vendor import sandbox_process
from tests.deployment.production import START_SECONDS
from tests.deployment.test_engine import LATE_SECONDS, TIMES, Engine, let_double
from tests.figures import RecordFigure
from tests.flows.installation import Installation
from tests.kept_alive import kept_alive
from tests.ports import free_port
from tests.run import own_postgres

STOPS = 6
RECOVERS_WITHIN = 30  # seconds after the server is back


def test_f32_a_database_that_goes_away_costs_a_page_and_never_an_account(record_figure: RecordFigure):
    """What is committed is done, what is not is not, whatever the exception says: `./run crash` stops it 50 times."""
    with own_postgres(durable=True) as server, sandbox_process(free_port()) as sandbox:
        sandbox.add_accounts([("north-id", "north-secret")])
        let_double(sandbox)
        portal, port, chance = Installation(server.url, sandbox), free_port(), random.Random(32)
        portal.environment |= {"PORT": str(port), "LOG_LEVEL": "CRITICAL", **TIMES}
        portal.manage("migrate", "-v0")
        portal.ask("factories.agency('North', 'north.localhost', keys=('north-id', 'north-secret'))")
        engine, answers = Engine(portal, sandbox), []

        def ask() -> requests.Response:
            address = f"http://127.0.0.1:{port}/account/login/"
            return requests.get(address, headers={"Host": f"north.localhost:{port}"}, timeout=30)

        commands = [[sys.executable, "-m", "portal.serve"], [sys.executable, "manage.py", "work"]]
        with kept_alive(*commands, environment=portal.environment) as kept:
            _wait_for(ask)
            for _ in range(STOPS):
                engine.wish()
                time.sleep(chance.uniform(0, 0.6))
                server.stop()
                started = time.monotonic()
                answers.append((ask(), time.monotonic() - started))
                server.start()
            engine.settle(kept)
            assert kept.ends == 0, "ours go on without a service manager"
            # The pool reconnects at growing distances: a moment may pass, and nobody has to do anything.
            until = time.monotonic() + RECOVERS_WITHIN
            while ask().status_code != 200:
                assert time.monotonic() < until, "it does not recover by itself"
                time.sleep(0.5)

        time.sleep(LATE_SECONDS)  # whatever was asked for has come
        for answer, seconds in answers:
            assert answer.status_code in (500, 503)
            assert "Try again in a minute" in answer.text
            assert seconds < 8
        emails = [effect["email"] for effect in sandbox.created()]
        assert sorted(emails) == sorted(set(emails))
        assert len(emails) == engine.wished
        slowest = max(seconds for _, seconds in answers)
        record_figure(
            "PostgreSQL stopped at once, web and worker running",
            f"{STOPS} stops, {len(emails)} of {engine.wished} made, none twice, slowest page {slowest:.1f} s",
        )


def _wait_for(ask: Callable[[], requests.Response]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(requests.ConnectionError):
            ask()
            return
        time.sleep(0.2)
    raise AssertionError("the web server does not answer")
