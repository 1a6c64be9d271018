"""Which agency (or the platform) a request belongs to, for cache keys and log lines only. Never for queries."""

from contextvars import ContextVar

from django.core.cache.backends.base import default_key_func

current_scope: ContextVar[str] = ContextVar("current_scope", default="none")


def cache_key(key: str, prefix: str, version: int) -> str:
    """Keeps allauth's counts by address apart per agency; counts by network address stay platform-wide.

    Without it a sign-up at one agency would make the same address at another answer 429.
    """
    if key.startswith("allauth:rl:") and ":ip:" not in key:
        key = f"{current_scope.get()}:{key}"
    return default_key_func(key, prefix, version)
