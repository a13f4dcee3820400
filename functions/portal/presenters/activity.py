"""Audit records of an account in a bookkeeper's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.portal.presenters.spreadsheets import Spreadsheet
from functions.portal.words import Words
from saldo.audit.model import AuditRecord

_PAGES = {"inv": "invoices", "pay": "payments", "sub": "subscriptions", "ord": "orders", "appr": "approvals"}


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """`href`: the page of what it is about, "" where there is none."""

    when: str
    what: str
    reason: str
    about: str
    href: str
    who: str
    network: str


def activity_rows(
    found: Sequence[AuditRecord], names: Mapping[str, str], home: str, zone: str, words: Words
) -> tuple[ActivityRow, ...]:
    """names: of colleagues, by user id."""
    return tuple(
        ActivityRow(
            words.moment(r.at, zone),
            _what(r, words),
            r.reason,
            r.subject_id,
            _href(r, home),
            _who(r, names, words),
            r.actor.address,
        )
        for r in found
    )


def activity_file(found: Iterable[AuditRecord], names: Mapping[str, str], words: Words) -> Spreadsheet:
    heads = [words(f"activity.{name}") for name in ("when", "what", "about", "who", "network", "reason")]
    rows = ((r.at, _what(r, words), r.subject_id, _who(r, names, words), r.actor.address, r.reason) for r in found)
    return Spreadsheet(words("nav.activity"), heads, rows)


def _what(record: AuditRecord, words: Words) -> str:
    return words.known(f"activity.of.{record.action}", "activity.of.other")


def _who(record: AuditRecord, names: Mapping[str, str], words: Words) -> str:
    """Staff are not named to customers, and jobs have no name that says anything."""
    if record.actor.kind == "user":
        return names.get(record.actor.id) or words("activity.former")
    kinds = {"staff": "activity.staff", "api_key": "activity.key"}
    return words(kinds.get(record.actor.kind, "activity.job"))


def _href(record: AuditRecord, home: str) -> str:
    prefix = record.subject_id.partition("_")[0]
    whole = record.subject_id.isascii() and " " not in record.subject_id
    return f"{home}/{_PAGES[prefix]}/{record.subject_id}" if prefix in _PAGES and whole else ""
