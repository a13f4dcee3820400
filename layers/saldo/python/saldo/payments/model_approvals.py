"""A buyer's own rules on who must agree before a payment starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from saldo.payments.model import Allocation


@dataclass(frozen=True, slots=True)
class Level:
    """Payments above so many minor units need one more person. `approvers`: user ids; none: whoever may approve."""

    above_minor: int
    approvers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Levels by currency, rising. A currency that is not named has no limit."""

    levels: dict[str, tuple[Level, ...]]


@dataclass(frozen=True, slots=True)
class Delegation:
    """`to` may agree in place of `user_id` from one day through another, in the account's time zone."""

    user_id: str
    to: str
    from_on: date
    until_on: date

    def holds(self, on: date) -> bool:
        return self.from_on <= on <= self.until_on


class ApprovalState(StrEnum):
    WAITING = "waiting"
    AGREED = "agreed"
    DECLINED = "declined"
    VOID = "void"
    STARTED = "started"


@dataclass(frozen=True, slots=True)
class Step:
    """One person of the chain. `by` agreed at `at`, `in_place_of` somebody absent."""

    approvers: tuple[str, ...]
    by: str = ""
    in_place_of: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A payment that waits for others. `content`: print of what they agree to; a payment of anything else is none.

    `request_key`: the key of the form it came from, under which it starts once. `ended_by`: who declined or withdrew.
    """

    account_id: str
    id: str
    payer: str
    allocations: tuple[Allocation, ...]
    currency: str
    amount_minor: int
    reason: str
    request_key: str
    content: str
    asked_at: datetime
    expires_at: datetime
    steps: tuple[Step, ...]
    state: ApprovalState = ApprovalState.WAITING
    ended_by: str = ""
    payment_id: str = ""

    @property
    def step(self) -> Step | None:
        """The one whose turn it is, None when all have agreed."""
        return next((step for step in self.steps if not step.by), None)


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who may want to agree. `is_approver`: by role on this account."""

    user_id: str
    is_approver: bool
