"""A planted bug: a small wrong change of the kind that people make, and the tests that ought to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = "layers/saldo/python/saldo/"
CRASHES = "tests/simulation/test_crash_points.py::test_a_fault_at_any_call_leaves_what_was_left_without_it"
MONTHS = "tests/simulation/test_simulator.py::test_nothing_breaks_whatever_goes_wrong"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`before`, found exactly once in `file`, becomes `after`.

    file: of the product by its room (`ledger/rules.py`), of what serves it from the root (`functions/…`). tests: the
    narrowest selection that ought to fail, as pytest takes it.
    """

    name: str
    kind: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    @property
    def path(self) -> str:
        """From the root of the tree."""
        return self.file if self.file.startswith("functions/") else PRODUCT + self.file

    @property
    def room(self) -> str:
        """Where it is planted: a room of the product, or `portal`, `api` and the other folders of functions."""
        parts = self.file.split("/")
        return parts[1].removesuffix(".py") if parts[0] == "functions" else parts[0]

    def planted(self, text: str) -> str:
        """The file's text with the bug in it; ValueError when it does not apply any more."""
        found = text.count(self.before)
        if found != 1:
            raise ValueError(f"{self.name}: its text is {found} times in {self.path}; it must be there once")
        return text.replace(self.before, self.after)


def planted(name: str, kind: str, file: str, before: str, after: str, *tests: str) -> Mutant:
    return Mutant(name, kind, file, before, after, tests)


def fire(*workflows: str) -> tuple[str, ...]:
    """The crash points of these workflows."""
    return tuple(f"{CRASHES}[{name}]" for name in workflows)
