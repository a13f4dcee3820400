"""An in-memory DynamoDB for the calls that `Store` makes: exact about conditions, indexes and what is billed.

It answers like the real one (shown equal to an independent emulator on random operations), counts calls and request
units as AWS bills them, and can be told to fail: before or after the n-th call, by a crash, a time-out or a throttle.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

Attributes = dict[str, dict[str, Any]]


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


Fault = Callable[[int, str, str], None]  # (call number, operation, "before" | "after")


class MemoryDynamoDB:
    """Tables with `pk` (and `sk`), one index `agenda`. Values are kept in DynamoDB's own attribute form."""

    def __init__(self, projected: Sequence[str] = ()) -> None:
        self._tables: dict[str, dict[str, dict[str, Attributes]]] = defaultdict(dict)
        self._agenda: dict[str, dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
        self._projected = {"pk", "sk", "agenda_pk", "agenda_on", *projected}
        self.bill = Bill()
        self.fault: Fault | None = None
        self.calls = 0
        self._one_at_a_time = (
            threading.Lock()
        )  # each call is atomic, as the real one's are; between calls anyone may run

    class exceptions:  # noqa: N801 - the name boto3 gives it
        class ConditionalCheckFailedException(ClientError):  # noqa: N818
            pass

    # -- the calls ---------------------------------------------------------------------------------------------

    def get_item(self, *, TableName: str, Key: Attributes, ConsistentRead: bool = False) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            found = self._find(TableName, Key)
            self._read([found] if found else [], ConsistentRead, at_least=1)
            return {"Item": dict(found)} if found else {}

        return self._call("GetItem", apply)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            answer: dict[str, list[Attributes]] = {}
            for table, request in RequestItems.items():
                assert 0 < len(request["Keys"]) <= 100
                found = [self._find(table, key) for key in request["Keys"]]
                for item in found:
                    self._read([item] if item else [], request.get("ConsistentRead", False), at_least=1)
                answer[table] = [dict(item) for item in found if item]
            return {"Responses": answer, "UnprocessedKeys": {}}

        return self._call("BatchGetItem", apply)

    def query(self, **request: Any) -> dict[str, Any]:
        return self._call("Query", lambda: self._query(request))

    def scan(self, *, TableName: str, Segment: int = 0, TotalSegments: int = 1, **_: Any) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            owners = [pk for i, pk in enumerate(sorted(self._tables[TableName])) if i % TotalSegments == Segment]
            items = [dict(rows[sk]) for pk in owners for rows in [self._tables[TableName][pk]] for sk in sorted(rows)]
            self._read(items, consistent=True)
            return {"Items": items}

        return self._call("Scan", apply)

    def update_item(self, *, TableName: str, ReturnValues: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            assert ReturnValues == "ALL_NEW"
            if not self._holds(TableName, _key_of(request["Key"]), request):
                raise self.exceptions.ConditionalCheckFailedException(
                    {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "UpdateItem"
                )
            self._apply(TableName, "Update", request, factor=1)
            return {"Attributes": dict(self._find(TableName, request["Key"]) or {})}

        return self._call("UpdateItem", apply)

    def put_item(self, *, TableName: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            if not self._holds(TableName, _key_of(request["Item"]), request):
                raise self.exceptions.ConditionalCheckFailedException(
                    {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem"
                )
            self._apply(TableName, "Put", request, factor=1)
            return {}

        return self._call("PutItem", apply)

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            for table, writes in RequestItems.items():
                assert 0 < len(writes) <= 25
                for write in writes:
                    self._apply(table, "Put", write["PutRequest"], factor=1)
            return {"UnprocessedItems": {}}

        return self._call("BatchWriteItem", apply)

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        def apply() -> dict[str, Any]:
            writes = [(verb, request) for item in TransactItems for verb, request in item.items()]
            keys = [(r["TableName"], *_key_of(r.get("Item") or r["Key"])) for _, r in writes]
            assert 0 < len(writes) <= 100
            if len(set(keys)) != len(keys):
                raise ClientError(
                    {"Error": {"Code": "ValidationException", "Message": "item twice"}}, "TransactWriteItems"
                )
            held = [self._holds(r["TableName"], key[1:], r) for (_, r), key in zip(writes, keys, strict=True)]
            if not all(held):
                reasons = [{"Code": "None" if ok else "ConditionalCheckFailed"} for ok in held]
                error = {
                    "Error": {"Code": "TransactionCanceledException", "Message": ""},
                    "CancellationReasons": reasons,
                }
                raise ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]
            for verb, request in writes:
                self._apply(request["TableName"], verb, request, factor=2)
            return {}

        return self._call("TransactWriteItems", apply)

    # -- how they work -----------------------------------------------------------------------------------------

    def _call(self, operation: str, apply: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        with self._one_at_a_time:
            self.calls += 1
            number = self.calls
            self.bill.calls[operation] += 1
        if self.fault:
            self.fault(number, operation, "before")
        with self._one_at_a_time:
            answer = apply()
        if self.fault:
            self.fault(number, operation, "after")
        return answer

    def _find(self, table: str, key: Attributes) -> Attributes | None:
        pk, sk = _key_of(key)
        return self._tables[table].get(pk, {}).get(sk)

    def _holds(self, table: str, key: tuple[str, ...], request: Mapping[str, Any]) -> bool:
        condition = request.get("ConditionExpression")
        if not condition:
            return True
        item = self._tables[table].get(key[0], {}).get(key[1], {})
        return all(_true(part, item, request) for part in condition.split(" AND "))

    def _apply(self, table: str, verb: str, request: Mapping[str, Any], factor: int) -> None:
        key = _key_of(request.get("Item") or request["Key"])
        old = self._tables[table].get(key[0], {}).get(key[1])
        if verb == "ConditionCheck":
            self.bill.wru += factor * _units(_weight(old or {}), 1024)
            return
        new = None if verb == "Delete" else _written(verb, request, old)
        self.bill.wru += factor * _units(max(_weight(old or {}), _weight(new or {})), 1024)
        self._index(table, key, old, new)
        if new is None:
            self._tables[table].get(key[0], {}).pop(key[1], None)
        else:
            assert _weight(new) <= 400 * 1024, f"{key} is larger than an item may be"
            self._tables[table].setdefault(key[0], {})[key[1]] = new

    def _index(self, table: str, key: tuple[str, str], old: Attributes | None, new: Attributes | None) -> None:
        before, after = self._projection(old), self._projection(new)
        if before == after:
            return
        moved = (
            before and after and before["agenda_pk"] == after["agenda_pk"] and before["agenda_on"] == after["agenda_on"]
        )
        for image in (before, None if moved else after) if before else (after,):
            if image:
                self.bill.wru += _units(_weight(image), 1024)
        if before:
            self._agenda[table][before["agenda_pk"]["S"]].discard(key)
        if after:
            self._agenda[table][after["agenda_pk"]["S"]].add(key)

    def _projection(self, item: Attributes | None) -> Attributes | None:
        if not item or "agenda_pk" not in item or "agenda_on" not in item:
            return None
        return {name: value for name, value in item.items() if name in self._projected}

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        values = {k: v["S"] for k, v in request["ExpressionAttributeValues"].items()}
        agenda = request.get("IndexName") == "agenda"
        rows = self._partition(request["TableName"], values[":p"], agenda)
        rows = [(k, i) for k, i in rows if _within(k[0], request["KeyConditionExpression"], values)]
        if not request.get("ScanIndexForward", True):
            rows.reverse()
        rows = _after(rows, request.get("ExclusiveStartKey"), agenda)
        limit = request.get("Limit")
        page = rows if limit is None else rows[:limit]
        items = [item for _, item in page]
        self._read(items, request.get("ConsistentRead", False), at_least=1)
        answer: dict[str, Any] = {"Items": [_picked(item, request) for item in items]}
        if limit is not None and len(page) == limit and page:
            names = ("agenda_pk", "agenda_on", "pk", "sk") if agenda else ("pk", "sk")
            answer["LastEvaluatedKey"] = {name: page[-1][1][name] for name in names}
        return answer

    def _partition(self, table: str, pk: str, agenda: bool) -> list[tuple[tuple[str, ...], Attributes]]:
        if not agenda:
            rows = self._tables[table].get(pk, {})
            return [((sk,), rows[sk]) for sk in sorted(rows)]
        found = []
        for key in self._agenda[table].get(pk, ()):
            image = self._projection(self._tables[table][key[0]][key[1]])
            assert image is not None
            found.append(((image["agenda_on"]["S"], *key), image))
        return sorted(found, key=lambda row: row[0])

    def _read(self, items: Sequence[Attributes], consistent: bool, at_least: int = 0) -> None:
        size = sum(_weight(item) for item in items)
        self.bill.rru += max(at_least, -(-size // 4096)) * (1 if consistent else 0.5)


def _key_of(attributes: Attributes) -> tuple[str, str]:
    return attributes["pk"]["S"], attributes.get("sk", {"S": ""})["S"]


def _true(part: str, item: Attributes, request: Mapping[str, Any]) -> bool:
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    if match := re.fullmatch(r"attribute_(not_)?exists\((\S+)\)", part):
        name = names.get(match[2], match[2])
        return (name in item) != bool(match[1])
    if match := re.fullmatch(r"(\S+) = (\S+)", part):
        return item.get(names[match[1]]) == values[match[2]]
    match = re.fullmatch(r"(\S+) IN \((.*)\)", part)
    assert match, f"condition not known here: {part}"
    return item.get(names[match[1]]) in [values[v] for v in match[2].split(", ")]


def _written(verb: str, request: Mapping[str, Any], old: Attributes | None) -> Attributes:
    if verb == "Put":
        return dict(request["Item"])
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    item = dict(old or request["Key"])
    for clause, body in re.findall(r"(SET|ADD|REMOVE) (.*?)(?= SET | ADD | REMOVE |$)", request["UpdateExpression"]):
        for part in body.split(", "):
            if clause == "SET":
                name, value = part.split(" = ")
                item[names[name]] = values[value]
            elif clause == "ADD":
                name, value = part.split(" ")
                before = Decimal(item.get(names[name], {"N": "0"})["N"])
                item[names[name]] = {"N": str(before + Decimal(values[value]["N"]))}
            else:
                item.pop(names[part], None)
    return item


def _within(sort: str, condition: str, values: Mapping[str, str]) -> bool:
    if "begins_with" in condition:
        return sort.startswith(values[":s"])
    return values.get(":a", "") <= sort <= values.get(":b", "\U0010ffff")


def _after(rows: list[Any], start: Attributes | None, agenda: bool) -> list[Any]:
    if start is None:
        return rows
    key = _key_of(start)
    wanted = (start["agenda_on"]["S"], *key) if agenda else (key[1],)
    positions = [i for i, (k, _) in enumerate(rows) if k == wanted]
    return rows[positions[0] + 1 :] if positions else []


def _picked(item: Attributes, request: Mapping[str, Any]) -> Attributes:
    projection = request.get("ProjectionExpression")
    if not projection:
        return dict(item)
    names = {request["ExpressionAttributeNames"][alias] for alias in projection.split(", ")}
    return {name: value for name, value in item.items() if name in names}


def _units(size: int, per: int) -> int:
    return max(1, -(-size // per))


def _weight(item: Mapping[str, Any]) -> int:
    return sum(len(name.encode()) + _value_weight(value) for name, value in item.items())


def _value_weight(attribute: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(value.encode())
    if kind == "B":
        return len(value)
    if kind == "N":
        return (
            1 + -(-len(str(value).replace("-", "").replace(".", "").strip("0")) // 2) + (1 if "-" in str(value) else 0)
        )
    if kind == "L":
        return 3 + sum(1 + _value_weight(v) for v in value)
    if kind == "M":
        return 3 + sum(1 + len(k.encode()) + _value_weight(v) for k, v in value.items())
    return 1
