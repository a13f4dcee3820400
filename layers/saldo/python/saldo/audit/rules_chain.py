"""The hash chain of an owner's audit records, and the root over all chains of a region: values in, values out.

A link covers a block of records: SHA-256 over owner, number, the previous link's hash and each record's sort key and
digest. So nothing that a link covers can be changed, taken out, put in or moved without changing every hash after it.
A link's own two marks, `floor` and when it was last extended, are in no hash: `floor` is worked out again, and when it
was extended is held against the days whose roots do not hold it.
A day's root is a Merkle tree hash as in RFC 9162, section 2.1, over those of the parts of its heads: one head can be
shown to be in it without the others.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import combinations, pairwise
from typing import Any

from saldo.audit.model import Anchor, Break, BreakKind, Head, HeadsFile, Link, Linked
from saldo.kernel.exact import plain

# With so many records a link is sealed before the next record: sealed links stay within one write unit.
FULL = 8
# So many records of one owner are taken at once; a link therefore never holds more than FULL - 1 + this.
MOST_AT_ONCE = 100
# A record this old and in no link was missed by the stream, or added behind its back.
UNDER_WAY = timedelta(hours=1)
NOTHING = b""


def digest_of(item: Mapping[str, Any]) -> bytes:
    """SHA-256 of a record's canonical form: every attribute but its place, which the link names.

    Canonical: JSON with sorted names, no spaces, numbers in plain decimal digits, bytes in hex.
    """
    said = {name: _canonical(value) for name, value in item.items() if name not in ("pk", "sk")}
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).digest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _canonical(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(v) for v in value]
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return {"number": plain(Decimal(value))}
    return value


def hash_of(owner_id: str, seq: int, previous: bytes, records: Sequence[Linked]) -> bytes:
    """The hash of a link that holds these records in this order."""
    said = [owner_id, seq, previous.hex(), *([r.sk, r.digest.hex()] for r in records)]
    return sha256(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()).digest()


@dataclass(frozen=True, slots=True)
class Extended:
    """A chain after one more lot of records: the open link, and the one that was full and is now sealed."""

    open: Link
    sealed: Link | None


def extend(owner_id: str, head: Link | None, new: Sequence[Linked], at: datetime) -> Extended:
    """Put new records (1 to MOST_AT_ONCE, none linked before) at the end, in the order of their keys."""
    assert 0 < len(new) <= MOST_AT_ONCE
    ordered = tuple(sorted(new, key=lambda r: r.sk))
    if head is None:
        return Extended(_made(owner_id, 1, NOTHING, ordered, at, ""), None)
    if len(head.records) < FULL:
        return Extended(_made(owner_id, head.seq, head.previous, head.records + ordered, at, head.floor), None)
    floor = max(head.floor, *(r.sk for r in head.records))
    return Extended(_made(owner_id, head.seq + 1, head.hash, ordered, at, floor), head)


def _made(owner_id: str, seq: int, previous: bytes, records: tuple[Linked, ...], at: datetime, floor: str) -> Link:
    return Link(owner_id, seq, previous, records, hash_of(owner_id, seq, previous, records), at, floor)


def head_of(link: Link) -> Head:
    return Head(link.owner_id, link.seq, len(link.records), link.hash)


def root_of(heads: Sequence[Head]) -> str:
    """Merkle tree hash of the heads in the order of their owners, in hex; that of nothing is SHA-256 of nothing."""
    return _tree(f"{h.owner_id} {h.seq} {h.count} {h.hash.hex()}" for h in sorted(heads, key=lambda h: h.owner_id))


def root_of_files(files: Sequence[HeadsFile]) -> str:
    """Merkle tree hash of the roots of a day's files, in the order of the parts of the look, in hex."""
    return _tree(f"{n} {one.heads} {one.root}" for n, one in enumerate(files))


def _tree(leaves: Iterable[str]) -> str:
    level = [sha256(b"\x00" + leaf.encode()).digest() for leaf in leaves]
    if not level:
        return sha256().hexdigest()
    while len(level) > 1:
        paired = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0].hex()


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies in the table for one owner: digests of its audit records by sort key, and its links in order."""

    owner_id: str
    records: Mapping[str, bytes]
    links: Sequence[Link]

    @property
    def linked(self) -> dict[str, bytes]:
        return {r.sk: r.digest for link in self.links for r in link.records}

    def unlinked(self, before: str) -> list[str]:
        """Sort keys of records in no link, of those before a sort key: younger ones may be on their way."""
        linked = self.linked
        return sorted(sk for sk in self.records if sk not in linked and sk < before)


@dataclass(frozen=True, slots=True)
class Root:
    """A day that is anchored; what was linked before `since` is in its root or in one before."""

    day: str
    since: datetime


def first_break(
    kept: Kept, anchored: Sequence[tuple[str, Head]], *, first: str, before: str, days: Sequence[Root] = ()
) -> Break | None:
    """What is wrong with an owner's chain, the first in the chain's order; None when it is proven.

    anchored: (day, head) of that owner, oldest first. Records with keys in [first, before) are compared; links always.
    days: every root there is, oldest first, where all that they hold of the owner is in `anchored`.
    """
    finders = (
        _broken_links(kept),
        _broken_records(kept, first),
        _broken_anchors(kept, anchored),
        _broken_times(kept, anchored, days),
    )
    found = [b for finder in finders if (b := next(finder, None))]
    if found:
        return min(found, key=lambda b: b.seq)
    stray = [sk for sk in kept.unlinked(before) if sk >= first]
    if stray:
        what = f"{stray[0]} is in no link" + (f", nor are {len(stray) - 1} others" if stray[1:] else "")
        return Break(kept.owner_id, BreakKind.UNLINKED, kept.links[-1].seq if kept.links else 0, what)
    return None


def _broken_links(kept: Kept) -> Iterator[Break]:
    owner_id, previous, floor = kept.owner_id, NOTHING, ""
    for expected, link in enumerate(kept.links, 1):
        if link.seq != expected:
            yield Break(owner_id, BreakKind.DELETED, expected, f"link {expected} is missing")
            return
        if link.hash != hash_of(owner_id, link.seq, link.previous, link.records):
            yield _how_bent(link, previous, len(kept.links))
        elif link.previous != previous:
            at = max(1, link.seq - 1)
            yield Break(owner_id, BreakKind.EDITED, at, f"link {at} is not the one that link {link.seq} follows")
        elif link.floor != floor:
            yield Break(owner_id, BreakKind.EDITED, link.seq, f"link {link.seq} has another floor than its records say")
        previous, floor = link.hash, max(floor, *(r.sk for r in link.records), "")


def _how_bent(link: Link, previous: bytes, links: int) -> Break:
    """A link that does not have its hash: in another's place, its records in another order, or something changed."""
    for seq in range(1, links + 2):
        if seq != link.seq and link.hash == hash_of(link.owner_id, seq, link.previous, link.records):
            what = f"in the place of link {link.seq} lies link {seq}"
            return Break(link.owner_id, BreakKind.REORDERED, link.seq, what)
    for order in _other_orders(link.records):
        if link.hash == hash_of(link.owner_id, link.seq, previous, order):
            what = f"the records of link {link.seq} stand in another order"
            return Break(link.owner_id, BreakKind.REORDERED, link.seq, what)
    return Break(link.owner_id, BreakKind.EDITED, link.seq, f"link {link.seq} does not have its hash")


def _other_orders(records: Sequence[Linked]) -> Iterator[list[Linked]]:
    """The order of the keys, and every exchange of two."""
    yield sorted(records, key=lambda r: r.sk)
    for i, j in combinations(range(len(records)), 2):
        swapped = list(records)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        yield swapped


def _broken_records(kept: Kept, first: str) -> Iterator[Break]:
    digests, seen = set(kept.linked.values()), set[str]()
    for link in kept.links:
        for record in link.records:
            if record.sk in seen:
                yield Break(kept.owner_id, BreakKind.REPEATED, link.seq, f"{record.sk} is linked twice")
            seen.add(record.sk)
            there = kept.records.get(record.sk)
            if record.sk < first or there == record.digest:
                continue
            if there is None:
                yield Break(kept.owner_id, BreakKind.DELETED, link.seq, f"{record.sk} is missing")
            elif there in digests:
                what = f"in the place of {record.sk} lies another record"
                yield Break(kept.owner_id, BreakKind.REORDERED, link.seq, what)
            else:
                yield Break(kept.owner_id, BreakKind.EDITED, link.seq, f"{record.sk} was changed")


def holds(head: Head, link: Link | None) -> bool:
    """Whether a head that was anchored is in the link of its number, as far as the link went then."""
    return (
        link is not None
        and len(link.records) >= head.count
        and head.hash == hash_of(head.owner_id, head.seq, link.previous, link.records[: head.count])
    )


def _broken_anchors(kept: Kept, anchored: Sequence[tuple[str, Head]]) -> Iterator[Break]:
    by_seq = {link.seq: link for link in kept.links}
    for day, head in anchored:
        link = by_seq.get(head.seq)
        if link is None or len(link.records) < head.count:
            there = f"{len(link.records)} of its records" if link else "nothing of it"
            what = f"the root of {day} holds {head.count} records of link {head.seq}; there is {there}"
            last = kept.links[-1].seq if kept.links else 0
            yield Break(kept.owner_id, BreakKind.TRUNCATED, last + 1 if link is None else head.seq, what)
        elif not holds(head, link):
            what = f"link {head.seq} is not what the root of {day} holds: the chain was made anew"
            yield Break(kept.owner_id, BreakKind.REWRITTEN, head.seq, what)


def _broken_times(kept: Kept, anchored: Sequence[tuple[str, Head]], days: Sequence[Root]) -> Iterator[Break]:
    """What a root does not hold was linked after it began. So a link cannot be made to look older than it is, which
    would keep it out of the roots to come, or hide that its records were late."""
    holding = iter([*anchored, None])
    held = next(holding)
    for link in kept.links:
        while held and (held[1].seq, held[1].count) < (link.seq, len(link.records)):
            held = next(holding)
        lacking = bisect_left(days, held[0], key=lambda root: root.day) if held else len(days)
        if lacking and link.linked_at < days[lacking - 1].since:
            what = (
                f"link {link.seq} says it was made before the root of {days[lacking - 1].day}, which does not hold it"
            )
            yield Break(kept.owner_id, BreakKind.EDITED, link.seq, what)


def first_broken_day(region: str, anchors: Sequence[tuple[Anchor, str, int]]) -> Break | None:
    """Of (anchor, SHA-256 of its file, how often its day was written), oldest first: the first that does not hold."""
    for anchor, _, versions in anchors:
        root = root_of_files(anchor.files) if anchor.files else root_of(anchor.heads)
        if anchor.root != root or anchor.region != region:
            return Break(region, BreakKind.EDITED, 0, f"the root of {anchor.day} is not that of its heads")
        if versions > 1:
            return Break(region, BreakKind.EDITED, 0, f"the root of {anchor.day} was written again; the first holds")
    for (one, print_, _), (other, _, _) in pairwise(anchors):
        if other.previous != print_:
            what = f"the root of {other.day} does not follow that of {one.day}: one between them is missing"
            return Break(region, BreakKind.DELETED, 0, what)
    if anchors and anchors[0][0].previous:
        return Break(region, BreakKind.DELETED, 0, f"the root before {anchors[0][0].day} is missing")
    return None
