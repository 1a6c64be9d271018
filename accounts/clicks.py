"""How many threads of a web process may wait for the vendor in a click. The others show pages, whoever hangs."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from accounts.models import VendorAccount

SILENT = 5  # failures in a row: after so many a vendor account is tried by one click at a time

_lock = threading.Lock()
_waiting: Counter[int] = Counter()


class NoThread(Exception):
    """As many clicks as may be are waiting for the vendor already."""


@contextmanager
def one(account: VendorAccount) -> Iterator[None]:
    """A click's place: half of the threads are for clicks, a quarter at most for those of one vendor account whose last
    call failed, one for one that is silent.

    Raises NoThread.
    """
    with _lock:
        if _waiting[account.pk] >= _may_wait(account) or _waiting.total() >= max(1, settings.WEB_THREADS // 2):
            raise NoThread
        _waiting[account.pk] += 1
    try:
        yield
    finally:
        with _lock:
            _waiting[account.pk] -= 1
            if not _waiting[account.pk]:
                del _waiting[account.pk]


def _may_wait(account: VendorAccount) -> int:
    failures, threads = account.failures_in_a_row, int(settings.WEB_THREADS)
    if failures >= SILENT:
        return 1
    return max(1, threads // 4 if failures else threads // 2)
