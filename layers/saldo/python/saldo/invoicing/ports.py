"""What invoicing needs of rooms above it, in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from saldo.invoicing.model_clock import AccountClock, RemindedThen, RenewedThen


class DoublesReminded(Protocol):
    """What a double is reminded of."""

    def next_on(self, clock: AccountClock, last: date) -> date | None:
        """The first day from the clock's own to `last` on which the double is reminded of something; None for none."""
        ...

    def remind(self, clock: AccountClock, on: date) -> Sequence[RemindedThen]:
        """Do the reminding of that day. Safe to repeat: what was done already is left out."""
        ...


class DoublesRenewed(Protocol):
    """What becomes of the terms of a double's subscriptions."""

    def next_on(self, clock: AccountClock, last: date) -> date | None:
        """The first day after the clock's own, up to `last`, on which a term is looked at; None for none."""
        ...

    def renew(self, clock: AccountClock, on: date) -> Sequence[RenewedThen]:
        """Tell, put on record and pass what that day does. Safe to repeat, and makes up for days before it."""
        ...
