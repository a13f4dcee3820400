"""Signing in through one's organisation: the way to its provider, and back."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer
from functions.portal.endpoint import PUBLIC, Routes
from functions.portal.failures import count_proof
from functions.portal.signing_in import old_token, start_page, to_provider, went_on
from functions.portal.visit import Visit, safe_next
from saldo.kernel.errors import Refusal

routes = Routes("single_sign_on")
_TOLD = frozenset({"sso_failed", "sso_other_domain", "sso_not_invited", "other_organisation", "too_many_attempts"})


@routes.get("/sign-in/organisation", PUBLIC)
def organisation_form(visit: Visit) -> Answer:
    return start_page(visit, "sso_ask", email="", next=safe_next(visit.asked("next")))


@routes.post("/sign-in/organisation", PUBLIC)
def to_organisation(visit: Visit) -> Answer:
    """Whether somebody has such an address is not asked: the domain alone leads on."""
    email, follow = visit.sent("email").strip()[:254], safe_next(visit.sent("next"))
    url = services.access().sso.ask(email, visit.token, follow)
    return to_provider(visit, url) if url else start_page(visit, "sso_ask", "sso_unknown", email=email, next=follow)


@routes.get(services.SSO_BACK, PUBLIC)
def back(visit: Visit) -> Answer:
    """With a code, or with what the provider had against it. Nothing of it is shown: it came from elsewhere."""
    state, code = visit.asked("state")[:100], visit.asked("code")[:2000]
    try:
        begun, follow = services.access().sso.finish(state, code, visit.token, visit.origin, old_token(visit))
    except Refusal as refusal:
        count_proof(visit, refusal)
        told = "sso_failed" if refusal.code == "token_invalid" else refusal.code
        if told not in _TOLD:
            raise
        return start_page(visit, "sso_ask", told, email="", next="/accounts")
    return went_on(visit, begun, follow)
