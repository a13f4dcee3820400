"""How every failure reads on a page."""

from __future__ import annotations

from urllib.parse import quote

from functions.http import telemetry
from functions.http.failures import code_of, status_of
from functions.http.requests import Request
from functions.portal.answers import Answer, problem, see_other
from functions.portal.pages import page
from functions.portal.visit import Visit
from saldo.access.rules_risk import SignInBlocked
from saldo.kernel.errors import Refusal

_PROOFS = frozenset(
    {
        "sign_in_failed",
        "challenge_asked",
        "too_many_attempts",
        "code_wrong",
        "token_invalid",
        "sso_failed",
        "passkey_invalid",
    }
)
SHOWN = (400, 403, 404, 405, 409, 422, 429, 500, 502, 503)


def failed(visit: Visit, error: Exception) -> Answer:
    """A page, or problem+json for programs. The same failure always reads the same."""
    status = status_of(error)
    code = code_of(error)
    shown = status if status in SHOWN else 422
    title = visit.words(f"failure.{shown}.title")
    if not wants_page(visit):
        return problem(status, code, title, visit.correlation_id)
    if code == "proof_needed":
        return see_other(f"/session/prove?next={quote(visit.here, safe='/')}")
    text = visit.words.known(f"refusal.{code}", f"failure.{shown}.text")
    return page(visit, "failure", status=status, title=title, text=text, home="/accounts")


def wants_page(visit: Request) -> bool:
    """Browsers say what they show. Programs ask for JSON, for anything, or say nothing."""
    accepted = visit.headers.get("accept", "")
    return "text/html" in accepted and "application/json" not in accepted


def count_proof(visit: Request, refusal: Refusal) -> None:
    """Count a password or code that did not hold, on whatever page: many of them are an attack (docs/runbooks)."""
    at_ms = int(visit.now.timestamp() * 1000)
    if refusal.code in _PROOFS:
        telemetry.count("SignInsRefused", at_ms, "portal")
    if any(isinstance(error, SignInBlocked) for error in (refusal, refusal.__cause__)):
        telemetry.count("SignInsBlocked", at_ms, "portal")
