"""The records table: scoped reads, packed all-or-nothing writes."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.items import Item, Key, from_attributes, to_attribute, to_attributes
from saldo.storage.units import Conflict, Unit, pack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AGENDA = "agenda"
Sees = Callable[[Item], bool]
_RETRY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_MOST_ATTEMPTS = 8


class OutOfScope(Refusal):
    """A read or write reached for an owner that this caller was not given. Always a bug or an attack."""

    def __init__(self) -> None:
        super().__init__("out_of_scope", "the record lies outside the caller's scope")


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and where the next page begins (None at the end)."""

    items: list[Item]
    cursor: str | None


class Store:
    """One region's records. `scope`: the owners it may touch (accounts, organisations); None for the seller's jobs.

    `sees`: which records are in sight of this reader; one that is not is as good as none.
    """

    def __init__(
        self, client: DynamoDBClient, table: str, scope: Iterable[str] | None = None, sees: Sees | None = None
    ) -> None:
        self._client = client
        self.table = table
        self._scope = None if scope is None else frozenset(scope)
        self._sees = sees
        self._ahead: dict[Key, Item | None] = {}
        self._remembers = False
        self._asked: set[Key] = set()

    def within(
        self,
        *owners: str,
        sees: Sees | None = None,
        client: DynamoDBClient | None = None,
        ahead: Mapping[Key, Item | None] | None = None,
    ) -> Store:
        """The same records seen through a narrower scope; widening is refused, and what was out of sight stays so.

        client: one that reaches these owners alone (`narrowed`). ahead: records that another call read a moment ago,
        consistently (None for what is not there): whoever asks first for one gets it without a call, whoever asks
        again, to learn whether it changed, reads it.
        """
        if self._scope is not None and not self._scope.issuperset(owners):
            raise OutOfScope
        narrower = Store(client or self._client, self.table, owners, _both(self._sees, sees))
        narrower._ahead = dict(ahead) if ahead is not None else self._ahead
        return narrower

    def remembering(self) -> Store:
        """The same, answering again and again what it read once: for a look at how things are at one moment, never for
        what is to be written."""
        same = Store(self._client, self.table, self._scope, self._sees)
        same._ahead, same._remembers = dict(self._ahead), True
        return same

    @property
    def asked(self) -> frozenset[Key]:
        """What a store that remembers was asked for, there or not, or found in a range."""
        return frozenset(self._asked)

    def read_ahead(self, keys: Sequence[Key]) -> None:
        """Read these for whoever asks for them later; of a store that remembers."""
        assert self._remembers, "only a look at one moment reads ahead"
        asked = set(self._asked)
        self.get_many(keys, consistent=True)
        self._asked = asked

    def _in_sight(self, attributes: Iterable[Mapping[str, Any]]) -> list[Item]:
        items = [from_attributes(a) for a in attributes]
        return items if self._sees is None else [item for item in items if self._sees(item)]

    @property
    def sees_all(self) -> bool:
        """Whether nothing within its scope is out of this reader's sight."""
        return self._sees is None

    def is_in_sight(self, item: Item) -> bool:
        """Whether this reader sees a record; for copies of records that lie within another."""
        return self._sees is None or self._sees(item)

    def _check(self, pk: str) -> str:
        if self._scope is not None and pk.rpartition("#")[2] not in self._scope:
            raise OutOfScope
        return pk

    def _taken(self, keys: Iterable[Key]) -> dict[Key, Item | None]:
        """Those of the keys that were read ahead, for this once, or are remembered."""
        take = self._ahead.__getitem__ if self._remembers else self._ahead.pop
        taken = {key: take(key) for key in keys if key in self._ahead}
        return {key: item if item and self.is_in_sight(item) else None for key, item in taken.items()}

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        taken = self._taken([(self._check(pk), sk)])
        self._note([(pk, sk)])
        if taken:
            return taken[pk, sk]
        answer = self._client.get_item(
            TableName=self.table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            ConsistentRead=consistent,
        )
        found = answer.get("Item")
        item = next(iter(self._in_sight([found])), None) if found else None
        self._remember({(pk, sk): item})
        return item

    def _note(self, asked: Iterable[Key]) -> None:
        if self._remembers:
            self._asked.update(asked)

    def _remember(self, read: Mapping[Key, Item | None]) -> None:
        if self._remembers:
            self._ahead |= read

    def get_many(self, keys: Sequence[Key], *, consistent: bool = False) -> dict[Key, Item]:
        """Items by key, 100 a call; keys that do not exist are left out."""
        wanted = dict.fromkeys((self._check(pk), sk) for pk, sk in keys)
        taken = self._taken(wanted)
        self._note(wanted)
        found = {key: item for key, item in taken.items() if item is not None}
        waiting = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in wanted if (pk, sk) not in taken]
        attempt = 0
        while waiting:
            request: Any = {self.table: {"Keys": waiting[:100], "ConsistentRead": consistent}}
            answer = self._client.batch_get_item(RequestItems=request)
            responses: Any = answer["Responses"]
            for item in self._in_sight(responses.get(self.table, [])):
                found[item["pk"], item["sk"]] = item
            unprocessed: Any = answer.get("UnprocessedKeys", {})
            unread = unprocessed.get(self.table, {}).get("Keys", [])
            waiting = list(unread) + waiting[100:]
            attempt = _pause(attempt + 1) if unread else 0
        self._remember({key: found.get(key) for key in wanted})
        return found

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        first: str | None = None,
        last: str | None = None,
        agenda: bool = False,
        limit: int | None = None,
        newest_first: bool = False,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        consistent: bool = False,
    ) -> Page:
        """One page of a partition or of the agenda; `prefix`, or `first`..`last` inclusive, bound the sort key."""
        request = self._query(pk, prefix, first, last, agenda)
        if fields and self._sees is None:  # what decides on sight may be any field
            names = {f"#f{i}": name for i, name in enumerate(fields)}
            request["ProjectionExpression"] = ", ".join(names)
            request["ExpressionAttributeNames"] |= names
        if limit is not None:
            request["Limit"] = limit
        if cursor:
            place = _from_cursor(cursor)
            if not _lies_within(place, pk, prefix, first, last, agenda):
                raise _no_cursor()
            request["ExclusiveStartKey"] = to_attributes(place)
        if consistent and not agenda:
            request["ConsistentRead"] = True
        answer = self._client.query(**request, ScanIndexForward=not newest_first)
        last_key, items = answer.get("LastEvaluatedKey"), self._in_sight(answer["Items"])
        if not agenda and not fields:
            self._remember({(item["pk"], item["sk"]): item for item in items})
            self._note((item["pk"], item["sk"]) for item in items)
        return Page(items, _to_cursor(from_attributes(last_key)) if last_key else None)

    def _query(self, pk: str, prefix: str, first: str | None, last: str | None, agenda: bool) -> dict[str, Any]:
        names = {"#p": "agenda_pk" if agenda else "pk"}
        values = {":p": to_attribute(self._check(pk))}
        condition = "#p = :p"
        if prefix or first is not None or last is not None:
            names["#s"] = "agenda_on" if agenda else "sk"
        if prefix:
            condition += " AND begins_with(#s, :s)"
            values[":s"] = to_attribute(prefix)
        elif first is not None and last is not None:
            condition += " AND #s BETWEEN :a AND :b"
            values |= {":a": to_attribute(first), ":b": to_attribute(last)}
        elif first is not None:
            condition += " AND #s >= :a"
            values[":a"] = to_attribute(first)
        elif last is not None:
            condition += " AND #s <= :b"
            values[":b"] = to_attribute(last)
        request: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return request | ({"IndexName": AGENDA} if agenda else {})

    def query_all(self, pk: str, **bounds: Any) -> Iterator[Item]:
        """Every item of a bounded query, page after page; takes what `query` takes."""
        cursor: str | None = None
        while True:
            page = self.query(pk, cursor=cursor, **bounds)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    def scan(self, segment: int = 0, segments: int = 1) -> Iterator[Item]:
        """Every record of the region; for the auditor and for exports only, refused in any scope."""
        if self._scope is not None:
            raise OutOfScope
        request: dict[str, Any] = {"TableName": self.table, "Segment": segment, "TotalSegments": segments}
        while True:
            answer = self._client.scan(**request, ConsistentRead=True)
            yield from (from_attributes(a) for a in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def size_bytes(self) -> int:
        """How large the table is, as DynamoDB counts it every six hours or so; 0 where nobody counted yet."""
        return int(self._client.describe_table(TableName=self.table)["Table"].get("TableSizeBytes", 0))

    def write(self, units: Sequence[Unit]) -> list[Conflict]:
        """Write each unit whole or not at all; many units travel in one call. Returns the units that did not hold.

        Raises Unavailable when the table keeps refusing for load; what was written then stays written, and
        repeating all units is safe because each carries its own guard.
        """
        assert len({u.name for u in units}) == len(units), "units of one call have names of their own"
        conflicts: list[Conflict] = []
        for group in pack(units):
            conflicts += self._write_pack(group)
        return conflicts

    def write_one(self, unit: Unit) -> Conflict | None:
        found = self.write([unit])
        return found[0] if found else None

    def change(
        self,
        key: Key,
        *,
        set: Mapping[str, Any] | None = None,
        add: Mapping[str, int] | None = None,
        when: Mapping[str, Any],
    ) -> Item | None:
        """Change one existing item and return it as it then is, in one call; None when a condition does not hold.

        For counters that are read with every request; effects belong into units.
        """
        from botocore.exceptions import ClientError

        (write,) = Unit("change").update(key, set=set, add=add, when=when, exists=True).writes
        self._check(key[0])
        try:
            answer = self._client.update_item(TableName=self.table, ReturnValues="ALL_NEW", **write.request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return from_attributes(answer["Attributes"])

    def put_many(self, items: Iterable[Item]) -> None:
        """Overwrite items, 25 a call, in no order; only for records that come out the same when repeated.

        Items are taken as they are written: of very many, only a call's worth is in memory.
        """
        coming = iter(items)
        waiting: list[Any] = []
        attempt = 0
        while True:
            for item in islice(coming, 25 - len(waiting)):
                self._check(item["pk"])
                waiting.append({"PutRequest": {"Item": to_attributes(item)}})
            if not waiting:
                return
            answer = self._client.batch_write_item(RequestItems={self.table: waiting})
            waiting = list(answer.get("UnprocessedItems", {}).get(self.table, []))
            attempt = _pause(attempt + 1) if waiting else 0

    def _write_pack(self, group: list[Unit]) -> list[Conflict]:
        conflicts: list[Conflict] = []
        attempt = 0
        while group:
            failed = self._transact(group)
            if failed is None:
                return conflicts
            conflicts += failed
            names = {c.unit for c in failed}
            group = [u for u in group if u.name not in names]
            attempt = 0 if failed else _pause(attempt + 1)
        return conflicts

    def _transact(self, group: list[Unit]) -> list[Conflict] | None:
        """None when written; else the units at fault (empty when it was only load, so the caller tries again)."""
        from botocore.exceptions import ClientError

        writes = [w for unit in group for w in unit.writes]
        requests: list[Any] = []
        for w in writes:
            self._check(w.key[0])
            requests.append({w.verb: {"TableName": self.table, **w.request}})
        try:
            self._client.transact_write_items(TransactItems=requests)
        except ClientError as error:
            return _conflicts(group, error)
        return None


def _both(one: Sees | None, other: Sees | None) -> Sees | None:
    if one is None or other is None:
        return one or other
    return lambda item: one(item) and other(item)


def _conflicts(group: list[Unit], error: Any) -> list[Conflict]:
    code = error.response["Error"]["Code"]
    if code in ("TransactionInProgressException", "ThrottlingException", "ProvisionedThroughputExceededException"):
        return []
    if code != "TransactionCanceledException":
        raise error
    reasons = [r.get("Code", "None") for r in error.response.get("CancellationReasons", [])]
    found, at = [], 0
    for unit in group:
        own = reasons[at : at + len(unit.writes)]
        at += len(unit.writes)
        keys = tuple(w.key for w, r in zip(unit.writes, own, strict=True) if r == "ConditionalCheckFailed")
        if keys:
            found.append(Conflict(unit.name, keys))
    if not found and not any(r in _RETRY_REASONS for r in reasons):
        raise error
    return found


def _pause(attempt: int) -> int:
    """Wait a little longer each time, with jitter, then give up with Unavailable."""
    if attempt >= _MOST_ATTEMPTS:
        raise Unavailable("the table is busy")
    time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
    return attempt


def _to_cursor(key: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, sort_keys=True).encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> Item:
    """The key inside a cursor, which comes back from outside: it may say anything."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not (isinstance(key, dict) and all(isinstance(v, str) for v in key.values())):
            raise ValueError(cursor)
    except (ValueError, RecursionError) as error:
        raise _no_cursor() from error
    return dict(key)


def _lies_within(place: Item, pk: str, prefix: str, first: str | None, last: str | None, agenda: bool) -> bool:
    """Whether a query may begin there: among what it asks for, and so among what its store reaches."""
    owner, order = ("agenda_pk", "agenda_on") if agenda else ("pk", "sk")
    if set(place) != {"pk", "sk", owner, order} or place[owner] != pk:
        return False
    at = str(place[order])
    return at.startswith(prefix) and (first or "") <= at <= (last or at)


def _no_cursor() -> Refusal:
    return Refusal("invalid_cursor", "this page reference is not valid; start again from the first page")
