"""Files that leave have the columns that are declared for them, and what is personal in one says why."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from local.place import ROOT
from saldo.storage.classified import EXPORTS, Class

# The writers themselves.
_WRITERS = ("functions/portal/presenters/spreadsheets.py",)


def _calls(tree: ast.AST, *names: str) -> int:
    return sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
        for node in ast.walk(tree)
    )


def _declared(tree: ast.AST) -> list[str]:
    """Which exports a module takes the columns of."""
    return [
        str(node.slice.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "EXPORTS"
        and isinstance(node.slice, ast.Constant)
    ]


def test_every_file_that_leaves_takes_its_columns_from_the_table_of_fields() -> None:
    found: Counter[str] = Counter()
    for path in (*Path(ROOT / "functions").rglob("*.py"), *Path(ROOT / "local/cli").rglob("*.py")):
        if str(path.relative_to(ROOT)) in _WRITERS:
            continue
        tree = ast.parse(path.read_text())
        declared = _declared(tree)
        assert _calls(tree, "Spreadsheet", "csv_text") == len(declared), f"{path.name} writes what is not declared"
        found.update(declared)
    assert found == Counter(dict.fromkeys(EXPORTS, 1))


def test_what_is_personal_in_a_file_says_why_and_nothing_secret_is_in_any() -> None:
    for name, columns in EXPORTS.items():
        for column, (its, why) in columns.items():
            assert its is not Class.SECRET, (name, column)
            assert bool(why) == (its is Class.PERSONAL), (name, column)
