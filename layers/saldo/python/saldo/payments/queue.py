"""Events as they come from the queue: each handled on its own, failures handed back one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from saldo.kernel.errors import Refusal, Unavailable
from saldo.payments.model import Outcome
from saldo.payments.service import Payments
from saldo.payments.webhooks import event_from

IN_TIME = timedelta(minutes=5)  # what is promised: infra/slo.toml


@dataclass(slots=True)
class Handled:
    """again: ids of messages to deliver once more. outcomes: what became of the others. late: applied too late."""

    again: list[str] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    late: int = 0


def handle_messages(payments: Payments, messages: Sequence[Mapping[str, Any]], now: datetime) -> Handled:
    """SQS messages whose bodies are verified webhook bodies. A body that is not an event is handed back, too, so that
    it ends in the dead-letter queue for people.
    """
    handled = Handled()
    for message in messages:
        try:
            event = event_from(message["body"])
            outcome = payments.handle_event(event)
        except (Unavailable, Refusal):
            handled.again.append(message["messageId"])
            continue
        handled.outcomes[outcome] += 1
        handled.late += outcome is Outcome.APPLIED and now - event.occurred_at > IN_TIME
    return handled
