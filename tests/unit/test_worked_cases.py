"""Worked cases from other systems' documentation and from standards, each run through a quote or the room concerned.

How each area is read is in tests/cases; `make cases` prints the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cases.reading import Case
from tests.cases.running import CASES, FAILED, NOT_APPLICABLE, all_cases, outcome_of


def _parameters() -> Iterator[Any]:
    for case in all_cases():
        yield pytest.param(case, id=f"{case['id']}-{case['area']}")


@pytest.mark.skipif(not CASES.exists(), reason=f"no {CASES.name} in ../shared/cases; SALDO_SHARED names another place")
@pytest.mark.parametrize("case", _parameters())
def test_a_worked_case_agrees(case: Case) -> None:
    outcome = outcome_of(case)
    if outcome.status == NOT_APPLICABLE:
        pytest.skip(outcome.why)
    assert outcome.status != FAILED, outcome.why
