"""An account's people, as its admins look after them: whom they invite, who may do what."""

from __future__ import annotations

from functions.portal import services
from functions.portal.answers import Answer, see_other
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.people import ACTS, people_view, role_texts
from functions.portal.proving import asks_proof, proof_problem
from functions.portal.visit import Visit
from functions.portal.words import LANGUAGES, NAMES
from saldo.access.model import Role
from saldo.access.model_people import Member
from saldo.access.records_people import people_of
from saldo.access.rules_people import ADMINS, check_invitation
from saldo.kernel.errors import NotFound, Refusal

routes = Routes("people")
_DONE = ("invited", "withdrawn", "changed")


@routes.get("/accounts/{account_id}/people", roles(ADMINS))
def people(visit: Visit) -> Answer:
    found = people_of(visit.records, services.sealer(), visit.account.account_id, visit.now)
    view = people_view(found, visit.who.user_id, visit.account.time_zone, visit.words)
    done = visit.asked("done")
    notice = visit.words(f"people.done.{done}") if done in _DONE else ""
    return page(visit, "people", view=view, notice=notice, tab="people")


@routes.get("/accounts/{account_id}/invite", roles(ADMINS))
def invite_form(visit: Visit) -> Answer:
    return _invite_page(visit, [])


@routes.post("/accounts/{account_id}/invite/check", roles(ADMINS))
def check_invite(visit: Visit) -> Answer:
    problems = _invite_problems(visit)
    return _invite_page(visit, problems) if problems else _invite_check(visit)


@routes.post("/accounts/{account_id}/invite", roles(ADMINS))
def invite(visit: Visit) -> Answer:
    problems = _invite_problems(visit)
    if problems:
        return _invite_page(visit, problems)
    if problem := proof_problem(visit):
        return _invite_check(visit, [("code", problem)])
    asked = visit.sent("email"), visit.sent("name"), Role(visit.sent("role")), visit.sent("language")
    services.colleagues().invite(visit.account.account_id, *asked, visit.actor)
    return see_other(f"{visit.home}/people?done=invited")


@routes.post("/accounts/{account_id}/people/withdraw", roles(ADMINS))
def withdraw(visit: Visit) -> Answer:
    services.colleagues().withdraw(visit.account.account_id, visit.sent("invitation")[:64], visit.actor)
    return see_other(f"{visit.home}/people?done=withdrawn")


@routes.get("/accounts/{account_id}/people/{user_id}", roles(ADMINS))
def person(visit: Visit) -> Answer:
    return _person_page(visit, _member(visit), [])


@routes.post("/accounts/{account_id}/people/{user_id}/check", roles(ADMINS))
def check_person(visit: Visit) -> Answer:
    member = _member(visit)
    if visit.sent("act") not in ACTS:
        return _person_page(visit, member, [("act", visit.words("problem.nothing_to_change"))])
    return _person_check(visit, member)


@routes.post("/accounts/{account_id}/people/{user_id}", roles(ADMINS))
def change_person(visit: Visit) -> Answer:
    member, act = _member(visit), visit.sent("act")
    if act not in ACTS:
        raise Refusal("invalid_form", "no such change")
    if problem := proof_problem(visit):
        return _person_check(visit, member, [("code", problem)])
    use_case, place = services.colleagues(), (visit.account.account_id, member.user_id)
    try:
        if act in ("suspend", "restore", "remove"):
            getattr(use_case, act)(*place, visit.actor)
        else:
            use_case.change_role(*place, Role(act), visit.actor)
    except Refusal as refusal:
        if refusal.code != "last_admin":
            raise
        return _person_page(visit, member, [("act", visit.words("refusal.last_admin"))])
    return see_other(f"{visit.home}/people?done=changed")


def _member(visit: Visit) -> Member:
    found = people_of(visit.records, services.sealer(), visit.account.account_id, visit.now)
    member = found.member(visit.params["user_id"])
    if member is None:
        raise NotFound("no such colleague")
    return member


def _invite_problems(visit: Visit) -> list[tuple[str, str]]:
    if visit.sent("role") not in [role.value for role in Role] or visit.sent("language") not in LANGUAGES:
        raise Refusal("invalid_form", "no such role or language")
    found = people_of(visit.records, services.sealer(), visit.account.account_id, visit.now)
    try:
        check_invitation(found, visit.sent("email"), visit.sent("name"))
    except Refusal as refusal:
        return [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]
    return []


def _asked(visit: Visit) -> dict[str, str]:
    usual = {"role": Role.VIEWER.value, "language": visit.words.language}
    return {
        name: visit.sent(name).strip()[:254] or usual.get(name, "") for name in ("email", "name", "role", "language")
    }


def _invite_page(visit: Visit, problems: list[tuple[str, str]]) -> Answer:
    languages = [(code, NAMES[code]) for code in LANGUAGES]
    values = {"asked": _asked(visit), "role_texts": role_texts(visit.words), "spoken": languages, "tab": "people"}
    return page(visit, "invite", status=422 if problems else 200, problems=problems, **values)


def _invite_check(visit: Visit, problems: list[tuple[str, str]] | None = None) -> Answer:
    asked = _asked(visit)
    values = {"asked": asked, "language_name": NAMES[asked["language"]], "asks_proof": asks_proof(visit)}
    return page(visit, "invite_check", status=422 if problems else 200, problems=problems or [], **values, tab="people")


def _person_page(visit: Visit, member: Member, problems: list[tuple[str, str]]) -> Answer:
    values = {"member": member, "role_texts": role_texts(visit.words), "tab": "people"}
    return page(visit, "person", status=422 if problems else 200, problems=problems, **values)


def _person_check(visit: Visit, member: Member, problems: list[tuple[str, str]] | None = None) -> Answer:
    values = {"member": member, "act": visit.sent("act"), "asks_proof": asks_proof(visit), "tab": "people"}
    return page(visit, "person_check", status=422 if problems else 200, problems=problems or [], **values)
