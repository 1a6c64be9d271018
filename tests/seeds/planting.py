"""A pytest plugin that plants one fault as the project is imported, or notes which tests run which faulty places."""

import ast
import builtins
import importlib.abc
import importlib.machinery
import json
import os
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from django.db import connections

from tests.seeds import faults

FAULT = os.environ.get("SEEDED_FAULT", "")  # the name of the fault to plant
NOTES = os.environ.get("SEEDED_FAULT_NOTES", "")  # the folder to write notes to

DATABASE = os.environ.get("SEEDED_FAULT_DATABASE", "")  # the test database, with its tables


class _Loader(importlib.machinery.SourceFileLoader):
    """Reads a module of the project with something changed in it; never from compiled files, never to them."""

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


def _noting() -> dict[Path, ast.Module]:
    """Every file with faults, each of its functions that holds one saying so when it runs."""
    trees = {}
    for file, names in faults.functions_by_file().items():
        tree = ast.parse(file.read_text())
        for name, node in faults.functions_of(tree):
            if name in names:
                inner = [part for part in ast.walk(node) if isinstance(part, ast.FunctionDef)]  # what a decorator makes
                for function in inner:
                    call = ast.parse(f"__ran__({f'{file.relative_to(faults.ROOT)}:{name}'!r})").body[0]
                    has_docstring = ast.get_docstring(function) is not None
                    function.body.insert(1 if has_docstring else 0, ast.copy_location(call, function.body[0]))
        trees[file] = ast.fix_missing_locations(tree)
    return trees


class _Notes:
    """Which functions each test ran, and how long it took."""

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self.tests: dict[str, tuple[float, list[str]]] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self.ran.clear()
        yield

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and hasattr(report, "nodeid"):
            self.tests[report.nodeid] = (report.duration, [])

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        seconds, _nothing = self.tests.get(item.nodeid, (0.0, []))
        self.tests[item.nodeid] = (seconds, sorted(self.ran))

    def pytest_sessionfinish(self) -> None:
        Path(NOTES, f"{os.getpid()}.json").write_text(json.dumps(self.tests))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Shortens the access matrix: one wrong cell is enough; to note what runs, the cells in which somebody gets in."""
    matrix = sys.modules.get("tests.access.test_matrix")
    if matrix is None:
        return
    if FAULT:
        judge = matrix.judge

        def judge_at_once(*cell: Any) -> tuple[str, bool]:
            problem, is_positive = judge(*cell)
            assert not problem, problem
            return problem, is_positive

        matrix.judge = judge_at_once
    else:
        all_cells = matrix.cells_of
        matrix.cells_of = lambda url: (
            cell for cell in all_cells(url) if cell[2] == "own" and cell[3] in ("GET", "POST")
        )


def pytest_configure(config: pytest.Config) -> None:
    if DATABASE:
        connections["default"].settings_dict["TEST"]["NAME"] = DATABASE
    if NOTES:
        config.pluginmanager.register(_NOTES)


if FAULT:
    file, tree = faults.planted(FAULT)
    sys.meta_path.insert(0, _Finder({file: tree}))
elif NOTES:
    _NOTES = _Notes()
    builtins.__ran__ = _NOTES.ran.add
    sys.meta_path.insert(0, _Finder(_noting()))
