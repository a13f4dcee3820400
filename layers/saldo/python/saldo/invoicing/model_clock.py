"""A customer's double on a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class AccountClock:
    """What time it is for a double. `account_id` and `seller_id` are the double's own; `of_account`, `of_seller` are
    those it was made from. `today`: its day, in its seller's time zone; everything due by then is billed.
    """

    seller_id: str
    account_id: str
    of_seller: str
    of_account: str
    began_on: date
    today: date


@dataclass(frozen=True, slots=True)
class IssuedThen:
    """A document that a step issued. Minor units."""

    invoice_id: str
    number: str
    kind: str
    issued_on: date
    currency: str
    total_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class RemindedThen:
    """A reminder of one invoice that a step decided: its dunning step, and what was owed (minor units)."""

    on: date
    reminder_id: str
    invoice_id: str
    number: str
    step: str
    due_on: date
    currency: str
    open_minor: int


class RenewalStep(StrEnum):
    """ANNOUNCED: the customer is told, and what it costs from then on is on record. RENEWED: the next term began."""

    ANNOUNCED = "announced"
    RENEWED = "renewed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RenewedThen:
    """What a step did with the term of a subscription that ends, or ended, on `term_ends_on`."""

    on: date
    subscription_id: str
    what: RenewalStep
    term_ends_on: date


@dataclass(frozen=True, slots=True)
class ClockStep:
    """One day of a double: what a run of that day issued, or why it could not bill (`set_aside`: code, reason), what
    became of its terms, and what it was reminded of.

    `is_done`: nothing more is due by the day that was asked for, and the clock stands there.
    """

    clock: AccountClock
    is_done: bool
    run_id: str = ""
    issued: Sequence[IssuedThen] = ()
    set_aside: tuple[str, str] | None = None
    reminded: Sequence[RemindedThen] = ()
    renewals: Sequence[RenewedThen] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        happened = {name: [_plain(one) for one in getattr(self, name)] for name in ("issued", "renewals", "reminded")}
        aside = {"code": self.set_aside[0], "reason": self.set_aside[1]} if self.set_aside else None
        told = {"today": self.clock.today.isoformat(), "is_done": self.is_done, "run_id": self.run_id}
        return {**told, **happened, "set_aside": aside}


def _plain(happened: IssuedThen | RemindedThen | RenewedThen) -> dict[str, Any]:
    values = {name: getattr(happened, name) for name in happened.__dataclass_fields__}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
