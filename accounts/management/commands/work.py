import signal
import threading
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from accounts import (
    clock,
    jobs,
    outages,
    provisioning,
    reconcile,
    refreshes,
    retention,
    vendor,
    worker_connections,
    workers,
)
from accounts.bell import Bell
from accounts.probers import Probers
from accounts.workers import guarded

log = structlog.get_logger(__name__)
PROBE_SECONDS = 2.0
PROBERS = 8  # a vendor account that hangs holds one, for as long as its list may take
HOUSE_SECONDS = 60.0


class Command(BaseCommand):
    help = "Makes subaccounts and sends mail, until it is told to stop. The database is its queue."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--until-idle", action="store_true", help="Stop once nothing is due.")

    def get_check_kwargs(self, options: Any) -> Any:
        """All checks before the first step, those that ask the database, too."""
        return {**super().get_check_kwargs(options), "databases": ["default"]}

    def handle(self, *args: Any, until_idle: bool, **options: Any) -> None:
        if until_idle:
            while provisioning.attempt() or jobs.run():
                pass
            return
        threads = settings.WORKER_THREADS
        worker_connections.provide(threads + PROBERS + 3)
        stop, bell = threading.Event(), Bell()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        hands = [threading.Thread(target=_work, args=(stop, bell), name=f"work-{n}") for n in range(threads)]
        hands.append(threading.Thread(target=_probe, args=(stop,), name="probe"))
        hands.append(threading.Thread(target=_keep_house, args=(stop,), name="house"))
        hands.append(threading.Thread(target=bell.listen, args=(stop,), name="bell"))
        for hand in hands:
            hand.start()
        log.info("work.started", threads=threads)
        name = workers.name_of_this("work")
        guarded(lambda: workers.beat(name))
        # And nothing else: a worker that waits for an answer, or has much to delete, must not look dead.
        while not stop.wait(workers.BEAT_SECONDS):
            guarded(lambda: workers.beat(name))
        bell.ring(threads)
        for hand in hands:
            hand.join()
        guarded(lambda: workers.leave(name))
        log.info("work.stopped")


def _work(stop: threading.Event, bell: Bell) -> None:
    """One hand: a subaccount's step, then a job, then a rest if there was neither."""
    has_rested = False
    while not stop.is_set():
        heard = bell.rings
        did = guarded(provisioning.attempt)
        did = guarded(jobs.run) or did
        if not did:
            bell.rest(heard, settings.SWEEP_SECONDS)
        elif has_rested:
            bell.ring()  # where there was one thing to do there may be more
        has_rested = not did
    connections.close_all()


def _keep_house(stop: threading.Event) -> None:
    """What is due by the clock. Nothing here asks the vendor."""
    while not stop.wait(HOUSE_SECONDS):
        guarded(refreshes.schedule)
        guarded(reconcile.schedule)
        guarded(lambda: outages.report(clock.now()))
        guarded(retention.catch_up)
    connections.close_all()


def _probe(stop: threading.Event) -> None:
    """Has those asked whether they are back who did not answer: each by a hand of its own, the longest due first."""
    probers = Probers(PROBERS)
    while not stop.wait(PROBE_SECONDS):
        for pk in guarded(vendor.probes_due) or []:
            probers.ask(pk)
    connections.close_all()
