"""The one way in: views are registered under a rule, and run inside the same steps in every application.

Registration refuses a rule that allows nobody. A request is seen, checked and answered; whatever went wrong is
translated and counted; one log line without ids is written; headers go on every answer.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar  # Any: Chalice ships no types

from chalice.app import Blueprint, Response

from functions import tracing
from functions.http import telemetry
from functions.http.answers import Answer
from functions.http.failures import status_of
from functions.http.requests import Request, request_of
from functions.services import settings
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal
from saldo.storage.outages import is_outage

Rule = TypeVar("Rule")
Seen = TypeVar("Seen", bound=Request)
View = Callable[[Seen], Answer]
_UNSERVED = {404: "not_found", 405: "wrong_method", 415: "unsupported_media_type"}


class Edge(ABC, Generic[Rule, Seen]):
    """One application's checks. `service` is the dimension of its metrics, `failures` counts what nobody expected."""

    service: str
    failures: str

    def __init__(self, clock: Clock) -> None:
        self.declared: dict[tuple[str, str], Rule] = {}
        self._clock = clock

    @abstractmethod
    def check_rule(self, path: str, rule: Rule) -> None:
        """TypeError when the rule of a route does not say who may use it."""

    @abstractmethod
    def seen(self, request: Request) -> Seen:
        """The request in the application's own words; must not fail."""

    @abstractmethod
    def answer(self, seen: Seen, rule: Rule, view: View[Seen]) -> Answer:
        """Check everything, then ask the view. Whatever is raised is answered by `failed`."""

    @abstractmethod
    def failed(self, seen: Seen, error: Exception) -> Answer: ...

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """What goes on every answer, Chalice's own included."""

    def unserved(self, raw: Any, status: int, said: str) -> Response:
        """What no view was asked for (unknown address, media type, method; `said` by Chalice), as any other failure:
        what is not there reads the same whether there is a route or not."""
        error = Refusal(_UNSERVED.get(status, "invalid_request"), said) if status < 500 else RuntimeError(said)
        return self.response(self.failed(self._asked(raw, raw.path, {}), error))

    def run(self, raw: Any, path: str, params: Mapping[str, str], rule: Rule, view: View[Seen]) -> Response:
        began = time.monotonic()
        seen = self._asked(raw, path, params)
        tracing.follow(seen.correlation_id)
        try:
            answer = self.answer(seen, rule, view)
        except Exception as error:
            answer = self.translated(seen, error)
        took_ms = max(int((time.monotonic() - began) * 1000), _waited_ms(raw))
        at_ms = int(seen.now.timestamp() * 1000)
        ids = {"correlation_id": seen.correlation_id}
        if seen.cloudfront_id:
            ids["cloudfront_id"] = seen.cloudfront_id
        telemetry.request_line(self.service, at_ms, path, seen.method, answer.status, took_ms, ids)
        return self.response(answer)

    def _asked(self, raw: Any, path: str, params: Mapping[str, str]) -> Seen:
        return self.seen(request_of(raw, path, params, self._clock(), through_cloudfront=bool(settings().front)))

    def translated(self, seen: Seen, error: Exception) -> Answer:
        if status_of(error) == 500 or is_outage(error):  # who is told to come back has met a failure of ours
            telemetry.unexpected(seen.path, seen.method, error, seen.correlation_id)
            telemetry.count(self.failures, int(seen.now.timestamp() * 1000), self.service)
        return self.failed(seen, error)

    def response(self, answer: Answer) -> Response:
        """Nothing is kept by caches unless the answer says so."""
        headers: dict[str, Any] = {"Cache-Control": "no-store", **self.headers(), **answer.headers}
        headers["Content-Type"] = answer.kind
        if answer.cookies:
            headers["Set-Cookie"] = list(answer.cookies)
        return Response(answer.body, headers=headers, status_code=answer.status)


def _waited_ms(raw: Any) -> int:
    """Since API Gateway took the request: the start of a function, too, is time that somebody waited."""
    asked_ms = (raw.context or {}).get("requestTimeEpoch")
    return int(time.time() * 1000) - asked_ms if isinstance(asked_ms, int) else 0


class EdgeRoutes(Generic[Rule, Seen]):
    """Registers views of one edge on a blueprint. A route that names no rule, or one that allows nobody, fails at
    import."""

    def __init__(self, name: str, edge: Edge[Rule, Seen]) -> None:
        self.blueprint, self.edge = Blueprint(name), edge
        self.paths: set[str] = set()

    def register(
        self, method: str, path: str, rule: Rule, content_types: Sequence[str] = ()
    ) -> Callable[[View[Seen]], View[Seen]]:
        self.edge.check_rule(path, rule)

        def decorate(view: View[Seen]) -> View[Seen]:
            def run(**params: str) -> Response:
                return self.edge.run(self.blueprint.current_request, path, params, rule, view)

            run.__name__ = f"{getattr(view, '__name__', 'view')}_{method.lower()}"
            extra = {"content_types": list(content_types)} if content_types else {}
            self.blueprint.route(path, methods=[method], name=run.__name__, **extra)(run)
            self.edge.declared[method, path] = rule
            self.paths.add(path)
            return view

        return decorate
