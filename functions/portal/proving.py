"""Asking again for password and one-time code before something risky, on whatever page asks for it."""

from __future__ import annotations

from functions.portal import services
from functions.portal.failures import count_proof
from functions.portal.visit import Visit
from saldo.access.rules import is_proven
from saldo.kernel.errors import Refusal


def asks_proof(visit: Visit) -> bool:
    """Whether the page has to ask: not when a code was given in the last minutes."""
    return not is_proven(visit.who, visit.now)


def proof_problem(visit: Visit) -> str:
    """Check what the form brought; "" when it holds, else what to tell. Whoever has no codes cannot prove anything."""
    if not asks_proof(visit):
        return ""
    if not visit.who.has_totp:
        return visit.words("refusal.codes_needed")
    try:
        code = visit.sent("code").replace(" ", "")[:12]
        services.access().step_up(visit.who, visit.sent("password")[:256], code)
    except Refusal as refusal:
        count_proof(visit, refusal)
        return visit.words.known(f"refusal.{refusal.code}", "failure.422.text")
    return ""
