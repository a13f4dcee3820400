"""The load, scaled down: the same functions on the same table, and figures that add up."""

from __future__ import annotations

from datetime import date

from tests.load.month_end import month_end
from tests.load.portal import PAGES, portal


def test_a_month_end_runs_through_the_hosted_functions() -> None:
    said: list[str] = []
    with month_end(120, 1, said.append, apart=False) as load:
        assert load.run(date(2026, 1, 1)).done == 120
        usage = load.usage(120, 2400)
        run = load.run(date(2026, 2, 1))
    assert (usage.done, run.done) == (2400, 120)
    assert run.bill.total_calls / run.done < 1
    assert all(phase.peak_mb for phase in load.phases) and len(said) >= 15
    assert usage.bill.calls["TransactWriteItems"]


def test_many_look_at_one_account_at_once() -> None:
    found = portal(10, 2, lambda _line: None)
    assert set(found) == set(PAGES) and all(found.values())
