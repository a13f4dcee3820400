"""Statements page by page say what they say whole."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from saldo.ledger.model_statement import PAGE, DaySum, Line, Place
from saldo.ledger.records_statement import day_sums_from, day_sums_item
from saldo.ledger.rules_statement import entries_in, page_of, place_of, replaced, sums_of

DAY = date(2026, 1, 1)
days = st.integers(0, 12).map(lambda n: (DAY + timedelta(days=n)).isoformat())
amounts = st.integers(-500, 500)
journals = st.lists(st.tuples(days, st.sampled_from(["EUR", "USD"]), amounts), max_size=180).map(
    lambda rows: [Line(*row[:2], "invoice_issued", f"inv_{n}", row[2], "") for n, row in enumerate(sorted(rows))]
)


@given(journals, days, days)
def test_the_pages_together_hold_each_line_once_with_its_balance(journal: list[Line], one: str, other: str) -> None:
    from_on, to_on = sorted((one, other))
    sums = sums_of(journal)
    whole = {"EUR": 0, "USD": 0}
    expected = []
    in_order = sorted(journal, key=lambda line: (line.on, line.minor < 0))
    for line in in_order:
        whole[line.currency] += line.minor
        if from_on <= line.on <= to_on and line.minor:
            expected.append((line, whole[line.currency]))
    shown, page, pages = [], 1, 1
    while page <= pages:
        place = place_of(sums, from_on, to_on, page)
        pages = place.pages
        read = [line for line in journal if place.first_on and place.first_on <= line.on <= place.last_on]
        found = page_of(sums, read, from_on, to_on, place, {})
        shown += sorted((line for one in found for line in one.lines), key=lambda s: in_order.index(s.line))
        for one in found:
            assert one.opening + one.charged + one.paid == one.closing
            before = one.carried
            for line, balance in one.lines:
                before += line.minor
                assert balance == before
            if page == 1:
                assert one.carried == one.opening
            if page == pages:
                assert before == one.closing
        assert sum(len(one.lines) for one in found) <= PAGE
        page += 1
    assert [tuple(line) for line in shown] == expected


def test_of_one_day_what_was_charged_comes_before_what_was_paid() -> None:
    on = DAY.isoformat()
    paid = Line(on, "EUR", "payment_settled", "pay_1", -100, "")
    charged = Line(on, "EUR", "invoice_issued", "inv_1", 100, "")
    sums = sums_of([paid, charged])
    (found,) = page_of(sums, [paid, charged], on, on, place_of(sums, on, on, 1), {})
    assert [line.balance for line in found.lines] == [100, 0]


@given(journals, st.sets(days))
def test_days_read_anew_take_the_place_of_what_was_known_of_them(journal: list[Line], told: set[str]) -> None:
    known = sums_of(journal[: len(journal) // 2])
    fresh = sums_of(line for line in journal if line.on in told)
    now = replaced(known, told, fresh)
    right = set(sums_of(journal))
    assert {one for one in now if one.on in told} == {one for one in right if one.on in told}
    assert entries_in(now) <= len(journal)
    if entries_in(now) == len(journal):
        assert set(now) == right


def test_a_page_beyond_the_last_is_the_last_and_nothing_is_one_empty_page() -> None:
    sums = [DaySum("2026-01-02", "EUR", PAGE + 1, PAGE + 1, PAGE + 1, 0)]
    assert place_of(sums, "2026-01-01", "2026-01-31", 9) == Place("2026-01-02", "2026-01-02", PAGE, 2, 2)
    assert place_of([], "2026-01-01", "2026-01-31", 1) == Place("", "", 0, 1, 1)


@given(journals)
def test_sums_are_stored_and_read_back(journal: list[Line]) -> None:
    sums = sums_of(journal)
    assert day_sums_from(day_sums_item("acct_eu_1", sums, 1)) == sums
