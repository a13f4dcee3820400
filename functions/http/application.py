"""The Chalice application whose every answer, its own errors included, carries the security headers."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from functions.http.edge import Edge
from functions.http.greedy import named


class Application(Chalice):
    """Chalice answers some requests before any view runs (unknown path, media type, method): headers go on here."""

    def __init__(self, name: str, edge: Edge[Any, Any], *others: Edge[Any, Any]) -> None:
        """`edge` restates what Chalice says itself; `others` are further ways in, each with routes of its own."""
        super().__init__(app_name=name)
        self._edge, self._edges = edge, (edge, *others)

    def __call__(self, event: Any, context: Any) -> Any:
        known = named(event, self.routes) if isinstance(event, dict) else event
        answer = super().__call__(_taking_files(known), context)
        if isinstance(answer, dict) and "statusCode" in answer:
            answer = self._edge.restated(answer, event.get("requestContext", {}).get("requestId", ""))
            headers = answer.setdefault("headers", {})
            present = {name.lower() for name in headers}
            for name, value in {"Cache-Control": "no-store", **self._edge.headers()}.items():
                if name.lower() not in present:
                    headers[name] = value
        return answer

    def checked(self) -> Application:
        """This application, if every route went through its edge; TypeError names those that did not."""
        known = {f"{method} {path}" for edge in self._edges for method, path in edge.declared}
        served = {f"{method} {path}" for path, methods in self.routes.items() for method in methods}
        stray = sorted(served - known)
        if stray:
            raise TypeError(f"routes without a rule: {', '.join(stray)}")
        return self


def _taking_files(event: Any) -> Any:
    """Chalice answers 400 where a file is none of what a client accepts; a server may send it (RFC 9110, 12.5.1)."""
    if not isinstance(event, dict) or not isinstance(event.get("headers"), dict):
        return event
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "accept"}
    accepted = next((value for name, value in event["headers"].items() if name.lower() == "accept"), "")
    return {**event, "headers": {**headers, "accept": f"{accepted}, */*" if accepted else "*/*"}}
