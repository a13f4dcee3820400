"""What happened to an owner, from its audit records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from functions.staff import services
from functions.staff.tables import Row, Table, columns
from functions.staff.visit import StaffVisit
from saldo.audit.model import AuditRecord
from saldo.audit.records import PREFIX, audit_record

PAGE = 50


def events_table(visit: StaffVisit, owner_id: str) -> Table:
    """The latest, newest first; one query."""
    cursor = visit.asked("cursor") or None
    got = visit.records.query(owner_id, prefix=PREFIX, limit=PAGE, newest_first=True, cursor=cursor)
    found = [audit_record(item) for item in got.items]
    more = f"?show=timeline&cursor={got.cursor}" if got.cursor else ""
    return table_of(visit, found, more, in_words=True)


def table_of(visit: StaffVisit, found: Sequence[AuditRecord], more: str = "", in_words: bool = False) -> Table:
    """in_words: in the customer's own, for who talks to them; else by the names that the trail can be searched by."""
    t, names = visit.words, services.names({r.actor.id for r in found})
    said = {r.action: t.known(f"activity.of.{r.action}", "activity.of.other") if in_words else r.action for r in found}
    rows = [
        Row(
            (
                t.moment(r.at, visit.at.time_zone),
                said[r.action],
                r.subject_id,
                names[r.actor.id],
                changes_of(r),
                r.reason,
            ),
            note=f"({r.actor.on_behalf_of})" if r.actor.on_behalf_of else "",
        )
        for r in found
    ]
    heads = columns(*(t(f"staff.audit.{name}") for name in ("when", "what", "subject", "who", "changes", "reason")))
    return Table("events", t("staff.show.timeline"), heads, rows, t("staff.no_events"), more=more)


def changes_of(record: AuditRecord) -> str:
    """`status: active → suspended`: what changed, in fields' own names."""
    names = [*record.before, *(name for name in record.after if name not in record.before)]
    return "; ".join(_change(name, record) for name in names)


def _change(name: str, record: AuditRecord) -> str:
    after = _text(record.after.get(name))
    return f"{name}: {_text(record.before[name])} → {after}" if name in record.before else f"{name}: {after}"


def _text(value: object) -> str:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    return ", ".join(map(str, value))
