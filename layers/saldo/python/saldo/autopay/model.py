"""Autopay: the rule of an account, debits that were announced, and what a day would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from saldo.payments.model import Allocation


class When(StrEnum):
    """On which day an invoice is collected: its due date, some days before it, or a day of the month."""

    DUE = "due"
    BEFORE = "before"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an account's people chose. `days`: before the due date; `day`: of the month (31 is the last there is).

    method_id: "" for the account's default. cap_minor: one debit takes no more, 0 for no cap; `currency`: the
    account's, the only one that is collected in. notice_days: so long before a debit it is announced. excluded:
    invoices left out. set_by: who made it; debits are in their name. `version` rises with each change.
    """

    account_id: str
    entity_id: str
    currency: str
    when: When = When.DUE
    days: int = 0
    day: int = 1
    method_id: str = ""
    cap_minor: int = 0
    notice_days: int = 5
    skips_disputed: bool = True
    skips_promised: bool = True
    takes_discounts: bool = True
    excluded: tuple[str, ...] = ()
    is_on: bool = True
    set_by: str = ""
    set_at: datetime | None = None
    version: int = 1


class DebitState(StrEnum):
    """DEBIT_MOVES lists the allowed steps. STARTING: claimed by a day's run, with what is charged fixed."""

    ANNOUNCED = "announced"
    STARTING = "starting"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    STARTED = "started"
    FAILED = "failed"
    PAID = "paid"


_D = DebitState
DEBIT_MOVES: dict[DebitState, frozenset[DebitState]] = {
    _D.ANNOUNCED: frozenset({_D.STARTING, _D.CANCELLED, _D.SKIPPED}),
    _D.STARTING: frozenset({_D.STARTED, _D.FAILED}),
    _D.STARTED: frozenset({_D.FAILED, _D.PAID}),
    _D.FAILED: frozenset(),
    _D.CANCELLED: frozenset(),
    _D.SKIPPED: frozenset(),
    _D.PAID: frozenset(),
}
PENDING = frozenset({_D.ANNOUNCED, _D.STARTING, _D.STARTED})


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice of a debit: how much was announced, and the how manieth attempt it is (from 1)."""

    invoice_id: str
    number: str
    minor: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Debit:
    """One debit, announced to the account's payers. `charged`: what it took, fixed when it starts.

    `code`: why it was skipped or failed.
    """

    account_id: str
    id: str
    entity_id: str
    currency: str
    announced_on: date
    debit_on: date
    lines: tuple[Line, ...]
    method: str = ""
    state: DebitState = DebitState.ANNOUNCED
    charged: tuple[Allocation, ...] = ()
    payment_id: str = ""
    code: str = ""

    @property
    def minor(self) -> int:
        return sum(a.minor for a in self.charged) if self.charged else sum(line.minor for line in self.lines)

    @property
    def request_key(self) -> str:
        return f"autopay-{self.id}"


@dataclass(frozen=True, slots=True)
class Owed:
    """An open invoice. `early`: the last day and the amount that settles it when paid by then,
    of each discount for that, the soonest first."""

    invoice_id: str
    number: str
    currency: str
    issued_on: date
    due_on: date
    open_minor: int
    early: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """All that deciding about one account needs. `held`: invoices not to be collected now, with the code of why
    (`disputed`, `promised`, `payment_under_way`). `can_charge`: whether a method is there that could."""

    rule: Rule
    invoices: tuple[Owed, ...]
    debits: tuple[Debit, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)
    can_charge: bool = True


@dataclass(frozen=True, slots=True)
class Planned:
    """A debit that is to be: announced on one day, taken on another, unless something changes."""

    announce_on: date
    debit_on: date
    lines: tuple[Line, ...]

    @property
    def minor(self) -> int:
        return sum(line.minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An open invoice that is not collected, and the code of why (the room's README lists them)."""

    invoice_id: str
    number: str
    open_minor: int
    currency: str
    code: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is collected when, the soonest first, and what is not."""

    planned: tuple[Planned, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
