"""An in-memory DynamoDB for the calls that `Store` makes: exact about conditions, pages, indexes and what is billed.

It answers like the real one (shown equal to an independent emulator on random operations), counts calls and request
units as AWS bills them, and can be told to fail at any call: `fault` is asked before a call is carried out and again
before it answers; it may raise anything. By answering PART it has a batch or a page served in part, by THROTTLED a
transaction cancelled for load, by DOUBLED a write done twice: its answer is that of the second.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

Attributes = dict[str, dict[str, Any]]
PART, THROTTLED, DOUBLED = "part", "throttled", "doubled"
# A page of a query or scan ends after this many bytes.
PAGE_BYTES = 1024 * 1024
_LAST = "\U0010ffff"


class Crash(BaseException):
    """The process dies here: nothing may catch it."""


@dataclass
class Bill:
    """What the calls so far would be billed: request units of on-demand tables, index writes included."""

    calls: Counter[str] = field(default_factory=Counter)
    wru: float = 0
    rru: float = 0

    @property
    def total_calls(self) -> int:
        return sum(self.calls.values())


Fault = Callable[[int, str, str], object]  # (call number, operation, "before" | "after"); may answer one of the three


class Change(NamedTuple):
    """What a table's stream tells of one write: an item as it was and as it is, None where there is none."""

    pk: str
    sk: str
    old: Attributes | None
    new: Attributes | None

    @property
    def event(self) -> str:
        return "INSERT" if self.old is None else "MODIFY" if self.new is not None else "REMOVE"


class _Row(NamedTuple):
    """A stored item. Its attributes are never changed, only replaced, so its size is known once.

    listed: what the index holds of it, and the size of that; None where it is not on the agenda.
    """

    item: Attributes
    size: int
    listed: tuple[Attributes, int] | None


class _Partition:
    """The items of one owner, by sort key, in order."""

    __slots__ = ("order", "rows")

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.order: list[str] = []

    def put(self, sk: str, row: _Row) -> None:
        if sk not in self.rows:
            insort(self.order, sk)
        self.rows[sk] = row

    def drop(self, sk: str) -> None:
        if self.rows.pop(sk, None) is not None:
            del self.order[bisect_left(self.order, sk)]


_NOTHING = _Partition()


class _Lists(defaultdict[str, list[tuple[str, str, str]]]):
    """The lists of a table's index, each in order: place on it, and the key of the item."""

    def __init__(self) -> None:
        super().__init__(list)

    def __reduce__(self) -> Any:
        return _Lists, (), None, None, iter(self.items())


class MemoryDynamoDB:
    """Tables with `pk` (and `sk`), one index `agenda`. Values are kept in DynamoDB's own attribute form.

    `changed`: keys written to since whoever looks at it last emptied it. `stream`: where somebody reads it, every
    change of the table `records` since they did, in order.
    """

    def __init__(self, projected: Sequence[str] = ()) -> None:
        self._tables: dict[str, dict[str, _Partition]] = defaultdict(dict)
        self._agenda: dict[str, _Lists] = defaultdict(_Lists)
        self._projected = frozenset({"pk", "sk", "agenda_pk", "agenda_on", *projected})
        self.bill = Bill()
        self.fault: Fault | None = None
        self.calls = 0
        self.changed: set[tuple[str, str]] = set()
        self.stream: list[Change] | None = None
        # Each call is atomic, as the real one's are; between calls anyone may run.
        self._one_at_a_time = threading.Lock()

    class exceptions:  # noqa: N801 - the name boto3 gives it
        class ConditionalCheckFailedException(ClientError):  # noqa: N818
            pass

    # -- the calls ---------------------------------------------------------------------------------------------

    def get_item(self, *, TableName: str, Key: Attributes, ConsistentRead: bool = False) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            found = self._find(TableName, Key)
            self._read(found.size if found else 0, ConsistentRead)
            return {"Item": found.item.copy()} if found else {}

        return self._call("GetItem", apply)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        def apply(part: bool) -> dict[str, Any]:
            answer: dict[str, list[Attributes]] = {}
            unread: dict[str, Any] = {}
            for table, request in RequestItems.items():
                keys = request["Keys"]
                assert 0 < len(keys) <= 100
                served = len(keys) // 2 if part else len(keys)
                found = [self._find(table, key) for key in keys[:served]]
                for row in found:
                    self._read(row.size if row else 0, request.get("ConsistentRead", False))
                answer[table] = [dict(row.item) for row in found if row]
                if served < len(keys):
                    unread[table] = {**request, "Keys": keys[served:]}
            return {"Responses": answer, "UnprocessedKeys": unread}

        return self._call("BatchGetItem", apply)

    def query(self, **request: Any) -> dict[str, Any]:
        return self._call("Query", lambda part: self._query(request, part))

    def scan(
        self,
        *,
        TableName: str,  # noqa: N803
        Segment: int = 0,  # noqa: N803
        TotalSegments: int = 1,  # noqa: N803
        ExclusiveStartKey: Attributes | None = None,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        """Whole owners at a time, in order, about a page; a part is the first half, with the key to go on from."""

        def apply(part: bool) -> dict[str, Any]:
            table = self._tables[TableName]
            owners = [pk for i, pk in enumerate(sorted(table)) if i % TotalSegments == Segment]
            if ExclusiveStartKey:
                owners = owners[bisect_right(owners, _key_of(ExclusiveStartKey)[0]) :]
            served = len(owners) // 2 if part and len(owners) > 1 else len(owners)
            rows, size = list[_Row](), 0
            for n, pk in enumerate(owners):
                if n == served or size > PAGE_BYTES:
                    served = n
                    break
                rows += _ordered(table[pk])
                size += sum(row.size for row in _ordered(table[pk]))
            self._read(size, consistent=True, at_least=0)
            answer: dict[str, Any] = {"Items": [dict(row.item) for row in rows]}
            if served < len(owners) and rows:
                answer["LastEvaluatedKey"] = {name: rows[-1].item[name] for name in ("pk", "sk")}
            return answer

        return self._call("Scan", apply)

    def describe_table(self, *, TableName: str) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            sizes = (row.size for partition in self._tables[TableName].values() for row in partition.rows.values())
            return {"Table": {"TableSizeBytes": sum(sizes)}}

        return self._call("DescribeTable", apply)

    def update_item(self, *, TableName: str, ReturnValues: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            assert ReturnValues == "ALL_NEW"
            self._refuse_unless_held(TableName, request["Key"], request, "UpdateItem")
            self._apply(TableName, "Update", request, factor=1)
            found = self._find(TableName, request["Key"])
            return {"Attributes": dict(found.item) if found else {}}

        return self._call("UpdateItem", apply)

    def put_item(self, *, TableName: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            self._refuse_unless_held(TableName, request["Item"], request, "PutItem")
            self._apply(TableName, "Put", request, factor=1)
            return {}

        return self._call("PutItem", apply)

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        def apply(part: bool) -> dict[str, Any]:
            left: dict[str, Any] = {}
            for table, writes in RequestItems.items():
                assert 0 < len(writes) <= 25
                served = len(writes) // 2 if part else len(writes)
                for write in writes[:served]:
                    self._apply(table, "Put", write["PutRequest"], factor=1)
                if served < len(writes):
                    left[table] = list(writes[served:])
            return {"UnprocessedItems": left}

        return self._call("BatchWriteItem", apply)

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        def apply(_part: bool) -> dict[str, Any]:
            writes = [(verb, request) for item in TransactItems for verb, request in item.items()]
            keys = [(r["TableName"], *_key_of(r.get("Item") or r["Key"])) for _, r in writes]
            assert 0 < len(writes) <= 100
            if len(set(keys)) != len(keys):
                raise ClientError(
                    {"Error": {"Code": "ValidationException", "Message": "item twice"}}, "TransactWriteItems"
                )
            held = [self._holds(r["TableName"], key[1], key[2], r) for (_, r), key in zip(writes, keys, strict=True)]
            if not all(held):
                raise cancelled("None" if ok else "ConditionalCheckFailed" for ok in held)
            for verb, request in writes:
                self._apply(request["TableName"], verb, request, factor=2)
            return {}

        return self._call("TransactWriteItems", apply, lambda: cancelled(["ThrottlingError"] * len(TransactItems)))

    def item_at(self, table: str, pk: str, sk: str) -> Attributes | None:
        """One item for a look from outside: no call, no fault, no bill."""
        row = self._tables[table].get(pk, _NOTHING).rows.get(sk)
        return row.item if row else None

    # -- how they work -----------------------------------------------------------------------------------------

    def _call(
        self, operation: str, apply: Callable[[bool], dict[str, Any]], busy: Callable[[], ClientError] | None = None
    ) -> dict[str, Any]:
        with self._one_at_a_time:
            self.calls += 1
            number = self.calls
            self.bill.calls[operation] += 1
        fault = self.fault
        told = fault(number, operation, "before") if fault else None
        if busy and told == THROTTLED:
            raise busy()
        with self._one_at_a_time:
            if told == DOUBLED:
                apply(False)
            answer = apply(told == PART)
        if fault:
            fault(number, operation, "after")
        return answer

    def _find(self, table: str, key: Attributes) -> _Row | None:
        pk, sk = _key_of(key)
        return self._tables[table].get(pk, _NOTHING).rows.get(sk)

    def _refuse_unless_held(self, table: str, key: Attributes, request: Mapping[str, Any], operation: str) -> None:
        if not self._holds(table, *_key_of(key), request):
            raise self.exceptions.ConditionalCheckFailedException(
                {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, operation
            )

    def _holds(self, table: str, pk: str, sk: str, request: Mapping[str, Any]) -> bool:
        condition = request.get("ConditionExpression")
        if not condition:
            return True
        row = self._tables[table].get(pk, _NOTHING).rows.get(sk)
        item: Mapping[str, Any] = row.item if row else {}
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        for operator, name, operands in _condition(condition):
            held = item.get(names.get(name, name))
            if operator == "exists":
                if held is None:
                    return False
            elif operator == "not_exists":
                if held is not None:
                    return False
            elif held not in [values[operand] for operand in operands]:
                return False
        return True

    def _apply(self, table: str, verb: str, request: Mapping[str, Any], factor: int) -> None:
        pk, sk = _key_of(request.get("Item") or request["Key"])
        partition = self._tables[table].get(pk, _NOTHING)
        old = partition.rows.get(sk)
        old_size = old.size if old else 0
        if verb == "ConditionCheck":
            self.bill.wru += factor * _units(old_size, 1024)
            return
        new = None if verb == "Delete" else _written(verb, request, old.item if old else None)
        size = _weight(new) if new is not None else 0
        self.bill.wru += factor * _units(max(old_size, size), 1024)
        listed = self._projection(new)
        self._index(table, (pk, sk), old.listed if old else None, listed)
        self.changed.add((pk, sk))
        before = old.item if old else None
        if self.stream is not None and table == "records" and new != before:  # a write that changes nothing is not told
            self.stream.append(Change(pk, sk, before, new))
        if new is None:
            partition.drop(sk)
        else:
            assert size <= 400 * 1024, f"{pk}, {sk} is larger than an item may be"
            if partition is _NOTHING:
                partition = self._tables[table][pk] = _Partition()
            partition.put(sk, _Row(new, size, listed))

    def _index(
        self,
        table: str,
        key: tuple[str, str],
        old: tuple[Attributes, int] | None,
        new: tuple[Attributes, int] | None,
    ) -> None:
        """Have the index follow a write, and bill what that costs."""
        if old == new:
            return
        before, after = old and _place(old[0]), new and _place(new[0])
        moved = old and new and before != after
        # In place, one write as large as what was there; moved, one there and one here.
        for image in (old, new if moved else None) if old else (new,):
            if image:
                self.bill.wru += _units(image[1], 1024)
        if before == after:
            return
        if before:
            listed = self._agenda[table][before[0]]
            del listed[bisect_left(listed, (before[1], *key))]
        if after:
            insort(self._agenda[table][after[0]], (after[1], *key))

    def _projection(self, item: Attributes | None) -> tuple[Attributes, int] | None:
        if not item or "agenda_pk" not in item or "agenda_on" not in item:
            return None
        image = {name: value for name, value in item.items() if name in self._projected}
        return image, _weight(image)

    def _query(self, request: Mapping[str, Any], part: bool) -> dict[str, Any]:
        values = {k: v["S"] for k, v in request["ExpressionAttributeValues"].items()}
        agenda = request.get("IndexName") == "agenda"
        found = self._listed(request, values, agenda)
        limit = request.get("Limit")
        page, size = [], 0
        served = len(found) // 2 if part and len(found) > 1 else len(found)
        for key in found[:served]:
            row = self._tables[request["TableName"]][key[-2]].rows[key[-1]]
            image, weight = row.listed or (row.item, 0) if agenda else (row.item, row.size)
            page.append(image)
            size += weight
            if len(page) == limit or size >= PAGE_BYTES:
                break
        self._read(size, request.get("ConsistentRead", False))
        answer: dict[str, Any] = {"Items": [_picked(item, request) for item in page]}
        if page and (len(page) < len(found) or len(page) == limit):
            names = ("agenda_pk", "agenda_on", "pk", "sk") if agenda else ("pk", "sk")
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in names}
        return answer

    def _listed(
        self, request: Mapping[str, Any], values: Mapping[str, str], agenda: bool
    ) -> Sequence[tuple[str, str, str]]:
        """Keys (sort value, owner, sort key) that the request asks for, in its order, from where it starts."""
        pk, start = values[":p"], request.get("ExclusiveStartKey")
        if agenda:
            keys: list[tuple[str, str, str]] = self._agenda[request["TableName"]].get(pk, [])
        else:
            keys = [(sk, pk, sk) for sk in self._between(request["TableName"], pk, values)]
        low, high = _bounds(values)
        keys = keys[bisect_left(keys, (low, "", "")) : bisect_right(keys, (high, _LAST, _LAST))]
        if not request.get("ScanIndexForward", True):
            keys = keys[::-1]
        if start is None:
            return keys
        wanted = ((start["agenda_on"]["S"] if agenda else start["sk"]["S"]), start["pk"]["S"], start["sk"]["S"])
        return keys[keys.index(wanted) + 1 :] if wanted in keys else []

    def _between(self, table: str, pk: str, values: Mapping[str, str]) -> list[str]:
        order = self._tables[table].get(pk, _NOTHING).order
        low, high = _bounds(values)
        return order[bisect_left(order, low) : bisect_right(order, high)]

    def _read(self, size: int, consistent: bool, at_least: int = 1) -> None:
        self.bill.rru += max(at_least, -(-size // 4096)) * (1 if consistent else 0.5)


def cancelled(codes: Iterable[str]) -> ClientError:
    """A transaction that was cancelled, with the reason of each of its writes."""
    error = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]


def _bounds(values: Mapping[str, str]) -> tuple[str, str]:
    """The first and the last sort value that a query's values allow."""
    if ":s" in values:
        return values[":s"], values[":s"] + _LAST
    return values.get(":a", ""), values.get(":b", _LAST)


def _place(image: Attributes) -> tuple[str, str]:
    """Where an item is listed: whose agenda, and when."""
    return image["agenda_pk"]["S"], image["agenda_on"]["S"]


def _ordered(partition: _Partition) -> list[_Row]:
    return [partition.rows[sk] for sk in partition.order]


def _key_of(attributes: Attributes) -> tuple[str, str]:
    return attributes["pk"]["S"], attributes["sk"]["S"] if "sk" in attributes else ""


@lru_cache(maxsize=4096)
def _condition(expression: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """The parts of a condition, all of which must hold: (operator, name, operands)."""
    found = []
    for part in expression.split(" AND "):
        if match := re.fullmatch(r"attribute_(not_exists|exists)\((\S+)\)", part):
            found.append((match[1], match[2], ()))
        elif match := re.fullmatch(r"(\S+) = (\S+)", part):
            found.append(("in", match[1], (match[2],)))
        else:
            match = re.fullmatch(r"(\S+) IN \((.*)\)", part)
            assert match, f"condition not known here: {part}"
            found.append(("in", match[1], tuple(match[2].split(", "))))
    return tuple(found)


@lru_cache(maxsize=4096)
def _update(expression: str) -> tuple[tuple[str, str, str], ...]:
    """The steps of an update: (SET, name, value), (ADD, name, value), (REMOVE, name, "")."""
    found = []
    for clause, body in re.findall(r"(SET|ADD|REMOVE) (.*?)(?= SET | ADD | REMOVE |$)", expression):
        for part in body.split(", "):
            name, _, value = part.partition(" = " if clause == "SET" else " ")
            found.append((clause, name, value))
    return tuple(found)


def _written(verb: str, request: Mapping[str, Any], old: Attributes | None) -> Attributes:
    if verb == "Put":
        return dict(request["Item"])
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    item = dict(old or request["Key"])
    for clause, name, value in _update(request["UpdateExpression"]):
        if clause == "SET":
            item[names[name]] = values[value]
        elif clause == "ADD":
            before = Decimal(item.get(names[name], {"N": "0"})["N"])
            item[names[name]] = {"N": str(before + Decimal(values[value]["N"]))}
        else:
            item.pop(names[name], None)
    return item


def _picked(item: Attributes, request: Mapping[str, Any]) -> Attributes:
    projection = request.get("ProjectionExpression")
    if not projection:
        return dict(item)
    names = {request["ExpressionAttributeNames"][alias] for alias in projection.split(", ")}
    return {name: value for name, value in item.items() if name in names}


def _units(size: int, per: int) -> int:
    return max(1, -(-size // per))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _weight(item: Mapping[str, Any]) -> int:
    size = 0
    for name, attribute in item.items():
        ((kind, value),) = attribute.items()
        size += len(name) if name.isascii() else len(name.encode())
        if kind == "S":
            size += len(value) if value.isascii() else len(value.encode())
        else:
            size += _WEIGHTS[kind](value)
    return size


def _weight_of_list(value: Sequence[Mapping[str, Any]]) -> int:
    return 3 + len(value) + sum(_WEIGHTS[kind](one) for attribute in value for kind, one in attribute.items())


@lru_cache(65_536)
def _weight_of_number(value: str) -> int:
    digits = value.replace("-", "").replace(".", "").strip("0")
    return 1 + -(-len(digits) // 2) + (1 if "-" in value else 0)


_WEIGHTS: dict[str, Callable[[Any], int]] = {
    "S": _bytes,
    "B": len,
    "N": _weight_of_number,
    "L": _weight_of_list,
    "M": lambda value: 3 + len(value) + _weight(value),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}
