"""Many documents in one file: which, how far its making got, until when it can be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BundleState(StrEnum):
    ASKED = "asked"
    MAKING = "making"
    READY = "ready"


MOVES: Mapping[BundleState, frozenset[BundleState]] = {
    BundleState.ASKED: frozenset({BundleState.MAKING}),
    BundleState.MAKING: frozenset({BundleState.READY}),
    BundleState.READY: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """`documents`: (invoice id, number), in the order in which they lie in the file. `done`: how many are in it.
    `left_out`: numbers of those without a document (brought in without their lines). `size` in bytes. `until`: after
    that the file is gone."""

    account_id: str
    id: str
    entity_id: str
    asked_by: str
    asked_at: datetime
    until: datetime
    documents: tuple[tuple[str, str], ...]
    state: BundleState = BundleState.ASKED
    done: int = 0
    left_out: tuple[str, ...] = ()
    size: int = 0

    def is_there(self, now: datetime) -> bool:
        return self.state is BundleState.READY and now < self.until
