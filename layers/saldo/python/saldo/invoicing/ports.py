"""What invoicing needs of rooms above it, in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from saldo.invoicing.model_clock import AccountClock, RemindedThen


class DoublesReminded(Protocol):
    """What happens to a double besides runs."""

    def next_on(self, clock: AccountClock, last: date) -> date | None:
        """The first day from the clock's own to `last` on which the double is reminded of something; None for none."""
        ...

    def remind(self, clock: AccountClock, on: date) -> Sequence[RemindedThen]:
        """Do the reminding of that day. Safe to repeat: what was done already is left out."""
        ...
