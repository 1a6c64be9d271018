"""Our limits on how often something may be asked. Refused tries count. Shared through the default cache."""

import math
import time

from django.core.cache import cache

from accounts.errors import DoorError


class TooMany(DoorError):
    """A limit is reached. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


def count(name: str, subject: object, rate: str) -> None:
    """Counts one try of `name` by `subject` against `rate` ("10/60": ten in sixty seconds).

    One counter per window of the clock, shared by all processes through the cache server. What the window before let
    through counts on as far as it is not that long ago, so that nobody gets twice the number across a window's edge.
    Raises TooMany.
    """
    allowed, seconds = (int(part) for part in rate.split("/"))
    window, passed = divmod(int(time.time()), seconds)
    key, before = (f"limit:{name}:{subject}:{number}" for number in (window, window - 1))
    cache.add(key, 0, timeout=2 * seconds + 1)
    try:
        tries = cache.incr(key)
    except ValueError:  # fell out of the cache between the two calls
        tries = 1
    earlier = min(cache.get(before, 0), allowed)
    if tries + earlier * (1 - passed / seconds) > allowed:
        # For another try, once what was before counts less; if there is no room, in the next window.
        room = allowed - tries - 1
        wait = seconds * (1 - room / earlier if room >= 0 else 1 + 1 / max(allowed, 1))
        raise TooMany(retry_after=math.ceil(wait) - passed)
