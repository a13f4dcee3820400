"""The one table of refusals and HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping

from saldo.kernel.errors import Refusal, Unavailable
from saldo.storage.outages import is_outage

STATUS: Mapping[str, int] = {
    "not_found": 404,
    "out_of_scope": 404,
    "invalid_id": 404,
    "not_authenticated": 401,
    "invalid_key": 401,
    "not_signed_in": 401,
    "form_not_ours": 403,
    "proof_needed": 403,
    "missing_scope": 403,
    "wrong_method": 405,
    "too_large": 413,
    "batch_too_large": 413,
    "unsupported_media_type": 415,
    "wrong_region": 421,
    "too_many_attempts": 429,
    "too_many_requests": 429,
    "too_many_downloads": 429,
    "too_many_events": 429,
    "invalid_form": 400,
    "invalid_cursor": 400,
    "invalid_request": 400,
    "invalid_batch": 400,
    "not_json": 400,
    "request_key_reused": 409,
    "request_in_progress": 409,
    "changed_meanwhile": 409,
    "being_billed": 409,
    "subscription_exists": 409,
    "gateway_refused": 502,
}
_OTHER_REFUSAL = 422


def status_of(error: Exception) -> int:
    """The status a failure is answered with; 503 also where AWS does not answer, 500 for what nobody expected."""
    if isinstance(error, Refusal):
        return STATUS.get(error.code, _OTHER_REFUSAL)
    return 503 if isinstance(error, Unavailable) or is_outage(error) else 500


def code_of(error: Exception) -> str:
    """The code shown for a failure: all kinds of "not there" read the same, and so does whatever nobody expected."""
    status = status_of(error)
    return {404: "not_found", 500: "unexpected", 503: "unavailable"}.get(status, getattr(error, "code", ""))
