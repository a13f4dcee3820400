"""Use case of number settings: a seller says how its documents are numbered."""

from __future__ import annotations

from saldo.accounts.records import entity_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.records_numbers import numbering_item, numbering_key, read_seller
from saldo.invoicing.rules_numbers import Numbering, Seller, check_numbering
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound
from saldo.kernel.periods import local_date
from saldo.storage.store import Store
from saldo.storage.units import Unit


def change_numbering(store: Store, clock: Clock, entity_id: str, numbering: Numbering, actor: Actor) -> None:
    """Number from now on by these rules. Numbers that are taken keep how they are written.

    Refusal `invalid_numbering` naming every type whose numbers could not be told apart or written.
    """
    item = store.get(entity_id, "entity")
    if item is None:
        raise NotFound(f"no such legal entity: {entity_id}")
    entity = entity_from(item)
    seller = Seller(entity.country, entity.number_prefix, numbering)
    check_numbering(seller, local_date(clock(), entity.time_zone))
    before, new = read_seller(store, entity_id).numbering, numbering_item(entity_id, numbering)
    unit = Unit(f"numbering {entity_id}").put(new)
    was = {kind.value: rule.pattern for kind, rule in before.rules.items()}
    after = {kind.value: rule.pattern for kind, rule in numbering.rules.items()}
    unit.put(
        audit_item(AuditRecord(entity_id, clock(), actor, "numbering.changed", numbering_key(entity_id)[1], was, after))
    )
    store.write_one(unit)
