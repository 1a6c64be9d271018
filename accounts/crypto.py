"""Sealing of secrets at rest: vendor credentials, MFA seeds, secrets inside jobs."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotOpen(Exception):
    """A sealed value does not open with any of the keys: wrong or lost `SEALING_KEYS`."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(secret: str) -> str:
    """Returns `secret` sealed with the first of `SEALING_KEYS`; the empty string stays empty."""
    return _box(tuple(settings.SEALING_KEYS)).encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str:
    """Returns the secret inside `sealed`, whichever of `SEALING_KEYS` closed it.

    Raises CannotOpen: never hands a sealed text on as if it were the secret.
    """
    if not sealed:
        return ""
    try:
        return _box(tuple(settings.SEALING_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotOpen("A sealed value does not open with any of SEALING_KEYS.") from None


def reseal(sealed: str) -> str:
    """Returns the same secret sealed with the first of `SEALING_KEYS`: `sealed` itself where that closed it already.

    Raises CannotOpen.
    """
    try:
        _box(tuple(settings.SEALING_KEYS[:1])).decrypt(sealed.encode())
    except InvalidToken:
        return seal(unseal(sealed))
    return sealed
