"""A certificate of exemption that a customer hands in, until somebody of the seller's decides on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class RequestState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


MOVES: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.WAITING: frozenset({RequestState.ACCEPTED, RequestState.REFUSED}),
    RequestState.ACCEPTED: frozenset(),
    RequestState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """What the customer says that its certificate covers, on [from_on, until_on), and what part of it; the file is the
    upload of the same id. `number` and `words` (why it was refused) are sealed; empty once erased."""

    account_id: str
    upload_id: str
    organisation_id: str
    entity_id: str
    jurisdictions: frozenset[str]
    from_on: date
    until_on: date
    asked_at: datetime
    asked_by: str
    number: str
    state: RequestState = RequestState.WAITING
    words: str = ""
    revision: int = 1
    percent: Decimal = Decimal(100)
