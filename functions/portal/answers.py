"""What a view answers, before it becomes an HTTP response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

HTML = "text/html; charset=utf-8"
CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Body, status, media type. `cookies` are whole Set-Cookie values."""

    body: str | bytes = ""
    status: int = 200
    kind: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


def see_other(location: str, *cookies: str) -> Answer:
    """After a form: go and look there."""
    return Answer("", 303, headers={"Location": location}, cookies=cookies)


def download(body: str | bytes, kind: str, name: str) -> Answer:
    """A file for the reader's disk. `name`: letters, digits, dots, hyphens; anything else becomes a hyphen."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in name)
    return Answer(body, kind=kind, headers={"Content-Disposition": f'attachment; filename="{safe}"'})


def problem(status: int, code: str, title: str, correlation_id: str) -> Answer:
    """RFC 9457, for clients that ask for JSON."""
    body = {"type": "about:blank", "status": status, "code": code, "title": title, "instance": correlation_id}
    return Answer(json.dumps(body), status, PROBLEM)
