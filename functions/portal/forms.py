"""Forms of our own pages: read, and proven to be ours (origin and form key)."""

from __future__ import annotations

from urllib.parse import parse_qs

from functions.http.requests import Fields, Request
from saldo.access.rules import form_key_fits
from saldo.kernel.errors import Refusal

_MOST_BODY, _MOST_FIELDS = 400_000, 4000


def checked_form(request: Request, key: str, own_origin: str) -> Fields:
    """The fields of a form that was sent from our own page, with the form key of this session. Refusal `form_not_ours`,
    `invalid_form`."""
    sent_from, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if (sent_from is not None and sent_from != own_origin) or site not in ("same-origin", "none"):
        raise Refusal("form_not_ours", "the form was sent from another site")
    form = _fields(request.raw_body)
    if not form_key_fits(key, form.get("form_key", [""])[-1]):
        raise Refusal("form_not_ours", "the form is not from this session")
    return form


def _fields(body: bytes) -> Fields:
    if len(body) > _MOST_BODY:
        raise Refusal("invalid_form", "the form is too large")
    try:
        text = body.decode("utf-8")
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Refusal("invalid_form", "the form cannot be read") from error


def whole(text: str) -> int:
    """A hidden field that counts something (messages that were seen, a revision); 0 for what is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
