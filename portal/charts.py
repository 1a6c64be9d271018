"""Bars per week as an SVG without a viewBox: x in per cent, y in pixels, so that its text keeps its size."""

import math
from dataclasses import dataclass
from datetime import date

TOP, BOTTOM = 14, 150
LEFT, WIDTH = 10.0, 90.0


@dataclass(frozen=True)
class Bar:
    """One bar with its place in the picture; `x` and `width` in per cent, the rest in pixels."""

    day: date
    value: int
    x: float
    width: float
    middle: float
    y: int
    height: int
    is_labelled: bool
    is_last: bool


@dataclass(frozen=True)
class Line:
    """A line of the grid with the value that it stands for."""

    value: int
    y: float
    text_y: float


@dataclass(frozen=True)
class Chart:
    """A bar chart in numbers: `first` and `last` are the values that the sentence above it names."""

    bars: list[Bar]
    lines: list[Line]
    first: int
    last: int
    before_last: int

    @property
    def change(self) -> int:
        """The last whole number against the one before."""
        return self.last - self.before_last


def _step(most: int) -> int:
    """The distance of the lines: 1, 2 or 5 times a power of ten, so that there are four or fewer."""
    raw = max(most, 1) / 4
    power = 10 ** math.floor(math.log10(raw)) if raw >= 1 else 1
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw))


def bars(values: list[tuple[date, int]]) -> Chart:
    """A chart of some days (Mondays) with their values; the last one is marked."""
    step = _step(max(value for _, value in values))
    top = step * math.ceil(max(max(value for _, value in values), 1) / step)
    slot = WIDTH / len(values)
    scale = (BOTTOM - TOP) / top
    labelled = {0, (len(values) - 1) // 2, len(values) - 1}
    drawn = []
    for number, (day, value) in enumerate(values):
        height = round(value * scale)
        x = LEFT + number * slot
        drawn.append(
            Bar(
                day=day,
                value=value,
                x=round(x, 2),
                width=round(slot * 0.67, 2),
                middle=round(x + slot * 0.33, 2),
                y=BOTTOM - height,
                height=height,
                is_labelled=number in labelled,
                is_last=number == len(values) - 1,
            )
        )
    lines = [
        Line(value, BOTTOM - value * scale + 0.5, BOTTOM - value * scale - 5) for value in range(step, top + 1, step)
    ]
    return Chart(drawn, lines, values[0][1], values[-1][1], values[-2][1] if len(values) > 1 else 0)
