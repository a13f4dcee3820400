"""Who looked at which document: put on record with the account, in one call."""

from __future__ import annotations

from functions.http import telemetry
from functions.portal.visit import Visit
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item


def note_read(visit: Visit, action: str, subject_id: str) -> None:
    """`action` is what was done: invoice.viewed, invoice.downloaded, register.exported, …; what leaves is counted."""
    record = AuditRecord(visit.account.account_id, visit.now, visit.actor, action, subject_id)
    visit.records.put_many([audit_item(record)])
    if action.endswith(("downloaded", "exported")):
        telemetry.count("DocumentsTaken", int(visit.now.timestamp() * 1000), "portal")
