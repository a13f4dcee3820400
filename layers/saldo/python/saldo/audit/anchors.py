"""Anchors each day's heads where nobody can change them, and proves chains against their records and the roots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby

from saldo.audit.chain import AuditChain
from saldo.audit.model import Anchor, Break, BreakKind, Head
from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.audit.records_chain import (
    ANCHOR_PREFIX,
    PREFIX,
    anchor_bytes,
    anchor_from,
    anchor_key,
    kept_from,
)
from saldo.audit.rules_chain import UNDER_WAY, Kept, first_break, first_broken_day, head_of, root_of
from saldo.kernel.clock import Clock, instant_text
from saldo.storage.files import Files
from saldo.storage.store import Store

# A record linked so long after its own instant is counted: backdated by a job that may, or by somebody who may not.
LATE = timedelta(days=1)


@dataclass(slots=True)
class Proof:
    """What was looked at. `late`: records linked over a day after their own instant. `days`: anchored, oldest first."""

    owners: int = 0
    records: int = 0
    links: int = 0
    late: int = 0
    days: list[date] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Anchored:
    """A day's root, what was linked only now (owner and how many records), and what does not hold."""

    anchor: Anchor
    caught_up: Mapping[str, int]
    breaks: Sequence[Break]


class AuditAnchors:
    """The roots of one region, in a bucket whose files can neither be changed nor deleted."""

    def __init__(self, store: Store, clock: Clock, files: Files, region: str) -> None:
        self._store, self._clock, self._files, self._region = store, clock, files, region
        self._chain = AuditChain(store, clock)

    def anchor(self) -> Anchored:
        """Write today's root over every head that moved since the last one; catch up and compare on the way.

        One look at every record of the region, for the nightly job. A day that is anchored stays as it is.
        """
        today, written = self._clock().date(), self._written(newest=1)
        before = written[-1] if written else None
        if before and before[0].day >= today:
            return Anchored(before[0], {}, ())
        expected = _by_owner([before[0]]) if before else {}
        since = before[0].day if before else date.min
        heads, caught_up, breaks = [], {}, []
        for kept in self._all(expected):
            found = self._broken(kept, expected)
            if found and found.kind is BreakKind.UNLINKED:
                caught_up[kept.owner_id] = self._chain.catch_up(kept.owner_id)
                kept = self._one(kept.owner_id, "")
            elif found:
                breaks.append(found)
            if kept.links and kept.links[-1].linked_at.date() >= since:
                heads.append(head_of(kept.links[-1]))
        known = set(before[0].heads) if before else set()
        heads = sorted((h for h in heads if h not in known), key=lambda h: h.owner_id)
        anchor = Anchor(self._region, today, before[1] if before else "", root_of(heads), tuple(heads))
        self._files.put_new(anchor_key(today), anchor_bytes(anchor), "application/json")
        return Anchored(anchor, caught_up, breaks)

    def prove(self, owner_id: str | None = None, from_on: date | None = None) -> Proof:
        """Every chain of the region, or one owner's, against its records and the anchored roots.

        from_on: records and roots from that day on; links are always proven from the first.
        """
        written = self._written()
        proof = Proof(days=[anchor.day for anchor, _, _ in written])
        if broken := first_broken_day(self._region, written):
            proof.breaks.append(broken)
        expected = _by_owner([a for a, _, _ in written if from_on is None or a.day >= from_on])
        first = AUDIT_PREFIX + from_on.isoformat() if from_on else ""
        for kept in self._all(expected) if owner_id is None else (self._one(owner_id, first),):
            found = self._broken(kept, expected, first)
            proof.breaks += [found] if found else []
            _count(proof, kept, first)
        return proof

    def _broken(self, kept: Kept, expected: Mapping[str, Sequence[tuple[str, Head]]], first: str = "") -> Break | None:
        settled = AUDIT_PREFIX + instant_text(self._clock() - UNDER_WAY)
        return first_break(kept, expected.get(kept.owner_id, ()), first=first, before=settled)

    def _one(self, owner_id: str, first: str) -> Kept:
        bounds = {"first": first, "last": AUDIT_PREFIX + "~"} if first else {"prefix": AUDIT_PREFIX}
        records = self._store.query_all(owner_id, consistent=True, **bounds)
        links = self._store.query_all(owner_id, prefix=PREFIX, consistent=True)
        return kept_from(owner_id, [*records, *links])

    def _all(self, expected: Mapping[str, object]) -> Iterator[Kept]:
        """Every owner with audit records or links, and those that the roots expect although nothing is left."""
        gone = set(expected)
        for owner_id, items in groupby(self._store.scan(), key=lambda item: item["pk"]):
            kept = kept_from(owner_id, items)
            gone.discard(owner_id)
            if kept.records or kept.links or owner_id in expected:
                yield kept
        for owner_id in sorted(gone):
            yield Kept(owner_id, {}, ())

    def _written(self, newest: int = 0) -> list[tuple[Anchor, str, int]]:
        """The roots, oldest first, each as it was first written: (anchor, SHA-256 of its file, times written).

        newest: only so many; 0 for all.
        """
        found = []
        for key, (version, times) in sorted(self._files.first_versions(ANCHOR_PREFIX).items())[-newest:]:
            body = self._files.get(key, version)
            found.append((anchor_from(body), sha256(body).hexdigest(), times))
        return found


def _by_owner(anchors: Iterable[Anchor]) -> dict[str, list[tuple[str, Head]]]:
    heads: dict[str, list[tuple[str, Head]]] = defaultdict(list)
    for anchor in anchors:
        for head in anchor.heads:
            heads[head.owner_id].append((anchor.day.isoformat(), head))
    return heads


def _count(proof: Proof, kept: Kept, first: str) -> None:
    proof.owners += 1
    proof.records += sum(1 for sk in kept.records if sk >= first)
    proof.links += len(kept.links)
    for link in kept.links:
        late = AUDIT_PREFIX + instant_text(link.linked_at - LATE)
        proof.late += sum(1 for r in link.records if first <= r.sk < late)
