"""The queue of accepted batches on SQS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from saldo.kernel.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsBatches:
    """One SQS queue."""

    def __init__(self, client: SQSClient, url: str, attributes: Callable[[], Mapping[str, Any]] = dict) -> None:
        """attributes: what goes with a message besides its text, such as the trace that it is of."""
        self._client, self._url, self._attributes = client, url, attributes

    def put(self, message: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=message, **self._attributes())
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("the queue of usage batches did not answer; send the batch again") from error
