"""The way in of staff: roles per legal entity, default deny (steps of functions/http/edge).

In this order: home region of the ids in the path, session with what its owner may do now (one read, with the legal
entity and the account in the path), role at that entity, form, the view. A customer's session is nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from string import Formatter
from urllib.parse import quote

from functions.http.answers import Answer
from functions.http.edge import Edge, EdgeRoutes
from functions.http.requests import Request
from functions.portal.answers import see_other
from functions.portal.cookies import SESSION, STAFF_SESSION, START, Cookies
from functions.portal.endpoint import FORM, security_headers
from functions.portal.forms import checked_form
from functions.portal.visit import device_of
from functions.portal.words import Words, language_for
from functions.staff import failures, services
from functions.staff.visit import Desk, StaffVisit
from saldo.access import rules_staff
from saldo.access.model import Origin
from saldo.access.model_staff import StaffRole
from saldo.access.staff import Presence
from saldo.kernel.errors import NotFound
from saldo.kernel.ids import is_id
from saldo.kernel.regions import region_of
from saldo.storage.items import Key

View = Callable[[StaffVisit], Answer]
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class StaffRule:
    """Who may use a route. `roles`: at the legal entity in the path; `signed_in`: any member of staff; `anyone`: the
    pages of signing in. `ahead`: records of that legal entity that are read with the session, by sort key, which may
    name parts of the path; `customers`: of the account in the path, likewise. Nobody looks at them before both have
    turned out to be the reader's."""

    roles: frozenset[StaffRole] = frozenset()
    anyone: bool = False
    signed_in: bool = False
    ahead: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()


PUBLIC = StaffRule(anyone=True)
ANY_STAFF = StaffRule(signed_in=True)


def staff(allowed: frozenset[StaffRole], ahead: tuple[str, ...] = (), customers: tuple[str, ...] = ()) -> StaffRule:
    """A route that names a legal entity and asks for one of these roles there."""
    return StaffRule(roles=allowed, ahead=ahead, customers=customers)


class StaffEdge(Edge[StaffRule, StaffVisit]):
    service, failures = "portal", "PortalErrors"

    def check_rule(self, path: str, rule: StaffRule) -> None:
        if not (rule.roles or rule.anyone or rule.signed_in):
            raise TypeError(f"{path} does not say who may use it")
        if bool(rule.roles) != ("{entity_id}" in path):
            raise TypeError(f"{path}: roles and a legal entity in the path go together")
        if rule.customers and "{account_id}" not in path:
            raise TypeError(f"{path}: what is read ahead of a customer is of the account in the path")

    def seen(self, request: Request) -> StaffVisit:
        wanted = request.query.get("lang", [""])[-1]
        language = language_for(wanted, request.headers.get("accept-language", ""))
        return StaffVisit(
            **{field.name: getattr(request, field.name) for field in fields(Request)},
            form={},
            origin=Origin(request.network, device_of(request.headers.get("user-agent", ""))),
            words=Words(language, services.settings().region_code),
        )

    def answer(self, seen: StaffVisit, rule: StaffRule, view: View) -> Answer:
        for name in ("entity_id", "account_id"):
            if name in seen.params and region_of(seen.params[name]) != services.settings().region_code:
                raise NotFound
        return _checked(seen, rule, view)

    def failed(self, seen: StaffVisit, error: Exception) -> Answer:
        return failures.failed(seen, error)

    def headers(self) -> dict[str, str]:
        return security_headers()


edge = StaffEdge(services.clock)
declared = edge.declared


class Routes(EdgeRoutes[StaffRule, StaffVisit]):
    """Registers views of staff."""

    def __init__(self, name: str) -> None:
        super().__init__(f"staff_{name}", edge)

    def get(self, path: str, rule: StaffRule) -> Callable[[View], View]:
        return self.register("GET", path, rule)

    def post(self, path: str, rule: StaffRule) -> Callable[[View], View]:
        return self.register("POST", path, rule, [FORM])


def _checked(visit: StaffVisit, rule: StaffRule, view: View) -> Answer:
    cookies, header = Cookies(services.settings().origin), visit.headers.get("cookie", "")
    token = cookies.read(START if rule.anyone else STAFF_SESSION, header)
    visit = replace(visit, token=token)
    if not rule.anyone:
        presence = services.sessions().present(token, *_asked_for(visit), *_ahead(visit, rule))
        if presence is None:
            if cookies.read(SESSION, header):
                raise NotFound
            return _to_sign_in(visit)
        words = replace(visit.words, language=language_for(presence.staff.language, visit.words.language))
        visit = replace(visit, presence=presence, words=words)
    if rule.roles:
        visit = _seated(visit, visit.who, rule)
    if visit.method == "POST":
        visit = replace(visit, form=checked_form(visit, visit.form_key, services.settings().origin))
    return view(visit)


def _asked_for(visit: StaffVisit) -> list[Key]:
    """Records that the path names, to be read with the session."""
    kinds = (("entity_id", "entity"), ("account_id", "account"))
    return [(visit.params[name], kind) for name, kind in kinds if name in visit.params]


def _ahead(visit: StaffVisit, rule: StaffRule) -> list[Key]:
    """What the page will read besides, of the legal entity and the account that the path names. Of what can be neither
    id nor number, nothing."""
    wanted = [*(("entity_id", sk) for sk in rule.ahead), *(("account_id", sk) for sk in rule.customers)]
    named = {name for _, sk in wanted for _, name, _, _ in Formatter().parse(sk) if name}
    told = [visit.params[name] for name in named | {owner for owner, _ in wanted}]
    if not all(is_id(one) or _NUMBER.fullmatch(one) for one in told):
        return []
    return [(visit.params[owner], sk.format(**visit.params)) for owner, sk in wanted]


def _seated(visit: StaffVisit, who: Presence, rule: StaffRule) -> StaffVisit:
    """An entity without a role there, and an account of another entity, are as good as none: the same 404."""
    entity_id, account_id = visit.params["entity_id"], visit.params.get("account_id")
    entity, roles = who.found.get((entity_id, "entity")), rules_staff.roles_at(who.staff, entity_id, visit.now)
    if entity is None or not roles & rule.roles:
        raise NotFound
    raised = rules_staff.elevations_at(who.staff, entity_id, visit.now)
    desk = Desk(entity_id, entity["name"], entity["currency"], entity["time_zone"], roles, raised)
    ahead = {key: who.found.get(key) for key in _ahead(visit, rule)}
    visit = replace(visit, desk=desk, store=services.records_of(entity_id, name=who.staff.id, ahead=ahead))
    if account_id is None:
        return visit
    account = who.found.get((account_id, "account"))
    if account is None or account["entity_id"] != entity_id:
        raise NotFound
    store = services.records_of(entity_id, account_id, name=who.staff.id, ahead=ahead)
    return replace(visit, account=account, store=store)


def _to_sign_in(visit: StaffVisit) -> Answer:
    path = visit.path
    for name, value in visit.params.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return see_other(f"/staff/sign-in?next={quote(path, safe='/')}" if visit.method == "GET" else "/staff/sign-in")
