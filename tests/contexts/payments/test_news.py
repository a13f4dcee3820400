"""News from the gateway: applied once, in any order, to the cent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from saldo.invoicing.records import InvoiceStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, Outcome, PaymentStatus
from saldo.payments.rules import agenda_of
from saldo.storage.units import Conflict, Unit
from tests.contexts.payments.scenes import ACCOUNT, Shop, assert_the_books_are_right, news, payout_of, shop_in_memory
from tests.crashes import assert_survives_every_crash


def test_a_settled_payment_is_booked_and_applied_and_has_a_receipt(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000), ("inv_2", 4_000), reason="the rest next week")
    assert shop.payments.handle_event(news(payment, "settled", "evt_1")) is Outcome.APPLIED

    settled = shop.payments.get(ACCOUNT, payment.id)
    assert (settled.status, settled.settled_minor, settled.unapplied_minor) == (PaymentStatus.SETTLED, 14_000, 0)
    assert (shop.header("inv_1").status, shop.header("inv_1").open_minor) == (InvoiceStatus.PAID, 0)
    assert (shop.header("inv_2").status, shop.header("inv_2").open_minor) == (InvoiceStatus.PART_PAID, 1_000)
    assert shop.balances() == {"gateway_clearing": 14_000, "receivables": 3_000, "revenue": -17_000}
    receipt = shop.payments.receipt(ACCOUNT, payment.id)
    assert receipt.number == settled.receipt_number
    assert receipt.lines == (("EU-inv_1", 10_000), ("EU-inv_2", 4_000))
    assert (str(receipt.amount), receipt.method) == ("140.00 EUR", "Visa •••• 4242")
    assert_the_books_are_right(shop.store)


def test_before_it_has_settled_a_payment_has_no_receipt(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    with pytest.raises(Refusal, match="not_settled"):
        shop.payments.receipt(ACCOUNT, payment.id)


def test_an_event_that_comes_twice_changes_nothing_the_second_time(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    event = news(payment, "settled", "evt_1")
    assert shop.payments.handle_event(event) is Outcome.APPLIED
    before = shop.everything()
    assert shop.payments.handle_event(event) is Outcome.DUPLICATE
    assert shop.everything() == before


def test_news_that_comes_after_newer_news_is_noted_and_changes_nothing(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.payments.handle_event(news(payment, "settled", "evt_2"))
    settled = shop.payments.get(ACCOUNT, payment.id)
    for status, event_id in (("processing", "evt_1"), ("failed", "evt_0"), ("cancelled", "evt_3")):
        assert shop.payments.handle_event(news(payment, status, event_id)) is Outcome.OUTDATED
    assert shop.payments.get(ACCOUNT, payment.id) == settled


def test_a_payment_thought_failed_that_settles_after_all_is_money(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.payments.handle_event(news(payment, "failed", "evt_1"))
    assert shop.payments.handle_event(news(payment, "settled", "evt_2")) is Outcome.APPLIED
    settled = shop.payments.get(ACCOUNT, payment.id)
    assert (settled.status, settled.failure_code) == (PaymentStatus.SETTLED, "")
    assert shop.header("inv_1").status is InvoiceStatus.PAID


def test_two_payments_of_one_invoice_leave_the_second_as_unapplied_cash(shop: Shop) -> None:
    one = shop.start(("inv_1", 10_000), key="form-key-1")
    two = shop.start(("inv_1", 10_000), ("inv_2", 5_000), key="form-key-2")
    shop.payments.handle_event(news(one, "settled", "evt_1"))
    shop.payments.handle_event(news(two, "settled", "evt_2"))
    second = shop.payments.get(ACCOUNT, two.id)
    assert second.unapplied_minor == 10_000
    assert shop.payments.receipt(ACCOUNT, two.id).lines == (("EU-inv_2", 5_000),)
    assert shop.balances()["unapplied_cash"] == -10_000
    assert_the_books_are_right(shop.store)


def test_a_payment_with_nothing_left_to_apply_to_is_unapplied_cash(shop: Shop) -> None:
    one = shop.start(("inv_1", 10_000), key="form-key-1")
    two = shop.start(("inv_1", 10_000), key="form-key-2")
    shop.payments.handle_event(news(one, "settled", "evt_1"))
    shop.payments.handle_event(news(two, "settled", "evt_2"))
    assert shop.balances()["unapplied_cash"] == -10_000
    assert shop.payments.receipt(ACCOUNT, two.id).unapplied_minor == 10_000
    assert_the_books_are_right(shop.store)


def _meanwhile(shop: Shop, event: GatewayEvent) -> None:
    """Let this event get in between the next reading of a payment and its writing."""
    write, waiting = shop.store.write, [event]

    def write_after_the_other(units: Sequence[Unit]) -> list[Conflict]:
        if waiting:
            shop.payments.handle_event(waiting.pop())
        return write(units)

    shop.store.write = write_after_the_other  # type: ignore[method-assign]


def test_when_two_settle_one_invoice_at_the_same_moment_the_later_one_decides_anew(shop: Shop) -> None:
    one = shop.start(("inv_1", 10_000), key="form-key-1")
    two = shop.start(("inv_1", 10_000), key="form-key-2")
    _meanwhile(shop, news(one, "settled", "evt_1"))
    assert shop.payments.handle_event(news(two, "settled", "evt_2")) is Outcome.APPLIED
    assert shop.header("inv_1").open_minor == 0
    assert shop.payments.get(ACCOUNT, two.id).unapplied_minor == 10_000
    assert_the_books_are_right(shop.store)


def test_two_pieces_of_news_of_one_payment_at_the_same_moment_both_count(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    _meanwhile(shop, news(payment, "settled", "evt_2"))
    assert shop.payments.handle_event(news(payment, "processing", "evt_1")) is Outcome.OUTDATED
    assert shop.payments.get(ACCOUNT, payment.id).status is PaymentStatus.SETTLED


def test_a_payout_and_the_settlement_at_the_same_moment_both_count(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    _meanwhile(shop, news(payment, "settled", "evt_1"))
    assert shop.payments.handle_event(payout_of(payment)) is Outcome.APPLIED
    known = shop.payments.get(ACCOUNT, payment.id)
    assert (known.status, known.payout_id) == (PaymentStatus.SETTLED, "po_1")
    assert_the_books_are_right(shop.store)


def test_more_money_than_was_asked_for_stays_unapplied_and_less_covers_the_first_invoices(shop: Shop) -> None:
    more = shop.start(("inv_3", 2_000), key="form-key-1")
    shop.payments.handle_event(news(more, "settled", "evt_1", minor=2_500))
    assert shop.payments.get(ACCOUNT, more.id).unapplied_minor == 500
    less = shop.start(("inv_1", 10_000), ("inv_2", 5_000), key="form-key-2")
    shop.payments.handle_event(news(less, "settled", "evt_2", minor=12_000))
    assert (shop.header("inv_1").open_minor, shop.header("inv_2").open_minor) == (0, 3_000)
    assert_the_books_are_right(shop.store)


def test_a_payout_empties_the_clearing_account(shop: Shop) -> None:
    one = shop.start(("inv_1", 10_000), key="form-key-1")
    two = shop.start(("inv_2", 5_000), key="form-key-2")
    for n, payment in enumerate((one, two)):
        shop.payments.handle_event(news(payment, "settled", f"evt_{n}"))
    assert shop.payments.handle_event(payout_of(one, two)) is Outcome.APPLIED
    assert shop.payments.handle_event(payout_of(one, two)) is Outcome.DUPLICATE
    assert shop.balances() == {"bank": 15_000, "receivables": 2_000, "revenue": -17_000}
    assert "agenda_pk" not in (shop.store.get(ACCOUNT, f"payment#{one.id}") or {})
    assert_the_books_are_right(shop.store)


def test_a_payout_that_comes_before_the_settlement_ends_in_the_same_books(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    assert shop.payments.handle_event(payout_of(payment)) is Outcome.APPLIED
    assert shop.balances()["gateway_clearing"] == -10_000
    shop.payments.handle_event(news(payment, "settled", "evt_1"))
    assert shop.balances() == {"bank": 10_000, "receivables": 7_000, "revenue": -17_000}
    assert "agenda_pk" not in (shop.store.get(ACCOUNT, f"payment#{payment.id}") or {})
    assert_the_books_are_right(shop.store)


def test_money_for_an_unknown_payment_is_kept_until_the_payment_is_known(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    key = (ACCOUNT, f"payment#{payment.id}")
    item = shop.store.get(*key)
    assert item is not None
    shop.client.delete_item(TableName="records", Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}})
    for event in (news(payment, "settled", "evt_1"), payout_of(payment)):
        assert shop.payments.handle_event(event) is Outcome.PARKED
        assert shop.payments.handle_event(event) is Outcome.PARKED
    parked = list(shop.store.query_all("parked_simulator"))
    assert [p["reason"] for p in parked] == ["unknown_payment", "unknown_payment"]

    shop.store.put_many([item])
    assert shop.payments.sweep().resolved == 2
    assert list(shop.store.query_all("parked_simulator")) == []
    assert shop.balances() == {"bank": 10_000, "receivables": 7_000, "revenue": -17_000}


def test_each_payment_of_a_payout_that_is_unknown_is_kept_until_it_is_known(shop: Shop) -> None:
    payments = [shop.start((f"inv_{n}", 1_000), key=f"form-key-{n}", reason="a part") for n in (1, 2)]
    items = [shop.store.get(ACCOUNT, f"payment#{payment.id}") for payment in payments]
    for payment in payments:
        key = {"pk": {"S": ACCOUNT}, "sk": {"S": f"payment#{payment.id}"}}
        shop.client.delete_item(TableName="records", Key=key)
    assert shop.payments.handle_event(payout_of(*payments)) is Outcome.PARKED
    assert len(list(shop.store.query_all("parked_simulator"))) == 2
    shop.store.put_many([item for item in items if item])
    assert shop.payments.sweep().resolved == 2
    assert shop.balances()["bank"] == 2_000


def test_an_event_that_fits_no_payment_of_ours_is_parked_with_the_reason(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    other_currency = replace(payment, amount=Money(10_000, "USD"))
    other_reference = replace(payment, gateway_ref="chk_other")
    for n, wrong in enumerate((other_currency, other_reference)):
        assert shop.payments.handle_event(news(wrong, "settled", f"evt_{n}")) is Outcome.PARKED
    assert shop.payments.handle_event(payout_of(other_currency)) is Outcome.PARKED
    reasons = [p["reason"] for p in shop.store.query_all("parked_simulator")]
    assert reasons == ["currency_mismatch", "reference_mismatch", "currency_mismatch"]
    assert shop.payments.get(ACCOUNT, payment.id) == payment


def test_a_payment_paid_out_twice_is_parked_for_people(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    shop.payments.handle_event(news(payment, "settled", "evt_1"))
    shop.payments.handle_event(payout_of(payment))
    again = payout_of(payment, event_id="evt_other", payout_id="po_2")
    assert shop.payments.handle_event(again) is Outcome.PARKED
    assert shop.balances()["bank"] == 10_000


def test_the_settlement_is_booked_on_the_sellers_date(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    late = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    shop.payments.handle_event(news(payment, "settled", "evt_1", at=late))
    dates = {item["sk"].split("#")[1] for item in shop.store.query_all(ACCOUNT, prefix="entry#2026-11")}
    assert dates == {"2026-11-02"}


@contextmanager
def _started(opened: AbstractContextManager[Shop]) -> Iterator[Shop]:
    with opened as shop:
        owed = [(i["invoice_id"], i["open_minor"]) for i in shop.store.query_all(ACCOUNT, prefix="invoice#")]
        shop.start(*owed)
        yield shop


MANY = {f"inv_{n:03d}": 100 + n for n in range(95)}


def test_a_payment_of_many_invoices_is_applied_part_by_part() -> None:
    with shop_in_memory(MANY) as shop:
        payment = shop.start(*MANY.items())
        assert shop.payments.handle_event(news(payment, "settled", "evt_1")) is Outcome.APPLIED
        settled = shop.payments.get(ACCOUNT, payment.id)
        assert (settled.parts, settled.parts_applied, settled.unapplied_minor) == (3, 3, 0)
        assert "receivables" not in shop.balances()
        assert_the_books_are_right(shop.store)


def test_a_payment_is_on_a_list_until_all_of_it_is_applied_and_has_reached_the_bank(shop: Shop) -> None:
    at = shop.clock()
    started = shop.start(("inv_1", 10_000))
    settled = replace(started, status=PaymentStatus.SETTLED, settled_at=at, settled_minor=10_000, parts=2)
    listed = [
        agenda_of(replace(settled, parts_applied=applied, paid_out_at=paid_out))
        for applied in (1, 2)
        for paid_out in (None, at)
    ]
    assert [entry and entry[0] for entry in listed] == ["paying", "paying", "clearing", None]


def test_a_settlement_in_parts_survives_a_crash_at_every_call() -> None:
    def work(shop: Shop) -> None:
        payment = shop.payments.of_account(ACCOUNT)[0]
        shop.payments.handle_event(news(payment, "settled", "evt_1"))

    calls = assert_survives_every_crash(
        lambda: _started(shop_in_memory({f"inv_{n:03d}": 100 for n in range(41)})),
        lambda shop: [shop.client],
        work,
        lambda shop: shop.everything(),
    )
    assert calls == 6


def test_news_survive_a_crash_at_every_call() -> None:
    def work(shop: Shop) -> None:
        payment = shop.payments.of_account(ACCOUNT)[0]
        for event in (news(payment, "processing", "evt_1"), news(payment, "settled", "evt_2"), payout_of(payment)):
            shop.payments.handle_event(event)

    calls = assert_survives_every_crash(
        lambda: _started(shop_in_memory()), lambda shop: [shop.client], work, lambda shop: shop.everything()
    )
    assert calls == 8
