"""Paying early: the discounted amount in time settles the invoice, and the discount carries its part of the tax."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.accounts.model import DiscountTax, EarlyDiscount
from saldo.invoicing.records import InvoiceStatus, header_key
from saldo.invoicing.rules_early import EarlyOffer
from saldo.invoicing.rules_terms import early_offers
from saldo.kernel.errors import Refusal
from saldo.ledger.model import LedgerAccount
from saldo.payments.model import Outcome, PaymentStatus
from tests.contexts.documents.scenes import body
from tests.contexts.payments.scenes import (
    ACCOUNT,
    Shop,
    assert_the_books_are_right,
    header,
    issue,
    news,
    shop_in_memory,
)

# 119.00 gross: 2 % of 100.00 is 2.00, and 0.38 of its tax
OFFER = EarlyOffer(date(2026, 11, 1), ((LedgerAccount.EARLY_DISCOUNT, "", 200), (LedgerAccount.TAX_PAYABLE, "DE", 38)))
LATE = datetime(2026, 11, 2, 9, tzinfo=UTC)


def shop_with_offer() -> Shop:
    with shop_in_memory({}) as shop:
        issue(shop.store, replace(header("inv_1", 11_900), early=(OFFER,)))
        shop.clock.now = datetime(2026, 11, 1, 22, 30, tzinfo=UTC)  # half past eleven at night in Berlin
        return shop


def test_the_discounted_amount_paid_in_time_settles_the_invoice() -> None:
    shop = shop_with_offer()
    payment = shop.start(("inv_1", 11_662))
    assert shop.payments.handle_event(news(payment, "settled", "evt_1", at=LATE)) is Outcome.APPLIED
    assert (shop.header("inv_1").status, shop.header("inv_1").open_minor) == (InvoiceStatus.PAID, 0)
    balances = shop.balances()
    assert (balances["early_discount"], balances["tax_payable"]) == (200, 38)
    assert (balances["gateway_clearing"], balances.get("receivables", 0)) == (11_662, 0)
    assert_the_books_are_right(shop.store)


def test_one_day_late_the_same_amount_is_a_part_payment_and_needs_a_reason() -> None:
    shop = shop_with_offer()
    shop.clock.now = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)  # the second of November in Berlin
    with pytest.raises(Refusal, match="say why"):
        shop.start(("inv_1", 11_662))
    payment = shop.start(("inv_1", 11_662), key="form-key-2", reason="a discount I hoped for")
    shop.payments.handle_event(news(payment, "settled", "evt_1", at=LATE))
    assert (shop.header("inv_1").status, shop.header("inv_1").open_minor) == (InvoiceStatus.PART_PAID, 238)
    assert_the_books_are_right(shop.store)


def test_a_payment_that_restored_records_start_late_takes_the_discount_of_the_day_on_which_its_money_came() -> None:
    shop, in_time = shop_with_offer(), datetime(2026, 11, 1, 12, tzinfo=UTC)
    shop.clock.now = LATE
    payment = shop.start(("inv_1", 11_900))
    shop.payments.handle_event(news(payment, "settled", "evt_1", minor=11_662, at=in_time))
    assert (shop.header("inv_1").status, shop.header("inv_1").open_minor) == (InvoiceStatus.PAID, 0)
    assert_the_books_are_right(shop.store)


def test_paying_all_or_too_little_takes_no_discount() -> None:
    for minor, reason in ((11_900, ""), (11_661, "less")):
        shop = shop_with_offer()
        payment = shop.start(("inv_1", minor), reason=reason)
        shop.payments.handle_event(news(payment, "settled", "evt_1"))
        assert shop.header("inv_1").open_minor == 11_900 - minor
        assert "early_discount" not in shop.balances()


def test_news_that_comes_twice_takes_the_discount_once() -> None:
    shop = shop_with_offer()
    payment = shop.start(("inv_1", 11_662))
    for event in ("evt_1", "evt_1", "evt_2"):
        shop.payments.handle_event(news(payment, "settled", event))
    assert shop.balances()["early_discount"] == 200
    assert shop.payments.get(ACCOUNT, payment.id).status is PaymentStatus.SETTLED


def test_money_that_falls_short_of_the_discounted_amount_takes_none() -> None:
    shop = shop_with_offer()
    payment = shop.start(("inv_1", 11_662))
    shop.payments.handle_event(news(payment, "settled", "evt_1", minor=11_600))
    assert shop.header("inv_1").open_minor == 300
    assert_the_books_are_right(shop.store)


def test_a_credit_note_lessens_the_discount_in_proportion() -> None:
    half = replace(header("inv_1", 11_900), early=(OFFER,), credited_minor=5_950, open_minor=5_950)
    assert [offer.minor for offer in half.early_now] == [119]
    assert not replace(half, credited_minor=11_900, open_minor=0).early_now


def test_a_header_with_an_offer_comes_back_as_it_went_in() -> None:
    shop = shop_with_offer()
    assert shop.header("inv_1").early == (OFFER,)
    item = shop.store.get(*header_key(ACCOUNT, "inv_1"))
    assert item is not None and item["early"]["until_on"] == "2026-11-01"


@settings(max_examples=60, deadline=None)
@given(
    st.decimals(Decimal("0.1"), Decimal(50), places=1),
    st.integers(1, 10_000_000),
    st.sampled_from([DiscountTax.IF_EARLY, DiscountTax.NEVER]),
)
def test_an_offer_never_gives_away_more_than_its_part_of_net_and_tax(
    percent: Decimal, net: int, tax: DiscountTax
) -> None:
    tax_minor = (net * 19 + 50) // 100
    (total,) = body().tax_totals
    invoice = replace(
        body(),
        net_minor=net,
        tax_minor=tax_minor,
        total_minor=net + tax_minor,
        tax_totals=(replace(total, base_minor=net, tax_minor=tax_minor),),
        early_discounts=(EarlyDiscount(percent, 10, tax),),
    )
    found = early_offers(invoice)
    if not found:
        return  # a discount of less than a cent is none
    (offer,) = found
    legs = {account: minor for account, _, minor in offer.legs}
    assert 0 <= legs[LedgerAccount.EARLY_DISCOUNT] <= net
    assert 0 <= legs.get(LedgerAccount.TAX_PAYABLE, 0) <= tax_minor
    assert (LedgerAccount.TAX_PAYABLE in legs) <= (tax is DiscountTax.IF_EARLY)
    assert offer.minor == sum(legs.values()) < invoice.payable_minor
