"""What a run is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from saldo.invoicing.status import DocumentKind

ACCOUNTS_PER_BATCH = 50
# Issuing is lighter than billing.
INVOICES_PER_BATCH = 200
# Why an account is set aside whose charges another process holds, for a moment.
BEING_BILLED = "being_billed"


class RunState(StrEnum):
    """An attempt is open while its steps go on; a failed one is resumed by a retry; a closed one stays closed."""

    OPEN = "open"
    FAILED = "failed"
    CLOSED = "closed"


MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.OPEN: frozenset({RunState.FAILED, RunState.CLOSED}),
    # CLOSED too: two executions may work on one attempt, and one can finish what the other gave up.
    RunState.FAILED: frozenset({RunState.OPEN, RunState.CLOSED}),
    RunState.CLOSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a run. `plan_id` names the list of batches it works through, `accounts` counts them.

    A run has a further attempt when accounts are due again after it closed: those set aside, or new ones.
    `totals` maps currency to {invoices, minor}; `set_aside` counts accounts that could not be billed.
    """

    run_id: str
    number: int
    entity_id: str
    as_of: date
    state: RunState
    plan_id: str
    accounts: int
    dry_run: bool
    opened_at: str
    closed_at: str = ""
    error: str = ""
    invoices: int = 0
    set_aside: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)
    first_number: str = ""
    last_number: str = ""
    differences: tuple[Mapping[str, object], ...] = ()

    @property
    def is_one_off(self) -> bool:
        """Whether staff asked for it, for one account: such an attempt's run id has a request after its date."""
        return self.run_id.count("_") > self.entity_id.count("_") + 1

    @property
    def batches(self) -> list[str]:
        count = -(-self.accounts // ACCOUNTS_PER_BATCH)
        return [batch_name(i) for i in range(count)]


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account with subscriptions or items whose day has come. `members`: accounts whose charges come on its invoice.

    All ids in order; an account that only its members bring here has none of its own.
    """

    account_id: str
    subscription_ids: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()
    members: tuple[DueAccount, ...] = ()

    @property
    def all(self) -> tuple[DueAccount, ...]:
        """Itself, then its members."""
        return (self, *self.members)


@dataclass(frozen=True, slots=True)
class Drafted:
    """An invoice or credit note that this attempt froze, waiting for its number. Minor units; a credit note's are below
    zero. `payable_minor`: what it asks for after credits, or gives. `regular_minor`: what of it comes again each month
    (`expected.regular_of`), before tax; None of an attempt that did not put it on record."""

    account_id: str
    invoice_id: str
    currency: str
    total_minor: int
    payable_minor: int
    kind: DocumentKind = DocumentKind.INVOICE
    regular_minor: int | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """An account that could not be billed, and why. It stays due; the others go on."""

    account_id: str
    code: str
    reason: str

    @property
    def waits(self) -> bool:
        """Whether nothing is wrong: it is billed once its time of grace has passed, or staff has approved it."""
        return self.code in ("usage_window_open", "awaiting_approval")


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one batch of accounts. Accounts in neither list had nothing to bill."""

    drafts: tuple[Drafted, ...]
    set_aside: tuple[SetAside, ...]


def batch_name(index: int) -> str:
    return f"{index:05d}"


def run_id_of(entity_id: str, as_of: date) -> str:
    """The one run that a seller has on a date."""
    return f"run_{entity_id.removeprefix('ent_')}_{as_of:%Y%m%d}"


def request_run_id(entity_id: str, as_of: date, request: str) -> str:
    """The run of one account that staff asked for: `request` (letters and digits) names it for ever."""
    return f"{run_id_of(entity_id, as_of)}_{request}"
