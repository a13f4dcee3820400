"""What happened to an account, for its admins: who did what, when, from where."""

from __future__ import annotations

from collections.abc import Sequence

from functions.portal import services
from functions.portal.answers import Answer
from functions.portal.endpoint import Routes, roles
from functions.portal.pages import page
from functions.portal.presenters.activity import activity_file, activity_rows
from functions.portal.records_of_reading import note_read
from functions.portal.table_files import file_links, files, table_file
from functions.portal.visit import Visit
from saldo.access.rules_people import ADMINS
from saldo.audit.model import AuditRecord
from saldo.audit.records import PREFIX, audit_record
from saldo.kernel.errors import Refusal

routes = Routes("activity")
PAGE, MOST = 50, 50_000


@routes.get("/accounts/{account_id}/activity", roles(ADMINS))
def activity(visit: Visit) -> Answer:
    cursor = visit.asked("cursor")[:600] or None
    account_id = visit.account.account_id
    got = visit.records.query(account_id, prefix=PREFIX, limit=PAGE, newest_first=True, cursor=cursor)
    found = [audit_record(item) for item in got.items]
    rows = activity_rows(found, _names(visit, found), visit.home, visit.account.time_zone, visit.words)
    links = file_links(visit.words, f"{visit.home}/activity")
    return page(visit, "activity", rows=rows, files=links, older=got.cursor, newer=cursor, tab="activity")


@files(routes, "/accounts/{account_id}/activity", roles(ADMINS))
def export(visit: Visit) -> Answer:
    """All of it; that it was exported is put on record first."""
    note_read(visit, "activity.exported", visit.account.account_id)
    found = _all(visit)
    table = activity_file(found, _names(visit, found), visit.words)
    return table_file(visit, table, f"{visit.words('file.activity')}-{visit.today}")


def _all(visit: Visit) -> Sequence[AuditRecord]:
    found: list[AuditRecord] = []
    for item in visit.records.query_all(visit.account.account_id, prefix=PREFIX, newest_first=True):
        if len(found) == MOST:
            raise Refusal("too_large_export", "there are more records than one file holds")
        found.append(audit_record(item))
    return found


def _names(visit: Visit, found: Sequence[AuditRecord]) -> dict[str, str]:
    """Names of the colleagues who did these, by user id."""
    acted = {record.actor.id for record in found if record.actor.kind == "user"}
    return services.names_in(visit.records, visit.account.account_id, acted)
