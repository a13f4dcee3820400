"""What meters make of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saldo.kernel.clock import instant_from
from saldo.kernel.periods import Period
from saldo.usage.model import Aggregation, CountWindow, Meter, OfWindows, UsageEvent
from saldo.usage.rules import faults_of, first_of_each, metered, percentile, weighted

MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
ZONE = "Europe/Berlin"


def meter(aggregation: Aggregation, unique_by: str = "") -> Meter:
    return Meter("m", "ent_eu_x", aggregation, {"en": "Meter"}, {"en": "units"}, unique_by)


def event(event_id: str, at: str, value: str = "1", **properties: str) -> UsageEvent:
    return UsageEvent("api", event_id, "acct_eu_x", "m", instant_from(at), Decimal(value), properties)


EVENTS = [
    event("1", "2025-03-05T10:00Z", "5", user="a"),
    event("2", "2025-03-04T10:00Z", "7.5", user="b"),
    event("3", "2025-03-06T10:00Z", "2", user="a"),
    event("2", "2025-03-07T10:00Z", "1000", user="c"),
]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        (Aggregation.SUM, "14.5"),
        (Aggregation.COUNT, "3"),
        (Aggregation.UNIQUE, "2"),
        (Aggregation.MAX, "7.5"),
        (Aggregation.LATEST, "2"),
    ],
)
def test_each_meter_folds_events_once_each(aggregation: Aggregation, expected: str) -> None:
    assert metered(EVENTS, meter(aggregation, "user"), MARCH, ZONE) == Decimal(expected)
    assert metered([], meter(aggregation, "user"), MARCH, ZONE) == 0


def test_the_first_of_two_events_with_one_name_counts() -> None:
    assert [e.value for e in first_of_each(EVENTS)] == [5, Decimal("7.5"), 2]


def test_a_period_begins_and_ends_at_the_customers_midnight() -> None:
    at_edges = [event("1", "2025-02-28T22:59:59Z"), event("2", "2025-02-28T23:00Z"), event("3", "2025-03-31T22:00Z")]
    assert metered(at_edges, meter(Aggregation.COUNT), MARCH, ZONE) == 1


def test_a_level_is_averaged_over_time() -> None:
    start = datetime.fromisoformat("2025-01-01T00:00+00:00")
    halfway = start + timedelta(hours=12)
    assert weighted([(halfway, Decimal(10))], start, start + timedelta(days=1), Decimal(2)) == 7
    monthly = [event("1", "2025-03-16T12:00Z", "2")]
    assert Decimal("0.9") < metered(monthly, meter(Aggregation.WEIGHTED), MARCH, ZONE) < Decimal("1.1")


def test_what_does_not_go_together_in_a_meter_is_told_fault_by_fault() -> None:
    plain = Meter("m", "ent", Aggregation.SUM, {"en": "m"}, {})
    assert not list(faults_of(replace(plain, per=CountWindow.HOUR, factor=Decimal("0.5"), digits=3)))
    wrong = replace(plain, carries=True, per=CountWindow.DAY, whole_days=True, digits=13, factor=Decimal(0))
    assert [field for field, _, _ in faults_of(wrong)] == ["carries", "per", "whole_days", "digits", "factor"]
    wrong = replace(
        plain, of_windows=OfWindows.MAX, percentile=Decimal(95), increment=Decimal("1e-13"), least=Decimal(0)
    )
    assert [field for field, _, _ in faults_of(wrong)] == ["of_windows", "percentile", "increment", "least"]
    for percent in ("0", "100.1", "-5", "0.0000001", "99.9999999", "99." + "9" * 35):
        wrong = replace(plain, aggregation=Aggregation.PERCENTILE, percentile=Decimal(percent))
        assert [field for field, _, _ in faults_of(wrong)] == ["percentile"], percent


@example([1, 2, 3], Fraction(50))
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=60), st.fractions("1/1000", 100, max_denominator=1000))
def test_a_percentile_is_the_least_value_that_so_many_percent_are_not_above(
    values: list[int], percent: Fraction
) -> None:
    numbers, share = [Decimal(v) for v in values], Decimal(percent.numerator) / percent.denominator
    found = percentile(numbers, share)
    assert 100 * sum(v <= found for v in numbers) >= share * len(numbers)
    assert 100 * sum(v < found for v in numbers) < share * len(numbers)


@pytest.mark.parametrize(
    ("per", "of", "expected"),
    [
        (CountWindow.HOUR, OfWindows.AVERAGE, "1"),  # of 743: the clocks of March skip one
        (CountWindow.FIVE_MINUTES, OfWindows.MAX, "743"),
        (CountWindow.DAY, OfWindows.MIN, "0"),
        (CountWindow.MONTH, OfWindows.MIN, "743"),
        (CountWindow.DAY, OfWindows.PERCENTILE, "0"),
    ],
)
def test_windows_in_which_nothing_happened_count_as_none(per: CountWindow, of: OfWindows, expected: str) -> None:
    one = replace(meter(Aggregation.SUM), per=per, of_windows=of)
    one = replace(one, percentile=Decimal(90)) if one.takes_percentile else one
    assert metered([event("1", "2025-03-05T10:00Z", "743")], one, MARCH, ZONE) == Decimal(expected)


def test_each_event_counts_by_whole_increments_and_what_is_taken_back_as_many() -> None:
    calls = [event(str(n), "2025-03-05T10:00Z", v) for n, v in enumerate(["61", "-61", "0", "0.5", "120"])]
    by_minutes = replace(meter(Aggregation.SUM), increment=Decimal(60))
    assert metered(calls, by_minutes, MARCH, ZONE) == 60 + 120


@pytest.mark.parametrize(
    ("least", "increment", "expected"),
    [("30", "6", 30 + 60 + 30 - 66), ("60", None, 60 + 60 + 60 - 61), ("30", "20", 30 + 70 + 30 - 70)],
)
def test_each_event_counts_at_least_so_much_and_beyond_it_by_increments(
    least: str, increment: str | None, expected: int
) -> None:
    calls = [event(str(n), "2025-03-05T10:00Z", v) for n, v in enumerate(["5", "60", "0", "30", "-61"])]
    billed = replace(meter(Aggregation.SUM), least=Decimal(least), increment=increment and Decimal(increment))
    assert metered(calls, billed, MARCH, ZONE) == expected
