"""How an account stands on a day: what is issued later is not there yet, and instalments have days of their own."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.quotes.service import quote_document

Json = dict[str, Any]
TWO: Json = {
    "billing": {"dates": ["2026-01-31", "2026-02-28"]},
    "items": [{"unit_price": "100", "on": "2026-01-31"}, {"unit_price": "80", "on": "2026-02-28"}],
}


def standing(**receivables: Any) -> Json:
    found: Json = quote_document({**TWO, "receivables": receivables})["receivables"]
    return found


def refused(**receivables: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        standing(**receivables)
    return refusal.value


def paid(amount: str, **more: Any) -> Json:
    return {"on": "2026-02-05", "amount": amount, **more}


def test_money_for_what_is_issued_later_is_the_customers_credit_until_then() -> None:
    before = standing(as_of="2026-02-27", payments=[paid("150")], aging={"sales_days": 60})
    assert [one["open"] for one in before["invoices"]] == ["0.00"]
    assert before["customer_credit"] == "50.00" and before["aging"]["open"] == "0.00"
    after = standing(as_of="2026-02-28", payments=[paid("150")])
    assert [one["open"] for one in after["invoices"]] == ["0.00", "30.00"] and after["customer_credit"] == "0.00"


def test_nor_is_there_yet_what_money_names_or_is_shared_with() -> None:
    named = standing(as_of="2026-02-10", payments=[paid("50", invoice=2)])
    assert named["customer_credit"] == "50.00" and named["invoices"][0]["open"] == "100.00"
    shared = standing(as_of="2026-02-10", settle="proportional", payments=[paid("50")])
    assert shared["invoices"][0]["open"] == "50.00"


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"amount": "150"}, "receivables.credit_notes[0].amount", "100.00 EUR are left to take back"),
        ({"lines": {"1": "150"}}, "receivables.credit_notes[0].lines.1", "100.00 EUR are left to take back"),
        ({"amount": "0"}, "receivables.credit_notes[0]", "a credit note takes something back"),
    ],
)
def test_a_credit_note_that_cannot_be_is_named_by_its_field_of_the_document(
    asked: Json, field: str, message: str
) -> None:
    refusal = refused(credit_notes=[{"on": "2026-02-01", **asked}])
    assert [(problem.field, problem.message) for problem in refusal.problems] == [(field, message)]


def test_refusals_tell_amounts_as_the_document_does() -> None:
    assert "150.00 EUR" in refused(payments=[{**paid("150"), "invoices": [{"invoice": 1, "amount": "150"}]}]).message
    assert "5.00 EUR" in refused(credit_uses=[{"on": "2026-02-05", "amount": "5"}]).message
    assert "90.00 EUR is not 100.00 EUR" in refused(instalments=[{"percent": "50"}, {"percent": "40"}]).message


EARLY: Json = {"percent": "2", "days": 10}


def of_one(payments: list[Json], **more: Any) -> Json:
    """100.00 due at once, in dollars that are booked at 0.92."""
    document = {
        "currency": "USD",
        "billing": {"on": "2026-01-31"},
        "items": [{"unit_price": "100"}],
        "exchange": {"ledger_currency": "EUR", "rate": "0.92"},
        "receivables": {"payments": payments, **more},
    }
    found: Json = quote_document(document)["receivables"]
    return found


def test_money_that_is_taken_back_was_never_there_nor_its_discount_nor_its_worth() -> None:
    returned = of_one([paid("98", rate="0.95", taken_back_on="2026-02-20")], early_discount=EARLY)
    (one,) = returned["invoices"]
    assert (one["open"], one["discount_taken"], one["open_after"]) == ("100.00", "0.00", ["0.00", "100.00"])
    assert returned["fx"]["difference"] == "0.00"
    assert (
        of_one([paid("98", taken_back_on="2026-02-20")], early_discount=EARLY, as_of="2026-02-19")["invoices"][0][
            "discount_taken"
        ]
        == "2.00"
    )
    small = of_one([paid("99.60", taken_back_on="2026-02-20")], tolerance={"amount": "1"})["invoices"][0]
    assert (small["open"], small["written_off"]) == ("100.00", "0.00")


def test_what_credit_notes_gave_back_of_a_discount_is_not_taken_back_again() -> None:
    half = {"on": "2026-02-10", "amount": "50"}
    found = of_one([paid("98", taken_back_on="2026-02-20")], early_discount=EARLY, credit_notes=[half])
    (one,) = found["invoices"]
    # 50 are owed: 99 are open, and the customer has the 49 that the note gave back
    assert (one["open"], found["customer_credit"], one["discount_taken"]) == ("99.00", "49.00", "0.00")


def test_what_is_over_goes_back_too_unless_it_is_used() -> None:
    assert standing(as_of="2026-02-25", payments=[paid("150", taken_back_on="2026-02-20")])["customer_credit"] == "0.00"
    used = [{"on": "2026-02-06", "invoice": 2, "amount": "50"}]
    over = paid("150", invoices=[{"invoice": 1, "amount": "100"}], taken_back_on="2026-03-01")
    assert refused(payments=[over], credit_uses=used).code == "money_used"
    for never in (paid("5", taken_back_on="2026-02-04"), paid("-5", taken_back_on="2026-02-06")):
        assert [p.field for p in refused(payments=[never]).problems] == ["receivables.payments[0].taken_back_on"]


def test_what_is_given_back_can_be_told_by_its_worth() -> None:
    back = {"on": "2026-02-10", "amount": "-50", "worth": "-45", "invoice": 1}
    assert of_one([paid("100", worth="95"), back])["fx"]["difference"] == "-4.00"
    with pytest.raises(Refusal, match=r"payments\[1\].worth"):
        of_one([paid("100", worth="95"), {**back, "worth": "45"}])


def test_nothing_invoiced_is_worth_nothing_at_any_rate() -> None:
    document = {"billing": {"on": "2026-01-31"}, "exchange": {"ledger_currency": "USD", "rate": "1.1"}}
    assert quote_document({**document, "receivables": {"closing_rate": "1.08"}})["receivables"]["invoices"] == []


def test_interest_on_interest_of_each_day_of_years_is_exact_and_does_not_take_long() -> None:
    rule = {"percent": "18", "compounds": "day"}
    found = in_parts(as_of="2041-01-31", late_interest=rule, instalments=[{}])["invoices"][0]["late"]
    grown = 100_000 * ((1 + Fraction(18, 36_500)) ** found["days"] - 1)
    assert found["interest"] == f"{round(grown) / 100:.2f}" and len(found["reasoning"]) == 1
    assert [p.field for p in refused(as_of="9999-01-31", late_interest=rule).problems] == ["receivables.as_of"]


HALVES: Json = {
    "billing": {"on": "2026-01-31"},
    "account": {"payment_terms_days": 0},
    "items": [{"unit_price": "1000"}],
}
PARTS: list[Json] = [{"percent": "40"}, {"payment_terms": {"days": 30}}]


def in_parts(**receivables: Any) -> Json:
    found: Json = quote_document({**HALVES, "receivables": {"instalments": PARTS, **receivables}})["receivables"]
    return found


def test_instalments_say_when_each_is_due() -> None:
    (one,) = in_parts()["invoices"]
    assert one["instalments"] == ["400.00", "600.00"] and one["instalments_due_on"] == ["2026-01-31", "2026-03-02"]


def test_an_instalment_is_late_and_ages_by_itself_and_the_earliest_is_settled_first() -> None:
    late = {"law": "EU", "base_percent": "2"}
    found = in_parts(as_of="2026-03-12", late_interest=late)
    assert found["invoices"][0]["late"]["interest"] == "6.02"  # 40 days of 400 at 10 % and ten of 600
    assert found["invoices"][0]["late"]["compensation"] == "80.00"
    assert found["aging"]["buckets"]["31_60"] == "400.00" and found["aging"]["buckets"]["1_30"] == "600.00"
    paid_some = in_parts(as_of="2026-03-12", late_interest=late, payments=[{"on": "2026-02-10", "amount": "500"}])
    assert paid_some["invoices"][0]["late"]["interest"] == "2.47"  # ten days of 400 and ten of 500
    assert paid_some["aging"]["buckets"]["1_30"] == "500.00" and paid_some["aging"]["open"] == "500.00"


def _day(n: int) -> date:
    return date(2026, 1, 31) + timedelta(n)


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40_000)), max_size=5),
    st.lists(st.integers(0, 60), min_size=2, max_size=4, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_interest_on_instalments_is_that_of_what_was_due_and_open_on_each_day(
    payments: list[tuple[int, int]], days: list[int]
) -> None:
    parts: list[Json] = [{"amount": str(100 + n), "payment_terms": {"days": d}} for n, d in enumerate(days[:-1])]
    parts.append({"payment_terms": {"days": days[-1]}})
    asked = [{"on": str(_day(d)), "amount": f"{minor / 100:.2f}"} for d, minor in payments]
    found = in_parts(instalments=parts, payments=asked, as_of=str(_day(100)), late_interest={"percent": "36.5"})
    amounts = [10_000 + 100 * n for n in range(len(days) - 1)]
    due = list(zip(days, [*amounts, 100_000 - sum(amounts)], strict=True))
    owed = 0
    for day in range(1, 101):
        paid_before = sum(minor for d, minor in payments if d < day)
        owed += max(sum(minor for d, minor in due if d < day) - paid_before, 0)
    assert abs(owed / 1000 - 100 * float(found["invoices"][0]["late"]["interest"])) <= 0.5 * len(days) + 0.01
