"""What one person asks and a second must agree to (four eyes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from saldo.audit.model import Actor
from saldo.kernel.money import Money


class ProposalKind(StrEnum):
    """What may be asked. The use case that carries one out names its kind."""

    CREDIT_NOTE = "credit_note"
    BANK_DETAILS = "bank_details"
    ELEVATION = "elevation"
    ACCESS_GRANT = "access_grant"
    WRITE_OFF = "write_off"
    REFUND = "refund"
    PRICE_OVERRIDE = "price_override"
    PAYMENT = "payment"
    PROMISE = "promise"
    TERMS = "terms"


class ProposalState(StrEnum):
    """AGREED waits for the use case that takes it up; DONE was carried out. EXPIRED is never stored: time says so."""

    ASKED = "asked"
    AGREED = "agreed"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `owner_id`: the legal entity or account it is about; `content`: all that the use case
    needs to carry it out, in JSON's types, nothing personal; `request`: the form's own id, so that it comes once.

    `may_agree`: roles of which the second person needs one.
    """

    owner_id: str
    kind: ProposalKind
    subject_id: str
    content: Mapping[str, Any]
    reason: str
    may_agree: frozenset[str]
    request: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A wish on record. `digest` is the SHA-256 of all that is agreed to."""

    id: str
    owner_id: str
    kind: ProposalKind
    subject_id: str
    content: Mapping[str, Any]
    amount: Money | None
    reason: str
    may_agree: frozenset[str]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    digest: str
    state: ProposalState = ProposalState.ASKED
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WaitingProposal:
    """A wish that waits for a second person, as the queue shows it."""

    id: str
    kind: ProposalKind
    amount: Money | None
    reason: str
    asked_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, with the roles they have where the proposal lies, at this moment."""

    actor: Actor
    roles: frozenset[str]
