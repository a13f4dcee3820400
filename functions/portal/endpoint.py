"""The one way in: every view is registered here, with the roles it allows, and runs inside these checks.

In this order: home region of the id in the path, session, role on the account, form (origin and key), the view; then
the translation of whatever went wrong, one log line, and the security headers of every answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from chalice.app import Blueprint, Response

from functions.portal import failures, services, telemetry
from functions.portal.answers import Answer, see_other
from functions.portal.cookies import Cookies
from functions.portal.visit import Fields, Visit, device_of, network_of
from functions.portal.words import Words, language_for
from saldo.access.model import Origin, Role
from saldo.access.rules import form_key_fits
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.regions import region_of

View = Callable[[Visit], Answer]
FORM = "application/x-www-form-urlencoded"
SESSION, START = "saldo", "saldo-start"
_MOST_BODY, _MOST_FIELDS = 400_000, 4000


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a route. `roles`: on the account in the path; `anyone`: no session is asked for.

    `form`: a POST is a form of ours and must prove it (off for the gateway's webhooks, which are signed).
    """

    roles: frozenset[Role] = frozenset()
    anyone: bool = False
    signed_in: bool = False
    form: bool = True


PUBLIC = Rule(anyone=True)
SIGNED = Rule(anyone=True, form=False)
ANY_USER = Rule(signed_in=True)
declared: dict[tuple[str, str], Rule] = {}


def roles(allowed: frozenset[Role]) -> Rule:
    """A route that names an account and asks for one of these roles on it."""
    return Rule(roles=allowed)


class Routes:
    """Registers views on a blueprint. A route that names no rule, or a rule that allows nobody, fails at import."""

    def __init__(self, name: str) -> None:
        self.blueprint = Blueprint(name)

    def get(self, path: str, rule: Rule) -> Callable[[View], View]:
        return self._register("GET", path, rule)

    def post(self, path: str, rule: Rule, content_type: str = FORM) -> Callable[[View], View]:
        return self._register("POST", path, rule, content_type)

    def _register(self, method: str, path: str, rule: Rule, content_type: str = "") -> Callable[[View], View]:
        _check_rule(path, rule)

        def decorate(view: View) -> View:
            def run(**params: str) -> Response:
                return _run(self.blueprint.current_request, path, params, rule, view)

            run.__name__ = f"{view.__name__}_{method.lower()}"
            extra = {"content_types": [content_type]} if content_type else {}
            self.blueprint.route(path, methods=[method], name=run.__name__, **extra)(run)
            declared[method, path] = rule
            return view

        return decorate


def _check_rule(path: str, rule: Rule) -> None:
    if not (rule.roles or rule.anyone or rule.signed_in):
        raise TypeError(f"{path} does not say who may use it")
    if bool(rule.roles) != ("{account_id}" in path):
        raise TypeError(f"{path}: roles and an account in the path go together")


def undeclared(app_routes: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Routes of the application that did not come through here: there must be none."""
    known = {f"{m} {p}" for m, p in declared}
    return sorted({f"{m} {p}" for p, methods in app_routes.items() for m in methods} - known)


def _run(request: Any, path: str, params: Mapping[str, str], rule: Rule, view: View) -> Response:
    began = time.monotonic()
    visit = _first_sight(request, path, params)
    try:
        answer = _away(visit) or _checked(visit, rule, view)
    except Exception as error:
        answer = _translated(visit, error)
    took_ms = int((time.monotonic() - began) * 1000)
    telemetry.request_line(path, visit.method, answer.status, took_ms, visit.correlation_id)
    return response(answer)


def _first_sight(request: Any, path: str, params: Mapping[str, str]) -> Visit:
    headers = {name.lower(): value for name, value in dict(request.headers).items()}
    query = {name: request.query_params.getlist(name) for name in (request.query_params or {})}
    context = request.context or {}
    origin = Origin(
        network_of(context.get("identity", {}).get("sourceIp", "")), device_of(headers.get("user-agent", ""))
    )
    wanted = query.get("lang", [""])[-1]
    return Visit(
        method=request.method,
        path=path,
        params=params,
        query=query,
        form={},
        raw_body=bytes(request.raw_body or b""),
        headers=headers,
        correlation_id=context.get("requestId", ""),
        now=services.clock(),
        origin=origin,
        words=Words(language_for(wanted, headers.get("accept-language", "")), services.settings().region_code),
    )


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
    visit = replace(visit, token=token)
    if not rule.anyone:
        session = services.sessions().of_token(token)
        if session is None:
            return _to_sign_in(visit)
        words = replace(visit.words, language=language_for(session.language, visit.words.language))
        visit = replace(visit, session=session, words=words)
    if rule.roles:
        visit = _seated(visit, rule)
    if visit.method == "POST" and rule.form:
        visit = _with_form(visit)
    return view(visit)


def _seated(visit: Visit, rule: Rule) -> Visit:
    """An account that is not granted, or not with such a role, is as good as none: the same 404."""
    seat = visit.who.seat(visit.params["account_id"])
    if seat is None or seat.role not in rule.roles:
        raise NotFound
    store = services.store().within(seat.account_id, seat.entity_id, visit.who.user_id)
    return replace(visit, seat=seat, store=store)


def _to_sign_in(visit: Visit) -> Answer:
    if "application/json" in visit.headers.get("accept", ""):
        raise Refusal("not_signed_in", "sign in first")
    path = visit.path
    for name, value in visit.params.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return see_other(f"/sign-in?next={quote(path, safe='/')}" if visit.method == "GET" else "/sign-in")


def _with_form(visit: Visit) -> Visit:
    own = services.settings().origin
    sent_from, site = visit.headers.get("origin"), visit.headers.get("sec-fetch-site", "same-origin")
    if (sent_from is not None and sent_from != own) or site not in ("same-origin", "none"):
        raise Refusal("form_not_ours", "the form was sent from another site")
    form = _fields(visit.raw_body)
    if not form_key_fits(visit.token, form.get("form_key", [""])[-1]):
        raise Refusal("form_not_ours", "the form is not from this session")
    return replace(visit, form=form)


def _fields(body: bytes) -> Fields:
    if len(body) > _MOST_BODY:
        raise Refusal("invalid_form", "the form is too large")
    try:
        text = body.decode("utf-8")
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error


def _translated(visit: Visit, error: Exception) -> Answer:
    if failures.status_of(error) == 500:
        telemetry.unexpected(visit.path, visit.method, error, visit.correlation_id)
        telemetry.count("PortalErrors", int(visit.now.timestamp() * 1000))
    return failures.failed(visit, error)


def security_headers() -> dict[str, str]:
    """On every answer, of every kind and status. Forms may lead to the gateway's own pay page and nowhere else."""
    parts = urlsplit(services.settings().gateway_url)
    gateway = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
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


def response(answer: Answer) -> Response:
    """Nothing is kept by caches unless the answer says so."""
    headers: dict[str, Any] = {"Cache-Control": "no-store", **security_headers(), **answer.headers}
    headers["Content-Type"] = answer.kind
    if answer.cookies:
        headers["Set-Cookie"] = list(answer.cookies)
    return Response(answer.body, headers=headers, status_code=answer.status)
