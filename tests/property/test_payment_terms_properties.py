"""What holds of due dates, whatever the terms and the day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from saldo.accounts.model_payment_terms import MONTH_END, PaymentTerms
from saldo.accounts.reading_payment_terms import (
    payment_terms_fields,
    payment_terms_json,
    payment_terms_of,
    payment_terms_stored,
)
from saldo.documents.wording_terms import due_in_words
from saldo.kernel.reading import Fields, read

ISSUED = st.dates(date(2023, 1, 1), date(2028, 12, 31))


@st.composite
def payment_terms(draw: st.DrawFn) -> PaymentTerms:
    """As they can be agreed."""
    from_end = draw(st.booleans())
    days = draw(st.integers(int(from_end), 120))
    if draw(st.booleans()):
        return PaymentTerms(days, from_end, None, draw(st.integers(0, 12)))
    day, months = draw(st.just(MONTH_END) | st.integers(1, 30)), draw(st.integers(0, 4))
    cut_off = draw(st.integers(1, 30 if months else min(day, 30)))
    if months or day == MONTH_END:
        return PaymentTerms(days, from_end, day, months, draw(st.sampled_from([None, cut_off])))
    return PaymentTerms(days, from_end, day, months, cut_off)


@given(payment_terms(), ISSUED)
def test_nothing_is_due_before_it_is_issued_nor_earlier_than_what_was_issued_the_day_before(
    terms: PaymentTerms, issued_on: date
) -> None:
    due_on = terms.due_on(issued_on)
    assert due_on >= issued_on + timedelta(days=terms.days)
    assert due_on >= terms.due_on(issued_on - timedelta(days=1))


@given(payment_terms(), ISSUED)
def test_it_is_due_on_the_day_that_was_named_or_the_last_of_a_shorter_month(
    terms: PaymentTerms, issued_on: date
) -> None:
    due_on = terms.due_on(issued_on)
    if terms.day is not None:
        assert due_on.day == min(terms.day, monthrange(due_on.year, due_on.month)[1])


@given(payment_terms(), ISSUED)
def test_the_months_are_those_after_the_one_that_the_days_reach_and_one_more_past_the_cut_off(
    terms: PaymentTerms, issued_on: date
) -> None:
    day = issued_on
    while terms.from_month_end and (day + timedelta(days=1)).month == issued_on.month:
        day += timedelta(days=1)
    day += timedelta(days=terms.days)
    due_on = terms.due_on(issued_on)
    apart = (due_on.year - day.year) * 12 + due_on.month - day.month
    assert apart - terms.months == (terms.cut_off is not None and day.day > terms.cut_off)


@given(payment_terms())
def test_terms_read_as_they_were_written_and_as_they_are_stored(terms: PaymentTerms) -> None:
    def account(fields: Fields) -> PaymentTerms:
        found = payment_terms_of(fields, 120)
        fields.finish()
        return found

    assert read(payment_terms_fields(terms), account, "") == terms
    assert payment_terms_stored(payment_terms_json(terms)) == terms


@given(st.lists(payment_terms(), min_size=2, max_size=6))
def test_words_tell_apart_what_is_not_the_same_in_every_language(listed: list[PaymentTerms]) -> None:
    for language in ("en", "de", "fr", "es"):
        told = sorted(((due_in_words(terms, language), terms) for terms in listed), key=lambda pair: pair[0])
        for _, same in groupby(told, key=lambda pair: pair[0]):
            assert len({terms for _, terms in same}) == 1
