"""What usage needs from outside: somewhere for the events of accounts with so many of them that a table is no place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from saldo.kernel.periods import Period
from saldo.usage.ingest_blocks import Block
from saldo.usage.ingest_rows import RejectedRow, UsageRow
from saldo.usage.model import NO_NEEDS, Counted, Meter, Needs, UsageEvent
from saldo.usage.model_windows import Cutoff, Known


class Ask(NamedTuple):
    """One total that is asked for. known: count only so many events of each month, the first ones (None: all).

    corrects: some meter of the events' name has it that the last of several counts, so repeats that say otherwise
    are corrections and not refused.
    """

    account_id: str
    zone: str
    meter: Meter
    period: Period
    needs: Needs = NO_NEEDS
    known: Known | None = None
    corrects: bool = False


class LargeUsage(Protocol):
    """Counts what lies in files, as `rules_windows.count` counts events in hand."""

    def count(self, asks: Sequence[Ask]) -> list[tuple[Counted, Cutoff]]:
        """In the order asked; 0 where nothing was counted.

        Refusal `total_too_large` from 10^26 on, `too_many_amounts` where single amounts are asked of too many events.
        """

    def known(self, asks: Sequence[Ask]) -> list[Known]:
        """How many events the months of each ask have, without counting them."""


class NumberedEvent(NamedTuple):
    """An event that passed every check, and the row that it came in."""

    row: UsageRow
    event: UsageEvent


@dataclass(frozen=True, slots=True)
class FileDelivery:
    """What comes in: for which seller and which of its accounts that use files, when, and who counts it by event name.

    closed_at: by account and meter, up to when usage is billed. sold: each account's subscriptions, where a meter
    counts by subscription.
    """

    entity_id: str
    accounts: frozenset[str]
    at: datetime
    meters: Mapping[str, Sequence[Meter]]
    closed_at: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    sold: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Filed:
    """What became of some rows: events accepted (by name; repeats among them are found when they are counted), rows
    refused, and rows that are not for the files."""

    accepted: int = 0
    late: int = 0
    meters: dict[str, int] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    refused: list[RejectedRow] = field(default_factory=list)
    left: list[UsageRow] = field(default_factory=list)


class UsageFiles(Protocol):
    """Takes events of accounts whose usage lies in files. What is accepted is stored when the call returns, and the
    same again stores nothing more. Raises Unavailable when it is too busy; repeating is safe."""

    def take_lines(self, delivery: FileDelivery, block: Block) -> Filed:
        """CloudEvents, one a line. Lines of other accounts and lines with problems are left, for the checks that name
        them."""

    def take_events(self, delivery: FileDelivery, events: Sequence[NumberedEvent]) -> Filed:
        """Events that passed every check."""
