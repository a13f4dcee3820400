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
from saldo.access.records_people import people_of
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
    rows = activity_rows(
        [audit_record(item) for item in got.items], _names(visit), visit.home, visit.account.time_zone, visit.words
    )
    links = file_links(visit.words, f"{visit.home}/activity")
    return page(visit, "activity", rows=rows, files=links, older=got.cursor, newer=cursor, tab="activity")


@files(routes, "/accounts/{account_id}/activity", roles(ADMINS))
def export(visit: Visit) -> Answer:
    """All of it; that it was exported is put on record first."""
    note_read(visit, "activity.exported", visit.account.account_id)
    table = activity_file(_all(visit), _names(visit), visit.words)
    return table_file(visit, table, f"{visit.words('file.activity')}-{visit.today}")


def _all(visit: Visit) -> Sequence[AuditRecord]:
    found: list[AuditRecord] = []
    for item in visit.records.query_all(visit.account.account_id, prefix=PREFIX, newest_first=True):
        if len(found) == MOST:
            raise Refusal("too_large_export", "there are more records than one file holds")
        found.append(audit_record(item))
    return found


def _names(visit: Visit) -> dict[str, str]:
    """Names of colleagues by user id."""
    found = people_of(visit.records, services.sealer(), visit.account.account_id, visit.now)
    return {member.user_id: member.name for member in found.members}
