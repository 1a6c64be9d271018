"""The switches of the planted faults, and the plugin of pytest that plants them as the project is imported.

All are off: the project behaves as it is written, and each test leaves behind which places it ran.
"""

import ast
import builtins
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import CodeType
from typing import Any

from tests.seeds import faults


class Switches:
    """What the planted places call. One switch at most is on; `ran` holds the numbers of the places that ran."""

    def __init__(self) -> None:
        self.on: int | None = None
        self.ran: set[int] = set()

    def is_off(self, number: int) -> bool:
        self.ran.add(number)
        return self.on != number

    def scope(self, number: int, rows: Any, *agency: Any) -> Any:
        """`rows.for_agency(agency)`; over all agencies when it is on."""
        return rows.for_agency(*agency) if self.is_off(number) else rows.across_agencies()

    def q(self, number: int, asked: Any) -> Any:
        """A Q object; one that every row fits when it is on."""
        return asked if self.is_off(number) else ~asked.__class__(pk__in=[])

    def choices(self, number: int, field: Any, choices: Any) -> Any:
        """The choices of a field, which takes whatever comes when it is on."""
        if not self.is_off(number):
            field.valid_value = lambda value: True
        return choices

    def decorator(self, number: int, right: Callable[..., Any], wrong: Callable[..., Any]) -> Callable[..., Any]:
        """A decorator that decides at each call by which of the two the view is guarded."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            guarded, unguarded = right(view), wrong(view)

            @wraps(guarded)
            def chosen(*args: Any, **kwargs: Any) -> Any:
                return (guarded if self.is_off(number) else unguarded)(*args, **kwargs)

            return chosen

        return decorate


class _Loader(importlib.machinery.SourceFileLoader):
    """Reads a module of the project with its switches; never from compiled files, never to them."""

    tree: ast.Module

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, trees: dict[Path, ast.Module]) -> None:
        self.trees = trees

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None or Path(spec.origin) not in self.trees:
            return None
        loader = _Loader(fullname, spec.origin)
        loader.tree = self.trees[Path(spec.origin)]
        spec.loader = loader
        return spec


switches = builtins.__switches__ = Switches()
sys.meta_path.insert(0, _Finder(faults.planted()))
