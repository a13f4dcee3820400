"""Events that fit nothing of ours: they wait their turn, say what they are, and are dropped by people alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from saldo.kernel.clock import instant_from
from saldo.kernel.errors import NotFound, Refusal
from saldo.payments import sweeping
from saldo.payments.model import Outcome, Payment, PaymentStatus
from saldo.payments.parked import ParkedEvents
from saldo.storage.units import Unit
from tests.contexts.payments.scenes import ACCOUNT, ADA, Shop, news, shop_in_memory


def _strange(shop: Shop, payment: Payment, many: int) -> None:
    """News that fit nothing of ours and never will: another system shares the gateway's account."""
    for n in range(many):
        other = replace(payment, id=f"pay_20261101strange{n:05d}", account_id="acct_eu_elsewhere")
        assert shop.payments.handle_event(news(other, "settled", f"evt_{n:03d}")) is Outcome.PARKED


def test_events_that_never_fit_hold_none_up_that_fits_by_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_MOST_PARKED", 5)
    with shop_in_memory() as shop:
        payment = shop.start(("inv_1", 10_000))
        _strange(shop, payment, 12)
        item = shop.store.get(ACCOUNT, f"payment#{payment.id}")
        assert item is not None
        shop.store.write_one(Unit("lose").delete((item["pk"], item["sk"])))
        assert shop.payments.handle_event(news(payment, "settled", "evt_9")) is Outcome.PARKED
        shop.store.put_many([item])
        resolved = []
        for _ in range(4):
            resolved.append(shop.payments.sweep().resolved)
            shop.clock.advance(minutes=5)
        assert resolved == [0, 0, 1, 0]
        assert shop.payments.get(ACCOUNT, payment.id).status is PaymentStatus.SETTLED
        tries = [shop.payments.sweep().resolved for _ in range(3)]
        assert (tries, len(ParkedEvents(shop.store, shop.clock, "simulator").all())) == ([0, 0, 0], 12)


def test_a_parked_event_says_whose_it_is_what_it_tells_and_since_when_it_waits(shop: Shop) -> None:
    payment = shop.start(("inv_1", 10_000))
    parked_at = shop.clock()
    shop.payments.handle_event(news(replace(payment, id="pay_20261101unknown"), "settled", "evt_1"))
    _strange(shop, payment, 1)
    shop.clock.advance(minutes=5)
    shop.payments.sweep()
    strange, ours = sorted(ParkedEvents(shop.store, shop.clock, "simulator").all(), key=lambda item: item["event_id"])
    assert (strange["event_id"], strange["entity_id"]) == ("evt_000", "")
    told = ("event_id", "news", "account_id", "subject_id", "entity_id", "amount_minor", "currency", "reason")
    facts = ("payment.settled", ACCOUNT, "pay_20261101unknown", "ent_eu_seller", 10_000, "EUR", "unknown_payment")
    assert tuple(ours[name] for name in told) == ("evt_1", *facts)
    assert instant_from(ours["parked_at"]) == parked_at, "also after it was tried again"


def test_who_drops_an_event_says_why_and_it_is_tried_no_more_and_kept(shop: Shop) -> None:
    payment, parked = shop.start(("inv_1", 10_000)), ParkedEvents(shop.store, shop.clock, "simulator")
    unknown = news(replace(payment, id="pay_20261101unknown"), "settled", "evt_1")
    shop.payments.handle_event(unknown)
    with pytest.raises(Refusal, match="say why"):
        parked.drop("evt_1", ADA, " ")
    parked.drop("evt_1", ADA, "booked by hand as line 7")
    assert shop.payments.handle_event(unknown) is Outcome.PARKED
    shop.clock.advance(minutes=30)
    assert (shop.payments.sweep().resolved, parked.all()) == (0, [])
    (kept,) = shop.store.query_all("parked_simulator")
    assert (kept["kind"], kept["dropped_for"]) == ("dropped_event", "booked by hand as line 7")
    records = [
        item for item in shop.store.query_all(ACCOUNT, prefix="audit#") if item["action"] == "gateway_event.dropped"
    ]
    assert [(r["subject_id"], r["reason"], r["before"]["amount_minor"]) for r in records] == [
        ("evt_1#pay_20261101unknown", "booked by hand as line 7", 10_000)
    ]
    with pytest.raises(NotFound):
        parked.drop("evt_1", ADA, "again")
