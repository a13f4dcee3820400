"""Events as they come from the queue: each handled on its own, failures handed back one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments.model import Outcome
from saldo.payments.service import Payments
from saldo.payments.webhooks import event_from


def handle_messages(payments: Payments, messages: Sequence[Mapping[str, Any]]) -> tuple[list[str], Counter[Outcome]]:
    """SQS messages whose bodies are verified webhook bodies → ids of messages to deliver again, and what became of
    the others. A body that is not an event is handed back too, so that it ends in the dead-letter queue for people.
    """
    again: list[str] = []
    outcomes: Counter[Outcome] = Counter()
    for message in messages:
        try:
            outcomes[payments.handle_event(event_from(message["body"]))] += 1
        except (Unavailable, Refusal):
            again.append(message["messageId"])
    return again, outcomes
