"""Files in S3, by bucket and key. Buckets encrypt by default with the deployment's own key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from saldo.kernel.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Files:
    """One bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client, self.bucket = client, bucket

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def put_from(self, key: str, body: IO[bytes], content_type: str) -> None:
        """Write a file from an open one, which may be larger than memory; it is read from its current place."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def chunks(self, key: str, size: int = 65_536) -> Iterator[bytes]:
        """The file's bytes in chunks, so that a large one never lies in memory whole; NotFound when there is none."""
        from botocore.exceptions import ClientError

        try:
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NotFound"):
                raise NotFound("no such file") from error
            raise
        yield from body.iter_chunks(size)

    def get(self, key: str) -> bytes:
        """The file's bytes; NotFound when there is none."""
        from botocore.exceptions import ClientError

        try:
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NotFound"):
                raise NotFound("no such file") from error
            raise

    def find(self, key: str) -> bytes | None:
        """The file's bytes, or None when there is none."""
        try:
            return self.get(key)
        except NotFound:
            return None
