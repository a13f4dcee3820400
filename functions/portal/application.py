"""The Chalice application whose every answer, its own errors included, carries the security headers."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from functions.portal.endpoint import security_headers, undeclared


class Portal(Chalice):
    """Chalice answers some requests before any view runs (unknown path, media type, method): headers go on here."""

    def __call__(self, event: Any, context: Any) -> Any:
        answer = super().__call__(event, context)
        if isinstance(answer, dict) and "statusCode" in answer:
            headers = answer.setdefault("headers", {})
            present = {name.lower() for name in headers}
            for name, value in {"Cache-Control": "no-store", **security_headers()}.items():
                if name.lower() not in present:
                    headers[name] = value
        return answer


def checked(app: Portal) -> Portal:
    """The application, if every route went through the endpoint; TypeError names those that did not."""
    stray = undeclared(app.routes)
    if stray:
        raise TypeError(f"routes without a rule: {', '.join(stray)}")
    return app
