"""Audit records of an account in a bookkeeper's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.portal.presenters.spreadsheets import Spreadsheet
from functions.portal.words import Words
from saldo.audit.model import AuditRecord
from saldo.storage.classified import EXPORTS

# Which page is about what an id names, by its prefix; "" where none is, or not for ever.
_PAGES = {
    "inv": "invoices", "pay": "payments", "sub": "subscriptions", "ord": "orders", "appr": "approvals",
    "dsp": "disputes", "tkt": "help", "deb": "autopay", "prm": "plans",
    "meth": "", "sched": "", "trq": "", "upl": "", "bun": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """`about`: what kind of thing it is about, "" for the account itself. `href`: its page, "" where there is none."""

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
            words(f"activity.kind.{_kind(r)}") if _kind(r) else "",
            _href(r, home),
            _who(r, names, words),
            r.actor.address,
        )
        for r in found
    )


def activity_file(found: Iterable[AuditRecord], names: Mapping[str, str], words: Words) -> Spreadsheet:
    heads = [words(f"activity.{name}") for name in EXPORTS["activity"]]
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
    page = _PAGES.get(_kind(record))
    return f"{home}/{page}/{record.subject_id}" if page else ""


def _kind(record: AuditRecord) -> str:
    """The prefix of the id of what it is about, "" when it names none of what has a word."""
    prefix, whole = record.subject_id.partition("_")[0], record.subject_id.isascii() and " " not in record.subject_id
    return prefix if prefix in _PAGES and whole else ""
