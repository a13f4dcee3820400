"""Staying signed in: the warning before a session ends, and its extension."""

from __future__ import annotations

import json
from urllib.parse import quote

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import ANY_USER, UNTOUCHED, Routes
from functions.portal.pages import page
from functions.portal.proving import proof_problem
from functions.portal.visit import Visit, safe_next
from saldo.access.rules import WARNING, ends_at

routes = Routes("staying")
_ZONE = "UTC"


@routes.get("/session/ending", UNTOUCHED)
def ending(visit: Visit) -> Answer:
    """Where pages lead, without JavaScript, five minutes before the end; looking at it is no use of the session."""
    zone = visit.who.seats[0].time_zone if visit.who.seats else _ZONE
    at = visit.words.moment(ends_at(visit.who), zone)
    return page(visit, "session_ending", at=at, next=safe_next(visit.asked("next")))


@routes.get("/session/prove", ANY_USER)
def prove_form(visit: Visit) -> Answer:
    """Where something very unusual leads (many downloads): password and code once more, then back to it."""
    return page(visit, "prove", next=safe_next(visit.asked("next")))


@routes.post("/session/prove", ANY_USER)
def prove(visit: Visit) -> Answer:
    follow = safe_next(visit.sent("next"))
    if problem := proof_problem(visit):
        return page(visit, "prove", status=422, next=follow, problems=[("code", problem)])
    return see_other(follow)


@routes.post("/session/extend", ANY_USER)
def extend(visit: Visit) -> Answer:
    """Back to the page; for the script, how many seconds there are now (under five minutes: the end is near)."""
    extended = services.sessions().extend(visit.who)
    if "application/json" in visit.headers.get("accept", ""):
        left_s = int((ends_at(extended) - visit.now).total_seconds())
        return Answer(json.dumps({"ends_s": left_s}), kind="application/json")
    follow = safe_next(visit.sent("next"))
    if ends_at(extended) - visit.now <= WARNING:
        return see_other(f"/session/ending?next={quote(follow)}")
    return see_other(follow)
