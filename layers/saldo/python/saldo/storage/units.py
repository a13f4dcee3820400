"""Units: groups of writes that happen together or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from saldo.storage.items import Item, Key, to_attribute, to_attributes, weight

# What DynamoDB takes in one transaction.
MOST_WRITES = 100
# How often what somebody keeps has changed (`Unit.count_once`).
WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a unit in DynamoDB's words. `verb` is Put, Update, Delete or ConditionCheck.

    asked: in the words in which the unit was asked for it, so that it can be asked for again.
    """

    verb: str
    key: Key
    request: dict[str, Any]
    bytes: int
    asked: Mapping[str, Any]


class _Expression:
    """Numbers names and values, so that no attribute name ever meets a reserved word."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        alias = f"#{len(self.names)}"
        self.names[alias] = attribute
        return alias

    def value(self, value: Any) -> str:
        alias = f":{len(self.values)}"
        self.values[alias] = to_attribute(value)
        return alias

    def condition(self, when: Mapping[str, Any], exists: bool | None) -> str:
        parts = []
        if exists is not None:
            parts.append(f"attribute_{'exists' if exists else 'not_exists'}({self.name('pk')})")
        for attribute, expected in when.items():
            if expected is None:
                parts.append(f"attribute_not_exists({self.name(attribute)})")
            elif isinstance(expected, list | tuple | frozenset | set):
                options = ", ".join(self.value(v) for v in sorted(expected))
                parts.append(f"{self.name(attribute)} IN ({options})")
            else:
                parts.append(f"{self.name(attribute)} = {self.value(expected)}")
        return " AND ".join(parts)

    def into(self, request: dict[str, Any], condition: str) -> dict[str, Any]:
        if condition:
            request["ConditionExpression"] = condition
        if self.names:
            request["ExpressionAttributeNames"] = self.names
        if self.values:
            request["ExpressionAttributeValues"] = self.values
        return request


@dataclass(slots=True)
class Unit:
    """One all-or-nothing group of at most 100 writes to different items.

    `when` names what must hold of the item at that moment: attribute → expected value, None for "absent",
    a set for "one of". A unit whose conditions do not hold writes nothing and comes back as a conflict.
    `most`: more where the unit is not to be written as one (`storage.claims`).
    """

    name: str
    writes: list[Write] = field(default_factory=list)
    most: int = MOST_WRITES
    _keys: set[Key] = field(default_factory=set)

    def insert(self, item: Item) -> Unit:
        """Write an item that must not exist yet: the permanent guard of whatever the unit does."""
        return self._put(item, {}, exists=False)

    def put(self, item: Item, *, when: Mapping[str, Any] | None = None) -> Unit:
        return self._put(item, when or {}, exists=None)

    def _put(self, item: Item, when: Mapping[str, Any], exists: bool | None) -> Unit:
        expression = _Expression()
        condition = expression.condition(when, exists)
        request = expression.into({"Item": to_attributes(item)}, condition)
        asked = {"item": item, "when": when, "exists": exists}
        return self._add("Put", (item["pk"], item["sk"]), request, weight(item), asked)

    def update(
        self,
        key: Key,
        *,
        set: Mapping[str, Any] | None = None,
        add: Mapping[str, int] | None = None,
        remove: Sequence[str] = (),
        when: Mapping[str, Any] | None = None,
        exists: bool | None = None,
    ) -> Unit:
        """Change attributes of one item. `add` sums whole numbers, from 0 when absent."""
        expression = _Expression()
        clauses = []
        if set:
            pairs = [f"{expression.name(n)} = {expression.value(v)}" for n, v in set.items()]
            clauses.append("SET " + ", ".join(pairs))
        if add:
            pairs = [f"{expression.name(n)} {expression.value(v)}" for n, v in add.items()]
            clauses.append("ADD " + ", ".join(pairs))
        if remove:
            clauses.append("REMOVE " + ", ".join(expression.name(n) for n in remove))
        request = {"Key": _key_attributes(key), "UpdateExpression": " ".join(clauses)}
        request = expression.into(request, expression.condition(when or {}, exists))
        asked = {"set": set or {}, "add": add or {}, "remove": remove, "when": when or {}, "exists": exists}
        return self._add("Update", key, request, 400 + weight(set or {}), asked)

    def delete(self, key: Key, *, when: Mapping[str, Any] | None = None) -> Unit:
        expression = _Expression()
        request = expression.into({"Key": _key_attributes(key)}, expression.condition(when or {}, None))
        return self._add("Delete", key, request, 100, {"when": when or {}})

    def require(self, key: Key, *, when: Mapping[str, Any] | None = None, exists: bool | None = True) -> Unit:
        """Hold only if this other item is as expected."""
        expression = _Expression()
        condition = expression.condition(when or {}, exists)
        request = expression.into({"Key": _key_attributes(key)}, condition)
        return self._add("ConditionCheck", key, request, 100, {"when": when or {}, "exists": exists})

    def count_once(self, key: Key, name: str = WRITTEN) -> Unit:
        """Count in a record of that sort key's kind, once a unit, that the unit changes what somebody keeps: whoever
        looks at what was kept as of another number knows that there is more."""
        return self if self.has(key) else self.update(key, set={"kind": key[1]}, add={name: 1})

    def has(self, key: Key) -> bool:
        """Whether the unit writes, or looks at, this item already."""
        return key in self._keys

    def _add(self, verb: str, key: Key, request: dict[str, Any], size: int, asked: Mapping[str, Any]) -> Unit:
        assert key not in self._keys, f"{self.name} writes {key} twice"
        assert len(self.writes) < self.most, f"{self.name} has more than {self.most} writes"
        self._keys.add(key)
        self.writes.append(Write(verb, key, request, size, asked))
        return self


def _key_attributes(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a unit wrote nothing: the keys whose conditions did not hold."""

    unit: str
    keys: tuple[Key, ...]


def pack(units: Sequence[Unit], most_writes: int = MOST_WRITES, most_bytes: int = 3_500_000) -> list[list[Unit]]:
    """Group units so that each group fits one TransactWriteItems and touches no item twice. Keeps the order."""
    packs: list[list[Unit]] = []
    keys: set[Key] = set()
    count = size = 0
    for unit in units:
        unit_keys = {w.key for w in unit.writes}
        unit_size = sum(w.bytes for w in unit.writes)
        fits = count + len(unit.writes) <= most_writes and size + unit_size <= most_bytes
        if not packs or not fits or keys & unit_keys:
            packs.append([])
            keys, count, size = set(), 0, 0
        packs[-1].append(unit)
        keys |= unit_keys
        count += len(unit.writes)
        size += unit_size
    return packs
