"""`python -m tests.cases`: a table of the worked cases, area by area."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "layers" / "saldo" / "python")]

from tests.cases.running import CASES, FAILED, NOT_APPLICABLE, OPTION, PASSED, Outcome, outcomes  # noqa: E402

_STATUSES = (PASSED, OPTION, NOT_APPLICABLE, FAILED)


def main() -> int:
    """Prints the table; 1 where a case fails."""
    if not CASES.exists():
        print(f"no {CASES.name} beside the repository; SALDO_SHARED names another place")
        return 0
    areas: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes():
        areas[outcome.case["area"]].append(outcome)
    print(f"{'area':32}" + "".join(f"{status:>16}" for status in _STATUSES))
    total: Counter[str] = Counter()
    for area, found in sorted(areas.items()):
        counts = Counter(o.status for o in found)
        total += counts
        print(f"{area:32}" + "".join(f"{counts[status] or '':>16}" for status in _STATUSES))
        for o in found:
            if o.why:
                print(f"    {o.case['id']}  {o.status}: {o.why}")
    print(f"{'all':32}" + "".join(f"{total[status]:>16}" for status in _STATUSES))
    return 1 if total[FAILED] else 0


if __name__ == "__main__":
    sys.exit(main())
