"""The audit trail of the legal entity, or of one of its accounts: searched by day, person and action; exported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from functions.portal.answers import Answer
from functions.portal.presenters.spreadsheets import Cell, Spreadsheet
from functions.portal.table_files import files, table_file
from functions.staff import rules, services
from functions.staff.endpoint import Routes, staff
from functions.staff.pages import page
from functions.staff.reading import leaving, note_read
from functions.staff.tables import Sheet
from functions.staff.timeline import changes_of, table_of
from functions.staff.visit import StaffVisit
from saldo.audit.model import AuditRecord
from saldo.audit.records import PREFIX, audit_record
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.periods import local_date
from saldo.storage.classified import EXPORTS
from saldo.storage.store import Store

routes = Routes("audit")
_SHOWN, _EXPORTED, _USUAL = 200, 50_000, timedelta(days=7)


@routes.get("/staff/{entity_id}/audit", staff(rules.SEE_AUDIT))
def audit(visit: StaffVisit) -> Answer:
    t = visit.words
    found = []
    for record in _found(visit):
        found.append(record)
        if len(found) == _SHOWN:
            break
    sought = {name: visit.asked(name) for name in ("account", "who", "what")}
    sought |= {"from": _day(visit, "from").isoformat(), "to": _day(visit, "to").isoformat()}
    view = Sheet(t("staff.nav.audit"), t.count("staff.audit.found", len(found)), tables=(table_of(visit, found),))
    return page(visit, "staff_audit", tab="audit", view=view, sought=sought)


@files(routes, "/staff/{entity_id}/audit", staff(rules.EXPORT_AUDIT))
def export(visit: StaffVisit) -> Answer:
    """All of it, for auditors; that it was exported is put on record first."""
    note_read(visit, visit.at.entity_id, "audit.exported", f"{_day(visit, 'from')} {_day(visit, 'to')}")
    table = Spreadsheet(visit.words("staff.nav.audit"), tuple(EXPORTS["audit"]), leaving(visit, _rows(visit)))
    return table_file(visit, table, f"audit-{_day(visit, 'from')}-{_day(visit, 'to')}")


def _rows(visit: StaffVisit) -> Iterator[tuple[Cell, ...]]:
    for count, r in enumerate(_found(visit)):
        if count == _EXPORTED:
            raise Refusal("too_large_export", "narrow the dates: there are more records than one file holds")
        who = (r.actor.id, r.actor.kind, r.actor.on_behalf_of, r.actor.address)
        yield (r.at, r.owner_id, r.action, r.subject_id, *who, changes_of(r), r.reason)


def _found(visit: StaffVisit) -> Iterator[AuditRecord]:
    """Newest first: a range of one owner's trail by key, then by person and action among those."""
    owner, who, what = visit.asked("account") or visit.at.entity_id, visit.asked("who"), visit.asked("what")
    first, last = _day(visit, "from"), _day(visit, "to") + timedelta(days=1)
    if last - first > timedelta(days=367):
        raise Refusal("invalid_range", "at most a year at a time")
    bounds = {"first": f"{PREFIX}{first.isoformat()}", "last": f"{PREFIX}{last.isoformat()}"}
    for item in _trail(visit, owner).query_all(owner, newest_first=True, **bounds):
        record = audit_record(item)
        if (not who or record.actor.id == who) and record.action.startswith(what):
            yield record


def _trail(visit: StaffVisit, owner: str) -> Store:
    """A store that reaches the owner, when it is the entity or one of its accounts."""
    if owner == visit.at.entity_id:
        return visit.records
    if visit.records.get(visit.at.entity_id, f"customer#{owner}") is None:
        raise NotFound
    return services.store().within(owner)


def _day(visit: StaffVisit, name: str) -> date:
    today = local_date(visit.now, visit.at.time_zone)
    try:
        return date.fromisoformat(visit.asked(name))
    except ValueError:
        return today if name == "to" else today - _USUAL
