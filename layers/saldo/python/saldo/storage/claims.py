"""Writes to more records than one unit holds: all or none of them still, in parts.

Each part claims its records: from then on nobody else changes them, for whoever writes one says that it has no claim
(`when={CLAIM: None}`; only what is written so is claimed). Where all parts have theirs, one record decides for all.
Then each part is written and its claims go with it; or, where it was decided otherwise, the claims are given back and
the records are as they were. Parts are kept until then, so that any process can go on with what another one began.

`<owner>` / `part#<claim>#<n>`: the writes of a part, in the words in which they were asked for. `<record>.claim`: by
what it is held, the owner and a name that follows from all of the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saldo.kernel.ids import fingerprint
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit, Write, pack

CLAIM = "claim"
_PART = "part#"
# A part is an item with all of its writes: so many, and so many bytes with those that are read beside them.
MOST_OF_A_PART = 90
_BYTES_OF_A_PART = 300_000


@dataclass(frozen=True, slots=True)
class Claim:
    """What holds records: whose it is, and its name."""

    owner: str
    name: str

    @classmethod
    def of(cls, owner: str, parts: Iterable[Unit], *said: str) -> Claim:
        """The claim of these parts; the same parts, `said` the same, have the same one."""
        return cls(owner, fingerprint(*said, *(repr((w.key, w.asked)) for part in parts for w in part.writes)))

    @classmethod
    def from_text(cls, text: str) -> Claim:
        return cls(*text.split("/"))

    @property
    def text(self) -> str:
        """As records have it."""
        return f"{self.owner}/{self.name}"


def in_parts(unit: Unit) -> list[Unit]:
    """The writes of a unit of any size, part by part, in their order."""
    alone = [Unit(str(n), [write]) for n, write in enumerate(unit.writes)]
    packs = pack(alone, MOST_OF_A_PART, _BYTES_OF_A_PART)
    return [Unit(f"{unit.name} {n}", [one.writes[0] for one in some]) for n, some in enumerate(packs)]


def keep_parts(store: Store, claim: Claim, parts: Sequence[Unit], deciding: Key, undecided: Mapping[str, Any]) -> bool:
    """Put the parts where any process finds them, while the deciding record is as it is undecided; False if it is not.

    Repeating it puts them anew.
    """
    kept = [Unit(f"keep {n}").put(_part_item(claim, n, part)) for n, part in enumerate(parts)]
    return not store.write([unit.require(deciding, when=undecided) for unit in kept])


def kept_parts(store: Store, claim: Claim) -> list[Unit]:
    """The parts of a claim, as they were put; none where they are done with."""
    found = store.query_all(claim.owner, prefix=f"{_PART}{claim.name}#", consistent=True)
    return [_part_from(item) for item in found]


def drop_parts(store: Store, claim: Claim, count: int) -> None:
    """The parts are done with."""
    store.write([Unit(f"drop {n}").delete(_part_key(claim, n)) for n in range(count)])


def claim_all(store: Store, claim: Claim, parts: Sequence[Unit], deciding: Key, undecided: Mapping[str, Any]) -> bool:
    """Claim the records of each part, while the deciding record is as it is undecided.

    False where one of them is not as it was read, or it is decided. Those that the claim holds already are as they are.
    """
    claimed = [part for part in parts if _claimed(part)]
    units = [_claiming(part, claim).require(deciding, when=undecided) for part in claimed]
    conflicts = {conflict.unit for conflict in store.write(units)}
    return all(_is_claimed(store, part, claim) for part in claimed if part.name in conflicts)


def follow_all(store: Store, claim: Claim, parts: Sequence[Unit]) -> None:
    """Write what was decided. What does not hold was written before, or is of no use any more."""
    store.write([unit for part in parts for unit in _following(part, claim)])


def give_back(store: Store, claim: Claim, parts: Sequence[Unit]) -> None:
    """Let go of what was claimed. A part that does not hold was not claimed, or is given back."""
    store.write([_giving_back(part, claim) for part in parts if _claimed(part)])


def _claiming(part: Unit, claim: Claim) -> Unit:
    unit = Unit(part.name)
    for write in _claimed(part):
        unit.update(write.key, set={CLAIM: claim.text, **_kind(write)}, when=write.asked["when"])
    return unit


def _is_claimed(store: Store, part: Unit, claim: Claim) -> bool:
    keys = [write.key for write in _claimed(part)]
    found = store.get_many(keys, consistent=True)
    return all(key in found and found[key].get(CLAIM) == claim.text for key in keys)


def _following(part: Unit, claim: Claim) -> list[Unit]:
    """The part as one unit; where nothing of it was claimed, each of its writes for itself."""
    if not _claimed(part):
        return [Unit(f"{part.name}.{n}", [write]) for n, write in enumerate(part.writes)]
    unit = Unit(part.name)
    for write in part.writes:
        asked = write.asked
        if CLAIM not in asked["when"]:
            unit.insert(asked["item"])
        elif write.verb == "Put":
            unit.put(asked["item"], when=_held(write, claim))
        else:
            gone = (*asked["remove"], CLAIM)
            unit.update(write.key, set=asked["set"], add=asked["add"], remove=gone, when=_held(write, claim))
    return [unit]


def _giving_back(part: Unit, claim: Claim) -> Unit:
    unit = Unit(part.name)
    for write in _claimed(part):
        if _is_new(write):
            unit.delete(write.key, when={CLAIM: claim.text})
        else:
            unit.update(write.key, remove=(CLAIM,), when={CLAIM: claim.text})
    return unit


def _claimed(part: Unit) -> list[Write]:
    return [write for write in part.writes if CLAIM in write.asked["when"]]


def _is_new(write: Write) -> bool:
    """Whether it puts a record that was not there: until then only its claim is, as a record of its own kind."""
    when = write.asked["when"]
    return write.verb == "Put" and any(expected is None for name, expected in when.items() if name != CLAIM)


def _kind(write: Write) -> Item:
    if _is_new(write):
        return {"kind": CLAIM}
    kind = write.asked["set"].get("kind") if write.verb == "Update" else None
    return {"kind": kind} if kind else {}


def _held(write: Write, claim: Claim) -> Mapping[str, Any]:
    return {**write.asked["when"], CLAIM: claim.text}


def _part_key(claim: Claim, n: int) -> Key:
    return claim.owner, f"{_PART}{claim.name}#{n:04d}"


def _part_item(claim: Claim, n: int, part: Unit) -> Item:
    pk, sk = _part_key(claim, n)
    writes = [{"verb": write.verb, "key": list(write.key), **write.asked} for write in part.writes]
    return {"pk": pk, "sk": sk, "kind": "part", "name": part.name, "writes": writes}


def _part_from(item: Item) -> Unit:
    unit = Unit(item["name"])
    for row in item["writes"]:
        if row["verb"] == "Update":
            more = {"set": row["set"], "add": row["add"], "when": row["when"], "exists": row["exists"]}
            unit.update((row["key"][0], row["key"][1]), **more, remove=row["remove"])
        elif row["exists"] is False:
            unit.insert(row["item"])
        else:
            unit.put(row["item"], when=row["when"])
    return unit
