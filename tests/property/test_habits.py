"""When an account usually pays: what was paid, in any order, whole numbers, the latest counting most."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.invoicing.rules_habit import EARLIEST, FEWEST, LATEST, Because, expected, habit_of, paid_so
from tests.property.examples import examples

DAYS = st.dates(date(2019, 1, 1), date(2120, 1, 1))
LATE = st.integers(EARLIEST - 40, LATEST + 200)
PAID = st.tuples(DAYS, LATE).map(lambda one: (one[0], one[0] + timedelta(days=one[1])))


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(PAID, max_size=12).flatmap(lambda p: st.tuples(st.just(p), st.permutations(p))), PAID)
def test_payments_may_come_in_any_order_and_be_taken_back(
    both: tuple[list[tuple[date, date]], list[tuple[date, date]]], one: tuple[date, date]
) -> None:
    paid, otherwise = both
    assert habit_of(paid) == habit_of(otherwise)
    assert habit_of([*paid, one]) - paid_so(*one) == habit_of(paid)
    usual = habit_of(paid).usual_days
    if len(paid) < FEWEST:
        assert usual is None
    else:
        late = [min(max((on - due).days, EARLIEST), LATEST) for due, on in paid]
        assert usual is not None and min(late) <= usual <= max(late)


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(EARLIEST, LATEST), st.lists(DAYS, min_size=FEWEST, max_size=9))
def test_who_always_pays_alike_is_expected_to(late: int, due: list[date]) -> None:
    habit = habit_of((day, day + timedelta(days=late)) for day in due)
    assert habit.usual_days == late
    told = expected(due[0], habit, due[0] + timedelta(days=min(late, 0)))
    assert (told.because, told.on, told.days) == (Because.HABIT, due[0] + timedelta(days=late), late)


@settings(max_examples=examples(100), deadline=None)
@given(st.dates(date(2020, 1, 1), date(2055, 1, 1)), st.integers(0, 60), st.integers(1, 60), st.integers(200, 2000))
def test_what_was_paid_lately_counts_more_than_what_was_long_ago(
    first: date, before: int, more: int, apart: int
) -> None:
    """Half the payments long ago, half lately: it is nearer to those of lately."""
    later = first + timedelta(days=apart)
    paid = [(d, d + timedelta(days=n)) for d, n in ((first, before), (later, before + more)) for _ in range(3)]
    usual = habit_of(paid).usual_days
    assert usual is not None and 2 * usual >= 2 * before + more


def test_a_hundred_thousand_invoices_of_a_century_hence_can_still_be_counted() -> None:
    one = paid_so(date(2125, 1, 1), date(2126, 1, 1))
    assert len(str(100_000 * max(one.weight, one.days))) <= 38


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(PAID, max_size=6), DAYS, st.integers(-200, 400), st.none() | DAYS, st.none() | DAYS)
def test_no_day_is_named_that_went_by_and_what_is_agreed_comes_first(
    paid: list[tuple[date, date]], due: date, later: int, scheduled: date | None, promised: date | None
) -> None:
    today = due + timedelta(days=later)
    told = expected(due, habit_of(paid), today, scheduled_on=scheduled, promised_on=promised)
    assert told.on is None or told.on >= today
    assert (told.on is None) == (told.because in (Because.LATER, Because.UNKNOWN))
    if scheduled is not None and scheduled >= today:
        assert (told.because, told.on) == (Because.SCHEDULED, scheduled)
    elif promised is not None and promised >= today:
        assert (told.because, told.on) == (Because.PROMISED, promised)
    elif told.because is Because.DUE:
        assert len(paid) < FEWEST and told.on == due
