"""The time that leases, waits and quarantines are counted by: the database's, which all machines share."""

from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """The time by the database's clock, whatever this machine's own says.

    One machine has SQLite for itself: there its own clock is the only one.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")  # not now(): that stands still within a transaction
        found: datetime = cursor.fetchone()[0]
    return found


def midnight(at: datetime) -> datetime:
    """When the day began, in UTC: the day whose number of creates counts."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
