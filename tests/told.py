"""Nothing that a worker does goes untold: a transaction of it that changes a row records an event, too.

Watched wherever a test lets a worker work: what that may be is read from the text of the tasks and of the `work`
command. Whatever is written has to be told unless it stands in QUIET, so that no new step or field is forgotten.
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

from accounts import tasks
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
    for caller in (tasks, work):
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
            self._here.name, self._here.depth, self._here.written = function.__qualname__, _depth(), []
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

    def ended(self, *, is_kept: bool) -> None:
        """An atomic block has ended; if it was the outermost one, it is judged."""
        if getattr(self._here, "name", "") and _depth() == self._here.depth:
            written, self._here.written = self._here.written, []
            if is_kept:
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
            if _depth() == self._here.depth:
                self.ended(is_kept=True)
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
    watch, leave = Watch(), transaction.Atomic.__exit__

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
    transaction.Atomic.__exit__ = left
    try:
        yield watch
    finally:
        transaction.Atomic.__exit__ = leave
        for (module, name), function in originals.items():
            setattr(module, name, function)
