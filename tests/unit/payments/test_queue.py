"""Messages of the queue: one in trouble does not hold up the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from saldo.kernel.errors import Unavailable
from saldo.kernel.money import Money
from saldo.payments.model import GatewayEvent, GatewayPayment, Outcome, PaymentStatus
from saldo.payments.queue import handle_messages
from saldo.payments.webhooks import event_body

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


class _Payments:
    def handle_event(self, event: GatewayEvent) -> Outcome:
        if event.id == "evt_busy":
            raise Unavailable("others are at it")
        return Outcome.PARKED if event.id == "evt_strange" else Outcome.APPLIED


def _message(event_id: str) -> dict[str, Any]:
    report = GatewayPayment("pay_1", "acct_eu_a", "chk_1", PaymentStatus.SETTLED, Money(1, "EUR"), NOW)
    return {"messageId": f"m_{event_id}", "body": json.dumps(event_body(GatewayEvent(event_id, NOW, report)))}


def test_what_cannot_be_handled_now_comes_again_and_the_rest_is_counted() -> None:
    messages = [_message(i) for i in ("evt_1", "evt_busy", "evt_2", "evt_strange")]
    messages.insert(0, {"messageId": "m_broken", "body": "{"})
    handled = handle_messages(_Payments(), messages, NOW)  # type: ignore[arg-type]
    assert handled.again == ["m_broken", "m_evt_busy"]
    assert handled.outcomes == {Outcome.APPLIED: 2, Outcome.PARKED: 1}
    assert handled.late == 0


def test_news_applied_more_than_five_minutes_after_it_happened_are_late() -> None:
    messages = [_message("evt_1"), _message("evt_strange")]
    assert handle_messages(_Payments(), messages, NOW + timedelta(minutes=5)).late == 0  # type: ignore[arg-type]
    assert handle_messages(_Payments(), messages, NOW + timedelta(minutes=6)).late == 1  # type: ignore[arg-type]
