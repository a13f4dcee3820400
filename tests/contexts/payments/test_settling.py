"""Which invoices money at the bank settles that names none: as the seller chose, or as agreed with the account."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.accounts.arrangements import Arrangements
from saldo.accounts.model import Settle, Terms
from saldo.accounts.records import terms_from, terms_text
from saldo.audit.model import Actor
from saldo.invoicing.choices import change_choices, choices_of
from saldo.invoicing.model import BillingOptions
from saldo.invoicing.rules_early import EarlyOffer
from saldo.invoicing.rules_settling import Due, shares
from saldo.invoicing.seller_records import options_from, options_item
from saldo.kernel.money import Money
from saldo.ledger.model import LedgerAccount
from saldo.payments.receiving import MoneyCame, Receiving
from tests.contexts.payments.scenes import ACCOUNT, Shop, assert_the_books_are_right, header, issue, shop_in_memory

CLERK = Actor("user_eu_clerk", "staff")
ON = date(2026, 11, 1)
ENTITY = header("inv", 1).entity_id
OWED = {"inv_1": 10_000, "inv_2": 30_000, "inv_3": 20_000}  # the first is due first


def shop_of_three() -> Shop:
    with shop_in_memory({}) as shop:
        for n, (invoice_id, minor) in enumerate(OWED.items()):
            offer = EarlyOffer(ON, ((LedgerAccount.EARLY_DISCOUNT, "", minor // 50),))
            issue(shop.store, replace(header(invoice_id, minor), due_on=date(2026, 12, 1 + n), early=(offer,)))
        return shop


def received(shop: Shop, minor: int, on: date = date(2026, 11, 2), **more: tuple[str, ...]) -> list[int]:
    shop.clock.now = shop.clock.now.replace(year=2026, month=11, day=5)
    Receiving(shop.store, shop.clock).receive(MoneyCame(ACCOUNT, Money(minor, "EUR"), on, "line 1", CLERK, **more))
    assert_the_books_are_right(shop.store)
    return [shop.header(invoice_id).open_minor for invoice_id in OWED]


@pytest.mark.parametrize(
    ("how", "left"),
    [
        (Settle.OLDEST, [0, 5_000, 20_000]),
        (Settle.NEWEST, [10_000, 15_000, 0]),
        (Settle.LARGEST, [10_000, 0, 15_000]),
        (Settle.SMALLEST, [0, 25_000, 0]),
        (Settle.PROPORTIONAL, [4_167, 12_500, 8_333]),
    ],
)
def test_money_that_names_no_invoice_settles_them_as_the_seller_chose(how: Settle, left: list[int]) -> None:
    minor = 60_000 - sum(left)
    shop = shop_of_three()
    change_choices(shop.store, shop.clock, ENTITY, BillingOptions(settle=how), CLERK)
    assert received(shop, minor) == left
    agreed = shop_of_three()
    change_choices(agreed.store, agreed.clock, ENTITY, BillingOptions(settle=Settle.SMALLEST), CLERK)
    Arrangements(agreed.store, agreed.clock).change_terms(ACCOUNT, Terms(settle=how), CLERK)
    assert received(agreed, minor) == left, "what is agreed with the account goes before what its seller chose"


def test_invoices_that_are_named_are_paid_in_the_order_of_their_names() -> None:
    shop = shop_of_three()
    Arrangements(shop.store, shop.clock).change_terms(ACCOUNT, Terms(settle=Settle.OLDEST), CLERK)
    numbers = tuple(shop.header(i).number for i in ("inv_3", "inv_1"))
    assert received(shop, 25_000, invoices=numbers) == [5_000, 30_000, 0]


def test_what_the_seller_chose_is_read_only_where_it_matters() -> None:
    def calls(named: int, **more: tuple[str, ...]) -> int:
        with shop_in_memory({f"inv_{n}": 10_000 for n in range(named)}) as shop:
            before = shop.client.calls
            Receiving(shop.store, shop.clock).receive(
                MoneyCame(ACCOUNT, Money(500, "EUR"), shop.clock.now.date(), "line 1", CLERK, **more)
            )
            return int(shop.client.calls - before)

    assert calls(1) == calls(2) - 1 == calls(1, invoices=(header("inv_0", 1).number,))


def test_money_for_several_invoices_takes_the_discount_of_each() -> None:
    assert received(shop_of_three(), 39_200, on=ON) == [0, 0, 20_000]
    assert received(shop_of_three(), 58_800, on=ON) == [0, 0, 0]
    assert received(shop_of_three(), 60_000, on=ON) == [0, 0, 0]
    late = received(shop_of_three(), 39_200)
    assert late == [0, 800, 20_000]


def test_what_was_chosen_is_on_record_and_what_was_stored_before_is_the_oldest_first() -> None:
    shop = shop_of_three()
    assert choices_of(shop.store, ENTITY).settle is Settle.OLDEST
    item = options_item(ENTITY, BillingOptions(settle=Settle.LARGEST))
    assert options_from(item).settle is Settle.LARGEST
    assert options_from({k: v for k, v in item.items() if k != "settle"}).settle is Settle.OLDEST
    assert terms_from(terms_text(Terms(settle=Settle.NEWEST))) == Terms(settle=Settle.NEWEST)


DUE = st.builds(
    lambda day, minor, off: Due(
        0,
        date(2026, 1, day),
        minor,
        (EarlyOffer(ON, ((LedgerAccount.EARLY_DISCOUNT, "", off),)),) if off < minor else (),
    ),
    st.integers(1, 28),
    st.integers(0, 5000),
    st.integers(1, 500),
)


@given(st.integers(1, 20_000), st.lists(DUE, max_size=6), st.sampled_from([None, *Settle]))
def test_money_is_shared_out_to_the_cent_and_no_invoice_has_more_than_it_asks_for(
    minor: int, items: list[Due], how: Settle | None
) -> None:
    placed = [replace(one, place=n) for n, one in enumerate(items)]
    found = dict(shares(minor, placed, ON, how))
    assert sum(found.values()) == min(minor, sum(one.open_minor for one in items))
    assert all(0 < part <= placed[n].open_minor for n, part in found.items())
