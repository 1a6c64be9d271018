"""Pages of a list, and the days that one is narrowed to."""

from .arguments import Call, Refusal, invalid_format, is_written
from .settings import Settings

EVER = ("0001-01-01 00:00:00", "9999-12-31 23:59:59")
DAY = "%Y-%m-%d"
MINUTES = {"dash": ("%Y-%m-%d %H-%M",), "colon": ("%Y-%m-%d %H:%M",), "both": ("%Y-%m-%d %H-%M", "%Y-%m-%d %H:%M")}


def offset(settings: Settings, call: Call, size: int) -> int:
    """How many rows come before the page asked for. Raises Refusal (301).

    Assumed: a page before the first one is the first one.
    """
    page = call.whole("page", settings.first_page)
    return max(0, page - settings.first_page) * size


def period(settings: Settings, call: Call) -> tuple[str, str]:
    """The first and the last moment of `start_date` to `end_date`, both inclusive, UTC.

    Raises Refusal (303).

    Source: "Retrieve all usage data from a campaign". It prints the form `yyyy-MM-dd hh-mm`; 303 is assumed.
    """
    if settings.date_filters == "ignored":
        return EVER
    first, last = _bound(settings, call, "start_date", 0), _bound(settings, call, "end_date", 1)
    if settings.date_filters == "nothing" and (first, last) != EVER:
        return EVER[1], EVER[0]
    return first, last


def _bound(settings: Settings, call: Call, name: str, side: int) -> str:
    value = call.text(name)
    if value is None:
        return EVER[side]
    if is_written(value, DAY):
        return f"{value} {('00:00:00', '23:59:59')[side]}"
    if any(is_written(value, form) for form in MINUTES[settings.filter_time]):
        return f"{value[:13]}:{value[14:]}:{('00', '59')[side]}"
    raise Refusal(invalid_format(name, "YYYY-MM-DD HH-MM"))
