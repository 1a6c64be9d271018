"""Our limits on how often something may be asked. Refused tries count. Shared through the default cache."""

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

    Fixed windows: one counter per window, so a cache server shared by all processes makes it exact.
    Raises TooMany.
    """
    allowed, seconds = (int(part) for part in rate.split("/"))
    window, passed = divmod(int(time.time()), seconds)
    key = f"limit:{name}:{subject}:{window}"
    cache.add(key, 0, timeout=seconds + 1)
    try:
        tries = cache.incr(key)
    except ValueError:  # fell out of the cache between the two calls
        tries = 1
    if tries > allowed:
        raise TooMany(retry_after=seconds - passed)
