"""What a view answers, before it becomes an HTTP response."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from saldo.kernel.errors import Problem

HTML = "text/html; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Body, status, media type. `cookies` are whole Set-Cookie values."""

    body: str | bytes = ""
    status: int = 200
    kind: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


def problem(
    status: int, code: str, title: str, correlation_id: str, detail: str = "", problems: Sequence[Problem] = ()
) -> Answer:
    """RFC 9457. `code` is stable and for programs, `detail` for people, `problems` names every field at fault."""
    body: dict[str, object] = {"type": "about:blank", "status": status, "code": code, "title": title}
    body |= {"detail": detail} if detail else {}
    body |= {"problems": [p.as_dict() for p in problems]} if problems else {}
    return Answer(json.dumps({**body, "instance": correlation_id}), status, PROBLEM)
