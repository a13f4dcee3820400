"""Worked cases from other systems' documentation and from standards, each run through a quote or the room concerned.

How each area is read is in tests/cases, a table of our own in tests/cases/more; `make cases` prints both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cases.more import running as ours
from tests.cases.more.model import Worked
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


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in ours.TABLE])
def test_a_case_of_our_own_table_agrees(case: Worked) -> None:
    if case.absent:
        pytest.skip(case.absent)
    assert ours.differences(case) == ""
