"""`python -m tests.cases`: two tables of worked cases side by side, area by area."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "layers" / "saldo" / "python")]

from tests.cases.more import running as ours  # noqa: E402
from tests.cases.running import CASES, FAILED, NOT_APPLICABLE, OPTION, PASSED, Outcome, outcomes  # noqa: E402

_STATUSES = {PASSED: "passed", OPTION: "option", NOT_APPLICABLE: "n/a", FAILED: "failed"}
_Areas = Mapping[str, list[Outcome]]


def main() -> int:
    """Prints the tables; 1 where a case fails."""
    if not CASES.exists():
        print(f"no {CASES.name} beside the repository; SALDO_SHARED names another place")
    shared, more = _by_area(outcomes()), _by_area(map(ours.outcome_of, ours.TABLE))
    head = "".join(f"{name:>8}" for name in _STATUSES.values())
    print(f"{'':32}{CASES.name:>32} |{'tests/cases/more':>32}\n{'area':32}{head} |{head}")
    for area in sorted({*shared, *more}):
        print(f"{area:32}{_counts(shared.get(area, []))} |{_counts(more.get(area, []))}")
        for outcome in [*shared.get(area, []), *more.get(area, [])]:
            if outcome.why:
                print(f"    {outcome.case['id']}  {outcome.status}: {outcome.why}")
    every = [[o for found in table.values() for o in found] for table in (shared, more)]
    print(f"{'all':32}{_counts(every[0])} |{_counts(every[1])}")
    return 1 if any(o.status == FAILED for table in every for o in table) else 0


def _by_area(found: Iterable[Outcome]) -> _Areas:
    areas: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        areas[outcome.case["area"]].append(outcome)
    return areas


def _counts(found: list[Outcome]) -> str:
    counts = Counter(outcome.status for outcome in found)
    return "".join(f"{counts[status] or '':>8}" for status in _STATUSES)


if __name__ == "__main__":
    sys.exit(main())
