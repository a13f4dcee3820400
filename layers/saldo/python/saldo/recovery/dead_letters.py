"""Messages that were given up: which there are, and putting them back to where they came from.

At least once: a message is sent on, then deleted; what is stopped between comes twice, as under two redrives at once.
Every consumer is proven to make nothing of a repeat. Not built on SQS's own redrive, which knows neither the functions
whose calls died nor how to leave a message where it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import NotFound, Refusal

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

_DEAD = "-dead"
_BATCH = 10
_HIDDEN_S = 120


@dataclass(frozen=True, slots=True)
class DeadQueue:
    """A dead-letter queue. `goes_to`: `queue`, `function`, or "" when its messages go back by hand alone."""

    name: str
    messages: int
    goes_to: str


@dataclass(slots=True)
class Redriven:
    """Messages sent back; left, because they say only where in the stream they are; and not taken by the receiver."""

    sent: int = 0
    left: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)


class DeadLetters:
    """The dead-letter queues of one region's deployment. `prefix`: how the names of its queues begin."""

    def __init__(self, sqs: SQSClient, functions: LambdaClient, prefix: str) -> None:
        self._sqs, self._functions, self._prefix = sqs, functions, prefix

    def all(self) -> list[DeadQueue]:
        """Every dead-letter queue, by name (without the deployment's prefix)."""
        return sorted((self._described(name) for name in self._names()), key=lambda queue: queue.name)

    def redrive(self, name: str, told: Callable[[Redriven], None] | None = None) -> Redriven:
        """Send every message that waits now back to its queue, or call its function again. Safe to repeat.

        Refusal: not_found; no_receiver, where the runbook says what to do instead.
        """
        short = name.removeprefix(self._prefix).removesuffix(_DEAD)
        url = self._url(short + _DEAD)
        if url is None:
            raise NotFound(f"no dead-letter queue {name}; list them with: saldo queues list")
        send = self._sender(short)
        done, seen = Redriven(), set[str]()
        while True:
            messages = self._received(url, seen)
            if not messages:
                return done
            for message in messages:
                self._send_on(url, message, send, done)
            if told:
                told(done)

    def _send_on(self, url: str, message: Mapping[str, Any], send: Callable[[str], None], done: Redriven) -> None:
        if _names_a_stream(message["Body"]):
            done.left += 1
            return
        try:
            send(message["Body"])
        except Exception as error:
            if not type(error).__module__.startswith("botocore"):
                raise
            done.refused += 1
            done.reasons.append(str(error))
            return
        self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        done.sent += 1

    def _received(self, url: str, seen: set[str]) -> list[Any]:
        """Messages not seen yet; what dies again meanwhile has an id of its own, and waits for the next redrive
        only if it comes back after this one found the queue empty."""
        answer = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HIDDEN_S, WaitTimeSeconds=1
        )
        found = [m for m in answer.get("Messages", []) if m["MessageId"] not in seen]
        seen.update(m["MessageId"] for m in found)
        return found

    def _sender(self, short: str) -> Callable[[str], None]:
        url = self._url(short)
        if url is not None:
            return lambda body: self._into(url, body)
        if self._is_function(short):
            return lambda body: self._call(self._prefix + short, body)
        raise Refusal("no_receiver", "nothing takes these messages back by itself; see docs/runbooks/dead-letters.md")

    def _into(self, url: str, body: str) -> None:
        self._sqs.send_message(QueueUrl=url, MessageBody=body)

    def _call(self, function: str, body: str) -> None:
        self._functions.invoke(FunctionName=function, InvocationType="Event", Payload=body.encode())

    def _described(self, name: str) -> DeadQueue:
        url = self._url(name)
        assert url is not None, "the queue was just listed"
        counts: Any = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        short = name.removesuffix(_DEAD)
        goes_to = "queue" if self._url(short) else "function" if self._is_function(short) else ""
        return DeadQueue(name, int(counts["Attributes"]["ApproximateNumberOfMessages"]), goes_to)

    def _names(self) -> Iterator[str]:
        pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix)
        for page in pages:
            for url in page.get("QueueUrls", []):
                name = url.rpartition("/")[2]
                if name.endswith(_DEAD):
                    yield name.removeprefix(self._prefix)

    def _url(self, name: str) -> str | None:
        try:
            return str(self._sqs.get_queue_url(QueueName=self._prefix + name)["QueueUrl"])
        except self._sqs.exceptions.QueueDoesNotExist:
            return None

    def _is_function(self, name: str) -> bool:
        try:
            self._functions.get_function_configuration(FunctionName=self._prefix + name)
        except self._functions.exceptions.ResourceNotFoundException:
            return False
        return True


def _names_a_stream(body: str) -> bool:
    """Whether a message is a stream's word that a batch was given up: it names the batch and does not hold it."""
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and "DDBStreamBatchInfo" in found
