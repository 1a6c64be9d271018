"""What a run has to show besides its dots: figures that tests record, printed together at its end."""

from collections.abc import Callable
from typing import Any

import pytest

RecordFigure = Callable[[str, str | dict[str, int]], None]


@pytest.fixture
def record_figure(record_property: Callable[[str, object], None]) -> RecordFigure:
    """Records a line for the end of the run: a text, or counts, which are added up over all tests of that title."""

    def record(title: str, value: str | dict[str, int]) -> None:
        record_property("figure", (title, value))

    return record


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines: list[str] = []
    counts: dict[str, dict[str, int]] = {}
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    for report in (report for report in reports if getattr(report, "when", "") == "teardown"):  # which has them all
        for name, (title, value) in (row for row in report.user_properties if row[0] == "figure"):
            assert name == "figure"
            if isinstance(value, dict):
                total = counts.setdefault(title, {})
                for key, number in value.items():
                    total[key] = total.get(key, 0) + number
            else:
                lines.append(f"{title}: {value}")
    lines += [
        f"{title}: " + ", ".join(f"{number:,} {key}" for key, number in total.items())
        for title, total in counts.items()
    ]
    if lines:
        terminalreporter.section("Figures")
        for line in sorted(lines):
            terminalreporter.write_line(line)
