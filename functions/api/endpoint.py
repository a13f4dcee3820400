"""The API's way in: the scope a route asks for, and the checks a call goes through (steps of functions/http/edge).

In this order: shape and region of the key (nothing is read for a key of another region), the key itself and its count
of this minute, scope, size of the body, the Idempotency-Key, the view.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from http import HTTPStatus

from functions.api import services
from functions.api.call import Call
from functions.api.operation import Operation
from functions.api.repeating import once
from functions.http import telemetry
from functions.http.answers import Answer, problem
from functions.http.edge import Edge, EdgeRoutes
from functions.http.failures import code_of, status_of
from functions.http.requests import Request
from saldo.access.api_keys import TooMany
from saldo.access.model_api_keys import Admission, Allowance, Scope
from saldo.access.rules_api_keys import token_parts
from saldo.kernel.errors import Refusal

View = Callable[[Call], Answer]
VERSION = "1.0.0"
_RETRY_AFTER_S = {"request_in_progress": 2, "unavailable": 5}
_MORE = {"unsupported_media_type": "; the types that a path takes are in /api/v1/openapi.json"}
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a route: a key with `scope`, or `anyone`. `most_bytes`: the largest body it takes, 0 for none."""

    operation: Operation
    scope: Scope | None = None
    anyone: bool = False
    most_bytes: int = 0


class ApiEdge(Edge[Rule, Call]):
    service, failures = "api", "ApiErrors"

    def check_rule(self, path: str, rule: Rule) -> None:
        if (rule.scope is None) != rule.anyone:
            raise TypeError(f"{path} does not say who may call it: a scope, or anyone")
        if bool(rule.operation.takes) != bool(rule.most_bytes):
            raise TypeError(f"{path}: a body and its largest size go together")

    def seen(self, request: Request) -> Call:
        return Call(**{field.name: getattr(request, field.name) for field in fields(Request)})

    def answer(self, seen: Call, rule: Rule, view: View) -> Answer:
        if rule.anyone:
            return view(seen)
        admission = _admitted(seen)
        call = replace(seen, admission=admission)
        try:
            answer = _checked(call, rule, view)
        except Exception as error:
            answer = self.translated(call, error)
        return replace(answer, headers={**_limits(admission.allowance), **answer.headers})

    def failed(self, seen: Call, error: Exception) -> Answer:
        status, code = status_of(error), code_of(error)
        said = str(error.message) if isinstance(error, Refusal) and status != 404 else ""
        said += _MORE.get(code, "")
        problems = error.problems if isinstance(error, Refusal) else ()
        answer = problem(status, code, HTTPStatus(status).phrase, seen.correlation_id, said, problems)
        return replace(answer, headers=_told(error, code))

    def headers(self) -> dict[str, str]:
        """The API serves no pages: a browser that is led here finds nothing it may run, frame or share."""
        headers = {
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "Saldo-Version": VERSION,
            "X-Content-Type-Options": "nosniff",
        }
        if services.settings().origin.startswith("https://"):
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        return headers


edge = ApiEdge(services.clock)
declared = edge.declared


class Routes(EdgeRoutes[Rule, Call]):
    """Registers views of the API."""

    def __init__(self, name: str) -> None:
        super().__init__(name, edge)

    def get(self, path: str, rule: Rule) -> Callable[[View], View]:
        return self.register("GET", path, rule)

    def post(self, path: str, rule: Rule) -> Callable[[View], View]:
        return self.register("POST", path, rule, list(rule.operation.takes))


def _admitted(call: Call) -> Admission:
    given = _BEARER.fullmatch(call.headers.get("authorization", ""))
    if given is None:
        raise Refusal("not_authenticated", "send a key of the API: Authorization: Bearer sk_…")
    parts, settings = token_parts(given[1]), services.settings()
    if parts is not None and parts.region_code != settings.region_code:
        home = settings.portal_origins.get(parts.region_code, "")
        raise Refusal("wrong_region", f"keys of region {parts.region_code} are used at {home}/api/v1")
    try:
        return services.api_keys().admit(given[1], call.network)
    except Refusal as refusal:
        if refusal.code in ("invalid_key", "too_many_attempts"):
            telemetry.count("ApiWrongKeys", int(call.now.timestamp() * 1000), "api")
        raise


def _checked(call: Call, rule: Rule, view: View) -> Answer:
    if rule.scope not in call.key.scopes:
        raise Refusal("missing_scope", f"this key lacks the scope {rule.scope}")
    if len(call.raw_body) > rule.most_bytes:
        raise Refusal("too_large", f"the body is larger than {rule.most_bytes:,} bytes")
    return once(call, view)


def _limits(allowance: Allowance) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Remaining": str(allowance.remaining),
        "RateLimit-Reset": str(allowance.resets_in_s),
    }


def _told(error: Exception, code: str) -> dict[str, str]:
    """Headers that say when to come again, or what to come with."""
    spent = error.allowance if isinstance(error, TooMany) else None
    wait_s = getattr(error, "retry_after_s", 0) or _RETRY_AFTER_S.get(code)
    if code in ("not_authenticated", "invalid_key"):
        return {"WWW-Authenticate": 'Bearer realm="saldo"'}
    return {**(_limits(spent) if spent else {}), **({"Retry-After": str(wait_s)} if wait_s else {})}
