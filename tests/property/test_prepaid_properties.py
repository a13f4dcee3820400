"""What holds of prepaid credit, whatever it may pay for, in whatever order lines stand and taxes are charged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.invoicing.model import (
    BillingCase,
    BillingOptions,
    Coupon,
    DocumentKind,
    Draft,
    DueItem,
    InvoiceBody,
    LineKind,
    PrepaidCredit,
    PrepaidOrder,
    Wallet,
)
from saldo.invoicing.rules import bill
from saldo.invoicing.rules_accounts import wallet_after
from saldo.invoicing.rules_prepaid import by_line
from saldo.invoicing.rules_soundness import problems_of
from saldo.orders.model import Item
from tests.unit.invoicing.scenes import BUYER, SELLER, TAX

DAY = date(2026, 3, 1)
NAMES = ("calls", "seats", "books")
CATEGORIES = {"calls": "digital_service", "seats": "digital_service", "books": "standard"}


def item(name: str, cents: int, inclusive: bool) -> Item:
    price = Decimal(cents) / 100
    return Item(name, {"en": name}, price, tax_category=CATEGORIES[name], inclusive=inclusive)


items = st.builds(item, st.sampled_from(NAMES), st.integers(-4000, 20_000), st.booleans())
credits_ = st.builds(
    PrepaidCredit,
    st.uuids().map(str),
    st.integers(1, 15_000),
    st.just(DAY),
    priority=st.integers(0, 2),
    components=st.frozensets(st.sampled_from(NAMES), max_size=2),
)
wallets = st.builds(
    Wallet,
    st.lists(st.builds(Coupon, st.just("c"), st.just({"en": "c"}), st.decimals(0, 60, places=0)), max_size=1).map(
        tuple
    ),
    st.lists(credits_, max_size=4).map(tuple),
    st.integers(0, 5000),
)


def billed(sold: Sequence[Item], wallet: Wallet, order: PrepaidOrder) -> InvoiceBody | None:
    due = tuple(DueItem(one) for one in sold)
    case = BillingCase(BUYER, SELLER, (), {}, DAY, due, BillingOptions(prepaid=order), wallet=wallet)
    outcome = bill(case, TAX)
    return outcome.body if isinstance(outcome, Draft) else None


def worth(body: InvoiceBody, order: PrepaidOrder) -> Counter[str]:
    """What each component costs on an invoice, of what credit may pay for."""
    parents = [line for line in body.lines if not line.of]
    due = [line.net_minor for line in parents]
    if order is PrepaidOrder.AFTER_TAX:
        due = by_line(body)
    found = Counter[str]()
    for line, minor in zip(parents, due, strict=True):
        found[line.component_id] += minor
    for line in body.lines:
        if order is PrepaidOrder.BEFORE_TAX and line.kind is LineKind.DISCOUNT:
            found[line.component_id] += line.net_minor
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(items, min_size=1, max_size=5), wallets, st.sampled_from(list(PrepaidOrder)))
def test_credits_for_some_components_never_come_to_more_than_these_cost(
    sold: list[Item], wallet: Wallet, order: PrepaidOrder
) -> None:
    body = billed(sold, wallet, order)
    if body is None or body.kind is DocumentKind.CREDIT_NOTE:
        return
    assert not problems_of(body)
    left = wallet_after(wallet, body)
    assert all(credit.balance_minor >= 0 for credit in left.credits) and left.credit_note_minor >= 0
    assert body.payable_minor >= 0 or not any(credit.minor > 0 for credit in body.credits)
    assert sum(by_line(body)) == body.owed_minor
    cost = worth(body, order)
    drawn = Counter({credit.credit_id: credit.minor for credit in body.credits if credit.credit_id})
    for some in (*combinations(NAMES, 1), *combinations(NAMES, 2)):
        theirs = [c.id for c in wallet.credits if c.components and c.components <= set(some)]
        assert sum(drawn[c] for c in theirs) <= sum(max(cost[name], 0) for name in some)


@settings(max_examples=80, deadline=None)
@given(st.lists(items, min_size=1, max_size=5), wallets, st.sampled_from(list(PrepaidOrder)), st.randoms())
def test_in_whatever_order_lines_stand_as_much_is_drawn_but_for_odd_cents(
    sold: list[Item], wallet: Wallet, order: PrepaidOrder, chance: Random
) -> None:
    shuffled = list(sold)
    chance.shuffle(shuffled)
    one, other = billed(sold, wallet, order), billed(shuffled, wallet, order)
    if one is None or other is None:
        assert one is other
        return
    assert one.total_minor == other.total_minor or order is PrepaidOrder.BEFORE_TAX
    drawn = [Counter({c.credit_id: c.minor for c in body.credits}) for body in (one, other)]
    cents = len(sold) * (len(wallet.credits) + 2)
    assert all(abs(drawn[0][name] - drawn[1][name]) <= cents for name in drawn[0] | drawn[1])


@settings(max_examples=50, deadline=None)
@given(st.lists(items, min_size=1, max_size=4), wallets, st.sampled_from(list(PrepaidOrder)))
def test_credit_that_names_every_component_pays_as_credit_for_all_does(
    sold: list[Item], wallet: Wallet, order: PrepaidOrder
) -> None:
    for_all = replace(wallet, credits=tuple(replace(c, components=frozenset()) for c in wallet.credits))
    named = replace(wallet, credits=tuple(replace(c, components=frozenset(NAMES)) for c in wallet.credits))
    one, other = billed(sold, for_all, order), billed(sold, named, order)
    assert (one and one.credits) == (other and other.credits)
    assert (one and one.payable_minor) == (other and other.payable_minor)
