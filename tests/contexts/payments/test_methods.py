"""Stored methods on records: news in any order, answers that get lost, what cannot be charged, claims and cancels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from local.gateway.methods import CARDS
from local.gateway.moods import Mood
from local.gateway.server import GatewayProcess
from saldo.kernel.errors import Refusal
from saldo.payments.model import Allocation, GatewayEvent, Outcome, PaymentStatus
from saldo.payments.model_methods import MethodReport, MethodStatus, StoredMethod
from saldo.payments.opening import Wish
from saldo.payments.records_methods import methods_of
from saldo.payments.scheduled import ScheduledPayments, ScheduledState
from saldo.payments.service import Payments
from saldo.payments.simulator import SimulatedGateway
from saldo.payments.webhooks import event_from
from tests.contexts.payments.scenes import ACCOUNT, ADA, ENTITY, KEY, RETURN_URL, Shop, shop_in_memory

SECRET = b"shared with the gateway"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Shop, GatewayProcess]]:
    """A shop that speaks to the simulator over HTTP; every first answer gets lost."""
    with shop_in_memory() as shop:
        process = GatewayProcess(tmp_path, [SECRET], {}, mood=Mood(seed=3, lose=0.6, twice=1.0), clock=shop.clock)
        with process.start(deliver=False):
            port = SimulatedGateway(process.url, lambda: SECRET)
            shop.payments = Payments(shop.store, port, shop.clock)
            yield shop, process


def hear(shop: Shop, process: GatewayProcess) -> list[Outcome]:
    due = process.book.due_deliveries(shop.clock(), 100)
    for delivery in due:
        process.book.delivered(delivery, shop.clock(), None)
    return [shop.payments.handle_event(event_from(delivery.body)) for delivery in [*reversed(due), *due]]


def stored(shop: Shop, process: GatewayProcess, key: str = KEY, card: int = 0) -> StoredMethod:
    begun = shop.payments.methods.begin(ACCOUNT, ADA, key, RETURN_URL)
    process.book.save(begun.ref, "card", CARDS[card], shop.clock(), expires_on=date(2030, 4, 30))
    hear(shop, process)
    return next(m for m in methods_of(shop.store, ACCOUNT).all if m.id == begun.id)


def charge(shop: Shop, method: StoredMethod, key: str) -> PaymentStatus:
    wanted = [Allocation("inv_1", 10_000)]
    return shop.payments.start(ACCOUNT, wanted, ADA, key, RETURN_URL, method_id=method.id).status


def test_a_method_is_stored_and_charged_once_though_answers_get_lost(place: tuple[Shop, GatewayProcess]) -> None:
    shop, process = place
    method = stored(shop, process)
    assert method.status is MethodStatus.ACTIVE and method.token.startswith("tok_")
    assert [charge(shop, method, "form-key-2") for _ in range(3)] == [PaymentStatus.SETTLED] * 3
    hear(shop, process)
    assert process.book.counted()["checkouts"] == {"settled": 1} and shop.header("inv_1").open_minor == 0


def test_the_same_form_begins_the_same_method(place: tuple[Shop, GatewayProcess]) -> None:
    shop, _ = place
    first, again = (shop.payments.methods.begin(ACCOUNT, ADA, KEY, RETURN_URL) for _ in range(2))
    assert first == again and len(methods_of(shop.store, ACCOUNT).all) == 1


def test_news_that_never_came_are_asked_for(place: tuple[Shop, GatewayProcess]) -> None:
    shop, process = place
    begun = shop.payments.methods.begin(ACCOUNT, ADA, KEY, RETURN_URL)
    process.book.save(begun.ref, "card", CARDS[0], shop.clock(), expires_on=date(2030, 4, 30))
    shop.clock.now += timedelta(hours=1)
    shop.payments.sweep()
    assert methods_of(shop.store, ACCOUNT).active[0].shown_as == "Visa •••• 4242"


def test_news_of_a_removed_method_do_not_bring_it_back(place: tuple[Shop, GatewayProcess]) -> None:
    shop, process = place
    method = stored(shop, process)
    shop.payments.methods.remove(ACCOUNT, method.id, ADA)
    report = MethodReport(
        method.id, ACCOUNT, method.ref, MethodStatus.ACTIVE, shop.clock(), shown_as="Visa", token="tok_1"
    )
    assert shop.payments.handle_event(GatewayEvent("evt_late", shop.clock(), report)) is Outcome.OUTDATED
    assert methods_of(shop.store, ACCOUNT).active == ()
    with pytest.raises(Refusal, match="cannot be charged"):
        charge(shop, method, "form-key-3")


def test_another_accounts_token_pays_nothing(place: tuple[Shop, GatewayProcess]) -> None:
    shop, process = place
    method = stored(shop, process)
    request = replace(_request(method), account_id="acct_eu_other", payment_id="pay_20261101aaaaaaaaaaaaaaaa")
    with pytest.raises(Refusal, match="no such stored method"):
        process.book.open_checkout(request, shop.clock())


def _request(method: StoredMethod):  # type: ignore[no-untyped-def] # a request of the gateway's port
    from saldo.kernel.money import Money
    from saldo.payments.ports import CheckoutRequest

    return CheckoutRequest("pay_1", ACCOUNT, Money(1, "EUR"), "x", "x", "en", RETURN_URL, method.token)


def test_news_of_an_unknown_method_are_parked(place: tuple[Shop, GatewayProcess]) -> None:
    shop, _ = place
    report = MethodReport("meth_nobody", ACCOUNT, "set_1", MethodStatus.ACTIVE, shop.clock(), token="tok_1")
    assert shop.payments.handle_event(GatewayEvent("evt_1", shop.clock(), report)) is Outcome.PARKED


def test_a_cancel_that_comes_while_a_payment_starts_wins_or_is_told(place: tuple[Shop, GatewayProcess]) -> None:
    shop, process = place
    method = stored(shop, process)
    later = ScheduledPayments(shop.store, shop.clock, shop.payments)
    on = date(2026, 11, 5)
    wish = Wish(ACCOUNT, (Allocation("inv_1", 10_000),), ADA, "form-key-9", "", "", "", method.id)
    one = later.schedule(wish, on)
    meanwhile = later.get(ACCOUNT, one.id)
    later.cancel(ACCOUNT, one.id, ADA)
    shop.clock.now += timedelta(days=4)
    assert later._start(meanwhile, RETURN_URL).state is ScheduledState.CANCELLED
    assert later.start_due(ENTITY, on, RETURN_URL) == [] and process.book.counted()["checkouts"] == {}
    two = later.schedule(replace(wish, request_key="form-key-10"), on + timedelta(days=1))
    assert later.start_due(ENTITY, on + timedelta(days=1), RETURN_URL)[0].state is ScheduledState.STARTED
    with pytest.raises(Refusal, match="has started"):
        later.cancel(ACCOUNT, two.id, ADA)
