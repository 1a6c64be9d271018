"""The parts of the sandbox in one hand: world, ledger, faults, and work that comes later."""

import threading
from collections.abc import Callable

from .campaign_store import CampaignStore
from .database import Database
from .faults import FaultBook
from .ledger import Ledger
from .record_store import RecordStore
from .state import State


class Later:
    """Things that happen after a while, unless the sandbox stops or is reset first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: set[threading.Timer] = set()

    def schedule(self, seconds: float, action: Callable[[], object]) -> None:
        def run() -> None:
            try:
                action()
            finally:
                with self._lock:
                    self._timers.discard(timer)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        with self._lock:
            self._timers.add(timer)
            timer.start()

    def cancel(self) -> None:
        """Drop what has not happened yet, and wait for what is happening."""
        with self._lock:
            timers = list(self._timers)
            self._timers.clear()
        for timer in timers:
            timer.cancel()
        for timer in timers:
            timer.join()


class Vendor:
    """All that a request can touch. `panel_url` is the origin that sign-on links and coupons' pages have."""

    def __init__(self, state: str) -> None:
        self.database = Database(state)
        self.state = State(self.database)
        self.campaigns = CampaignStore(self.database)
        self.records = RecordStore(self.database)
        self.ledger = Ledger(self.database)
        self.faults = FaultBook()
        self.later = Later()
        self.panel_url = ""

    def remove_subaccount(self, number: int) -> bool:
        """Make a subaccount vanish with all it has. False if there is none. Callers wrap it in a transaction."""
        if not self.state.remove_subaccount(number):
            return False
        self.campaigns.remove_all(f"sub_{number}")
        self.records.remove_all(f"sub_{number}")
        return True

    def reset(self) -> None:
        """Back to an empty world."""
        self.later.cancel()
        self.faults.clear()
        self.database.empty()

    def close(self) -> None:
        self.later.cancel()
        self.database.close()
