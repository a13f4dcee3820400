"""A plan's minimum: over whole periods, over changes of plan, over changes told late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from saldo.quotes.service import quote_document


def plan(name: str, fee: str, minimum: str | None, unit_price: str = "1") -> dict[str, Any]:
    components = [
        {"id": "base", "price": {"kind": "flat", "amount": fee}},
        {"id": "used", "kind": "usage", "meter_id": "units", "price": {"kind": "per_unit", "unit_price": unit_price}},
    ]
    return {"id": name, "components": components} | ({"minimum": minimum} if minimum else {})


PLANS = [plan("small", "31", "124"), plan("large", "62", "310"), plan("same", "62", "124"), plan("free", "62", None)]


def billed(*changes: dict[str, Any], used: dict[str, str], dates: tuple[str, ...]) -> list[list[str]]:
    """Amounts, invoice by invoice, of a subscription from 1 January (31 days) on."""
    document = {
        "billing": {"dates": list(dates)},
        "plans": [
            plan("small", "31", "124"),
            plan("large", "62", "310"),
            plan("same", "62", "124"),
            plan("free", "62", None),
        ],
        "subscriptions": [{"plan": "small", "started_on": "2026-01-01", "changes": list(changes)}],
        "usage": {
            "meters": [{"id": "units"}],
            "events": [
                {"meter_id": "units", "at": f"2026-{day}T10:00:00Z", "value": value} for day, value in used.items()
            ],
        },
    }
    invoices = quote_document(document)["invoices"]
    return [[f"{line['component']} {line['amount']}" for line in invoice["lines"]] for invoice in invoices]


def change(to: str, on: str = "2026-01-11", **more: Any) -> dict[str, Any]:
    return {"kind": "plan", "plan": to, "effective_on": on, **more}


RUNS = ("2026-01-01", "2026-01-11", "2026-02-01")


def test_fees_paid_ahead_and_usage_count_towards_a_minimum() -> None:
    first, second = billed(used={"01-05": "50"}, dates=("2026-01-01", "2026-02-01"))
    assert first == ["base 31.00"]
    assert sorted(second) == ["base 31.00", "minimum 43.00", "used 50.00"]


def test_each_plan_has_its_own_minimum_for_its_days_and_its_own_usage_counts() -> None:
    """10 days at 124 a month are 40, of which the fee is 10 and usage 5; 21 days at 310 are 210, fee 42, usage 300."""
    _, _, last = billed(change("large"), used={"01-05": "5", "01-20": "300"}, dates=RUNS)
    assert sorted(last) == sorted(["used 5.00", "used 300.00", "minimum 25.00", "base 62.00"])
    _, _, last = billed(change("large"), used={"01-05": "300", "01-20": "5"}, dates=RUNS)
    assert "minimum 163.00" in last, "what was used under the smaller plan does not count for the larger"


def test_a_minimum_that_stays_as_it_is_goes_on_over_a_change_of_plan() -> None:
    _, _, last = billed(change("same"), used={"01-05": "60"}, dates=RUNS)
    assert [line for line in last if line.startswith("minimum")] == ["minimum 12.00"]  # 124 - 10 - 42 - 60


def test_a_minimum_ends_with_its_plan() -> None:
    _, _, last = billed(change("free"), used={"01-20": "500"}, dates=RUNS)
    assert [line for line in last if line.startswith("minimum")] == ["minimum 30.00"]  # 40 for 10 days, the fee is 10


def test_a_minimum_is_asked_for_at_once_where_the_subscription_ends() -> None:
    ends = {"kind": "cancel", "effective_on": "2026-01-11"}
    _, last = billed(ends, used={"01-05": "5"}, dates=RUNS)
    assert sorted(last) == ["base -21.00", "minimum 25.00", "used 5.00"]


@pytest.mark.parametrize("to", ["large", "same", "free"])
def test_one_run_that_comes_late_asks_for_what_runs_in_time_ask_for(to: str) -> None:
    used = {"01-05": "5", "01-20": "30", "02-03": "7"}
    in_time = billed(change(to), used=used, dates=(*RUNS, "2026-03-01"))
    assert total(in_time) == total(billed(change(to), used=used, dates=("2026-03-01",)))


def total(invoices: list[list[str]]) -> Decimal:
    return sum((Decimal(line.split()[1]) for invoice in invoices for line in invoice), Decimal(0))
