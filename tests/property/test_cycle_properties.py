"""Prices that depend on the cycles before: whatever is used when, the months make up the whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.catalog.price_codec import price_from
from saldo.kernel.errors import Problems
from saldo.kernel.periods import Cycle, Unit
from saldo.kernel.reading import Fields
from saldo.quotes.service import quote_document
from saldo.rating.rules.registry import price
from tests.property.examples import examples

Json = dict[str, Any]
START = date(2026, 1, 31)
TIERS: list[Json] = [
    {"up_to": "10", "unit_price": "2", "flat": "1"},
    {"up_to": "25", "unit_price": "3"},
    {"unit_price": "0.5"},
]
PRICES: list[Json] = [
    {"kind": "graduated", "tiers": TIERS},
    {"kind": "volume", "tiers": TIERS},
    {"kind": "package", "size": "7", "price": "5", "free_units": "3"},
    {"kind": "included", "units": "20", "overage": {"kind": "graduated", "tiers": TIERS}},
    {"kind": "capped", "amount": "60", "price": {"kind": "per_unit", "unit_price": "1.25"}},
]
months_used = st.lists(st.integers(0, 40), min_size=1, max_size=14)


def charged(component: Json, used: list[int], breaks: list[int]) -> list[Decimal]:
    """What each month costs, of usage told month by month; runs bill several at once after each of `breaks`."""
    cycle = Cycle(Unit.MONTH, 1, START)
    bounds = [(cycle.boundary(n), cycle.boundary(n + 1)) for n in range(len(used))]
    runs = sorted({bounds[n][1] for n in breaks if n < len(used)} | {bounds[-1][1]})
    totals = [
        {"meter_id": "m", "quantity": str(quantity), "from": a.isoformat(), "until": b.isoformat()}
        for quantity, (a, b) in zip(used, bounds, strict=True)
    ]
    document = {
        "billing": {"dates": [day.isoformat() for day in runs]},
        "plans": [{"id": "p", "components": [{"id": "u", "meter_id": "m", **component}]}],
        "subscriptions": [{"plan": "p", "started_on": START.isoformat()}],
        "usage": {"totals": totals},
    }
    lines = [line for invoice in quote_document(document)["invoices"] for line in invoice["lines"]]
    by_start = {line["from"]: Decimal(line["amount"]) for line in lines}
    return [by_start.get(a.isoformat(), Decimal(0)) for a, _ in bounds]


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from(PRICES), months_used, st.integers(1, 12), st.lists(st.integers(0, 13)))
def test_months_of_a_price_that_goes_on_make_up_the_price_of_all_of_them(
    model: Json, used: list[int], count: int, breaks: list[int]
) -> None:
    found = charged({"price": model, "cumulates": {"unit": "month", "count": count}}, used, breaks)
    sound = price_from(Fields(model, Problems()))
    for first in range(0, len(used), count):
        whole = price(sound, Decimal(sum(used[first : first + count]))).amount
        assert sum(found[first : first + count]) == whole


@settings(max_examples=examples(40), deadline=None)
@given(months_used, st.integers(0, 30), st.lists(st.integers(0, 13)))
def test_an_allowance_that_never_lapses_is_exceeded_by_what_all_months_exceed_all_allowances(
    used: list[int], units: int, breaks: list[int]
) -> None:
    found = charged({"price": rolling(units, 120)}, used, breaks)
    ahead = [total - units * n for n, total in enumerate(accumulate(used), 1)]
    assert list(accumulate(found)) == [max(0, most) for most in accumulate(ahead, max)]


@settings(max_examples=examples(40), deadline=None)
@given(months_used, st.integers(0, 30), st.integers(1, 5), st.integers(0, 60))
def test_what_goes_on_longer_or_without_a_bound_never_costs_more(
    used: list[int], units: int, cycles: int, most: int
) -> None:
    def total(**rollover: Any) -> Decimal:
        return sum(charged({"price": rolling(units, **rollover)}, used, []), Decimal(0))

    without = sum(max(0, quantity - units) for quantity in used)
    assert total(cycles=cycles + 1) <= total(cycles=cycles) <= total(cycles=cycles, most=most) <= without


def rolling(units: int, cycles: int, most: int | None = None) -> Json:
    rollover = {"cycles": cycles} | ({} if most is None else {"most": str(most)})
    overage = {"kind": "per_unit", "unit_price": "1"}
    return {"kind": "included", "units": str(units), "overage": overage, "rollover": rollover}
