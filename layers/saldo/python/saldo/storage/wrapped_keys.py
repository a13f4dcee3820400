"""The keys table: wrapped data keys of organisations, the versions of each, and what is left of shredded ones.

`<organisation>`: `wrapped` (version 1), `later` (versions 2 and up), `under` (the KMS key that wraps them all),
`wrapped_at`, `version` (of the record, rises with each change). Once shredded: `shredded_at` and no wrapped key, for
ever, so that nobody makes the organisation a new one, and a drill knows which restored keys must not live again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saldo.storage.items import from_attributes, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_VERSION = {"#v": "version"}


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One organisation's data key as it is kept. `wrapped`: by version, the first first; the last seals.

    `under`: ARN of the KMS key, "" for records from before it was kept. `shredded_at`: "" while the key lives.
    """

    organisation_id: str
    wrapped: tuple[bytes, ...]
    under: str = ""
    wrapped_at: str = ""
    version: int = 0
    shredded_at: str = ""


class WrappedKeys:
    """The keys table of one region. Every change holds only while the record is as it was read."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb, self.table = dynamodb, table

    def find(self, organisation_id: str) -> WrappedKey | None:
        answer = self._dynamodb.get_item(TableName=self.table, Key={"pk": {"S": organisation_id}}, ConsistentRead=True)
        found = answer.get("Item")
        return _key_from(from_attributes(found)) if found else None

    def all(self) -> Iterator[WrappedKey]:
        """Every record, in no order; for rotation and drills only."""
        request: dict[str, Any] = {"TableName": self.table, "ConsistentRead": True}
        while True:
            answer = self._dynamodb.scan(**request)
            yield from (_key_from(from_attributes(a)) for a in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def add(self, key: WrappedKey) -> bool:
        """Keep the first key of an organisation; False when there is a record already, be it of a shredded one."""
        return self._put(key, "attribute_not_exists(pk)")

    def replace(self, old: WrappedKey, wrapped: Sequence[bytes], under: str, at: str) -> bool:
        """Other wrappings, or one version more; False when someone else changed or shredded the key meanwhile."""
        new = WrappedKey(old.organisation_id, tuple(wrapped), under, at, old.version + 1)
        return self._change(old, new)

    def shred(self, old: WrappedKey, at: str) -> bool:
        """Destroy every version; what stays says when. False when the record changed meanwhile."""
        return self._change(old, WrappedKey(old.organisation_id, (), "", "", old.version + 1, shredded_at=at))

    def _change(self, old: WrappedKey, new: WrappedKey) -> bool:
        if not old.version:  # a record from before versions were counted
            uncounted = "attribute_exists(#w) AND attribute_not_exists(#v)"
            return self._put(new, uncounted, ExpressionAttributeNames={**_VERSION, "#w": "wrapped"})
        read: Any = {":v": {"N": str(old.version)}}
        return self._put(new, "#v = :v", ExpressionAttributeNames=_VERSION, ExpressionAttributeValues=read)

    def _put(self, key: WrappedKey, condition: str, **request: Any) -> bool:
        item = to_attributes(_key_item(key))
        try:
            self._dynamodb.put_item(TableName=self.table, Item=item, ConditionExpression=condition, **request)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key_item(key: WrappedKey) -> dict[str, Any]:
    if key.shredded_at:
        return {"pk": key.organisation_id, "shredded_at": key.shredded_at, "version": key.version}
    first, *later = key.wrapped
    found = {"pk": key.organisation_id, "wrapped": first, "under": key.under, "wrapped_at": key.wrapped_at}
    return found | {"version": key.version} | ({"later": later} if later else {})


def _key_from(item: dict[str, Any]) -> WrappedKey:
    wrapped = (item["wrapped"], *item.get("later", ())) if "wrapped" in item else ()
    return WrappedKey(
        organisation_id=item["pk"],
        wrapped=wrapped,
        under=item.get("under", ""),
        wrapped_at=item.get("wrapped_at", ""),
        version=item.get("version", 0),
        shredded_at=item.get("shredded_at", ""),
    )
