"""A customer's double on a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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
class ClockStep:
    """One day of a double: what a run of that day issued, or why it could not bill (`set_aside`: code, reason).

    `is_done`: nothing more is due by the day that was asked for, and the clock stands there.
    """

    clock: AccountClock
    is_done: bool
    run_id: str = ""
    issued: Sequence[IssuedThen] = ()
    set_aside: tuple[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        issued = [
            {**{n: getattr(one, n) for n in IssuedThen.__dataclass_fields__}, "issued_on": one.issued_on.isoformat()}
            for one in self.issued
        ]
        aside = {"code": self.set_aside[0], "reason": self.set_aside[1]} if self.set_aside else None
        told = {"today": self.clock.today.isoformat(), "is_done": self.is_done, "run_id": self.run_id}
        return {**told, "issued": issued, "set_aside": aside}
