"""Signing in and out, and a new password when the old one is forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.cookies import Cookies
from functions.portal.endpoint import ANY_USER, PUBLIC, SESSION, START, Routes
from functions.portal.failures import count_proof
from functions.portal.pages import page
from functions.portal.visit import Visit, safe_next
from saldo.access.model import Challenge, ChallengeKind, SignedIn
from saldo.kernel.errors import Refusal

routes = Routes("signing_in")
_CODES = frozenset({"sign_in_failed", "too_many_attempts", "code_wrong", "password_weak", "token_invalid"})


def _cookies() -> Cookies:
    return Cookies(services.settings().origin)


def _start_page(visit: Visit, template: str, problem: str = "", /, **values: object) -> Answer:
    """A page with a form for people without a session: a cookie of its own ties the form to the browser."""
    fresh = "" if visit.token else secrets.token_urlsafe(32)
    visit = replace(visit, token=visit.token or fresh)
    if problem:
        values["problems"] = [(str(values.get("field", "email")), visit.words(f"refusal.{problem}"))]
    answer = page(visit, template, status=422 if problem else 200, **values)
    return replace(answer, cookies=(_cookies().kept(START, fresh),)) if fresh else answer


def _regions() -> list[tuple[str, str]]:
    """The other regions' codes and origins: people whose data lives there sign in there."""
    settings = services.settings()
    return [(code, origin) for code, origin in settings.portal_origins.items() if code != settings.region_code]


def _sign_in_page(visit: Visit, problem: str = "", email: str = "", follow: str = "") -> Answer:
    notice = visit.words("sign_in.renewed") if visit.asked("renewed") else ""
    values = {"email": email, "next": follow, "regions": _regions(), "region": services.settings().region_code}
    return _start_page(visit, "sign_in", problem, notice=notice, **values)


@routes.get("/sign-in", PUBLIC)
def sign_in_form(visit: Visit) -> Answer:
    return _sign_in_page(visit, follow=safe_next(visit.asked("next")))


@routes.post("/sign-in", PUBLIC)
def sign_in(visit: Visit) -> Answer:
    email, follow = visit.sent("email").strip()[:254], safe_next(visit.sent("next"))
    try:
        outcome = services.access().sign_in(email, visit.sent("password")[:256], visit.origin, _old_token(visit))
    except Refusal as refusal:
        return _sign_in_page(visit, _code(visit, refusal), email, follow)
    return _went_on(visit, outcome, follow)


@routes.post("/sign-in/answer", PUBLIC)
def answer(visit: Visit) -> Answer:
    follow, asked = safe_next(visit.sent("next")), _challenge_from(visit)
    reply = visit.sent("reply")[:256]
    reply = reply if asked.kind is ChallengeKind.NEW_PASSWORD else reply.replace(" ", "")
    try:
        outcome = services.access().answer(asked, reply, visit.origin, _old_token(visit))
    except Refusal as refusal:
        return _challenge_page(visit, asked, follow, _code(visit, refusal))
    return _went_on(visit, outcome, follow)


def _code(visit: Visit, refusal: Refusal) -> str:
    """The refusal's code, if it is one that people are told of here; anything else goes up."""
    if refusal.code not in _CODES:
        raise refusal
    count_proof(visit, refusal)
    return "sign_in_failed" if refusal.code == "token_invalid" else refusal.code


def _old_token(visit: Visit) -> str:
    return _cookies().read(SESSION, visit.headers.get("cookie", ""))


def _challenge_from(visit: Visit) -> Challenge:
    try:
        kind = ChallengeKind(visit.sent("kind"))
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error
    return Challenge(kind, visit.sent("email")[:254], visit.sent("state")[:4000], visit.sent("secret")[:200])


def _went_on(visit: Visit, outcome: SignedIn | Challenge, follow: str) -> Answer:
    if isinstance(outcome, Challenge):
        return _challenge_page(visit, outcome, follow)
    cookies = _cookies()
    return see_other(follow, cookies.kept(SESSION, outcome.token), cookies.dropped(START))


def _challenge_page(visit: Visit, asked: Challenge, follow: str, problem: str = "") -> Answer:
    from functions.portal.presenters.codes import setup_picture

    picture = setup_picture(asked.secret, asked.email) if asked.secret else None
    return _start_page(visit, "challenge", problem, asked=asked, next=follow, picture=picture, field="reply")


@routes.get("/forgot-password", PUBLIC)
def forgot_form(visit: Visit) -> Answer:
    return _start_page(visit, "forgot", email="")


@routes.post("/forgot-password", PUBLIC)
def forgot(visit: Visit) -> Answer:
    email = visit.sent("email").strip()[:254]
    try:
        services.access().forgot_password(email, visit.origin)
    except Refusal as refusal:
        return _start_page(visit, "forgot", _code(visit, refusal), email=email)
    return _start_page(visit, "forgot_code", email=email)


@routes.post("/forgot-password/confirm", PUBLIC)
def confirm_forgot(visit: Visit) -> Answer:
    email, code = visit.sent("email").strip()[:254], visit.sent("code").strip()[:12]
    try:
        services.access().confirm_forgot(email, code, visit.sent("password")[:256], visit.origin)
    except Refusal as refusal:
        found = _code(visit, refusal)
        field: Mapping[str, str] = {"password_weak": "password"}
        return _start_page(visit, "forgot_code", found, email=email, field=field.get(found, "code"))
    return see_other("/sign-in?renewed=1")


@routes.post("/sign-out", ANY_USER)
def sign_out(visit: Visit) -> Answer:
    services.sessions().end(visit.who)
    return see_other("/sign-in", _cookies().dropped(SESSION))
