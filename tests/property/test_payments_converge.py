"""Whatever the order and however often news comes, a payment ends the same and the books are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from saldo.payments.model import GatewayEvent, Payment
from tests.contexts.payments.scenes import (
    ACCOUNT,
    OWED,
    Shop,
    assert_the_books_are_right,
    news,
    payout_of,
    shop_in_memory,
)

STORIES = {
    "paid by card": ["processing", "settled", "payout"],
    "confirmed with the bank": ["requires_action", "processing", "settled", "payout"],
    "declined": ["requires_action", "failed"],
    "returned debit": ["processing", "failed"],
    "cancelled": ["cancelled"],
    "cancelled too late": ["requires_action", "cancelled", "settled", "payout"],
}


def _events(payment: Payment, story: str) -> list[GatewayEvent]:
    return [
        payout_of(payment, event_id=f"evt_{payment.id}_payout", payout_id=f"po_{payment.id}")
        if step == "payout"
        else news(payment, step, f"evt_{payment.id}_{step}")
        for step in STORIES[story]
    ]


def _told(story: str, order: Sequence[int]) -> tuple[Payment, dict[str, int], dict[str, int]]:
    """Where a payment of everything ends when its news come in this order, and what is then owed and booked."""
    with shop_in_memory() as shop:
        payment = shop.start(*OWED.items())
        events = _events(payment, story)
        for index in order:
            shop.payments.handle_event(events[index % len(events)])
            assert_the_books_are_right(shop.store)
        return _end(shop, payment)


def _end(shop: Shop, payment: Payment) -> tuple[Payment, dict[str, int], dict[str, int]]:
    end = replace(shop.payments.get(ACCOUNT, payment.id), history=(), version=1)
    return end, {i: shop.header(i).open_minor for i in OWED}, shop.balances()


@settings(max_examples=150, deadline=None)
@given(story=st.sampled_from(sorted(STORIES)), repeats=st.lists(st.integers(0, 3), max_size=8), order=st.randoms())
def test_any_order_and_repetition_of_a_payments_news_ends_the_same(
    story: str, repeats: list[int], order: Random
) -> None:
    steps = list(range(len(STORIES[story])))
    told = steps + [r % len(steps) for r in repeats]
    order.shuffle(told)
    assert _told(story, told) == _told(story, steps)


@settings(max_examples=75, deadline=None)
@given(
    paid=st.lists(
        st.dictionaries(st.sampled_from(sorted(OWED)), st.integers(1, 2_000), min_size=1), min_size=1, max_size=4
    ),
    order=st.randoms(),
)
def test_payments_that_compete_for_invoices_never_apply_more_than_is_owed(
    paid: list[dict[str, int]], order: Random
) -> None:
    with shop_in_memory() as shop:
        payments = [
            shop.start(*chosen.items(), key=f"form-key-{n}", reason="in parts") for n, chosen in enumerate(paid)
        ]
        events = [e for p in payments for e in _events(p, "paid by card") * 2]
        order.shuffle(events)
        for event in events:
            shop.payments.handle_event(event)
            assert_the_books_are_right(shop.store)
        received = sum(p.amount.minor for p in payments)
        owed = sum(shop.header(i).open_minor for i in OWED)
        assert shop.balances()["bank"] == received
        assert sum(OWED.values()) - owed == received + shop.balances().get("unapplied_cash", 0)
