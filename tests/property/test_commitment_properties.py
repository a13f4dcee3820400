"""Commitments over several cycles: whatever runs there are, and in whatever order things come, they cost the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from saldo.catalog.model import CutShort, Minimum, PlanVersion
from saldo.invoicing.model import Charged
from saldo.invoicing.rules_tallies import Place, Tallies
from saldo.kernel.periods import Cycle, Length, Period, Unit
from saldo.kernel.rounding import rounded_ratio
from saldo.quotes.service import quote_document
from saldo.subscriptions.model import Charge, ChargePeriod, Timing
from tests.unit.invoicing.scenes import component, plan


def place(version: PlanVersion) -> Place:
    return Place("acct_1", "sub_1", version, version.components[0], "2026-01-01", "")


YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
FACTORS = st.sampled_from([Decimal(1), Decimal("1.25"), Decimal("0.9")])


@given(
    least=st.integers(0, 100_000),
    factor=FACTORS,
    charged=st.lists(st.tuples(st.integers(-5_000, 30_000), st.integers(0, 5))),
    over=st.integers(0, 5),
)
def test_what_is_asked_for_in_all_is_what_misses_in_all_however_invoices_split_it(
    least: int, factor: Decimal, charged: list[tuple[int, int]], over: int
) -> None:
    """charged: amounts, and on which of six invoices; those after the year was `over` came late."""
    version = replace(plan(component("base", "1")), minimum=Minimum((Decimal(1),), overage_factor=factor))
    like = version.least
    assert like is not None
    year = Charged(ChargePeriod("sub_1", YEAR.end, Timing.ARREARS, YEAR, YEAR), like, version)
    known, asked = {}, []
    for invoice in range(6):
        tallies = Tallies(known)
        for amount, on in charged:
            if on == invoice:
                tallies.count(place(version), amount)
        if invoice == over:
            tallies.end(place(version), year, least, YEAR.start)
        lines = [line for line, _ in tallies.true_ups()]
        known |= {part.key: part for part in tallies.moved()}
        asked += [line.net_minor for line in lines]
        assert invoice >= over or not lines, "nothing is asked for before its days are over"
        assert all(sum(step.amount for step in line.steps) == line.exact for line in lines)
    missing = least - sum(amount for amount, _ in charged)
    more = -missing * (Fraction(factor) - 1)
    assert sum(asked) == (missing if missing > 0 else rounded_ratio(more.numerator, more.denominator))


@given(least=st.integers(1, 100_000), shorter=st.integers(0, 100_000), counted=st.integers(0, 120_000))
def test_a_minimum_that_did_not_hold_on_its_days_after_all_is_owed_no_more(
    least: int, shorter: int, counted: int
) -> None:
    """A change told late takes back what the year came to, for what the days before it come to."""
    version = replace(plan(component("base", "1")), minimum=Minimum((Decimal(1),)))
    like = version.least
    assert like is not None
    period = ChargePeriod("sub_1", YEAR.end, Timing.ARREARS, YEAR, YEAR)
    charge = Charge(period, version.id, like.id, None, sign=-1)
    first = Tallies({})
    first.count(place(version), counted)
    first.end(place(version), Charged(period, like, version), least, YEAR.start)
    asked = sum(line.net_minor for line, _ in first.true_ups())
    late = Tallies({part.key: part for part in first.moved()})
    late.end(place(version), Charged(period, like, version, charge), least, YEAR.start)
    late.end(place(version), Charged(period, like, version), shorter, YEAR.start)
    asked += sum(line.net_minor for line, _ in late.true_ups())
    assert asked == max(shorter - counted, 0)


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def minimums(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {
        "amounts": draw(st.lists(st.integers(0, 9_000).map(str), min_size=1, max_size=3)),
        "every": {"unit": "month", "count": draw(st.sampled_from([2, 3, 6, 12]))},
        "cut_short": draw(st.sampled_from(list(CutShort))).value,
        "overage_factor": str(draw(FACTORS)),
    }
    return found | ({"components": ["used"]} if draw(st.booleans()) else {})


@st.composite
def changes(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"kind": "plan", "plan": draw(st.sampled_from(["one", "two", "free"])), "effective_on": on.isoformat()}
        for on in draw(st.lists(DAYS, max_size=3))
    ]
    for kind in draw(st.lists(st.sampled_from(["pause", "resume", "cancel"]), max_size=3)):
        found.append({"kind": kind, "effective_on": draw(DAYS).isoformat()})
    return found


def total(document: dict[str, Any]) -> Decimal:
    return sum((Decimal(invoice["total"]) for invoice in quote_document(document)["invoices"]), Decimal(0))


PAUSED_AT_ONCE = (
    {"amounts": ["1"], "every": {"unit": "month", "count": 2}, "cut_short": "whole", "overage_factor": "1"},
    {"amounts": ["0"], "every": {"unit": "month", "count": 2}, "cut_short": "part", "overage_factor": "1"},
    [{"kind": "cancel", "effective_on": "2027-01-01"}, {"kind": "pause", "effective_on": "2026-01-01"}],
    [],
    [],
)


@settings(max_examples=50)  # each bills two years twice
@example(*PAUSED_AT_ONCE)
@given(minimums(), minimums(), changes(), st.lists(DAYS, max_size=6), st.lists(st.tuples(DAYS, st.integers(1, 3_000))))
def test_runs_on_any_days_come_to_what_a_run_each_month_comes_to(
    one: dict[str, Any],
    two: dict[str, Any],
    changed: list[dict[str, Any]],
    runs: list[date],
    used: list[tuple[date, int]],
) -> None:
    components = [
        {"id": "base", "price": {"kind": "flat", "amount": "100"}},
        {"id": "used", "kind": "usage", "meter_id": "units", "price": {"kind": "per_unit", "unit_price": "1"}},
    ]
    document: dict[str, Any] = {
        "plans": [
            {"id": "one", "components": components, "minimum": one},
            {"id": "two", "components": components, "minimum": {**two, "every": one["every"]}},
            {"id": "free", "components": components},
        ],
        "subscriptions": [{"plan": "one", "started_on": "2026-01-01", "changes": changed}],
        "usage": {
            "meters": [{"id": "units"}],
            "events": [{"meter_id": "units", "at": f"{on}T12:00:00Z", "value": str(n)} for on, n in used],
        },
    }
    months = [Cycle(Unit.MONTH, 1, date(2026, 1, 1)).boundary(k).isoformat() for k in range(40)]
    some = sorted({*(on.isoformat() for on in runs), months[-1]})
    in_time = total({**document, "billing": {"dates": sorted({*months, *(c["effective_on"] for c in changed)})}})
    assert in_time == total({**document, "billing": {"dates": some}})


@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sampled_from([Unit.MONTH, Unit.QUARTER, Unit.WEEK, Unit.DAY]),
    st.integers(1, 3),
    st.integers(1, 12),
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)
def test_periods_of_several_cycles_begin_and_end_where_cycles_do(
    anchor: date, unit: Unit, count: int, times: int, first: date
) -> None:
    cycle = Cycle(unit, count, anchor)
    spans, n = cycle.times(times, first), cycle.index_at(first)
    assert [spans.boundary(k) for k in range(-2, 4)] == [cycle.boundary(n + k * times) for k in range(-2, 4)]
    assert spans.index_at(first) == 0
    assert spans.index_at(spans.boundary(3)) == 3 and spans.index_at(spans.boundary(3) - timedelta(days=1)) == 2


@given(st.sampled_from(list(Unit)), st.integers(1, 40), st.sampled_from(list(Unit)), st.integers(1, 40))
def test_a_length_holds_a_whole_number_of_others_or_none(a: Unit, n: int, b: Unit, m: int) -> None:
    times = Length(a, n).holds(Length(b, m))
    if times:
        start = date(2026, 1, 1)
        assert Cycle(a, n, start).boundary(1) == Cycle(b, m, start).boundary(times)
