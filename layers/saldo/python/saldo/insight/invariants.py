"""The invariants of design, as code, in one place: used by `saldo check`, by tests, and hourly in production.

Owners are read one at a time. What spans owners (numbers, entity sums) is gathered in small shares on the way, which
`check_all` holds in memory; in production the look goes by parts (`parts.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from saldo.insight.checks_across import Again, Share, left_undone, share_of, violations_across
from saldo.insight.checks_owner import OWNER_RULES
from saldo.insight.model import Owner, Violation
from saldo.insight.second_look import SecondLook, readings
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.usage.ingest import meters_of
from saldo.usage.model import Meter

__all__ = [
    "NOT_CHECKED",
    "NOT_CHECKED_OF",
    "TITLES",
    "Report",
    "Share",
    "Violation",
    "check_all",
    "check_items",
    "check_owner",
]

TITLES = {
    1: "each entry sums to zero per currency",
    2: "so does each entity",
    3: "the stored balance is the fold of the journal",
    4: "posted rows never change",
    5: "clearing accounts are zero at rest",
    6: "one invoice per subscription and period",
    7: "numbers are unique per entity and series",
    8: "numbers are gapless and dates rise with them",
    9: "lines less discounts plus tax are the total",
    10: "each usage event is kept once or quarantined with a reason",
    11: "late usage never alters an issued invoice",
    12: "each gateway event is applied once",
    13: "applications stay within the payment, the rest is unapplied cash",
    14: "the open balance is total less payments and credits, never below zero",
    15: "refunds stay within what was captured",
    16: "recognised and deferred add up to what was billed",
    17: "a closed period does not move",
    18: "aging adds up to the receivables control account",
    19: "prorations of a split period add up to the whole",
    20: "exchange gains and losses are the difference in base currency",
    21: "states move along listed edges only",
    22: "at most one notice per dunning step, none after payment",
    23: "nothing crosses a customer",
    24: "every change has its audit record",
    25: "when faults stop, work in progress drains",
}

# Not checked on stored records, and why: the reason is shown beside every result, so nobody takes silence for proof.
NOT_CHECKED = {
    15: "no refunds yet",
    16: "no recognition yet: advance charges stay deferred",
    17: "no period close yet",
    19: "held by the rating rules and their property tests; no proration is stored apart",
    25: "a matter of time, not of one look: alarms watch queue ages, waiting payments and late runs; "
    "the simulation checks it whenever its faults stop",
}

# Checked, and not all of it: shown in the same way.
NOT_CHECKED_OF = {
    24: "every entry, every state of a payment, every change of a subscription or a profile and whatever else was made "
    "or set is held against its audit record; of people, and of changes that leave nothing but the record as it now is "
    "only that the audit records there are stand unchanged in their chain",
}


MetersOf = Callable[[str], Sequence[Meter]]


@dataclass(slots=True)
class Report:
    """What was looked at and what is wrong. `sellers`: ids of the legal entities that are there."""

    violations: list[Violation] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    sellers: list[str] = field(default_factory=list)


def check_all(store: Store, *, at_rest: bool = False, now: datetime | None = None) -> Report:
    """Every invariant over every record of the region, which may move meanwhile: what is found is looked at again.

    at_rest: nothing should be under way now (25). now: what waits is held against it.
    """
    report, share = look_at(store.scan(), meters_through(store), again=store, now=now)
    report.violations += check_across(share, at_rest=at_rest, again=SecondLook(store))
    return report


def check_items(items: Iterable[Item], meters: MetersOf | None = None) -> Report:
    """The same over any records that do not move: what `look_at` says, and what spans owners."""
    report, share = look_at(items, meters)
    report.violations += check_across(share)
    return report


def look_at(
    items: Iterable[Item], meters: MetersOf | None = None, again: Store | None = None, now: datetime | None = None
) -> tuple[Report, Share]:
    """Records owner by owner (items of one owner must follow each other): what is wrong with each, and what all of them
    contribute to what spans owners.

    meters: a seller's meters by its id; without them windows of usage are not looked at. again: where records are now;
    an owner of which something is found is read there once more, until it is known as it was at one moment. now: what
    waits is held against it.
    """
    report, across = Report(), Share()
    for owner_id, group in groupby(items, key=lambda item: item["pk"]):
        records = list(group)
        report.counted.update(item["kind"] for item in records)
        report.sellers += [owner_id for item in records if item["kind"] == "entity"]
        found, share = check_owner(owner_id, records, meters, now)
        if found and again:
            found, share = _looked_again(again, owner_id, records, meters, now)
        report.violations += found
        across.add(share)
    return report, across


def _looked_again(
    store: Store, owner_id: str, records: Sequence[Item], meters: MetersOf | None, now: datetime | None
) -> tuple[list[Violation], Share]:
    """Of an owner that never rests, what every reading shows."""
    found: list[Violation] = []
    share, always = Share(), set(TITLES)
    for reading, is_same in readings(store, [owner_id], records):
        found, share = check_owner(owner_id, reading, meters, now)
        if is_same:
            return found, share
        always &= {violation.invariant for violation in found}
    return [violation for violation in found if violation.invariant in always], share


def check_owner(
    owner_id: str, records: Iterable[Item], meters: MetersOf | None = None, now: datetime | None = None
) -> tuple[list[Violation], Share]:
    """All records of one owner: what is wrong with them, and their share in what spans owners."""
    by_kind: dict[str, list[Item]] = defaultdict(list)
    for item in records:
        by_kind[item["kind"]].append(item)
    owner = Owner(owner_id, by_kind, meters_for(by_kind, meters), now)
    return [violation for rule in OWNER_RULES for violation in rule(owner)], share_of(owner)


def meters_for(by_kind: Mapping[str, Sequence[Item]], meters: MetersOf | None) -> Sequence[Meter]:
    """The meters of the seller that an account buys from; none for other owners."""
    sellers = [item["entity_id"] for item in by_kind.get("account", ())]
    return meters(sellers[0]) if meters and sellers else ()


def check_across(across: Share, *, at_rest: bool = False, again: Again | None = None) -> list[Violation]:
    """What the shares of all owners say together."""
    found = violations_across(across, sorted(across.rows), again)
    return [*found, *(left_undone(across) if at_rest else ())]


def meters_through(store: Store) -> MetersOf:
    """Sellers' meters from the store, each seller's read once."""
    known: dict[str, Sequence[Meter]] = {}

    def meters(entity_id: str) -> Sequence[Meter]:
        if entity_id not in known:
            known[entity_id] = tuple(meters_of(store, entity_id).values())
        return known[entity_id]

    return meters
