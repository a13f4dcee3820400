"""Signing in and out, and a new password when the old one is forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from functions.http.requests import Request
from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.cookies import Cookies
from functions.portal.endpoint import BROWSER, LOOKING_TOO, PUBLIC, SESSION, START, Routes
from functions.portal.failures import count_proof
from functions.portal.pages import page
from functions.portal.visit import Visit, safe_next
from saldo.access.model import Challenge, ChallengeKind, SignedIn
from saldo.kernel.errors import Refusal

routes = Routes("signing_in")
_CODES = frozenset({"sign_in_failed", "too_many_attempts", "code_wrong", "password_weak", "token_invalid"})


def _cookies() -> Cookies:
    return Cookies(services.settings().origin)


def start_page(visit: Visit, template: str, problem: str = "", /, **values: object) -> Answer:
    """A page with a form for people without a session: a cookie of its own ties the form to the browser."""
    fresh = "" if visit.token else secrets.token_urlsafe(32)
    visit = replace(visit, token=visit.token or fresh)
    cookies = [_cookies().kept(START, fresh)] if fresh else []
    if not visit.origin.browser:
        cookies.append(_cookies().lasting(BROWSER, secrets.token_urlsafe(32)))
    if problem:
        values["problems"] = [(str(values.get("field", "email")), visit.words(f"refusal.{problem}"))]
    answer = page(visit, template, status=422 if problem else 200, **values)
    return replace(answer, cookies=tuple(cookies))


def _regions() -> list[tuple[str, str]]:
    """The other regions' codes and origins: people whose data lives there sign in there."""
    settings = services.settings()
    return [(code, origin) for code, origin in settings.portal_origins.items() if code != settings.region_code]


def sign_in_page(visit: Visit, problem: str = "", email: str = "", follow: str = "", puzzle: str = "") -> Answer:
    done = visit.asked("done")
    notice = visit.words(f"sign_in.done.{done}") if done in ("renewed", "joined", "ended") else ""
    values = {
        "puzzle": puzzle,
        "email": email,
        "next": follow,
        "regions": _regions(),
        "region": services.settings().region_code,
    }
    return start_page(visit, "sign_in", problem, notice=notice, **values)


@routes.get("/sign-in", PUBLIC)
def sign_in_form(visit: Visit) -> Answer:
    return sign_in_page(visit, follow=safe_next(visit.asked("next")))


@routes.post("/sign-in", PUBLIC)
def sign_in(visit: Visit) -> Answer:
    email, follow = visit.sent("email").strip()[:254], safe_next(visit.sent("next"))
    if leaving := _organisation_only(visit, email, follow):
        return leaving
    try:
        password, solution = visit.sent("password")[:256], visit.sent("solution")[:20]
        outcome = services.access().sign_in(email, password, visit.origin, old_token(visit), solution)
    except Refusal as refusal:
        if refusal.code == "proof_by_mail":
            return start_page(visit, "link_sent", email=email, unusual=True)
        puzzle = getattr(refusal, "puzzle", "")
        if puzzle:
            count_proof(visit, refusal)
        return sign_in_page(visit, "" if puzzle else told_code(visit, refusal), email, follow, puzzle)
    return went_on(visit, outcome, follow)


@routes.post("/sign-in/answer", PUBLIC)
def answer(visit: Visit) -> Answer:
    follow, asked = safe_next(visit.sent("next")), _challenge_from(visit)
    reply = visit.sent("reply")[:256]
    reply = reply if asked.kind is ChallengeKind.NEW_PASSWORD else reply.replace(" ", "")
    try:
        outcome = services.access().answer(asked, reply, visit.origin, old_token(visit))
    except Refusal as refusal:
        return _challenge_page(visit, asked, follow, told_code(visit, refusal))
    return went_on(visit, outcome, follow)


def told_code(visit: Request, refusal: Refusal) -> str:
    """The refusal's code, if it is one that people are told of here; anything else goes up."""
    if refusal.code not in _CODES:
        raise refusal
    count_proof(visit, refusal)
    return "sign_in_failed" if refusal.code == "token_invalid" else refusal.code


def old_token(visit: Visit) -> str:
    return _cookies().read(SESSION, visit.headers.get("cookie", ""))


def to_provider(visit: Visit, url: str) -> Answer:
    """A page that leads on: a redirect would be held against the policy for forms, which names no provider."""
    return start_page(visit, "sso_leave", url=url)


def _organisation_only(visit: Visit, email: str, follow: str = "/accounts") -> Answer | None:
    """The provider's page, where nothing else counts. The domain decides: known and unknown addresses alike."""
    sso = services.access().sso
    connection = sso.leads(email)
    return to_provider(visit, sso.begin(connection, visit.token, follow)) if connection and connection.only else None


def _challenge_from(visit: Visit) -> Challenge:
    try:
        kind = ChallengeKind(visit.sent("kind"))
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error
    return Challenge(kind, visit.sent("email")[:254], visit.sent("state")[:4000], visit.sent("secret")[:200])


def went_on(visit: Visit, outcome: SignedIn | Challenge, follow: str) -> Answer:
    if isinstance(outcome, Challenge):
        return _challenge_page(visit, outcome, follow)
    services.sessions().recount(outcome.session)
    cookies = _cookies()
    return see_other(follow, cookies.kept(SESSION, outcome.token), cookies.dropped(START))


def _challenge_page(visit: Visit, asked: Challenge, follow: str, problem: str = "") -> Answer:
    from functions.portal.presenters.codes import setup_picture

    picture = setup_picture(asked.secret, asked.email) if asked.secret else None
    return start_page(visit, "challenge", problem, asked=asked, next=follow, picture=picture, field="reply")


@routes.get("/sign-in/link", PUBLIC)
def link_form(visit: Visit) -> Answer:
    return start_page(visit, "link_ask", email="")


@routes.post("/sign-in/link", PUBLIC)
def ask_link(visit: Visit) -> Answer:
    """The same page, as late, whether there is such a user or not."""
    email = visit.sent("email").strip()[:254]
    if leaving := _organisation_only(visit, email):
        return leaving
    try:
        services.access().links.ask(email, visit.origin)
    except Refusal as refusal:
        return start_page(visit, "link_ask", told_code(visit, refusal), email=email)
    return start_page(visit, "link_sent", email=email, unusual=False)


@routes.get("/sign-in/link/{token}", PUBLIC)
def link_page(visit: Visit) -> Answer:
    """A button: what only looks at links in mail does not use them up."""
    holds = services.access().links.holds(visit.params["token"], visit.origin)
    return start_page(visit, "link_open", token=visit.params["token"], holds=holds)


@routes.post("/sign-in/link/{token}", PUBLIC)
def open_link(visit: Visit) -> Answer:
    token = visit.params["token"]
    try:
        begun = services.access().links.open(token, visit.origin, old_token(visit))
    except Refusal as refusal:
        if refusal.code != "link_invalid":
            return sign_in_page(visit, told_code(visit, refusal))
        return start_page(visit, "link_open", token=token, holds=False)
    return went_on(visit, begun, "/accounts")


@routes.get("/invitation/{token}", PUBLIC)
def invitation(visit: Visit) -> Answer:
    return _invitation_page(visit)


@routes.post("/invitation/{token}", PUBLIC)
def accept(visit: Visit) -> Answer:
    name, password = visit.sent("name")[:200], visit.sent("password")[:256]
    if visit.sent("by") == "organisation":
        return _accept_by_sso(visit)
    try:
        services.access().joining.accept(visit.params["token"], name, password, visit.origin)
    except Refusal as refusal:
        if refusal.code not in ("password_weak", "invalid_person"):
            return _invitation_page(visit, refusal)
        field = "name" if refusal.code == "invalid_person" else "password"
        return _invitation_page(visit, problems=[(field, visit.words(f"refusal.{refusal.code}"))])
    return see_other("/sign-in?done=joined")


def _accept_by_sso(visit: Visit) -> Answer:
    """The provider says who it is; the invitation is taken up when they come back as whom it is for."""
    access = services.access()
    try:
        invitation = access.joining.standing(visit.params["token"], visit.origin)
    except Refusal as refusal:
        return _invitation_page(visit, refusal)
    connection = access.sso.leads(invitation.email)
    if connection is None or connection.organisation_id != invitation.organisation_id:
        return _invitation_page(visit)
    where = invitation.account_id, invitation.id
    return to_provider(visit, access.sso.begin(connection, visit.token, "/accounts", where))


def _invitation_page(visit: Visit, no: Refusal | None = None, problems: Sequence[tuple[str, str]] = ()) -> Answer:
    offer, token = None, visit.params["token"]
    try:
        offer = services.access().joining.look(token, visit.origin) if no is None else None
    except Refusal as refusal:
        no = refusal
    code = no.code if no else ""
    shown = code if code in ("too_many_attempts", "other_organisation") else "link_invalid"
    text = visit.words(f"refusal.{shown}") if no else ""
    connection = services.access().sso.leads(offer.invitation.email) if offer else None
    answer = start_page(
        visit, "invitation", offer=offer, token=token, no=text, problems=problems, connection=connection
    )
    return replace(answer, status=422) if no or problems else answer


@routes.get("/forgot-password", PUBLIC)
def forgot_form(visit: Visit) -> Answer:
    return start_page(visit, "forgot", email="")


@routes.post("/forgot-password", PUBLIC)
def forgot(visit: Visit) -> Answer:
    email = visit.sent("email").strip()[:254]
    if leaving := _organisation_only(visit, email):
        return leaving
    try:
        services.access().forgot_password(email, visit.origin)
    except Refusal as refusal:
        return start_page(visit, "forgot", told_code(visit, refusal), email=email)
    return start_page(visit, "forgot_code", email=email)


@routes.post("/forgot-password/confirm", PUBLIC)
def confirm_forgot(visit: Visit) -> Answer:
    email, code = visit.sent("email").strip()[:254], visit.sent("code").strip()[:12]
    try:
        services.access().confirm_forgot(email, code, visit.sent("password")[:256], visit.origin)
    except Refusal as refusal:
        found = told_code(visit, refusal)
        field: Mapping[str, str] = {"password_weak": "password"}
        return start_page(visit, "forgot_code", found, email=email, field=field.get(found, "code"))
    return see_other("/sign-in?done=renewed")


@routes.post("/sign-out", LOOKING_TOO)
def sign_out(visit: Visit) -> Answer:
    if visit.who.acting:
        seat = visit.who.seats[0]
        services.acting().end(visit.who, seat.entity_id)
        return see_other(f"/staff/{seat.entity_id}/accounts/{seat.account_id}", _cookies().dropped(SESSION))
    services.sessions().end(visit.who)
    return see_other("/sign-in", _cookies().dropped(SESSION))
