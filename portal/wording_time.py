"""Days, moments and durations as the reader writes them."""

import math
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import ngettext

IN_SECONDS_UP_TO = 90


def seconds(milliseconds: int) -> str:
    """A duration in seconds with one decimal: 0.6 s."""
    return f"{number_format(milliseconds / 1000, decimal_pos=1, use_l10n=True)}\N{NO-BREAK SPACE}s"


def waiting_time(seconds: int) -> str:
    """How long somebody has to wait: in seconds while that can be counted along, then in minutes."""
    if seconds <= IN_SECONDS_UP_TO:
        return ngettext("%(number)s second", "%(number)s seconds", seconds) % {"number": seconds}
    minutes = math.ceil(seconds / 60)
    return ngettext("%(number)s minute", "%(number)s minutes", minutes) % {"number": minutes}


def readable(stored: str) -> str:
    """A day or moment that was stored in ISO 8601, as the reader writes it. Anything else stays as it is."""
    try:
        return date_format(date.fromisoformat(stored))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(stored)
        return date_format(timezone.localtime(moment) if timezone.is_aware(moment) else moment, "DATETIME_FORMAT")
    except (ValueError, OverflowError):
        return stored
