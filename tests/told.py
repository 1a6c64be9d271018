"""What a worker does is told: a transaction of it that changes a row records an event, too.

Watched wherever a test lets a worker work in its own process: what that may be is read from the text of the tasks and
of the `work` command. Whatever is written has to be told unless it stands in QUIET, so that no new field is forgotten.
What stands there is looked at by the tests of the steps that write it.
"""

import ast
import functools
import inspect
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import probers, tasks
from accounts.management.commands import work

# What may be written without an event, and why.
QUIET = {
    # The queue: whose turn it is, who is at it, how often it was tried; a mail to several becomes one to each.
    "accounts_subaccount.run_at",
    "accounts_subaccount.lease_owner",
    "accounts_subaccount.lease_until",
    "accounts_job.run_at",
    "accounts_job.lease_owner",
    "accounts_job.lease_until",
    "accounts_job.attempts",
    "accounts_job.last_error",
    "accounts_vendoraccount.claimed_at",
    "+accounts_job",
    "-accounts_job",
    # What a job did has an event of its own; of one that found nothing to do there is nothing to tell.
    "accounts_job.done_at",
    "accounts_job.payload",
    "accounts_job.sealed_secret",
    # What was seen and when; what follows from it is told, and so is a reading that differs from the last one.
    "accounts_subaccount.first_look",
    "accounts_subaccount.first_look_at",
    "accounts_subaccount.looked_at",
    "accounts_subaccount.absent_looks",
    "accounts_subaccount.refreshed_at",
    "accounts_subaccount.facts",
    "accounts_subaccount.sealed_keys",
    "accounts_vendoraccount.reconciled_at",
    "accounts_vendoraccount.compared_at",
    "accounts_vendoraccount.reconcile_result",
    "+accounts_campaign",
    "+accounts_vendorcall",
    # The launch has told it.
    "accounts_customer.first_launch_at",
    "accounts_customer.last_launch_at",
    # The breaker's memory; that it opens, closes, or is told to slow down is told.
    "accounts_vendoraccount.recent_failures",
    "accounts_vendoraccount.probe_at",
    # How often in a row we failed: the log says how, and the last one is an event.
    "accounts_subaccount.faults",
    # That a process lives.
    "accounts_worker.seen_at",
    "accounts_worker.started_at",
    "+accounts_worker",
    "-accounts_worker",
}
# Verb and table. Whatever stands between them: INSERT OR IGNORE INTO is how a row is written that may be there.
WRITES = re.compile(r"(INSERT|UPDATE|DELETE)\b.*?\"(\w+)\"", re.DOTALL)
COLUMN = re.compile(r"(?:\bSET|,) \"(\w+)\" = ")
EVENT = "+accounts_event"


def work_of_workers() -> dict[str, tuple[ModuleType, str]]:
    """Every function of accounts that the tasks and the `work` command call, as `module.name`."""
    found = {}
    for caller in (tasks, work, probers):
        for node in ast.walk(ast.parse(inspect.getsource(caller))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = getattr(caller, node.value.id, None)
                if not isinstance(module, ModuleType) or not module.__name__.startswith("accounts."):
                    continue
                if inspect.isfunction(getattr(module, node.attr)):
                    found[f"{node.value.id}.{node.attr}"] = module, node.attr
    return found


class Watch:
    """What workers wrote since the last look, transaction by transaction, and what of it no event tells."""

    def __init__(self) -> None:
        self._untold: list[str] = []
        self._numbers: Counter[str] = Counter()
        self._here = threading.local()

    def working(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, watched."""

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._here, "name", ""):
                return function(*args, **kwargs)
            self._here.name, self._here.depth = function.__qualname__, _depth()
            self._here.written, self._here.marks = [], []
            try:
                with connection.execute_wrapper(self._note):
                    return function(*args, **kwargs)
            finally:
                self._here.name = ""

        return watched

    def report(self) -> tuple[dict[str, int], list[str]]:
        """What was seen since the last report: in numbers, and what no event tells."""
        numbers, untold = dict(self._numbers), self._untold
        self._numbers, self._untold = Counter(), []
        return numbers, untold

    def begun(self) -> None:
        """An atomic block has begun."""
        if getattr(self._here, "name", ""):
            self._here.marks.append(len(self._here.written))

    def ended(self, *, is_kept: bool) -> None:
        """An atomic block has ended: what was written in it is forgotten, or counts for the one around it."""
        if getattr(self._here, "name", ""):
            mark = self._here.marks.pop()
            if not is_kept:
                del self._here.written[mark:]
            self.settle()

    def settle(self) -> None:
        """Judges what was written, unless it can still be taken back."""
        if getattr(self._here, "name", "") and _depth() == self._here.depth:
            written, self._here.written = self._here.written, []
            self._judge(written)

    def _note(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if found := WRITES.match(sql):
            verb, table = found.groups()
            sign = {"INSERT": "+", "DELETE": "-", "UPDATE": ""}[verb]
            written = [sign + table]
            if verb == "UPDATE":
                written = [f"{table}.{column}" for column in COLUMN.findall(sql.rpartition(" WHERE ")[0] or sql)]
            # How many rows a statement that answers with them wrote is not known before they are read.
            if context["cursor"].rowcount != 0 or " RETURNING " in sql:
                self._here.written += written
            self.settle()
        return answer

    def _judge(self, written: list[str]) -> None:
        if not written:
            return
        loud = sorted(set(written) - QUIET - {EVENT})
        is_told = EVENT in written
        self._numbers["told" if is_told else "untold" if loud else "with nothing to tell"] += 1
        if loud and not is_told:
            self._untold.append(f"{self._here.name}: {', '.join(loud)}")


def _depth() -> int:
    return connection.in_atomic_block + len(connection.savepoint_ids)


@contextmanager
def watched_workers() -> Iterator[Watch]:
    """Every worker of this process is watched."""
    watch = Watch()
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__
    hooks = BaseDatabaseWrapper.run_and_clear_commit_hooks

    def entered(block: Any) -> None:
        enter(block)
        if block.using in (None, "default"):
            watch.begun()

    def committed(wrapper: Any) -> None:
        watch.settle()  # what a hook records comes too late for what was committed before it
        hooks(wrapper)

    def left(block: Any, kind: Any, problem: Any, trace: Any) -> None:
        is_kept = kind is None
        try:
            leave(block, kind, problem, trace)
        except BaseException:
            is_kept = False
            raise
        finally:
            if block.using in (None, "default"):
                watch.ended(is_kept=is_kept)

    originals = {}
    for module, name in work_of_workers().values():
        originals[module, name] = getattr(module, name)
        setattr(module, name, watch.working(originals[module, name]))
    transaction.Atomic.__enter__, transaction.Atomic.__exit__ = entered, left
    BaseDatabaseWrapper.run_and_clear_commit_hooks = committed
    try:
        yield watch
    finally:
        transaction.Atomic.__enter__, transaction.Atomic.__exit__ = enter, leave
        BaseDatabaseWrapper.run_and_clear_commit_hooks = hooks
        for (module, name), function in originals.items():
            setattr(module, name, function)
