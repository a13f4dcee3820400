"""What documents need from rooms beside them, in their own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SettledPayment:
    """A payment that arrived: `applied` are (invoice id, minor units), `amount_minor` all that was received."""

    payment_id: str
    receipt_number: str
    entity_id: str
    settled_on: date
    currency: str
    amount_minor: int
    method: str
    reference: str
    applied: tuple[tuple[str, int], ...]


class SettledPayments(Protocol):
    def settled(self, account_id: str, payment_id: str) -> SettledPayment:
        """NotFound for no such payment of this account; Refusal `not_settled` while its money has not arrived."""
        ...
