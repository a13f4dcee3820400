"""The payments functions as the deployment calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from functions.observed import logger, metrics
from functions.payments import gateway_events, sweep
from saldo.payments.model import PaymentStatus
from saldo.payments.webhooks import event_body
from tests.contexts.payments.scenes import ACCOUNT, Shop, news, shop_in_memory


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Saldo")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "payments")
    logger.cache_clear()
    metrics.cache_clear()
    with shop_in_memory() as opened:
        for function in (gateway_events, sweep):
            monkeypatch.setattr(function, "payments", lambda: opened.payments)
        yield opened


def test_queued_events_are_applied_and_broken_ones_are_handed_back(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = shop.start(("inv_1", 10_000))
    body = json.dumps(event_body(news(payment, "settled", "evt_1")))
    records = [
        {"messageId": "m1", "body": body},
        {"messageId": "m2", "body": "{"},
        {"messageId": "m3", "body": body},
    ]
    assert gateway_events.handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert shop.payments.get(ACCOUNT, payment.id).status is PaymentStatus.SETTLED
    emf = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (emf["GatewayEventsApplied"], emf["GatewayEventsDuplicate"]) == ([1.0], [1.0])


def test_the_sweep_says_what_it_did(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    lost = shop.start(("inv_1", 10_000))
    shop.gateway.checkouts.clear()
    shop.clock.advance(minutes=11)
    answer = sweep.handler({}, None)
    assert (answer["asked"], answer["unknown"]) == (1, 1)
    assert lost.id not in answer["payments_changed"]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["PaymentsUnknownToGateway"] == [1.0]
