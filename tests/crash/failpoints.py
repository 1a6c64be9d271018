"""The numbered places where a worker is killed or stopped. They are put around the code from here; it knows nothing.

`install` wraps the functions of the product once, before workers are forked. `arm` then tells one worker where it
ends. What is wrapped decides nothing: it only notes where the worker is.
"""

import functools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import claimed, claims, jobs, provisioning, refreshes, vendor
from accounts.models import Job, State
from coupontools_api import transport

# In the order in which a wish passes them. The number is what the histogram shows.
POINTS = (
    "before the claim",
    "before the claim is committed",
    "after the claim is committed",
    "before the look",
    "after the look",
    "before the first look is committed",
    "before the attempt is committed",
    "after the attempt is committed",
    "before a byte is sent",
    "during the socket write",
    "after the request is written",
    "after the vendor's effect",
    "before the binding",
    "before the binding is committed",
    "after the binding is committed",
    "before a doubt is committed",
    "after a doubt is committed",
    "before another attempt is committed",
    "before a row is let go",
    "before a job's claim is committed",
    "after a job's claim is committed",
    "after a refresh's answer",
    "before a refresh is committed",
    "before a refresh's end is written",
    "before the mail is handed over",
    "after the mail is handed over",
    "before the mail's end is committed",
    "after the mail's end is committed",
)
# A worker holds no claim there: not yet, or no longer. Its end is none that could harm anything, and does not count.
HOLDS_NOTHING = (
    "before the claim",
    "before the claim is committed",
    "after a doubt is committed",
    "before a job's claim is committed",
    "after the mail's end is committed",
)
# Few are sent here: for nothing, or because a worker seldom comes there.
SELDOM = (
    *HOLDS_NOTHING,
    "before a doubt is committed",
    "before another attempt is committed",
    "before a row is let go",
    "after a job's claim is committed",
)
NOWHERE = "nowhere"
RANDOM = "at a random moment"
CREATE = "/v4/subaccount/create"
MOVES = {
    State.CREATING: "the attempt",
    State.ACTIVE: "the binding",
    State.UNCERTAIN: "a doubt",
    State.NEEDS_REVIEW: "a review",
}


def unreached(points: Iterable[str], kills: Counter[str], idle: Counter[str]) -> list[str]:
    """Those at which no worker was killed with a claim in its hands, or at all where it can hold none."""
    return [point for point in points if not (kills[point] or (point in HOLDS_NOTHING and idle[point]))]


@dataclass(frozen=True)
class Plan:
    """How one worker ends: by `deed` at the n-th `passing` of a point, or after some `seconds` at a random moment.

    For a worker that is stopped (SIGSTOP), `seconds` says for how long.
    """

    deed: str  # "kill", "stop", or "" for a worker that may go on
    point: str = ""
    passing: int = 1
    seconds: float = 0.0


@dataclass
class _Place:
    """Where this process is, and where it is to end."""

    plan: Plan = Plan("")
    passed: int = 0
    committing: str = ""
    endpoint: str = ""
    before_kill: Callable[[str], None] | None = None


_here = _Place()


def arm(plan: Plan, *, name: str, before_kill: Callable[[str], None] | None = None) -> None:
    """This process is a worker from now on, under a name by which its claims are known."""
    _here.plan, _here.passed, _here.committing, _here.endpoint = plan, 0, "", ""
    _here.before_kill = before_kill
    serial = iter(range(1_000_000))
    claims.owner_name = lambda: f"{name}.{next(serial)}"


def reach(point: str) -> None:
    if not point or point != _here.plan.point:
        return
    _here.passed += 1
    if _here.passed == _here.plan.passing:
        if _here.before_kill is not None:
            _here.before_kill(point)
        os.kill(os.getpid(), signal.SIGKILL if _here.plan.deed == "kill" else signal.SIGSTOP)


def _around(holder: Any, name: str, *, before: str = "", after: str = "", committing: str = "") -> None:
    real = getattr(holder, name)

    @functools.wraps(real)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        reach(before)
        _here.committing = committing or _here.committing
        try:
            answer = real(*arguments, **named)
        finally:
            if committing:
                _here.committing = ""
        reach(after)
        return answer

    setattr(holder, name, wrapped)


def install() -> None:
    """Once per process tree."""
    _around(provisioning, "claim", before="before the claim", committing="the claim")
    _around(jobs, "claim", committing="a job's claim")
    _around(vendor, "look", before="before the look", after="after the look")
    _around(claimed.Claimed, "bind", before="before the binding")
    _around(claimed.Claimed, "free", before="before a row is let go")
    _around(
        EmailMultiAlternatives, "send", before="before the mail is handed over", after="after the mail is handed over"
    )
    _around(refreshes, "_facts", before="after a refresh's answer")
    _around(refreshes, "run", committing="a refresh")
    _name_moves()
    _name_ends()
    _watch_commits()
    _watch_sockets()


def _name_moves() -> None:
    real = claimed.move

    def move(subaccount: Any, *, expecting: State, to: State, **named: Any) -> None:
        first = expecting == to == State.REQUESTED
        _here.committing = MOVES.get(to, "the first look" if first else "another attempt")
        real(subaccount, expecting=expecting, to=to, **named)

    claimed.move = move


def _name_ends() -> None:
    real = jobs._finish

    def finish(job: Job, **named: Any) -> None:
        if job.kind == Job.Kind.MAIL:
            _here.committing = "the mail's end"
        else:
            reach("before a refresh's end is written")  # one statement, which commits itself
        real(job, **named)

    jobs._finish = finish


def _watch_commits() -> None:
    real = BaseDatabaseWrapper.commit

    def commit(self: BaseDatabaseWrapper) -> None:
        what, _here.committing = _here.committing, ""
        reach(f"before {what} is committed")
        real(self)
        reach(f"after {what} is committed")

    BaseDatabaseWrapper.commit = commit


def _watch_sockets() -> None:
    """The create's own socket: half a request, a whole one, an answer that has begun."""
    answer, send = transport.Transport.answer, transport._Watched.send
    get_response = transport._WatchedHTTP.getresponse

    def noted_answer(self: Any, endpoint: Any, *arguments: Any, **named: Any) -> Any:
        _here.endpoint = endpoint.path
        try:
            return answer(self, endpoint, *arguments, **named)
        finally:
            _here.endpoint = ""

    def noted_send(self: Any, data: Any) -> None:
        if _here.endpoint == CREATE and isinstance(data, bytes):
            if data.startswith(b"POST"):
                reach("before a byte is sent")
            elif _here.plan.point == "during the socket write":
                self.sock.sendall(data[: len(data) // 2])
                reach("during the socket write")
                data = data[len(data) // 2 :]
        send(self, data)

    def noted_response(self: Any, *arguments: Any, **named: Any) -> Any:
        if _here.endpoint == CREATE:
            reach("after the request is written")
        response = get_response(self, *arguments, **named)
        if _here.endpoint == CREATE:
            reach("after the vendor's effect")
        return response

    transport.Transport.answer = noted_answer
    transport._Watched.send = noted_send
    transport._WatchedHTTP.getresponse = noted_response
