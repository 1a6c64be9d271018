"""Forks workers one after the other, ends each as its plan says, and reports every end through a pipe.

The nursery is a process of its own with no thread and no connection to a database: only from such a one may be forked.
"""

import contextlib
import gc
import heapq
import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from accounts import jobs, provisioning, vendor
from tests.crash import failpoints
from tests.crash.failpoints import RANDOM, Plan

STEPS, CALM_STEPS = 2, 40  # of one worker that is not ended before, or is not to be ended at all
PATIENCE = 0.25  # seconds that a worker waits for something to do


@dataclass(frozen=True)
class Report:
    """What became of a worker: "killed" and "stopped" where it was, "woken" later, or "ended" by itself."""

    worker: str
    how: str
    point: str


class Nursery:
    """`plan_for` answers the plan of the n-th worker; `hands` of them live at a time."""

    def __init__(self, plan_for: Callable[[int], Plan], *, name: str, hands: int, log: str) -> None:
        self._plan_for, self._name, self._hands, self._log = plan_for, name, hands, log
        self._pid = 0
        self._pipe = -1
        self._rest = b""

    def start(self) -> None:
        sys.stdout.flush()
        ours, theirs = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            code = 70
            try:
                os.close(ours)
                log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(log, 1)
                os.dup2(log, 2)
                _Forks(self._plan_for, self._name, self._hands, theirs, parent).run()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(theirs)
        self._pipe = ours

    def reports(self, seconds: float) -> list[Report]:
        """What is reported within so many seconds; at once if there is something."""
        if not select.select([self._pipe], [], [], seconds)[0]:
            return []
        *lines, self._rest = (self._rest + os.read(self._pipe, 65_536)).split(b"\n")
        return [Report(*line.decode().split("|")) for line in lines]

    def stop(self) -> list[Report]:
        """No further worker; those that live are killed. Answers the reports that were still to come."""
        os.kill(self._pid, signal.SIGTERM)
        found: list[Report] = []
        while more := self.reports(10.0):
            found += more
            if any(report.how == "closed" for report in more):
                break
        os.waitpid(self._pid, 0)
        os.close(self._pipe)
        return [report for report in found if report.how != "closed"]


class _Forks:
    """The nursery's own side."""

    def __init__(self, plan_for: Callable[[int], Plan], name: str, hands: int, pipe: int, parent: int) -> None:
        self.plan_for, self.name, self.hands, self.pipe, self.parent = plan_for, name, hands, pipe, parent
        self.living: dict[int, tuple[str, Plan]] = {}
        self.signals: list[tuple[float, int, int]] = []  # when, to whom, which

    def run(self) -> None:
        gc.collect()
        gc.freeze()
        awaited = {signal.SIGCHLD, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        serial = 0
        while os.getppid() == self.parent:
            while len(self.living) < self.hands:
                serial += 1
                self._fork(serial)
            wait = max(0.0, self.signals[0][0] - time.monotonic()) if self.signals else 0.5
            got = signal.sigtimedwait(awaited, min(wait, 0.5))
            if got is not None and got.si_signo == signal.SIGTERM:
                break
            self._send_due()
            self._reap()
        self.end_all()

    def end_all(self) -> None:
        """Those that live are killed; who has come to an end before says so itself."""
        self._reap()
        for pid in self.living:
            os.kill(pid, signal.SIGKILL)
        for pid, (worker, _) in self.living.items():
            self._report_end(worker, os.waitpid(pid, 0)[1], RANDOM)
        self._report("", "closed", "")

    def _fork(self, serial: int) -> None:
        plan, worker = self.plan_for(serial), f"{self.name}{serial}"
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.close(self.pipe)
            try:
                work(worker, plan)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        self.living[pid] = worker, plan
        if plan.deed and not plan.point:
            heapq.heappush(self.signals, (time.monotonic() + plan.seconds, pid, signal.SIGKILL))

    def _send_due(self) -> None:
        while self.signals and self.signals[0][0] <= time.monotonic():
            _, pid, number = heapq.heappop(self.signals)
            if pid in self.living:
                os.kill(pid, number)
                if number == signal.SIGCONT:
                    self._report(self.living[pid][0], "woken", "")

    def _reap(self) -> None:
        while self.living:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            if not pid:
                return
            worker, plan = self.living[pid]
            if os.WIFSTOPPED(status):
                self._report(worker, "stopped", plan.point)
                heapq.heappush(self.signals, (time.monotonic() + plan.seconds, pid, signal.SIGCONT))
                continue
            del self.living[pid]
            self._report_end(worker, status, plan.point or RANDOM)

    def _report_end(self, worker: str, status: int, point: str) -> None:
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        self._report(worker, "killed" if killed else "ended", point if killed else "")

    def _report(self, worker: str, how: str, point: str) -> None:
        os.write(self.pipe, f"{worker}|{how}|{point}\n".encode())


def work(worker: str, plan: Plan) -> None:
    """One worker: steps and jobs as `./run work` takes them, until it is ended or there is nothing to do."""
    random.seed(worker)  # the parent's state is every child's
    failpoints.arm(plan, name=worker)
    steps, idle_until = STEPS if plan.deed else CALM_STEPS, time.monotonic() + PATIENCE
    while steps and time.monotonic() < idle_until:
        did = _guarded(provisioning.attempt)
        did = _guarded(jobs.run) or did
        if did:
            steps, idle_until = steps - 1, time.monotonic() + PATIENCE
        else:
            _guarded(lambda: sum(map(vendor.probe, vendor.probes_due())) > 0)
            time.sleep(0.01)


def _guarded(step: Callable[[], bool]) -> bool:
    """As in the worker's command: a database that is away ends no worker."""
    try:
        return step()
    except Exception:
        traceback.print_exc()
        from django.db import close_old_connections

        with contextlib.suppress(Exception):
            close_old_connections()
        return False
