"""`Idempotency-Key`: a POST that is sent again gets the answer it got before."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from hashlib import sha256

from functions.api import services
from functions.api.call import Call
from functions.http.answers import Answer
from saldo.kernel.errors import Refusal
from saldo.kernel.ids import fingerprint

HEADER = "idempotency-key"
_SHAPE = re.compile(r"[\x20-\x7e]{1,255}")


def once(call: Call, view: Callable[[Call], Answer]) -> Answer:
    """Ask the view, unless this key and request were answered within a day. Refusals are not kept: nothing was done.

    Refusal `invalid_request` for a header of another shape, `idempotency_key_reused`, `request_in_progress`.
    """
    name = call.headers.get(HEADER)
    if call.method != "POST" or name is None:
        return view(call)
    if not _SHAPE.fullmatch(name):
        raise Refusal("invalid_request", "Idempotency-Key has 1 to 255 printable ASCII characters")
    body = sha256(call.raw_body).hexdigest()
    claim = services.repeats().begin(call.key.id, fingerprint(call.path, name), body)
    if isinstance(claim, bytes):
        return _unpacked(claim)
    try:
        answer = view(call)
    except BaseException:
        services.repeats().forget(claim)
        raise
    services.repeats().keep(claim, _packed(answer))
    return answer


def _packed(answer: Answer) -> bytes:
    """Answers of the API are text."""
    body = answer.body if isinstance(answer.body, str) else answer.body.decode()
    told = {"body": body, "status": answer.status, "kind": answer.kind, "headers": dict(answer.headers)}
    return zlib.compress(json.dumps(told).encode())


def _unpacked(kept: bytes) -> Answer:
    told = json.loads(zlib.decompress(kept))
    return Answer(**{**told, "headers": {**told["headers"], "Idempotent-Replayed": "true"}})
