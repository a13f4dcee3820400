"""Promises to pay and payment plans: which invoices, on which days, how they are paid, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class PromiseState(StrEnum):
    """ASKED: beyond the seller's limits, its people are to decide. CURRENT: nobody asks for what it covers."""

    ASKED = "asked"
    CURRENT = "current"
    KEPT = "kept"
    BROKEN = "broken"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"


_P = PromiseState
MOVES: Mapping[PromiseState, frozenset[PromiseState]] = {
    _P.ASKED: frozenset({_P.CURRENT, _P.REFUSED, _P.CANCELLED}),
    _P.CURRENT: frozenset({_P.KEPT, _P.BROKEN, _P.CANCELLED, _P.REPLACED}),
    **{state: frozenset() for state in (_P.KEPT, _P.BROKEN, _P.REFUSED, _P.CANCELLED, _P.REPLACED)},
}
ACTIVE = frozenset({_P.ASKED, _P.CURRENT})


class Why(StrEnum):
    """What a customer says when asking; a code, so that there is nothing personal in it and it can be counted."""

    CASH = "cash"
    WAITING = "waiting"
    BUDGET = "budget"
    ABSENT = "absent"
    OTHER = "other"


class WhyNot(StrEnum):
    """What the seller says when refusing."""

    TOO_LATE = "too_late"
    TOO_MUCH = "too_much"
    HISTORY = "history"
    CONTACT = "contact"


class Every(StrEnum):
    """How far apart instalments are."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limits:
    """Within these a customer promises without being asked; beyond them the seller's people decide.

    most_days: the last day is at most so many after the earliest due date. most_minor: of one promise, in the account's
    own currency; 0 for any amount. most_at_once: promises of an account that are not over. months_after_broken: so long
    after a broken one none. most_instalments: 1 allows promises, but no plans. grace_days: what comes so many days
    after its day is still in time.
    """

    most_days: int = 60
    most_minor: int = 0
    most_at_once: int = 2
    months_after_broken: int = 6
    most_instalments: int = 3
    grace_days: int = 3


@dataclass(frozen=True, slots=True)
class LimitsPolicy:
    """A seller's limits: everybody's, and those of customers of a segment (`Terms.segment`)."""

    limits: Limits = Limits()
    segments: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, segment: str) -> Limits:
        return self.segments.get(segment, self.limits) if segment else self.limits


@dataclass(frozen=True, slots=True)
class Covered:
    """One invoice of a promise: what of it was open, and not in dispute, when it was promised. Minor units."""

    invoice_id: str
    number: str
    due_on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Instalment:
    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class StateChange:
    at: datetime
    state: PromiseState


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise of one day, or a plan of several. Instalments rise in days and add up to what is covered.

    method_id: the stored method they are charged from ("": the payer pays, and is reminded), `method` what people know
    it by. beyond: codes of the limits it goes beyond. replaces: the promise that it stands for once it is agreed to.
    told: instalments whose coming was told; missed_told: whose missing was. `revision` rises with each change.
    """

    account_id: str
    id: str
    organisation_id: str
    entity_id: str
    currency: str
    covers: tuple[Covered, ...]
    instalments: tuple[Instalment, ...]
    grace_days: int
    state: PromiseState
    made_at: datetime
    made_by: str
    why: Why
    history: tuple[StateChange, ...]
    method_id: str = ""
    method: str = ""
    beyond: tuple[str, ...] = ()
    replaces: str = ""
    why_not: str = ""
    told: int = 0
    missed_told: int = 0
    revision: int = 1

    @property
    def minor(self) -> int:
        return sum(one.minor for one in self.covers)

    @property
    def until_on(self) -> date:
        """The last day that is promised."""
        return self.instalments[-1].on

    @property
    def is_plan(self) -> bool:
        return len(self.instalments) > 1

    def charge_key(self, number: int) -> str:
        """Names the charge of one instalment (from 1) for ever."""
        return f"promise-{self.id}-{number}"


@dataclass(frozen=True, slots=True)
class Due:
    """An invoice of a promise as it is now: what is still to come, and what payments brought since it was promised."""

    invoice_id: str
    due_on: date
    left_minor: int
    paid_minor: int


@dataclass(frozen=True, slots=True)
class Stands:
    """One instalment as it stands: what it comes to by now, and what of it was paid."""

    number: int
    on: date
    minor: int
    paid_minor: int

    @property
    def left_minor(self) -> int:
        return self.minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer fills in. first_on: the day of the only, or first, instalment."""

    invoice_ids: tuple[str, ...]
    first_on: date
    count: int = 1
    every: Every = Every.MONTH
    method_id: str = ""
    why: Why = Why.CASH


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open invoice as promising sees it. promise_id: the promise that it is under."""

    invoice_id: str
    number: str
    currency: str
    due_on: date
    minor: int
    promise_id: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """All that deciding about a wish needs. earlier: all promises of the account. replaces: the one that is to make
    room, whose invoices may be chosen though they are promised."""

    today: date
    candidates: Mapping[str, Candidate]
    limits: Limits
    earlier: tuple[Promise, ...] = ()
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a wish comes to: to be shown before it is made. beyond: codes; empty where nobody has to be asked."""

    currency: str
    covers: tuple[Covered, ...]
    instalments: tuple[Instalment, ...]
    beyond: tuple[str, ...]

    @property
    def minor(self) -> int:
        return sum(one.minor for one in self.covers)
