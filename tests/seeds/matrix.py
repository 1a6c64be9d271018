"""The access matrix, which is too long to be gone through for every fault, made shorter for a while."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

# Everybody whom some page lets in, and two who come to its checks.
ASKERS = {"anonymous", "owner", "editor", "viewer", "staff_owner", "staff_admin", "staff_support", "staff_analyst"}
ASKERS |= {"viewing_operator", "operator"}
OWNERS = {"owner", "staff_owner", "operator"}  # who get as far as to ask for something that is not there


@contextmanager
def asked_by_few() -> Iterator[None]:
    """Where nothing is wrong: those whom a page lets in, and a few others."""
    matrix = sys.modules["tests.access.test_matrix"]
    cells_of = matrix.cells_of

    def few(url: Any) -> Iterator[Any]:
        return (
            cell
            for cell in cells_of(url)
            if (cell[1] in ASKERS and cell[2:] in (("own", "GET"), ("own", "POST"), ("nonexistent", "GET")))
            or (cell[1] in OWNERS and cell[2:] == ("nonexistent", "POST"))
        )

    with mock.patch.object(matrix, "cells_of", few):
        yield


@contextmanager
def judged_at_once() -> Iterator[None]:
    """Where a fault is on: one wrong cell is enough, most likely where it is at home."""
    matrix = sys.modules["tests.access.test_matrix"]
    judge, cells_of = matrix.judge, matrix.cells_of

    def at_once(*cell: Any) -> tuple[str, bool]:
        problem, is_positive = judge(*cell)
        assert not problem, problem
        return problem, is_positive

    def near_first(url: Any) -> list[Any]:
        return sorted(cells_of(url), key=_is_far)

    with mock.patch.multiple(matrix, judge=at_once, cells_of=near_first):
        yield


def _is_far(cell: tuple[str, str, str, str]) -> tuple[bool, bool, bool]:
    host, _person, which, method = cell
    return host not in ("own", "platform"), method not in ("GET", "POST"), which != "own"
