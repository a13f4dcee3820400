"""Staff come in, always with a one-time code, and go."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

from functions.portal.answers import Answer, see_other
from functions.portal.cookies import STAFF_SESSION, START, Cookies
from functions.portal.presenters.codes import setup_picture
from functions.portal.signing_in import told_code
from functions.portal.words import LANGUAGES
from functions.staff import services
from functions.staff.endpoint import ANY_STAFF, PUBLIC, Routes
from functions.staff.pages import page
from functions.staff.visit import StaffVisit
from saldo.access.model import Challenge, ChallengeKind
from saldo.access.model_staff import StaffSignedIn
from saldo.kernel.errors import Refusal

routes = Routes("signing_in")
_NEXT = re.compile(r"/(staff|styleguide)(/[A-Za-z0-9_\-./]*)?")


def _safe(path: str) -> str:
    return path if _NEXT.fullmatch(path) and "//" not in path and ".." not in path else "/staff"


def _cookies() -> Cookies:
    return Cookies(services.settings().origin)


def _start_page(visit: StaffVisit, template: str, problem: str = "", /, **values: object) -> Answer:
    """A page with a form for people without a session: a cookie of its own ties the form to the browser."""
    fresh = "" if visit.token else secrets.token_urlsafe(32)
    visit = replace(visit, token=visit.token or fresh)
    if problem:
        values["problems"] = [(str(values.get("field", "email")), visit.words(f"refusal.{problem}"))]
    answer = page(visit, template, status=422 if problem else 200, **values)
    return replace(answer, cookies=(_cookies().kept(START, fresh),)) if fresh else answer


@routes.get("/staff/sign-in", PUBLIC)
def sign_in_form(visit: StaffVisit) -> Answer:
    return _start_page(visit, "staff_sign_in", email="", next=_safe(visit.asked("next")))


@routes.post("/staff/sign-in", PUBLIC)
def sign_in(visit: StaffVisit) -> Answer:
    email, follow = visit.sent("email")[:254], _safe(visit.sent("next"))
    password = visit.form.get("password", [""])[-1][:256]
    try:
        asked = services.access().sign_in(email, password, visit.origin)
    except Refusal as refusal:
        return _start_page(visit, "staff_sign_in", told_code(visit, refusal), email=email, next=follow)
    return _challenge_page(visit, asked, follow)


@routes.post("/staff/sign-in/answer", PUBLIC)
def answer(visit: StaffVisit) -> Answer:
    follow, asked = _safe(visit.sent("next")), _challenge_from(visit)
    reply = visit.form.get("reply", [""])[-1][:256]
    reply = reply if asked.kind is ChallengeKind.NEW_PASSWORD else reply.replace(" ", "")
    try:
        outcome = services.access().answer(asked, reply, visit.origin)
    except Refusal as refusal:
        return _challenge_page(visit, asked, follow, told_code(visit, refusal))
    if isinstance(outcome, StaffSignedIn):
        return see_other(follow, _cookies().kept(STAFF_SESSION, outcome.token), _cookies().dropped(START))
    return _challenge_page(visit, outcome, follow)


def _challenge_from(visit: StaffVisit) -> Challenge:
    try:
        kind = ChallengeKind(visit.sent("kind"))
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error
    email, state, secret = visit.sent("email")[:254], visit.sent("state")[:4000], visit.sent("secret")[:100]
    return Challenge(kind, email, state, secret)


def _challenge_page(visit: StaffVisit, asked: Challenge, follow: str, problem: str = "") -> Answer:
    picture = setup_picture(asked.secret, asked.email) if asked.secret else None
    return _start_page(visit, "challenge", problem, asked=asked, next=follow, picture=picture, field="reply")


@routes.post("/staff/sign-out", ANY_STAFF)
def sign_out(visit: StaffVisit) -> Answer:
    services.sessions().end(visit.who.session)
    return see_other("/staff/sign-in", _cookies().dropped(STAFF_SESSION))


@routes.post("/staff/language", ANY_STAFF)
def language(visit: StaffVisit) -> Answer:
    if visit.sent("language") not in LANGUAGES:
        raise Refusal("invalid_form", "no such language")
    services.sessions().choose_language(visit.who.staff, visit.sent("language"))
    return see_other("/staff")
