"""Answers of the portal: pages, files, and where to look next."""

from __future__ import annotations

from functions.http.answers import HTML as HTML
from functions.http.answers import Answer as Answer
from functions.http.answers import problem as problem

CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JWT = "application/jwt"  # RFC 7519
# What leaves as bytes; media types without parameters, as Chalice compares them.
FILES = ("text/csv", PDF, XLSX, JWT)


def see_other(location: str, *cookies: str) -> Answer:
    """After a form: go and look there."""
    return Answer("", 303, headers={"Location": location}, cookies=cookies)


def download(body: str | bytes, kind: str, name: str) -> Answer:
    """A file for the reader's disk. `name`: letters, digits, dots, hyphens; anything else becomes a hyphen."""
    body = body.encode() if isinstance(body, str) else body
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in name)
    return Answer(body, kind=kind, headers={"Content-Disposition": f'attachment; filename="{safe}"'})
