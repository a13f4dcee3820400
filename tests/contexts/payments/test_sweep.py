"""The sweep: what was never told is asked for, and everything comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from saldo.kernel.errors import Unavailable
from saldo.payments import rules, sweeping
from saldo.payments.model import GatewayPayment, Payment, PaymentStatus
from saldo.payments.records import SHARDS, payment_item, payment_key, shard_of
from saldo.storage.units import Unit
from tests.contexts.payments.scenes import ACCOUNT, Shop, assert_the_books_are_right, news, payout_of, shop_in_memory
from tests.crashes import assert_survives_every_crash


def _at_the_gateway(shop: Shop, status: PaymentStatus, paid_out: bool = False) -> None:
    for ref, known in shop.gateway.checkouts.items():
        told = replace(known, status=status, happened_at=shop.clock(), method="SEPA •••• 3000")
        paid = replace(told, payout_id="po_1", paid_out_at=shop.clock())
        shop.gateway.checkouts[ref] = paid if paid_out else told


def test_a_payment_whose_news_got_lost_is_asked_about_and_settled(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    _at_the_gateway(shop, PaymentStatus.SETTLED)
    assert shop.payments.sweep().asked == 0  # too early to worry
    shop.clock.advance(minutes=11)
    report = shop.payments.sweep()
    assert (report.asked, report.changed, report.payments_changed) == (1, 1, [payment.id])
    assert shop.payments.get(ACCOUNT, payment.id).status is PaymentStatus.SETTLED
    assert_the_books_are_right(shop.store)


def test_a_payment_on_whichever_list_it_waits_is_asked_about(shop: Shop) -> None:
    lists: set[int] = set()
    asked = 0
    while len(lists) < SHARDS:
        lists.add(shard_of(shop.start(("inv_1", 1), key=f"form-key-{asked}", reason="a part").id))
        asked += 1
    shop.clock.advance(minutes=11)
    assert shop.payments.sweep().asked == asked


def test_news_that_comes_after_the_sweep_changes_nothing(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    _at_the_gateway(shop, PaymentStatus.SETTLED)
    shop.clock.advance(minutes=11)
    shop.payments.sweep()
    before = shop.balances()
    shop.payments.handle_event(news(payment, "settled", "evt_1"))
    assert shop.balances() == before


def test_a_payment_still_open_at_the_gateway_stays_as_it_is(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.clock.advance(minutes=11)
    report = shop.payments.sweep()
    assert (report.asked, report.changed) == (1, 0)
    assert shop.payments.get(ACCOUNT, payment.id) == payment


def test_a_payment_whose_checkout_was_never_opened_is_cancelled(shop: Shop) -> None:
    shop.gateway.silent = True
    with pytest.raises(Unavailable):
        shop.start(("inv_1", 10_000))
    shop.gateway.silent = False
    shop.clock.advance(minutes=11)
    shop.payments.sweep()
    (payment,) = shop.payments.of_account(ACCOUNT)
    assert payment.status is PaymentStatus.CANCELLED
    assert shop.start(("inv_1", 10_000)).checkout_url == ""  # the old form leads nowhere any more


def test_a_payment_whose_answer_got_lost_is_found_by_its_own_id(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    forgotten = replace(payment, gateway_ref="", checkout_url="")
    shop.store.write_one(Unit("forget").put(payment_item(forgotten)))
    _at_the_gateway(shop, PaymentStatus.PROCESSING)
    shop.clock.advance(minutes=11)
    shop.payments.sweep()
    found = shop.payments.get(ACCOUNT, payment.id)
    assert (found.status, found.gateway_ref) == (PaymentStatus.PROCESSING, payment.gateway_ref)


def test_money_whose_payout_was_never_told_reaches_the_bank_by_the_sweep(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.payments.handle_event(news(payment, "settled", "evt_1", at=shop.clock()))
    _at_the_gateway(shop, PaymentStatus.SETTLED, paid_out=True)
    shop.clock.advance(hours=2)
    assert shop.payments.sweep().asked == 0
    shop.clock.advance(hours=23)
    assert shop.payments.sweep().changed == 1
    assert "gateway_clearing" not in shop.balances()
    assert shop.payments.sweep().asked == 0
    assert_the_books_are_right(shop.store)


def test_a_payment_that_was_cancelled_and_yet_paid_out_is_asked_about(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.payments.handle_event(news(payment, "cancelled", "evt_1"))
    shop.payments.handle_event(payout_of(payment))
    _at_the_gateway(shop, PaymentStatus.SETTLED)
    shop.clock.advance(minutes=11)
    assert shop.payments.sweep().changed == 1
    assert shop.payments.get(ACCOUNT, payment.id).status is PaymentStatus.SETTLED
    assert shop.balances() == {"bank": 10_000, "receivables": 7_000, "revenue": -17_000}
    assert_the_books_are_right(shop.store)


def test_a_payment_the_gateway_does_not_know_is_counted_and_does_not_stop_the_others(shop: Shop) -> None:
    shop.start(("inv_1", 10_000), key="form-key-1")
    _at_the_gateway(shop, PaymentStatus.SETTLED)
    lost = shop.start(("inv_2", 5_000), key="form-key-2")
    del shop.gateway.checkouts[lost.gateway_ref]
    shop.clock.advance(minutes=11)
    report = shop.payments.sweep()
    assert (report.asked, report.unknown, report.changed) == (2, 1, 1)


def test_when_the_gateway_is_silent_the_sweep_gives_up_soon(shop: Shop) -> None:
    for n in range(5):
        shop.start(("inv_1", 100), key=f"form-key-{n}", reason="in parts")
    shop.gateway.silent = True
    shop.clock.advance(minutes=11)
    report = shop.payments.sweep()
    assert (report.asked, report.unanswered, report.changed) == (3, 3, 0)


def test_the_sweep_survives_a_crash_at_every_call() -> None:
    @contextmanager
    def scene() -> Iterator[Shop]:
        with shop_in_memory({f"inv_{n:03d}": 100 for n in range(45)}) as shop:
            shop.clock.now = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
            shop.start(*[(f"inv_{n:03d}", 100) for n in range(45)], key="form-key-1")
            _at_the_gateway(shop, PaymentStatus.SETTLED, paid_out=True)
            shop.start(("inv_000", 100), key="form-key-2")
            with patch.object(rules, "PAYOUT_ASKED_AFTER", timedelta(0)):
                shop.clock.advance(minutes=11)
                yield shop

    assert_survives_every_crash(
        scene,
        lambda shop: [shop.client, shop.gateway],
        lambda shop: shop.payments.sweep(),
        lambda shop: shop.everything(),
    )


def test_a_payment_that_takes_days_is_asked_about_ever_more_rarely() -> None:
    with shop_in_memory() as shop:
        shop.start(("inv_1", 10_000))
        _at_the_gateway(shop, PaymentStatus.PROCESSING)
        asked_at = []
        for minutes in range(0, 24 * 60, 10):  # a day of sweeps
            if shop.payments.sweep().asked:
                asked_at.append(minutes)
            shop.clock.advance(minutes=10)
        assert asked_at == [10, 20, 40, 80, 160, 320, 640, 1000, 1360]


def test_many_that_take_days_hold_nobody_up_whose_news_got_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "MOST_PAYMENTS", 5)
    monkeypatch.setattr(sweeping, "_AT_ONCE", 2)
    with shop_in_memory() as shop:
        started = [shop.start(("inv_1", 1), key=f"form-key-{n}", reason="a part") for n in range(40)]
        _at_the_gateway(shop, PaymentStatus.PROCESSING)
        lost = max(started, key=lambda payment: shard_of(payment.id))  # on the list that is read last
        _settles_at_the_gateway(shop, lost)
        paid_out = next(payment for payment in started if payment is not lost)
        shop.payments.handle_event(news(paid_out, "settled", "evt_1", at=shop.clock()))
        _settles_at_the_gateway(shop, paid_out, payout_id="po_1", paid_out_at=shop.clock())
        for _ in range(26 * 2):
            shop.clock.advance(minutes=30)
            assert shop.payments.sweep().asked <= 5
        assert shop.payments.get(ACCOUNT, lost.id).status is PaymentStatus.SETTLED
        assert shop.payments.get(ACCOUNT, paid_out.id).paid_out_at is not None
        assert_the_books_are_right(shop.store)


def _settles_at_the_gateway(shop: Shop, payment: Payment, **more: Any) -> None:
    known = shop.gateway.checkouts[payment.gateway_ref]
    shop.gateway.checkouts[payment.gateway_ref] = replace(known, status=PaymentStatus.SETTLED, **more)


def test_one_that_nobody_can_make_anything_of_is_told_when_the_others_have_had_their_turn(shop: Shop) -> None:
    broken, unreadable = (shop.start(("inv_1", 1), key=f"form-key-{n}", reason="a part") for n in range(2))
    shop.clock.advance(minutes=1)
    last = shop.start(("inv_2", 5_000), key="form-key-9")
    _at_the_gateway(shop, PaymentStatus.SETTLED)
    key = payment_key(ACCOUNT, unreadable.id)
    shop.store.write_one(Unit("spoil").update(key, set={"status": "nonsense"}))
    look_up = shop.gateway.look_up

    def answers(ref: str) -> GatewayPayment | None:
        if ref == broken.gateway_ref:
            raise KeyError("a field that is not there")
        return look_up(ref)

    shop.gateway.look_up = answers  # type: ignore[method-assign]
    shop.clock.advance(minutes=11)
    with pytest.raises((KeyError, ValueError)):
        shop.payments.sweep()
    assert shop.payments.get(ACCOUNT, last.id).status is PaymentStatus.SETTLED
    shop.clock.advance(hours=1)
    assert shop.payments.sweep().asked == 0, "both are looked at again in a day"
    shop.clock.advance(days=1)
    with pytest.raises((KeyError, ValueError)):
        shop.payments.sweep()


def test_those_that_the_gateway_never_answers_for_go_to_the_end_of_the_queue(shop: Shop) -> None:
    first = [shop.start(("inv_1", 1), key=f"form-key-{n}", reason="a part") for n in range(3)]
    shop.clock.advance(minutes=1)
    last = shop.start(("inv_2", 5_000), key="form-key-9")
    _at_the_gateway(shop, PaymentStatus.SETTLED)
    mute = {payment.gateway_ref for payment in first}
    look_up = shop.gateway.look_up

    def answers(ref: str) -> GatewayPayment | None:
        if ref in mute:
            raise Unavailable("the gateway did not answer")
        return look_up(ref)

    shop.gateway.look_up = answers  # type: ignore[method-assign]  # it has trouble with some of them
    shop.clock.advance(minutes=11)
    report = shop.payments.sweep()
    assert (report.asked, report.unanswered) == (3, 3)
    assert shop.payments.get(ACCOUNT, last.id).status is PaymentStatus.STARTED
    shop.clock.advance(minutes=5)
    report = shop.payments.sweep()
    assert (report.changed, report.unanswered) == (1, 3)  # as they are asked again, after it
    assert shop.payments.get(ACCOUNT, last.id).status is PaymentStatus.SETTLED
