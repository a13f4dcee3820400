"""Rows that were not accepted, held until someone repairs or drops them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from saldo.kernel.errors import Problem
from saldo.usage.ingest_rows import UsageRow


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row in the quarantine. origin: the file (its SHA-256) or batch it came with."""

    entity_id: str
    origin: str
    row: UsageRow
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "origin": self.origin,
            "row": self.row.number,
            "fields": dict(self.row.fields),
            "text": self.row.text,
            "problems": [p.as_dict() for p in self.problems],
            "repairs": self.row.repairs,
        }


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of rows tried again: `left`: those that left the quarantine, accepted now or before."""

    tried: int
    accepted: int
    duplicates: int
    left: int
    rejected: tuple[HeldRow, ...] = ()
