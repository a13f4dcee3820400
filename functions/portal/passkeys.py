"""Passkeys: sign in by one, prove it again by one, look after one's own. Without JavaScript there are other ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import ANY_USER, PUBLIC, Routes
from functions.portal.failures import count_proof
from functions.portal.pages import page
from functions.portal.proving import asks_proof, first_proof_problem, proof_problem, renewed
from functions.portal.signing_in import old_token, sign_in_page, went_on
from functions.portal.visit import Visit, safe_next
from saldo.access.model_passkeys import Passkey
from saldo.access.rules import digest_of
from saldo.kernel.errors import Refusal

routes = Routes("passkeys")
_MOST_ANSWER = 20_000


@routes.post("/sign-in/passkey/ask", PUBLIC)
def ask_to_sign_in(visit: Visit) -> Answer:
    return _asked("get", lambda: services.access().passkeys.ask_to_sign_in(digest_of(visit.token)), visit)


@routes.post("/sign-in/passkey", PUBLIC)
def sign_in(visit: Visit) -> Answer:
    follow, answer = safe_next(visit.sent("next")), visit.sent("passkey")[:_MOST_ANSWER]
    try:
        begun = services.access().passkeys.sign_in(answer, digest_of(visit.token), visit.origin, old_token(visit))
    except Refusal as refusal:
        if refusal.code not in ("passkey_invalid", "too_many_attempts"):
            raise
        count_proof(visit, refusal)
        return sign_in_page(visit, refusal.code, follow=follow)
    return went_on(visit, begun, follow)


@routes.post("/session/passkey/ask", ANY_USER)
def ask_to_prove(visit: Visit) -> Answer:
    return _asked("get", lambda: services.access().passkeys.ask_to_prove(visit.who), visit)


@routes.get("/profile/passkeys/new", ANY_USER)
def new_form(visit: Visit) -> Answer:
    return _new_page(visit)


@routes.post("/profile/passkeys/ask", ANY_USER)
def ask_to_add(visit: Visit) -> Answer:
    """The proof comes first: what is made afterwards is made for whoever gave it."""
    if problem := first_proof_problem(visit):
        return _told(problem)
    access = services.access()
    return _asked("create", lambda: access.passkeys.ask_to_add(visit.who, access.user(visit.who.user_id).email), visit)


@routes.post("/profile/passkeys", ANY_USER)
def add(visit: Visit) -> Answer:
    try:
        answer, name = visit.sent("passkey")[:_MOST_ANSWER], visit.sent("name")
        renewed(visit, services.access().passkeys.add(visit.who, answer, name))
    except Refusal as refusal:
        if refusal.code != "passkey_invalid":
            raise
        return _new_page(visit, [("name", visit.words("refusal.passkey_invalid"))])
    return see_other("/profile?done=passkey")


@routes.get("/profile/passkeys/{passkey_id}", ANY_USER)
def one(visit: Visit) -> Answer:
    return _one_page(visit, services.access().passkeys.own(visit.who, visit.params["passkey_id"]))


@routes.post("/profile/passkeys/{passkey_id}/name", ANY_USER)
def rename(visit: Visit) -> Answer:
    services.access().passkeys.rename(visit.who, visit.params["passkey_id"], visit.sent("name"))
    return see_other("/profile?done=passkey_renamed")


@routes.post("/profile/passkeys/{passkey_id}/remove", ANY_USER)
def remove(visit: Visit) -> Answer:
    passkeys = services.access().passkeys
    found = passkeys.own(visit.who, visit.params["passkey_id"])
    if problem := proof_problem(visit):
        return _one_page(visit, found, [("code", problem)])
    passkeys.remove(visit.who, found.id)
    return see_other("/profile?done=passkey_removed")


def _asked(kind: str, ask: Callable[[], dict[str, Any]], visit: Visit) -> Answer:
    """For the script: what the browser is to `get` or `create`, or why not."""
    try:
        return Answer(json.dumps({kind: ask()}), kind="application/json")
    except Refusal as refusal:
        return _told(visit.words.known(f"refusal.{refusal.code}", "failure.422.text"))


def _told(text: str) -> Answer:
    return Answer(json.dumps({"title": text}), 422, "application/json")


def _new_page(visit: Visit, problems: list[tuple[str, str]] | None = None) -> Answer:
    values = {"asks_proof": asks_proof(visit), "name": visit.sent("name")[:60] or visit.origin.device}
    return page(visit, "passkey_new", status=422 if problems else 200, problems=problems or [], **values)


def _one_page(visit: Visit, passkey: Passkey, problems: list[tuple[str, str]] | None = None) -> Answer:
    values = {"passkey": passkey, "asks_proof": asks_proof(visit)}
    return page(visit, "passkey", status=422 if problems else 200, problems=problems or [], **values)
