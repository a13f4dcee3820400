"""The portal's way in: the roles a route allows, and the checks a request goes through (steps of functions/http/edge).

In this order: home region of the id in the path, session, role on the account, form (origin and key), the view; then
the translation of whatever went wrong, one log line, and the security headers of every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from string import Formatter
from urllib.parse import quote, urlsplit

from functions.http.answers import Answer
from functions.http.edge import Edge, EdgeRoutes
from functions.http.requests import Request
from functions.portal import failures, services
from functions.portal.answers import see_other
from functions.portal.cookies import SESSION as SESSION
from functions.portal.cookies import STAFF_SESSION, Cookies
from functions.portal.cookies import START as START
from functions.portal.forms import checked_form
from functions.portal.visit import Visit, device_of
from functions.portal.words import Words, language_for
from saldo.access.model import Looked, Origin, Role
from saldo.access.model_visibility import Document, SelfService
from saldo.access.rules import digest_of
from saldo.access.rules_visibility import sees
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.ids import is_id
from saldo.kernel.periods import local_date
from saldo.kernel.regions import region_of
from saldo.storage.items import Item, Key

View = Callable[[Visit], Answer]
FORM = "application/x-www-form-urlencoded"
BROWSER = "saldo-browser"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a route. `roles`: on the account in the path; `anyone`: no session is asked for.

    `needs`: what the account's visibility must allow; where it does not, the route is as good as not there.

    `form`: a POST is a form of ours and must prove it (off for the gateway's webhooks, which are signed).
    `acting`: staff who act for the customer may use it, too.
    `touches`: whether a visit counts as use of the session (not for the page that warns of its end).
    `looks`: what a visit is called on the trail, and which part of the path names the document that is looked at.
    `ahead`: records of the account in the path that are read by the call that reads the session, by sort key, which may
    name parts of the path; nobody looks at them before the session has turned out to reach that account.
    """

    roles: frozenset[Role] = frozenset()
    needs: Document | SelfService | None = None
    anyone: bool = False
    signed_in: bool = False
    form: bool = True
    acting: bool = False
    touches: bool = True
    looks: tuple[str, str] | None = None
    ahead: tuple[str, ...] = ()


PUBLIC = Rule(anyone=True)
SIGNED = Rule(anyone=True, form=False)
ANY_USER = Rule(signed_in=True)
LOOKING_TOO = Rule(signed_in=True, acting=True)
UNTOUCHED = Rule(signed_in=True, touches=False)


def roles(
    allowed: frozenset[Role],
    needs: Document | SelfService | None = None,
    looks: tuple[str, str] | None = None,
    ahead: tuple[str, ...] = (),
) -> Rule:
    """A route that names an account and asks for one of these roles on it. Staff who act for a customer look as its
    viewers do."""
    return Rule(roles=allowed, needs=needs, acting=Role.VIEWER in allowed, looks=looks, ahead=ahead)


class PortalEdge(Edge[Rule, Visit]):
    service, failures = "portal", "PortalErrors"

    def check_rule(self, path: str, rule: Rule) -> None:
        if not (rule.roles or rule.anyone or rule.signed_in):
            raise TypeError(f"{path} does not say who may use it")
        if bool(rule.roles) != ("{account_id}" in path):
            raise TypeError(f"{path}: roles and an account in the path go together")
        if rule.ahead and (rule.looks or not rule.roles):
            raise TypeError(
                f"{path}: what is read ahead is an account's; a look is noted by a call that reads one record"
            )

    def seen(self, request: Request) -> Visit:
        wanted = request.query.get("lang", [""])[-1]
        language = language_for(wanted, request.headers.get("accept-language", ""))
        return Visit(
            **{field.name: getattr(request, field.name) for field in fields(Request)},
            form={},
            origin=_origin_of(request),
            words=Words(language, services.settings().region_code),
        )

    def answer(self, seen: Visit, rule: Rule, view: View) -> Answer:
        return _away(seen) or _renewed(seen, _checked(seen, rule, view))

    def failed(self, seen: Visit, error: Exception) -> Answer:
        return _renewed(seen, failures.failed(seen, error))

    def headers(self) -> dict[str, str]:
        return security_headers()


edge = PortalEdge(services.clock)
declared = edge.declared


class Routes(EdgeRoutes[Rule, Visit]):
    """Registers views of the portal."""

    def __init__(self, name: str) -> None:
        super().__init__(name, edge)

    def get(self, path: str, rule: Rule) -> Callable[[View], View]:
        return self.register("GET", path, rule)

    def post(self, path: str, rule: Rule, content_type: str = FORM) -> Callable[[View], View]:
        return self.register("POST", path, rule, [content_type])


def _origin_of(request: Request) -> Origin:
    browser = Cookies(services.settings().origin).read(BROWSER, request.headers.get("cookie", ""))
    digest = digest_of(browser) if 20 <= len(browser) <= 100 else ""
    return Origin(request.network, device_of(request.headers.get("user-agent", "")), digest, request.country)


def _away(visit: Visit) -> Answer | None:
    """Ids of another region are sent home: the same path there, no query, no cookie, nothing read."""
    account_id = visit.params.get("account_id")
    if account_id is None:
        return None
    home = region_of(account_id)
    settings = services.settings()
    if home == settings.region_code:
        return None
    if home not in settings.portal_origins:
        raise NotFound
    path = visit.path
    for name, value in visit.params.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return Answer("", 307, headers={"Location": settings.portal_origins[home] + path})


def _checked(visit: Visit, rule: Rule, view: View) -> Answer:
    cookies = Cookies(services.settings().origin)
    header = visit.headers.get("cookie", "")
    token = cookies.read(START if rule.anyone else SESSION, header)
    visit, ahead = replace(visit, token=token), dict[Key, Item | None]()
    if not rule.anyone:
        session, ahead = services.sessions().of_token(
            token, _ahead(visit, rule), touch=rule.touches, looked=_looked(visit, rule)
        )
        if session is None:
            return _to_sign_in(visit)
        if session.acting and not (rule.acting and (visit.method == "GET" or rule.signed_in)):
            raise NotFound  # who looks for a customer changes nothing but their own session
        words = replace(visit.words, language=language_for(session.language, visit.words.language))
        visit = replace(visit, session=session, words=words)
    if rule.roles:
        visit = _seated(visit, rule, ahead)
    if visit.method == "POST" and rule.form:
        visit = replace(visit, form=checked_form(visit, visit.form_key, services.settings().origin))
    return view(visit)


def _renewed(visit: Visit, answer: Answer) -> Answer:
    """Whatever is answered, the browser learns the session's new token: with the old one nobody is signed in."""
    begun, cookies = visit.renewal.begun, Cookies(services.settings().origin)
    return replace(answer, cookies=(*answer.cookies, cookies.kept(SESSION, begun.token))) if begun else answer


def _looked(visit: Visit, rule: Rule) -> Looked | None:
    """What is on record before it is read. Ids that cannot be any lead to nothing, and are not kept."""
    if rule.looks is None:
        return None
    action, name = rule.looks
    account_id, subject_id = visit.params["account_id"], visit.params[name]
    if not (is_id(account_id) and is_id(subject_id)):
        return None
    return Looked(account_id, action, subject_id, visit.now, visit.correlation_id, visit.origin.address)


def _ahead(visit: Visit, rule: Rule) -> list[Key]:
    """What the page will read besides, of the account that the path names. Of what can be no id, nothing."""
    named = [visit.params[name] for sk in rule.ahead for _, name, _, _ in Formatter().parse(sk) if name]
    if not all(map(is_id, [visit.params.get("account_id", ""), *named])):
        return []
    return [(visit.params["account_id"], sk.format(**visit.params)) for sk in rule.ahead]


def _seated(visit: Visit, rule: Rule, ahead: Mapping[Key, Item | None]) -> Visit:
    """An account that is not granted, or not with such a role, is as good as none: the same 404. What was read ahead is
    the account's own: nobody has looked at it before."""
    seat = visit.who.seat(visit.params["account_id"])
    if seat is None or seat.role not in rule.roles:
        raise NotFound
    if rule.needs is not None and not seat.visibility.allows(rule.needs):
        raise NotFound
    in_sight = sees(seat.visibility, local_date(visit.now, seat.time_zone))
    who = visit.who.user_id
    store = services.records_of(seat.account_id, seat.entity_id, who, name=who, sees=in_sight, ahead=ahead)
    if visit.who.acting:
        services.acting().note(visit.who, seat.entity_id, visit.path, visit.correlation_id)
    return replace(visit, seat=seat, store=store)


def _to_sign_in(visit: Visit) -> Answer:
    """Nobody is sent to sign in; for staff, who sign in elsewhere, there is nothing here."""
    if Cookies(services.settings().origin).read(STAFF_SESSION, visit.headers.get("cookie", "")):
        raise NotFound
    if "application/json" in visit.headers.get("accept", ""):
        raise Refusal("not_signed_in", "sign in first")
    path = visit.path
    for name, value in visit.params.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return see_other(f"/sign-in?next={quote(path, safe='/')}" if visit.method == "GET" else "/sign-in")


def security_headers(bucket: str = "") -> dict[str, str]:
    """On every answer, of every kind and status. Forms may lead to the gateway's own pay page, on the page that hands
    in a file to that `bucket`, and nowhere else."""
    parts = urlsplit(services.settings().gateway_url)
    gateway = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    gateway += f" {bucket}" if bucket else ""
    policy = (
        f"default-src 'self'; form-action 'self'{gateway}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "same-origin",  # with no-referrer browsers would send forms with Origin: null
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if services.settings().origin.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers
