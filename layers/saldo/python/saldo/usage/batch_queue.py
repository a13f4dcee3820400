"""The queue of accepted batches on SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from saldo.kernel.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsBatches:
    """One SQS queue."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client, self._url = client, url

    def put(self, message: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=message)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("the queue of usage batches did not answer; send the batch again") from error
