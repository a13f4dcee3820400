"""What holds of interest, payments and credit notes after the invoices, whatever is paid and when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.catalog.model import DayCount
from saldo.invoicing.rules_interest import LateInterest, Owed, late_charges
from saldo.kernel.periods import Cycle, Period, Unit
from saldo.quotes.service import quote_document
from saldo.rating.rules.proration import share_of_units

DUE = date(2026, 1, 31)
percents = st.decimals(0, 30, places=2)


@given(
    st.integers(1, 10**8),
    st.integers(1, 900),
    st.sets(st.integers(1, 899), max_size=4),
    percents,
    st.lists(st.tuples(st.integers(1, 900), percents), max_size=3),
    st.sampled_from([365, 360, None]),
    st.sampled_from([Unit.YEAR, Unit.MONTH]),
)
def test_interest_of_the_parts_of_a_time_is_that_of_the_whole(
    debt: int,
    days: int,
    cuts: set[int],
    percent: Decimal,
    later: list[tuple[int, Decimal]],
    year_days: int | None,
    per: Unit,
) -> None:
    changes = tuple(sorted((DUE + timedelta(days=n), p) for n, p in later))
    rule = LateInterest(percent, year_days=year_days, per=per, later=changes)
    bounds = [DUE + timedelta(days=n) for n in sorted({0, days, *(c for c in cuts if c < days)})]
    parts = [Owed(a, b, debt) for a, b in pairwise(bounds)]
    whole, split = (late_charges(owed, "EUR", rule) for owed in ([Owed(DUE, bounds[-1], debt)], parts))
    assert split.interest_minor == whole.interest_minor
    assert sum((s.exact for s in split.spans), Fraction(0)) == sum((s.exact for s in whole.spans), Fraction(0))
    assert split.days == whole.days == days


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 30), st.integers(1, 900), st.data())
def test_a_price_for_a_time_costs_the_parts_of_a_period_what_it_costs_the_whole(
    anchor: date, unit_count: int, days: int, data: st.DataObject
) -> None:
    units = Cycle(data.draw(st.sampled_from([Unit.MONTH, Unit.QUARTER, Unit.YEAR])), 1, anchor)
    start = anchor + timedelta(days=unit_count)
    whole = Period(start, start + timedelta(days=days + 1))
    cut = start + timedelta(days=data.draw(st.integers(1, days)))
    parts = [share_of_units(Period(a, b), units) for a, b in ((whole.start, cut), (cut, whole.end))]
    share = share_of_units(whole, units, DayCount.ACTUAL)
    assert sum((Fraction(p.days, p.of) for p in parts), Fraction(0)) == Fraction(share.days, share.of)


amounts = st.integers(1, 200_000).map(lambda minor: f"{Decimal(minor) / 100:f}")
after = st.integers(0, 90).map(lambda n: (DUE + timedelta(days=n)).isoformat())


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Up to three invoices with a coupon and tax, and payments, refunds, credit notes and write-offs after them."""
    items = [{"unit_price": draw(amounts), "on": (DUE + timedelta(days=n)).isoformat()} for n in range(3)]
    payments = [{"on": draw(after), "amount": draw(amounts)} for _ in range(draw(st.integers(0, 4)))]
    notes = [{"on": draw(after), "invoice": n} for n in draw(st.sets(st.integers(1, 3), max_size=2))]
    off = [{"on": draw(after), "invoice": draw(st.integers(1, 3))} for _ in range(draw(st.integers(0, 1)))]
    return {
        "billing": {"dates": [item["on"] for item in items]},
        "items": items,
        "taxes": {"rates": [{"percent": "19"}]},
        "coupons": [{"percent": str(draw(st.integers(0, 50)))}],
        "exchange": {"ledger_currency": "USD", "rate": "1.0831", "source": "bank"},
        "receivables": {
            "as_of": (DUE + timedelta(days=100)).isoformat(),
            "aging": {},
            "payments": payments,
            "credit_notes": notes,
            "write_offs": off,
        },
    }


@settings(max_examples=60, deadline=None)
@given(histories())
def test_every_cent_that_was_invoiced_is_open_paid_credited_or_given_up(document: dict[str, Any]) -> None:
    answer = quote_document(document)
    asked, standing = document["receivables"], answer["receivables"]
    opened = sum(Decimal(one["open"]) for one in standing["invoices"])
    given_up = sum(Decimal(one["written_off"]) for one in standing["invoices"])
    paid = sum(Decimal(p["amount"]) for p in asked["payments"])
    credited = -sum(Decimal(note["total"]) for note in standing["credit_notes"])
    invoiced = Decimal(answer["totals"]["total"])
    assert invoiced + Decimal(standing["customer_credit"]) == opened + given_up + paid + credited
    assert all(Decimal(one["open"]) >= 0 for one in standing["invoices"])
    assert Decimal(standing["aging"]["open"]) == opened == sum(map(Decimal, standing["aging"]["buckets"].values()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=4), st.decimals("0.5", 2, places=4))
def test_payments_in_parts_settle_what_was_booked_to_the_last_cent(parts: list[int], rate: Decimal) -> None:
    payments = [{"on": DUE.isoformat(), "amount": f"{Decimal(p) / 100:f}", "rate": "1.1"} for p in parts]
    answer = quote_document(
        {
            "billing": {"on": DUE.isoformat()},
            "items": [{"unit_price": f"{Decimal(sum(parts)) / 100:f}"}],
            "exchange": {"ledger_currency": "USD", "rate": str(rate), "source": "bank"},
            "receivables": {"payments": payments},
        }
    )
    settled = answer["receivables"]["fx"]["settled"]
    assert sum(Decimal(one["booked"]) for one in settled) == Decimal(answer["invoices"][0]["ledger"]["total"])
