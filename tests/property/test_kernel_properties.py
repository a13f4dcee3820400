"""What holds of money and periods for every value."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.money import Money, round_exact, rounded_to_sum, split_by_weights
from saldo.kernel.periods import Cycle, Period, Unit, offsets
from saldo.kernel.rounding import Rounding

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any))
def test_the_parts_of_a_split_add_up_and_none_is_off_by_more_than_one(total: int, weights: list[int]) -> None:
    parts = split_by_weights(Money(total, "EUR"), weights)
    assert sum(p.minor for p in parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor * sum(weights) - total * weight) < sum(weights)


@given(st.lists(st.fractions(-1000, 1000), min_size=1, max_size=20), st.booleans())
def test_numbers_rounded_to_their_sum_add_up_to_it_and_each_is_next_to_what_it_was(exact, up) -> None:  # type: ignore[no-untyped-def]
    total = -(-sum(exact) // 1) if up else sum(exact) // 1
    rounded = rounded_to_sum(total, exact)
    assert sum(rounded) == total
    assert all(abs(whole - part) < 1 for whole, part in zip(rounded, exact, strict=True))


@given(st.fractions(-(10**9), 10**9), st.sampled_from(list(Rounding)))
def test_rounding_moves_a_number_by_less_than_one_and_is_symmetric(value, rounding) -> None:  # type: ignore[no-untyped-def]
    rounded = round_exact(value, rounding)
    assert abs(rounded - value) < 1
    assert round_exact(-value, rounding) == -rounded


@given(st.sampled_from(list(Unit)), st.integers(1, 13), days, st.integers(-4000, 4000))
def test_every_day_lies_in_exactly_one_period_of_a_cycle(unit: Unit, count: int, anchor: date, offset: int) -> None:
    cycle = Cycle(unit, count, anchor)
    day = anchor + timedelta(days=offset)
    period = cycle.period_at(day)
    assert day in period
    following = list(islice(cycle.periods_from(day), 3))
    assert following[0] == period
    assert all(a.end == b.start for a, b in pairwise(following))


@given(st.dates(), st.text(max_size=5), st.text(max_size=5))
def test_a_derived_id_depends_on_where_its_parts_are_cut(on: date, a: str, b: str) -> None:
    from saldo.kernel.ids import derived_id

    if b and "\x1f" not in a + b:
        assert derived_id("x", on, a, b) != derived_id("x", on, a + b)


@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"]),
    st.integers(0, 9_000),
    st.integers(1, 500),
    st.data(),
)
def test_clocks_show_what_they_were_last_set_to(zone: str, first: int, days: int, data: st.DataObject) -> None:
    period = Period(date(2000, 1, 1) + timedelta(days=first), date(2000, 1, 1) + timedelta(days=first + days))
    start, end = period.instants(zone)
    found = offsets(start, end, zone)
    ats = [at for at, _ in found]
    assert ats == sorted(ats) and start == ats[0] and ats[-1] < end
    some = start + timedelta(seconds=data.draw(st.integers(0, int((end - start).total_seconds()) - 1)))
    for at in (some, *ats, *(at - timedelta(seconds=1) for at in ats[1:])):
        ahead = [ahead for since, ahead in found if since <= at][-1]
        assert at.astimezone(ZoneInfo(zone)).utcoffset() == ahead
