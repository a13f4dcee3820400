"""Decisions on payments, one by one."""

from __future__ import annotations

from datetime import date

import pytest

from saldo.kernel.errors import Refusal
from saldo.payments import rules
from saldo.payments.model import MOVES, UNDER_WAY, Allocation, Payable, PaymentStatus


def _payable(invoice_id: str, open_minor: int, currency: str = "EUR") -> Payable:
    return Payable(invoice_id, f"EU-{invoice_id}", "ent_eu_a", currency, date(2026, 10, 31), open_minor)


def _payables(**open_minor: int) -> dict[str, Payable]:
    return {i: _payable(i, minor) for i, minor in open_minor.items()}


def test_moves_never_lead_back() -> None:
    for status, following in MOVES.items():
        assert status not in following
        assert all(status not in MOVES[later] and MOVES[later] <= following for later in following)


def test_nothing_chosen_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        rules.validated([], {}, "")
    assert [p.code for p in refused.value.problems] == ["nothing_chosen"]


def test_two_currencies_are_no_one_payment() -> None:
    payables = {"a": _payable("a", 100), "b": _payable("b", 100, "USD")}
    with pytest.raises(Refusal) as refused:
        rules.validated([Allocation("a", 100), Allocation("b", 100)], payables, "")
    assert [p.code for p in refused.value.problems] == ["currency_mix"]


def test_a_paid_invoice_cannot_be_paid_again() -> None:
    with pytest.raises(Refusal) as refused:
        rules.validated([Allocation("a", 1)], _payables(a=0), "")
    assert [p.code for p in refused.value.problems] == ["over_open_balance"]


def test_parts_cover_what_was_received_in_the_payers_order() -> None:
    wanted = [Allocation("a", 100), Allocation("b", 50), Allocation("c", 25)]
    assert rules.parts_of(wanted, 120) == [(Allocation("a", 100), Allocation("b", 20))]
    assert rules.parts_of(wanted, 1_000) == [tuple(wanted)]
    assert rules.parts_of(wanted, 0) == [()]


def test_parts_hold_at_most_forty_invoices() -> None:
    wanted = [Allocation(f"i{n}", 1) for n in range(81)]
    assert [len(part) for part in rules.parts_of(wanted, 81)] == [40, 40, 1]


def test_no_more_is_applied_than_is_open_and_what_is_gone_is_left_out() -> None:
    part = [Allocation("a", 100), Allocation("b", 50), Allocation("gone", 5), Allocation("paid", 5)]
    applied = rules.apply_to_open(part, _payables(a=30, b=80, paid=0))
    assert applied == (Allocation("a", 30), Allocation("b", 50))


def test_the_receipts_number_follows_from_the_payment() -> None:
    number = rules.receipt_number("pay_1", date(2026, 11, 1))
    assert number == rules.receipt_number("pay_1", date(2026, 11, 1))
    assert number != rules.receipt_number("pay_2", date(2026, 11, 1))
    assert number.startswith("R-20261101-") and len(number) == 21


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 1, "Invoice EU-i0"),
        ("de", 2, "2 Rechnungen: EU-i0, EU-i1"),
        ("en", 5, "5 invoices: EU-i0, EU-i1, EU-i2, …"),
        ("it", 1, "Invoice EU-i0"),
    ],
)
def test_the_page_says_what_the_payment_is_for(language: str, count: int, text: str) -> None:
    assert rules.description_of([_payable(f"i{n}", 1) for n in range(count)], language) == text


def test_a_payment_is_under_way_until_it_is_settled_failed_cancelled_or_taken_back() -> None:
    at_rest = {PaymentStatus.SETTLED, PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.RETURNED}
    assert set(PaymentStatus) - UNDER_WAY == at_rest
    assert all(MOVES[status] for status in UNDER_WAY)
