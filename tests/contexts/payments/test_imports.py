"""Settlements of the past: once per source, with the books right."""

from __future__ import annotations

from datetime import date

import pytest

from saldo.invoicing.records import InvoiceStatus
from saldo.kernel.errors import NotFound, Refusal
from saldo.payments.imports import already_imported
from saldo.payments.model import PaymentStatus
from tests.contexts.payments.scenes import ACCOUNT, ADA, Shop, assert_the_books_are_right

PAID_ON = date(2026, 10, 20)


def test_an_imported_settlement_pays_its_invoice_and_lies_in_the_bank(shop: Shop) -> None:
    unit = shop.payments.record_imported_settlement(ACCOUNT, "inv_1", 10_000, PAID_ON, "row-1", ADA)
    assert shop.store.write([unit]) == []
    assert shop.header("inv_1").status is InvoiceStatus.PAID
    assert shop.balances() == {"bank": 10_000, "receivables": 7_000, "revenue": -17_000}
    (payment,) = shop.payments.of_account(ACCOUNT)
    assert (payment.status, payment.gateway) == (PaymentStatus.SETTLED, "import")
    assert shop.payments.receipt(ACCOUNT, payment.id).paid_on == PAID_ON
    assert_the_books_are_right(shop.store)


def test_the_same_settlement_imported_again_changes_nothing_and_says_so(shop: Shop) -> None:
    unit = shop.payments.record_imported_settlement(ACCOUNT, "inv_1", 4_000, PAID_ON, "row-1", ADA)
    assert shop.store.write([unit]) == []
    before = shop.everything()
    again = shop.payments.record_imported_settlement(ACCOUNT, "inv_1", 4_000, PAID_ON, "row-1", ADA)
    (conflict,) = shop.store.write([again])
    assert already_imported(conflict)
    assert shop.everything() == before


def test_a_header_that_changed_meanwhile_is_told_apart_from_a_repeat(shop: Shop) -> None:
    one = shop.payments.record_imported_settlement(ACCOUNT, "inv_1", 4_000, PAID_ON, "row-1", ADA)
    two = shop.payments.record_imported_settlement(ACCOUNT, "inv_1", 4_000, PAID_ON, "row-2", ADA)
    (conflict,) = shop.store.write([one, two])
    assert not already_imported(conflict)
    assert shop.header("inv_1").open_minor == 6_000


def test_what_exceeds_the_open_balance_is_unapplied_cash(shop: Shop) -> None:
    for source_id, minor in (("row-1", 2_100), ("row-2", 300)):
        unit = shop.payments.record_imported_settlement(ACCOUNT, "inv_3", minor, PAID_ON, source_id, ADA)
        assert shop.store.write([unit]) == []
    assert shop.balances()["unapplied_cash"] == -400
    assert_the_books_are_right(shop.store)


def test_nothing_and_less_are_no_settlement_and_an_unknown_invoice_has_none(shop: Shop) -> None:
    for minor in (0, -1):
        with pytest.raises(Refusal, match="not_above_zero"):
            shop.payments.record_imported_settlement(ACCOUNT, "inv_1", minor, PAID_ON, "row-1", ADA)
    with pytest.raises(NotFound):
        shop.payments.record_imported_settlement(ACCOUNT, "inv_9", 1, PAID_ON, "row-1", ADA)
