"""Hands that ask vendor accounts whether they are back: none of those that make accounts and send mails.

One that hangs holds its hand for as long as its list may take. Workers would soon all be with such.
"""

import threading

from django.db import connections

from accounts import vendor
from accounts.workers import guarded


class Probers:
    """So many hands of this process, each with one vendor account."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = threading.Lock()
        self._asked: set[int] = set()

    def ask(self, pk: int) -> bool:
        """Has that vendor account asked, if its probe is due. False if one is asking it, or no hand is free: whoever
        looks for those that are due comes again.
        """
        with self._lock:
            if pk in self._asked or len(self._asked) >= self._number:
                return False
            self._asked.add(pk)
        # One that hangs must not keep a process from ending: the next one asks.
        try:
            threading.Thread(target=self._ask, args=(pk,), name=f"prober-{pk}", daemon=True).start()
        except RuntimeError:  # this machine has no thread to spare just now
            with self._lock:
                self._asked.discard(pk)
            return False
        return True

    def _ask(self, pk: int) -> None:
        try:
            guarded(lambda: vendor.probe(pk))
            connections.close_all()
        finally:
            with self._lock:
                self._asked.discard(pk)
