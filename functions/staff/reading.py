"""What lists of the seller read besides their rows, and what staff looked at of a customer: put on record with the
account."""

from __future__ import annotations

from collections.abc import Iterable

from functions.staff import services
from functions.staff.visit import StaffVisit
from saldo.audit.model import AuditRecord
from saldo.audit.records import audit_item
from saldo.storage.items import Key


def note_read(visit: StaffVisit, owner_id: str, action: str, subject_id: str) -> None:
    record = AuditRecord(owner_id, visit.now, visit.actor, action, subject_id)
    visit.records.put_many([audit_item(record)])


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
