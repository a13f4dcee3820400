"""Files in S3, by bucket and key. Buckets encrypt by default with the deployment's own key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from saldo.kernel.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Files:
    """One bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client, self.bucket = client, bucket

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def put_new(self, key: str, body: bytes, content_type: str, tries: int = 3) -> bool:
        """Write a file that must not exist yet; False, and nothing written, when it does.

        Another write under way is no file yet: S3 asks to try again then, which tells which of the two came first.
        """
        from botocore.exceptions import ClientError

        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalRequestConflict" and tries > 1:
                return self.put_new(key, body, content_type, tries - 1)
            if code != "PreconditionFailed":
                raise
            return False
        return True

    def put_from(self, key: str, body: IO[bytes], content_type: str) -> None:
        """Write a file from an open one, which may be larger than memory; it is read from its current place."""
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def chunks(self, key: str, size: int = 65_536) -> Iterator[bytes]:
        """The file's bytes in chunks, so that a large one never lies in memory whole; NotFound when there is none."""
        yield from self._got(key)["Body"].iter_chunks(size)

    def pieces(self, key: str, size: int) -> Iterator[bytes]:
        """The same, each piece in a call of its own and not before it is wanted: of files that are read side by side,
        no connection waits for the others. The file is one that does not change, and is not empty. NotFound."""
        at, end = 0, 1
        while at < end:
            answer = self._got(key, Range=f"bytes={at}-{at + size - 1}")
            piece, end = answer["Body"].read(), int(answer["ContentRange"].rpartition("/")[2])
            at += len(piece)
            yield piece

    def get(self, key: str, version: str = "") -> bytes:
        """The file's bytes, of one version if it is named; NotFound when there is none."""
        return bytes(self._got(key, **({"VersionId": version} if version else {}))["Body"].read())

    def _got(self, key: str, **which: str) -> Any:
        from botocore.exceptions import ClientError

        asked: Any = {"Bucket": self.bucket, "Key": key, **which}
        try:
            return self._client.get_object(**asked)
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

    def delete(self, key: str) -> None:
        """See to it that no file lies there; also when there was none. Versions go by the bucket's lifecycle."""
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def erase(self, prefix: str) -> int:
        """Delete every version of every file whose key begins so, and the marks of those that were deleted before; how
        many versions that was. Safe to repeat. No function may: it is for who erases a customer."""
        erased = 0
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                self._client.delete_object(Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"])
                erased += 1
        return erased

    def post_form(
        self, key: str, fixed: Mapping[str, str], most_bytes: int, lasts_s: int
    ) -> tuple[str, dict[str, str]]:
        """Address and fields of a form by which a browser lays one file of at most so many bytes under this very key.

        `fixed`: further fields, which must come back as they are; S3 refuses fields that are not named. Nothing is
        asked of S3: the form is signed with our own credentials and can do what they can under that key.
        """
        conditions: list[Any] = [{name: value} for name, value in fixed.items()]
        conditions.append(["content-length-range", 1, most_bytes])
        made = self._client.generate_presigned_post(
            Bucket=self.bucket, Key=key, Fields=dict(fixed), Conditions=conditions, ExpiresIn=lasts_s
        )
        return made["url"], made["fields"]

    def address_of(self, key: str, name: str, lasts_s: int) -> str:
        """Where a browser can take this file for so long, to lay on its disk under `name` (letters, digits, .-_)."""
        as_file = {"ResponseContentDisposition": f'attachment; filename="{name}"'}
        asked = {"Bucket": self.bucket, "Key": key, **as_file}
        return self._client.generate_presigned_url(ClientMethod="get_object", Params=asked, ExpiresIn=lasts_s)

    def first_versions(self, prefix: str) -> dict[str, tuple[str, int]]:
        """Of each file in a versioned bucket: its oldest version, and how many there are. A deletion hides none."""
        found: dict[str, tuple[str, int]] = {}
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
            for one in page.get("Versions", []):  # of each key the newest first
                found[one["Key"]] = (one["VersionId"], found.get(one["Key"], ("", 0))[1] + 1)
        return found

    def digest(self, key: str) -> str:
        """SHA-256 of the file's bytes, in hex: what names a file's content for ever; NotFound when there is none."""
        digest = hashlib.sha256()
        for chunk in self.chunks(key):
            digest.update(chunk)
        return digest.hexdigest()

    def put_report(self, key: str, rejected: Iterable[Mapping[str, Any]]) -> str:
        """Lay a report beside an imported file, one JSON line per rejected row; the report's key."""
        report_key = f"{key}.report.jsonl"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rejected)
        self.put(report_key, text.encode(), "application/x-ndjson")
        return report_key
