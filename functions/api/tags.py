"""`ETag` and `If-None-Match` (RFC 9110): a document that has not changed is not sent again."""

from __future__ import annotations

from hashlib import sha256

from functions.api.call import Call
from functions.http.answers import JSON, Answer


def tagged(call: Call, body: str) -> Answer:
    """The document with its tag, or 304 for who has it already."""
    etag = f'"{sha256(body.encode()).hexdigest()[:32]}"'
    kept = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = call.headers.get("if-none-match", "")
    return (
        Answer("", 304, JSON, kept) if etag in known or known.strip() == "*" else Answer(body, kind=JSON, headers=kept)
    )
