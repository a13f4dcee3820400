"""Anchors each day's heads where nobody can change them, and proves chains against their records and the roots.

The nightly look goes by parts: each lays down the heads of its segment, and compares a share of the root before with
the table by key; the root is over the parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import groupby

from saldo.audit.chain import AuditChain
from saldo.audit.model import Anchor, Break, BreakKind, Head, HeadsFile
from saldo.audit.records import PREFIX as AUDIT_PREFIX
from saldo.audit.records_chain import (
    ANCHOR_PREFIX,
    PREFIX,
    anchor_bytes,
    anchor_from,
    anchor_key,
    heads_bytes,
    heads_from,
    kept_from,
    link_or_bent,
    open_key,
    sealed_key,
)
from saldo.audit.rules_chain import (
    UNDER_WAY,
    Kept,
    Root,
    first_break,
    first_broken_day,
    head_of,
    holds,
    root_of,
    root_of_files,
)
from saldo.kernel.clock import Clock, instant_text
from saldo.kernel.errors import NotFound
from saldo.storage.files import Files
from saldo.storage.looks import Look, PartFiles
from saldo.storage.store import Store

# A day, and what its root holds of an owner.
Held = tuple[str, Head]
Expected = defaultdict[str, list[Held]]
_CLOCKS_DIFFER = timedelta(minutes=1)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
# Two places of each are read, 100 records a call.
_HEADS_AT_ONCE = 50

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


@dataclass(slots=True)
class Gathered:
    """What one part of a night's look found: what was linked only now, by owner, and what does not hold."""

    caught_up: dict[str, int] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)


class AuditAnchors:
    """The roots of one region, in a bucket whose files can neither be changed nor deleted."""

    def __init__(self, store: Store, clock: Clock, files: Files, region: str) -> None:
        self._store, self._clock, self._files, self._region = store, clock, files, region
        self._chain, self._heads = AuditChain(store, clock), PartFiles(files, "heads")

    def part(self, look: Look, part: int) -> Gathered:
        """Prove the chains of one segment of the records, catch up on the way, and lay down every head that moved
        since the last root; and compare a share of what that root holds with the table.

        A day that is anchored stays as it is. Of a part that comes again, the heads that it laid down first stand.
        """
        before, found = self._newest(), Gathered()
        if before and before.day >= look.began_at.date():
            return found
        heads, missed = self._look_at(look, part, before, found)
        since, expected = _since(before), self._expected(before, missed)
        for owner_id in missed:
            kept = self._one(owner_id, "")
            broken = self._broken(kept, expected)
            if broken and broken.kind is BreakKind.UNLINKED:
                found.caught_up[owner_id] = self._chain.catch_up(owner_id)
                kept = self._one(owner_id, "")
                broken = self._broken(kept, {})
            found.breaks += [broken] if broken else []
            heads += _moved(kept, since)
        told = {broken.owner_id for broken in found.breaks}
        found.breaks += [b for b in self._not_held(look, part, before) if b.owner_id not in told] if before else []
        self._files.put_new(self._heads.key(look, part), heads_bytes(heads), "application/json")
        return found

    def is_whole(self, look: Look) -> bool:
        return self._heads.are_there(look)

    def together(self, look: Look) -> Anchor:
        """Write the day's root over what all parts laid down, or find it written. NotFound when a part is missing."""
        written = self._written(newest=1)
        if written and written[0][0].day >= look.began_at.date():
            return written[0][0]
        files = tuple(self._heads_file(self._heads.key(look, part)) for part in range(look.parts))
        previous, root = written[0][1] if written else "", root_of_files(files)
        anchor = Anchor(self._region, look.began_at.date(), previous, root, (), files, look.began_at)
        self._files.put_new(anchor_key(anchor.day), anchor_bytes(anchor), "application/json")
        return anchor

    def prove(self, owner_id: str | None = None, from_on: date | None = None) -> Proof:
        """Every chain of the region, or one owner's, against its records and the anchored roots.

        from_on: records and roots from that day on; links are always proven from the first, but for when they say that
        they were made, which only all roots tell.
        """
        written = self._written()
        proof = Proof(days=[anchor.day for anchor, _, _ in written])
        if broken := first_broken_day(self._region, written):
            proof.breaks.append(broken)
        expected: Expected = defaultdict(list)
        for anchor, _, _ in written:
            if from_on is None or anchor.day >= from_on:
                proof.breaks += self._take(expected, anchor, None if owner_id is None else {owner_id})
        first = AUDIT_PREFIX + from_on.isoformat() if from_on else ""
        roots = [] if from_on else [Root(anchor.day.isoformat(), _since(anchor)) for anchor, _, _ in written]
        for kept in self._all(expected) if owner_id is None else (self._one(owner_id, first),):
            found = self._broken(kept, expected, first, roots)
            proof.breaks += [found] if found else []
            _count(proof, kept, first)
        return proof

    def _look_at(self, look: Look, part: int, before: Anchor | None, found: Gathered) -> tuple[list[Head], list[str]]:
        """Of one segment: heads that moved, and owners of whom something is in no link."""
        heads: list[Head] = []
        missed, since = [], _since(before)
        for owner_id, items in groupby(self._store.scan(part, look.parts), key=lambda item: item["pk"]):
            kept = kept_from(owner_id, items)
            broken = self._broken(kept, {})
            if broken and broken.kind is BreakKind.UNLINKED:
                missed.append(owner_id)
                continue
            found.breaks += [broken] if broken else []
            heads += _moved(kept, since)
        return heads, missed

    def _expected(self, before: Anchor | None, owner_ids: Sequence[str]) -> Expected:
        """What the root holds of these owners. A chain that was cut is told, never caught up with."""
        expected: Expected = defaultdict(list)
        if before and owner_ids:
            self._take(expected, before, set(owner_ids))
        return expected

    def _not_held(self, look: Look, part: int, before: Anchor) -> Iterator[Break]:
        """This part's share of the files of the root before: heads that the table no longer holds."""
        for heads in self._heads_of(before, part, look.parts):
            if isinstance(heads, Break):
                yield heads
                continue
            for start in range(0, len(heads), _HEADS_AT_ONCE):
                yield from self._compared(heads[start : start + _HEADS_AT_ONCE], before.day)

    def _compared(self, heads: Sequence[Head], day: date) -> Iterator[Break]:
        """A link that is sealed at this moment may be in neither of its places: what is not there is looked at anew."""
        keys = [key for h in heads for key in (sealed_key(h.owner_id, h.seq), open_key(h.owner_id))]
        there = self._store.get_many(keys, consistent=True)
        links = {(link.owner_id, link.seq): link for link in map(link_or_bent, there.values())}
        for head in heads:
            if not holds(head, links.get((head.owner_id, head.seq))):
                kept = self._one(head.owner_id, "")
                broken = self._broken(kept, {head.owner_id: [(day.isoformat(), head)]})
                if broken and broken.kind is not BreakKind.UNLINKED:
                    yield broken

    def _heads_of(self, anchor: Anchor, part: int = 0, parts: int = 1) -> Iterator[Sequence[Head] | Break]:
        """File by file, what a root is over, or that part's share of it; a file that is not what the root says is a
        break."""
        if not anchor.files and part == 0:
            yield anchor.heads
        for one in anchor.files[part::parts]:
            body = self._first(one.key)
            if body is None or sha256(body).hexdigest() != one.digest:
                what = f"{one.key} is not what the root of {anchor.day} is over"
                yield Break(self._region, BreakKind.EDITED if body else BreakKind.DELETED, 0, what)
            else:
                yield heads_from(body)

    def _take(self, expected: Expected, anchor: Anchor, owner_ids: Container[str] | None) -> list[Break]:
        """Add a day's heads, of these owners or of all; what is wrong with its files."""
        breaks = []
        for heads in self._heads_of(anchor):
            if isinstance(heads, Break):
                breaks.append(heads)
                continue
            for head in heads:
                if owner_ids is None or head.owner_id in owner_ids:
                    expected[head.owner_id].append((anchor.day.isoformat(), head))
        return breaks

    def _heads_file(self, key: str) -> HeadsFile:
        body = self._first(key)
        if body is None:
            raise NotFound(f"no part of a look under {key}")
        heads = heads_from(body)
        return HeadsFile(key, len(heads), root_of(heads), sha256(body).hexdigest())

    def _first(self, key: str) -> bytes | None:
        """A file as it was first written."""
        found = self._files.first_versions(key).get(key)
        return self._files.get(key, found[0]) if found else None

    def _newest(self) -> Anchor | None:
        written = self._written(newest=1)
        return written[0][0] if written else None

    def _broken(
        self, kept: Kept, expected: Mapping[str, Sequence[Held]], first: str = "", roots: Sequence[Root] = ()
    ) -> Break | None:
        settled = AUDIT_PREFIX + instant_text(self._clock() - UNDER_WAY)
        return first_break(kept, expected.get(kept.owner_id, ()), first=first, before=settled, days=roots)

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


def _since(before: Anchor | None) -> datetime:
    """Heads that were linked from then on are in none of the roots before."""
    if before is None:
        return _FIRST
    if before.began_at is None:
        return datetime.combine(before.day, time.min, UTC)
    return before.began_at - _CLOCKS_DIFFER


def _moved(kept: Kept, since: datetime) -> list[Head]:
    """The head, unless it is older than `since`: by its own word, which can be edited, and by its records, of which
    those that were on their way then are in no root yet."""
    young = AUDIT_PREFIX + instant_text(since - UNDER_WAY)
    return [
        head_of(link)
        for link in kept.links[-1:]
        if link.linked_at >= since or any(record.sk >= young for record in link.records)
    ]


def _count(proof: Proof, kept: Kept, first: str) -> None:
    proof.owners += 1
    proof.records += sum(1 for sk in kept.records if sk >= first)
    proof.links += len(kept.links)
    for link in kept.links:
        late = AUDIT_PREFIX + instant_text(link.linked_at - LATE)
        proof.late += sum(1 for r in link.records if first <= r.sk < late)
