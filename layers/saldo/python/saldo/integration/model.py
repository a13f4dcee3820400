"""Domain events: what happened, as other systems are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saldo.kernel.clock import instant_text

SOURCE = "saldo"


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """Something that happened to one account. Carries ids, amounts (minor units) and dates, never personal fields.

    `id` follows from what happened, so a consumer that sees it twice knows it. `type` is `<noun>.<past verb>`;
    `version` names the JSON Schema (`events/schemas/<type>.v<version>.json`) that `as_detail` conforms to.
    """

    id: str
    type: str
    version: int
    occurred_at: datetime
    correlation_id: str
    account_id: str
    entity_id: str
    facts: Mapping[str, Any]

    def as_detail(self) -> dict[str, Any]:
        """The event as JSON values."""
        return {
            "id": self.id,
            "type": self.type,
            "version": self.version,
            "occurred_at": instant_text(self.occurred_at),
            "correlation_id": self.correlation_id,
            "account_id": self.account_id,
            "entity_id": self.entity_id,
            **self.facts,
        }
