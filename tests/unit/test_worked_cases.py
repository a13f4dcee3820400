"""Worked cases from other systems' documentation and from standards, run through the rooms that answer them.

One function per area: it reads a case's inputs and compares with what is expected. No case is special-cased. An area
without a function is skipped by name. Where an expected number follows one system's own choice, the function tries the
default first and then the options that exist.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.worked import calendar, metering, pricing, proration, tax
from tests.unit.worked.reading import Case

SHARED = Path(os.environ.get("SALDO_SHARED", Path(__file__).parents[2].parent / "shared"))
CASES = SHARED / "cases" / "billing_cases.json"
AREAS = {**calendar.AREAS, **metering.AREAS, **pricing.AREAS, **proration.AREAS, **tax.AREAS}


def _parameters() -> Iterator[Any]:
    cases: list[Case] = json.loads(CASES.read_text("utf-8"))["cases"] if CASES.exists() else []
    for case in cases:
        yield pytest.param(case, id=f"{case['id']}-{case['area']}")


@pytest.mark.skipif(not CASES.exists(), reason=f"no {CASES.name} in ../shared/cases; SALDO_SHARED names another place")
@pytest.mark.parametrize("case", _parameters())
def test_a_worked_case_agrees(case: Case) -> None:
    check = AREAS.get(case["area"])
    if check is None:
        pytest.skip(f"the engine does not cover {case['area']} yet")
    check(case["inputs"], case["expected"])
