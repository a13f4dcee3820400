"""Files in S3, by bucket and key. Buckets encrypt by default with the deployment's own key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from saldo.kernel.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Files:
    """One bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client, self.bucket = client, bucket

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

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
