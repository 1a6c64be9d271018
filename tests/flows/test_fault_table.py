"""The README's table "What happens when…" and the tests: every row of the fault table has both."""

import ast
import re
from pathlib import Path

from tests.flows.test_fault_rows import MAKING
from tests.run import ROOT

ROWS = [f"F{number}" for number in (*range(1, 23), *range(30, 43))]
MANY = "test_what_is_read_while_the_account_is_made"


def named_tests() -> set[str]:
    """The names of all tests of the suite, as pytest would collect them."""
    files = list(Path(ROOT / "tests").rglob("test_*.py"))
    return {
        node.name
        for file in files
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def table() -> dict[str, list[str]]:
    """By row: what happens, what the customer reads, what staff read, the test."""
    text = (ROOT / "README.md").read_text()
    _, _, section = text.partition("## What happens when…")
    lines = re.findall(r"^\| (F\d+) \| (.+) \|$", section.partition("\n## ")[0], re.M)
    assert len(lines) == len({row for row, _ in lines}), "a row stands there twice"
    return {row: [cell.strip() for cell in cells.split(" | ")] for row, cells in lines}


def test_no_row_is_forgotten_in_the_readme():
    rows = table()

    assert list(rows) == ROWS
    assert [row for row, cells in rows.items() if len(cells) != 4 or not all(cells)] == []


def test_every_row_of_the_readme_names_a_test_that_exists():
    names, many = named_tests(), {row.split()[0] for row in MAKING}
    assert MANY in names

    for row, (*_, test) in table().items():
        if test == f"`M[{row}]`":
            assert row in many, row
        else:
            assert test.strip("`") in names, row
            assert test.startswith(f"`test_{row.lower()}_"), row


def test_no_row_is_forgotten_by_the_tests():
    tested = {found.group(1).upper() for name in named_tests() if (found := re.match(r"test_(f\d+)_", name))}

    assert sorted(tested | {row.split()[0] for row in MAKING}) == sorted(ROWS)
