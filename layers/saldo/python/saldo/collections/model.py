"""When a customer is reminded of an open invoice, and the letters that were made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DunningStep:
    """One notice of an invoice, `days` after its due date (below zero: before it). Its name is permanent: an invoice
    gets a step of that name once, whatever the schedule becomes."""

    name: str
    days: int


DEFAULT_STEPS = (
    DunningStep("upcoming", -3),
    DunningStep("due", 0),
    DunningStep("first", 7),
    DunningStep("second", 14),
    DunningStep("last", 30),
)


@dataclass(frozen=True, slots=True)
class ReminderPolicy:
    """A seller's schedule. `steps` rise in days; `segments`: those of customers of a segment (`Terms.segment`), none
    of whom is reminded where that is empty. `gap_days`: between two letters to one account lie at least so many."""

    steps: tuple[DunningStep, ...] = DEFAULT_STEPS
    segments: Mapping[str, tuple[DunningStep, ...]] = field(default_factory=dict)
    gap_days: int = 2

    def steps_for(self, segment: str) -> tuple[DunningStep, ...]:
        return self.segments.get(segment, self.steps) if segment else self.steps


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An issued invoice with something still owed, in minor units; `disputed_minor` of it is in dispute, the rest
    promised for another day where `promise_id` names a promise."""

    invoice_id: str
    number: str
    currency: str
    issued_on: date
    due_on: date
    open_minor: int
    disputed_minor: int = 0
    promise_id: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One step of one invoice in a letter. `open_minor`: what was owed when it was decided. `is_last`: the schedule had
    no step after it. `withdrawn`: why it was taken out again before the letter went ("": it was not)."""

    invoice_id: str
    number: str
    step: str
    days: int
    currency: str
    due_on: date
    open_minor: int
    is_last: bool = False
    withdrawn: str = ""
    disputed_minor: int = 0

    @property
    def asked_minor(self) -> int:
        """What the letter asks for: what is open and not in dispute."""
        return self.open_minor - self.disputed_minor


@dataclass(frozen=True, slots=True)
class Reminder:
    """One letter to an account: the notices of a day. `revision` rises with each change."""

    account_id: str
    entity_id: str
    id: str
    on: date
    issued_at: datetime
    notices: tuple[Notice, ...]
    revision: int = 1

    @property
    def standing(self) -> tuple[Notice, ...]:
        """Those that the letter is about; none when all were withdrawn."""
        return tuple(notice for notice in self.notices if not notice.withdrawn)


@dataclass(frozen=True, slots=True)
class AccountCase:
    """All that deciding about one account needs.

    `mailed`: it can be written to. `given`: steps each invoice has had, by invoice: name → days. `last_on`: the day of
    the latest letter. `held`: invoices that nobody is to be reminded of now, with the code of why. `unapplied`: money
    that came from the account and belongs to no invoice yet, by currency, in minor units.
    """

    account_id: str
    segment: str
    mailed: bool
    invoices: tuple[OpenInvoice, ...]
    given: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    last_on: date | None = None
    held: Mapping[str, str] = field(default_factory=dict)
    unapplied: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An open invoice nobody is reminded of today, and the code of why (listed in the room's README)."""

    invoice_id: str
    number: str
    code: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be sent to one account today, and why not more."""

    account_id: str
    notices: tuple[Notice, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
