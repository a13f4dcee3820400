"""What lists of the seller read besides their rows, and what staff looked at of a customer: put on record with the
account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from functions.http import telemetry
from functions.staff import services
from functions.staff.visit import StaffVisit
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.storage.items import Key

Row = TypeVar("Row")


def note_read(visit: StaffVisit, owner_id: str, action: str, subject_id: str) -> None:
    """`action` as the portal has them; a document that leaves, or would, is counted."""
    if action.endswith("downloaded"):
        _count(visit, "DocumentsTakenByStaff", 1)
    record = AuditRecord(owner_id, visit.now, visit.actor, action, subject_id)
    visit.records.put_many([audit_item(record)])


def leaving(visit: StaffVisit, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of a file for staff, each of them counted."""
    sent = 0
    try:
        for row in rows:
            sent += 1
            yield row
    finally:
        _count(visit, "RowsExportedByStaff", sent)


def _count(visit: StaffVisit, name: str, how_many: int) -> None:
    telemetry.count(name, int(visit.now.timestamp() * 1000), "portal", how_many)


def customers_named(visit: StaffVisit, account_ids: Iterable[str]) -> dict[str, str]:
    """Names of those that are customers of this seller, by account id; one call for all."""
    entity_id = visit.at.entity_id
    keys: list[Key] = [(entity_id, f"customer#{i}") for i in sorted(set(account_ids))]
    return {item["account_id"]: item["name"] for item in visit.records.get_many(keys).values()}


def names_of(visit: StaffVisit, account_ids: Iterable[str]) -> dict[str, str]:
    """For lists: every id is named, one that is no customer's by itself. Names are kept for some minutes."""
    entity_id, ids = visit.at.entity_id, set(account_ids) - {""}

    def read(unknown: list[Key]) -> dict[Key, str]:
        named = customers_named(visit, (account_id for _, account_id in unknown))
        return {(entity_id, account_id): name for account_id, name in named.items()}

    known = services.kept_customers().of({(entity_id, account_id) for account_id in ids}, read)
    return {account_id: known.get((entity_id, account_id), account_id) for account_id in ids} | {"": ""}
