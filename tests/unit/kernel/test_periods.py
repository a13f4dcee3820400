"""Cycles do not drift, and days are the customer's own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Cycle, Length, Period, Unit, add_months, local_date


def test_a_cycle_anchored_on_the_31st_returns_to_the_31st() -> None:
    cycle = Cycle(Unit.MONTH, 1, date(2026, 1, 31))
    ends = [p.end for p in islice(cycle.periods_from(date(2026, 1, 31)), 4)]
    assert ends == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]


def test_a_yearly_cycle_from_a_leap_day_returns_to_the_leap_day() -> None:
    cycle = Cycle(Unit.YEAR, 1, date(2024, 2, 29))
    assert cycle.boundary(1) == date(2025, 2, 28)
    assert cycle.boundary(4) == date(2028, 2, 29)


def test_a_day_before_the_anchor_belongs_to_an_earlier_period() -> None:
    cycle = Cycle(Unit.QUARTER, 1, date(2026, 4, 15))
    assert cycle.period_at(date(2026, 4, 14)) == Period(date(2026, 1, 15), date(2026, 4, 15))


def test_weeks_and_days_count_exactly() -> None:
    assert Cycle(Unit.WEEK, 2, date(2026, 1, 5)).boundary(3) == date(2026, 2, 16)
    assert Cycle(Unit.DAY, 30, date(2026, 1, 1)).boundary(1) == date(2026, 1, 31)


def test_a_day_of_clock_change_has_23_or_25_hours() -> None:
    def hours(day: date) -> float:
        start, end = Period(day, date(day.year, day.month, day.day + 1)).instants("Europe/Berlin")
        return (end - start).total_seconds() / 3600

    assert hours(date(2026, 3, 29)) == 23
    assert hours(date(2026, 10, 25)) == 25
    assert hours(date(2026, 7, 1)) == 24


def test_the_same_instant_is_another_day_elsewhere() -> None:
    at = datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert local_date(at, "America/New_York") == date(2025, 12, 31)
    assert local_date(at, "Europe/Berlin") == date(2026, 1, 1)


def test_a_period_holds_its_first_day_and_not_the_day_it_ends() -> None:
    march = Period(date(2026, 3, 1), date(2026, 4, 1))
    assert date(2026, 3, 1) in march and date(2026, 3, 31) in march
    assert date(2026, 2, 28) not in march and date(2026, 4, 1) not in march


def test_an_empty_period_and_an_unknown_zone_are_refused() -> None:
    with pytest.raises(Refusal, match="empty_period"):
        Period(date(2026, 1, 1), date(2026, 1, 1))
    with pytest.raises(Refusal, match="unknown_time_zone"):
        local_date(datetime.now(UTC), "Europe/Atlantis")


def test_months_added_across_a_year_keep_the_anchor_day() -> None:
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert add_months(date(2027, 2, 28), 1, anchor_day=30) == date(2027, 3, 30)


@given(
    st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(1, 5), st.dates(date(2000, 1, 1), date(2099, 12, 31))
)
def test_half_months_follow_each_other_without_gap_and_two_make_a_month(anchor: date, count: int, day: date) -> None:
    cycle = Cycle(Unit.HALF_MONTH, count, anchor)
    found = cycle.period_at(day)
    assert day in found and cycle.period_at(found.end).start == found.end
    assert cycle.boundary(0) == anchor and Length(Unit.MONTH).holds(Length(Unit.HALF_MONTH)) == 2
    if count % 2 == 0:
        assert cycle.boundary(3) == Cycle(Unit.MONTH, count // 2, anchor).boundary(3)
