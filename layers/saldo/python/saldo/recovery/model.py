"""What a restore drill finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a restore would get wrong: what was looked at, whose it is, and what is wrong."""

    check: str
    owner_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Total:
    """One entity's journal in one currency, in minor units: turnover (sum of debits) and what customers owe."""

    entity_id: str
    currency: str
    entries: int
    turnover_minor: int
    receivables_minor: int


@dataclass(slots=True)
class SealedFields:
    """Records with sealed fields in the copy: opened, erased (their key is shredded), or unreadable, which is wrong.

    `keys_from`: `backup`, or `live` where the keys table's backups do not reach back so far. `shredded_again`: keys
    that the backup brought back although they have been shredded since.
    """

    keys_from: str = ""
    shredded_again: int = 0
    opened: int = 0
    erased: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Replayed:
    """Gateway events told to the copy: what became of them, told once and told again.

    `not_kept`: applied in the live table before events were kept with their bodies; they cannot be told again.
    """

    first: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    not_kept: int = 0


@dataclass(slots=True)
class DrillReport:
    """A drill's outcome. `seconds`: by step, `rto` in all. `rpo_s`: how old the newest change in the copy is at `at`.

    `lost`: changes of the live table up to `at` that the copy lacks; those that its backups should hold are findings.
    `totals`: of the copy, as of `at`.
    """

    table: str
    at: datetime
    records: int = 0
    newest_change_at: str = ""
    rpo_s: float | None = None
    lost: int = 0
    undated: int = 0
    totals: list[Total] = field(default_factory=list)
    sealed: SealedFields = field(default_factory=SealedFields)
    replayed: Replayed = field(default_factory=Replayed)
    seconds: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    kept: tuple[str, ...] = ()

    @property
    def rto_s(self) -> float:
        return round(sum(self.seconds.values()), 3)

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "rto_s": self.rto_s}
