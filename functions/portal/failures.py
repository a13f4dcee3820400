"""How every failure reads from outside: the one table of codes and HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping

from functions.portal.answers import Answer, problem
from functions.portal.pages import page
from functions.portal.visit import Visit
from saldo.kernel.errors import Refusal, Unavailable

STATUS: Mapping[str, int] = {
    "not_found": 404,
    "out_of_scope": 404,
    "invalid_id": 404,
    "form_not_ours": 403,
    "not_signed_in": 401,
    "too_many_attempts": 429,
    "invalid_form": 400,
    "invalid_cursor": 400,
    "request_key_reused": 409,
    "changed_meanwhile": 409,
    "gateway_refused": 502,
}
_OTHER_REFUSAL = 422
_SHOWN = (400, 403, 404, 409, 422, 429, 500, 502, 503)


def status_of(error: Exception) -> int:
    """The status a failure is answered with; 500 for what nobody expected."""
    if isinstance(error, Refusal):
        return STATUS.get(error.code, _OTHER_REFUSAL)
    return 503 if isinstance(error, Unavailable) else 500


def failed(visit: Visit, error: Exception) -> Answer:
    """A page, or problem+json for clients that ask for it. The same failure always reads the same."""
    status = status_of(error)
    code = {404: "not_found", 500: "unexpected", 503: "unavailable"}.get(status, getattr(error, "code", ""))
    shown = status if status in _SHOWN else 422
    title = visit.words(f"failure.{shown}.title")
    if "application/json" in visit.headers.get("accept", ""):
        return problem(status, code, title, visit.correlation_id)
    text = visit.words.known(f"refusal.{code}", f"failure.{shown}.text")
    return page(visit, "failure", status=status, title=title, text=text)
