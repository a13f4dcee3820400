"""Which of a customer's documents and fields staff looked at: put on record with the account."""

from __future__ import annotations

from functions.staff.visit import StaffVisit
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item


def note_read(visit: StaffVisit, owner_id: str, action: str, subject_id: str) -> None:
    record = AuditRecord(owner_id, visit.now, visit.actor, action, subject_id)
    visit.records.put_many([audit_item(record)])
