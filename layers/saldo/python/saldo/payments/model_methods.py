"""Stored payment methods: tokens of the gateway with what people know them by, never a card's or account's number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class MethodKind(StrEnum):
    CARD = "card"
    DEBIT = "debit"


class MethodStatus(StrEnum):
    """Where a method stands. METHOD_MOVES lists the allowed steps."""

    STARTED = "started"
    FAILED = "failed"
    ACTIVE = "active"
    REMOVED = "removed"


_S = MethodStatus

# As with payments every move leads to a later state of one fixed order, so that news converge in any order: a method
# that the gateway has after all outranks the report that it has not, and what was removed stays removed.
METHOD_MOVES: dict[MethodStatus, frozenset[MethodStatus]] = {
    _S.STARTED: frozenset({_S.FAILED, _S.ACTIVE, _S.REMOVED}),
    _S.FAILED: frozenset({_S.ACTIVE, _S.REMOVED}),
    _S.ACTIVE: frozenset({_S.REMOVED}),
    _S.REMOVED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class MethodReport:
    """What the gateway says of one stored method. `currency`: the only one it pays in, "" for any.

    `expires_on`: the last day a card is good, None for what does not expire. `token`: what it is charged by.
    """

    method_id: str
    account_id: str
    ref: str
    status: MethodStatus
    happened_at: datetime
    kind: MethodKind = MethodKind.CARD
    shown_as: str = ""
    token: str = ""
    currency: str = ""
    expires_on: date | None = None
    failure_code: str = ""


@dataclass(frozen=True, slots=True)
class StoredMethod:
    """One method of an account. `token` and `url` are empty once it is removed; `let_go`: the gateway knows of that.

    `warned`: its people were told that it will expire. `version` rises with each write.
    """

    account_id: str
    id: str
    entity_id: str
    status: MethodStatus
    added_by: str
    started_at: datetime
    kind: MethodKind = MethodKind.CARD
    shown_as: str = ""
    token: str = ""
    currency: str = ""
    expires_on: date | None = None
    ref: str = ""
    url: str = ""
    failure_code: str = ""
    let_go: bool = False
    warned: bool = False
    version: int = 1
    correlation_id: str = ""

    def pays(self, currency: str, on: date) -> bool:
        """Whether it can be charged in this currency on this day, as far as we know."""
        is_good = self.expires_on is None or on <= self.expires_on
        return self.status is MethodStatus.ACTIVE and self.currency in ("", currency) and is_good


@dataclass(frozen=True, slots=True)
class Methods:
    """All of an account, the latest first. `chosen`: the id of the one that was made the default, "" for none."""

    all: tuple[StoredMethod, ...] = ()
    chosen: str = ""

    @property
    def active(self) -> tuple[StoredMethod, ...]:
        return tuple(m for m in self.all if m.status is MethodStatus.ACTIVE)

    @property
    def default(self) -> StoredMethod | None:
        """The one that was chosen, else the one that has been there longest."""
        return self.find(self.chosen) or (self.active[-1] if self.active else None)

    def find(self, method_id: str) -> StoredMethod | None:
        """An active one by its id."""
        return next((m for m in self.active if m.id == method_id), None)

    def paying(self, currency: str, on: date) -> Sequence[StoredMethod]:
        """Those that pay in this currency, the default first."""
        fitting = [m for m in self.active if m.pays(currency, on)]
        return sorted(fitting, key=lambda m: m is not self.default)
