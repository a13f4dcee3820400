"""A user's own page: language, one-time codes, sessions."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import ANY_USER, Routes
from functions.portal.failures import count_proof
from functions.portal.pages import page
from functions.portal.presenters.codes import setup_picture
from functions.portal.proving import renewed
from functions.portal.visit import Visit, safe_next
from functions.portal.words import LANGUAGES
from saldo.access.records import user_from
from saldo.access.records_passkeys import passkey_from
from saldo.kernel.errors import Refusal

routes = Routes("profile")
_ZONE = "UTC"
_DONE = ("totp", "language", "others", "passkey", "passkey_renamed", "passkey_removed")


@routes.get("/profile", ANY_USER)
def profile(visit: Visit) -> Answer:
    item, sessions, keys = services.sessions().own(visit.who)
    user = user_from(item, services.sealer())
    zone = visit.who.seats[0].time_zone if visit.who.seats else _ZONE
    own = [
        (
            s.digest,
            s.origin.device,
            " · ".join(part for part in (s.origin.address, s.origin.country) if part),
            visit.words.moment(s.began_at, zone),
            s.digest == visit.who.digest,
        )
        for s in sessions
    ]
    found = sorted((passkey_from(key, services.sealer()) for key in keys), key=lambda p: p.added_at)
    passkeys = [(p.id, p.name, visit.words("passkeys.since", at=visit.words.moment(p.added_at, zone))) for p in found]
    done = visit.asked("done")
    notice = visit.words(f"profile.done.{done}") if done in _DONE else ""
    return page(visit, "profile", user=user, sessions=own, passkeys=passkeys, notice=notice)


@routes.post("/profile/language", ANY_USER)
def language(visit: Visit) -> Answer:
    if visit.sent("language") not in LANGUAGES:
        raise Refusal("invalid_form", "no such language")
    services.sessions().choose_language(visit.who, visit.sent("language"))
    return see_other("/profile?done=language")


@routes.post("/profile/tour", ANY_USER)
def end_tour(visit: Visit) -> Answer:
    services.sessions().end_tour(visit.who)
    return see_other(safe_next(visit.sent("next")))


@routes.post("/profile/sessions/end", ANY_USER)
def end_session(visit: Visit) -> Answer:
    services.sessions().end(visit.who, visit.sent("session")[:64])
    return see_other("/profile")


@routes.post("/profile/sessions/end-others", ANY_USER)
def end_others(visit: Visit) -> Answer:
    services.sessions().end_others(visit.who)
    return see_other("/profile?done=others")


@routes.get("/profile/codes", ANY_USER)
def codes(visit: Visit) -> Answer:
    return page(visit, "codes_begin")


@routes.post("/profile/codes", ANY_USER)
def begin_codes(visit: Visit) -> Answer:
    """Password first (and the old code, where there is one), then the new key."""
    code = visit.sent("code").replace(" ", "")[:12]
    try:
        setup = services.access().begin_totp(visit.who, visit.sent("password")[:256], code)
    except Refusal as refusal:
        count_proof(visit, refusal)
        text = visit.words.known(f"refusal.{refusal.code}", "failure.422.text")
        return page(visit, "codes_begin", status=422, problems=[("password", text)])
    return _codes_page(visit, setup.secret, setup.state)


@routes.post("/profile/codes/confirm", ANY_USER)
def confirm_codes(visit: Visit) -> Answer:
    state = visit.sent("state")
    try:
        renewed(visit, services.access().confirm_totp(visit.who, state, visit.sent("code").replace(" ", "")[:12]))
    except Refusal as refusal:
        if refusal.code != "code_wrong":
            raise
        secret = services.access().totp_secret(visit.who, state)
        return _codes_page(visit, secret, state, visit.words("refusal.code_wrong"))
    return see_other("/profile?done=totp")


def _codes_page(visit: Visit, secret: str, state: str, problem: str = "") -> Answer:
    email = services.access().user(visit.who.user_id).email
    problems = [("code", problem)] if problem else []
    picture = setup_picture(secret, email)
    return page(visit, "codes_confirm", status=422 if problem else 200, picture=picture, state=state, problems=problems)
