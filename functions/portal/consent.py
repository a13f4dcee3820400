"""An account admin lets the seller's people look at the account as its own people see it, for a time."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.forms import whole
from functions.portal.pages import page
from functions.portal.visit import Visit
from saldo.access.acting import HOURS
from saldo.access.model import Role

routes = Routes("consent")
ADMINS = frozenset({Role.ACCOUNT_ADMIN})


@routes.get("/accounts/{account_id}/consent", roles(ADMINS))
def consent(visit: Visit) -> Answer:
    given = services.acting().consent(visit.account.account_id)
    until = visit.words.moment(given.until, visit.account.time_zone) if given else ""
    hours = [(str(h), visit.words.count("consent.hours", h)) for h in HOURS]
    return page(visit, "consent", until=until, hours=hours)


@routes.post("/accounts/{account_id}/consent", roles(ADMINS))
def grant(visit: Visit) -> Answer:
    services.acting().grant(visit.account.account_id, whole(visit.sent("hours")), visit.actor)
    return see_other(f"{visit.home}/consent")


@routes.post("/accounts/{account_id}/consent/revoke", roles(ADMINS))
def revoke(visit: Visit) -> Answer:
    services.acting().revoke(visit.account.account_id, visit.actor)
    return see_other(f"{visit.home}/consent")
