"""Runs every case and tells what became of it: passed, by option, not applicable with the reason, or failed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from saldo.kernel.errors import Refusal
from tests.cases import calendar, pricing, proration, receivables, tax
from tests.cases.reading import Area, Case, NotApplicable

SHARED = Path(os.environ.get("SALDO_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
CASES = SHARED / "cases" / "billing_cases.json"
AREAS: Mapping[str, Area] = {
    **calendar.AREAS,
    **pricing.AREAS,
    **proration.AREAS,
    **receivables.AREAS,
    **tax.AREAS,
}

PASSED, OPTION, NOT_APPLICABLE, FAILED = "passed", "by option", "not applicable", "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case. `why`: the option's name, the reason, or what differs."""

    case: Case
    status: str
    why: str = ""


def all_cases() -> list[Case]:
    """Every case of the file; none where it is absent."""
    cases: list[Case] = json.loads(CASES.read_text("utf-8"))["cases"] if CASES.exists() else []
    return cases


def outcomes() -> Iterator[Outcome]:
    return map(outcome_of, all_cases())


def outcome_of(case: Case) -> Outcome:
    """The default first, then each option of the area."""
    area = AREAS.get(case["area"])
    if area is None:
        return Outcome(
            case, NOT_APPLICABLE, OTHER_ROOMS.get(case["area"].split(".")[0], "no room of the product does this")
        )
    found = _tried(case, area, {}, OPTION if area.chosen else PASSED, area.chosen)
    for name, option in area.options.items():
        if found.status != FAILED:
            break
        by_option = _tried(case, area, option, OPTION, name)
        found = by_option if by_option.status != FAILED else found
    return found


def _tried(case: Case, area: Area, option: Mapping[str, object], status: str, why: str) -> Outcome:
    try:
        area.check(case["inputs"], case["expected"], dict(option))
    except NotApplicable as reason:
        return Outcome(case, NOT_APPLICABLE, str(reason))
    except (AssertionError, Refusal) as difference:
        return Outcome(case, FAILED, str(difference))
    return Outcome(case, status, why)


OTHER_ROOMS = {
    "kpi": "figures of receivables, not of billing",
    "revrec": "revenue recognition, not billing",
}
