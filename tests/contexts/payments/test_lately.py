"""An account's latest payments in one record: right, or not believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from saldo.insight.invariants import check_all
from saldo.kernel.money import Money
from saldo.payments.lately import LATEST, LatestPayments, PaymentRow, is_being_paid, latest
from saldo.payments.model import Payment
from saldo.payments.records import PREFIX, payment_from, payments_key
from saldo.storage.units import Unit
from tests.contexts.payments.scenes import ACCOUNT, Shop, news, shop_in_memory
from tests.simulation.dynamodb import PART


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shop_in_memory() as made:
        yield made


def fold(shop: Shop) -> bool:
    return LatestPayments(shop.store).fold(ACCOUNT)


def calls(shop: Shop, asked: object) -> int:
    assert callable(asked)
    before = shop.client.calls
    asked()
    return int(shop.client.calls - before)


def says(shop: Shop) -> list[PaymentRow]:
    return latest(shop.store, ACCOUNT)


def right(shop: Shop) -> list[PaymentRow]:
    found = [payment_from(i) for i in shop.store.query_all(ACCOUNT, prefix=PREFIX, newest_first=True)][:LATEST]
    return [PaymentRow(p.id, p.status, p.amount, p.started_at, p.settled_at) for p in found]


def paid(shop: Shop, n: int = 1) -> Payment:
    return shop.start(("inv_1", 100), key=f"form-key-{n}", reason="a part")


def test_an_account_that_never_paid_is_known_to_have_no_payments_from_the_second_look_on(shop: Shop) -> None:
    assert says(shop) == [] and calls(shop, lambda: says(shop)) == 1
    assert not is_being_paid(shop.store, ACCOUNT, "inv_1")
    paid(shop)
    assert is_being_paid(shop.store, ACCOUNT, "inv_1") and says(shop) == right(shop) != []


def test_what_was_folded_before_a_payment_was_written_is_not_believed(shop: Shop) -> None:
    payment = paid(shop)
    assert fold(shop) and calls(shop, lambda: says(shop)) == 1
    assert is_being_paid(shop.store, ACCOUNT, "inv_1") and not is_being_paid(shop.store, ACCOUNT, "inv_2")
    shop.payments.handle_event(news(payment, "settled", "evt_1"))
    assert calls(shop, lambda: says(shop)) == 2 and says(shop) == right(shop)
    assert not is_being_paid(shop.store, ACCOUNT, "inv_1")
    assert fold(shop) and not fold(shop) and calls(shop, lambda: says(shop)) == 1
    assert says(shop) == right(shop) and says(shop)[0].settled_at is not None


def test_the_latest_are_the_latest_and_no_more(shop: Shop) -> None:
    for n in range(LATEST + 2):
        paid(shop, n)
    assert fold(shop) and len(says(shop)) == LATEST and says(shop) == right(shop)


def test_a_payment_written_while_the_record_is_folded_leaves_it_to_the_next_word(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(shop, 1)
    query = type(shop.store).query

    def meanwhile(store: object, *asked: object, **bounds: object) -> object:
        found = query(store, *asked, **bounds)  # type: ignore[arg-type]
        monkeypatch.undo()
        paid(shop, 2)
        return found

    monkeypatch.setattr(type(shop.store), "query", meanwhile)
    assert not fold(shop) and says(shop) == right(shop)
    assert fold(shop) and says(shop) == right(shop)


def test_what_is_out_of_sight_is_not_shown_and_makes_no_record(shop: Shop) -> None:
    paid(shop)
    blind = shop.store.within(ACCOUNT, sees=lambda item: item.get("kind") != "payment")
    shop.store.write_one(Unit("none").delete(payments_key(ACCOUNT)))
    assert latest(blind, ACCOUNT) == [] and shop.store.get(*payments_key(ACCOUNT)) is None
    assert fold(shop) and latest(blind, ACCOUNT) == [] != says(shop)


def test_a_record_that_is_not_what_the_payments_say_is_told(shop: Shop) -> None:
    paid(shop)
    assert fold(shop) and not [v for v in check_all(shop.store).violations if v.invariant == 14]
    item = shop.store.get(*payments_key(ACCOUNT)) or {}
    row = item["latest"][0] | {"amount_minor": Money(1, "EUR").minor}
    shop.store.write_one(Unit("bend").update(payments_key(ACCOUNT), set={"latest": [row]}))
    assert [v for v in check_all(shop.store).violations if v.invariant == 14]
    LatestPayments(shop.store).rebuild(ACCOUNT)
    assert not [v for v in check_all(shop.store).violations if v.invariant == 14] and says(shop) == right(shop)


def test_a_page_that_ends_early_is_read_to_its_end(shop: Shop) -> None:
    for n in range(1, 4):
        paid(shop, n)
    early = ["Query"]

    def cut(_number: int, operation: str, when: str) -> object:
        if when == "before" and operation in early:
            early.remove(operation)
            return PART
        return None

    shop.client.fault = cut
    assert fold(shop) and not early
    assert says(shop) == right(shop) and len(says(shop)) == 3
    assert is_being_paid(shop.store, ACCOUNT, "inv_1")
