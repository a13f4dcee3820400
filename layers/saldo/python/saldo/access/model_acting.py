"""A customer's consent that the seller's people look at an account as the customer sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """Until when, and who of the customer gave it. `begun` counts sessions that began under it."""

    account_id: str
    granted_by: str
    granted_at: datetime
    until: datetime
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Acting:
    """On a session of the portal: which member of staff looks, by whose consent, until when."""

    staff_id: str
    consent_of: str
    until: datetime
