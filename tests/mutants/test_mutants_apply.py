"""Planted bugs are kept: each can still be planted and names tests that are there. `make mutants` sees them killed."""

from __future__ import annotations

from collections import Counter

from tests.mutants.model import PRODUCT, ROOT
from tests.mutants.planted import MUTANTS


def test_every_planted_bug_still_applies() -> None:
    """Whoever moves the text of one moves the bug with it, or plants it anew where the text went."""
    texts = {path: (ROOT / path).read_text() for path in {mutant.path for mutant in MUTANTS}}
    for mutant in MUTANTS:
        assert mutant.planted(texts[mutant.path]) != texts[mutant.path]


def test_bugs_have_names_of_their_own_and_name_tests_that_are_there() -> None:
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1
    for mutant in MUTANTS:
        assert mutant.tests, f"{mutant.name} names no test"
        for test in mutant.tests:
            file, _, name = test.partition("::")
            assert (ROOT / file).exists(), f"{mutant.name} names {file}"
            assert not name or f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(), f"no {test}"


def test_every_room_has_planted_bugs() -> None:
    rooms = {path.name for path in (ROOT / PRODUCT).iterdir() if any(path.glob("*.py"))} | {"portal", "api"}
    assert not rooms - {mutant.room for mutant in MUTANTS}
