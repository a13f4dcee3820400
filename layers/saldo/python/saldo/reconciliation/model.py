"""A difference: records that do not agree, as a task for the seller's people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_TOLD, MOST_WORDS = 10, 300


class DifferenceState(StrEnum):
    """OPEN: the last look found it. GONE: it no longer did. Only a look says so: nobody closes a difference by hand."""

    OPEN = "open"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Difference:
    """What looks found of one owner's records against one invariant (`saldo.insight.invariants.TITLES`).

    `what`: ids and amounts, at most MOST_TOLD of them. `found_at`: when it was found first, or again after it was gone.
    `taken_by`: the member of staff who looks into it; `note`: what they found so far.
    """

    entity_id: str
    id: str
    invariant: int
    owner_id: str
    what: tuple[str, ...]
    found_at: datetime
    state: DifferenceState = DifferenceState.OPEN
    gone_at: datetime | None = None
    taken_by: str = ""
    note: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one look. `untold`: found of records that belong to no seller, or beyond the most that is kept."""

    found: int
    gone: int
    untold: int
