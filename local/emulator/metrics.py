"""Metrics that AWS makes by itself: those functions write to their log, and those of functions, runs and queues."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

log = logging.getLogger("saldo.emulator")


def put(namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str = "Count") -> None:
    """Store one value in the account and region of the current call."""
    from ministack.services import cloudwatch

    cloudwatch._store_datum(namespace, name, dict(dimensions), time.time(), unit, value, None, None, None)


def measure_invocation(function: str, failed: bool, log_text: str) -> None:
    """Count the invocation, and every metric its log lines carry. Never disturbs the invocation itself."""
    from local.emulator.alarms import evaluate_here

    try:
        here = {"FunctionName": function}
        put("AWS/Lambda", "Invocations", here, 1)
        put("AWS/Lambda", "Errors", here, 1 if failed else 0)
        counted = sum(_put_line(line) for line in log_text.splitlines())
        if failed or counted:
            evaluate_here()
    except Exception:
        log.exception("metrics of an invocation were lost")


def _put_line(line: str) -> int:
    from local.emulator.workers import emf

    found = emf(line)
    if found is None:
        return 0
    values = list(_values(found))
    for namespace, name, dimensions, value in values:
        put(namespace, name, dimensions, value)
    return len(values)


def _values(found: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str], float]]:
    for block in found["_aws"].get("CloudWatchMetrics", []):
        for keys in block.get("Dimensions", [[]]):
            dimensions = {key: str(found.get(key, "")) for key in keys}
            for metric in block.get("Metrics", []):
                written = found.get(metric["Name"], 0)
                for value in written if isinstance(written, list) else [written]:
                    yield block["Namespace"], metric["Name"], dimensions, float(value)


class Gauges:
    """Values read now and then: messages waiting, their age, and workflows that ended since the last look."""

    def __init__(self) -> None:
        self._ended: set[str] = set()
        self._first = True

    def read(self) -> None:
        self._queues()
        self._workflows()
        self._first = False

    def _queues(self) -> None:
        from ministack.services import sqs

        now = time.time()
        for (account, region, _url), queue in list(sqs._queues._data.items()):
            waiting = [m for m in queue.get("messages", []) if m.get("visible_at", 0) <= now]
            age = max((now - m.get("sent_at", now) for m in queue.get("messages", [])), default=0.0)
            name = {"QueueName": queue.get("name", "")}
            with scope(account, region):
                put("AWS/SQS", "ApproximateNumberOfMessagesVisible", name, len(waiting))
                put("AWS/SQS", "ApproximateAgeOfOldestMessage", name, age, "Seconds")

    def _workflows(self) -> None:
        """Workflows that had ended before this start are not news."""
        from ministack.services import stepfunctions

        words = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}
        for (account, region, arn), execution in list(stepfunctions._executions._data.items()):
            ended = words.get(execution.get("status", ""))
            if ended is None or execution.get("mapRunArn") or arn in self._ended:
                continue
            self._ended.add(arn)
            if not self._first:
                with scope(account, region):
                    machine = {"StateMachineArn": execution.get("stateMachineArn", "")}
                    put("AWS/States", f"Executions{ended}", machine, 1)


class scope:  # noqa: N801 - reads as a word in a with statement
    """The emulator's current account and region, for the time of a block."""

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region

    def __enter__(self) -> None:
        from ministack.core import responses

        self._before = responses.get_account_id(), responses.get_region()
        responses.set_request_account_id(self._account)
        responses.set_request_region(self._region)

    def __exit__(self, *_: object) -> None:
        from ministack.core import responses

        responses.set_request_account_id(self._before[0])
        responses.set_request_region(self._before[1])
