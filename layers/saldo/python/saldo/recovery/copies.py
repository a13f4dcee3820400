"""Point-in-time restores into tables of their own, and their removal. Nothing here writes to a live table."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Refusal, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Told = Callable[[str], None]
MARK = "-drill-"
_PAUSE_S, _MOST_S = 5, 6 * 3600


class Copies:
    """Scratch copies of tables. `pause`: waits so many seconds between looks."""

    def __init__(self, dynamodb: DynamoDBClient, pause: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb, self._pause = dynamodb, pause

    def reach(self, table: str) -> tuple[datetime | None, datetime | None]:
        """The first and the last instant that the table's backups hold, as far as they say.

        Refusal `no_backups` when it has none at all.
        """
        answer: Any = self._dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        found = answer.get("PointInTimeRecoveryDescription", {})
        if found.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise Refusal("no_backups", f"{table} keeps no point-in-time backups")
        first, last = found.get("EarliestRestorableDateTime"), found.get("LatestRestorableDateTime")
        return first and first.astimezone(UTC), last and last.astimezone(UTC)

    def holds(self, table: str, at: datetime | None) -> bool:
        """Whether the table can be restored as of this instant (None: the latest there is)."""
        first, last = self.reach(table)
        return at is None or ((first is None or first <= at) and (last is None or at <= last))

    def restore(self, table: str, at: datetime | None, name: str, told: Told) -> str:
        """Restore a table as of an instant (None: the latest) under another name, and wait until it can be read."""
        assert MARK in name, "copies are told from live tables by their name"
        when: Any = {"RestoreDateTime": at} if at else {"UseLatestRestorableTime": True}
        self._dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=name, **when)
        waited = 0
        while self._status(name) != "ACTIVE":
            if waited >= _MOST_S:
                raise Unavailable(f"{name} is not restored after {_MOST_S // 3600} hours")
            told(f"restoring {table}: {waited} s")
            self._pause(_PAUSE_S)
            waited += _PAUSE_S
        return name

    def drop(self, name: str) -> None:
        """Delete a copy, and nothing else."""
        assert MARK in name, "only copies are deleted"
        try:
            self._dynamodb.delete_table(TableName=name)
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return

    def _status(self, name: str) -> str:
        return str(self._dynamodb.describe_table(TableName=name)["Table"]["TableStatus"])
