"""Asking again who somebody is before something risky, on whatever page asks for it: by password and one-time code, or
by a passkey."""

from __future__ import annotations

from collections.abc import Callable

from functions.portal import services
from functions.portal.failures import count_proof
from functions.portal.visit import Visit
from saldo.access.model import Proof, SignedIn
from saldo.access.rules import FRESH, is_proven
from saldo.kernel.errors import Refusal


def asks_proof(visit: Visit) -> bool:
    """Whether the page has to ask: not when a code or a passkey was given in the last minutes."""
    return not is_proven(visit.who, visit.now)


def proof_problem(visit: Visit) -> str:
    """Check what the form brought; "" when it holds, else what to tell. Whoever has neither cannot prove anything.

    What was proven holds for the session under a new token alone: `visit.who` is that session from here on.
    """
    if not asks_proof(visit):
        return ""
    if not visit.who.has_factor:
        return visit.words("refusal.codes_needed")
    access, passkey = services.access(), visit.sent("passkey")[:20_000]
    if passkey:
        return _problem(visit, lambda: renewed(visit, access.passkeys.prove(visit.who, passkey)))
    password, code = visit.sent("password")[:256], visit.sent("code").replace(" ", "")[:12]
    return _problem(visit, lambda: renewed(visit, access.step_up(visit.who, password, code)))


def renewed(visit: Visit, begun: SignedIn) -> None:
    """The session goes on as this one, and the answer brings its token."""
    visit.renewal.begun = begun


def first_proof_problem(visit: Visit) -> str:
    """The same for whoever makes their first passkey: by the password, or by a sign-in through their organisation a
    moment ago."""
    if visit.who.has_factor or not asks_proof(visit):
        return proof_problem(visit)
    if visit.who.proof is Proof.SSO:
        fresh = visit.now - visit.who.began_at <= FRESH
        return "" if fresh else visit.words("passkeys.sign_in_again")
    return _problem(visit, lambda: services.access().prove_password(visit.who, visit.sent("password")[:256]))


def _problem(visit: Visit, prove: Callable[[], None]) -> str:
    try:
        prove()
    except Refusal as refusal:
        count_proof(visit, refusal)
        return visit.words.known(f"refusal.{refusal.code}", "failure.422.text")
    return ""
