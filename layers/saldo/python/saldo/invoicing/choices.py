"""Use case of a seller's choices in billing, where there is more than one right way."""

from __future__ import annotations

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.model import BillingOptions
from saldo.invoicing.rules_tolerance import tolerance_problems
from saldo.invoicing.seller_records import options_from, options_item, seller_billing_key
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.kernel.money import is_currency
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_KEYS = ("pk", "sk", "kind")


def choices_of(store: Store, entity_id: str) -> BillingOptions:
    """What a seller has chosen; Saldo's defaults for what it has not."""
    return options_from(store.get(*seller_billing_key(entity_id)))


def change_choices(store: Store, clock: Clock, entity_id: str, options: BillingOptions, actor: Actor) -> None:
    """Bill so from now on; documents that are frozen stay as they are. Refusal `not_a_coin`, `invalid_tolerance` naming
    every problem."""
    to = options.payable_rounding
    if to is not None and (to.to_minor < 1 or not is_currency(to.currency)):
        raise Refusal("not_a_coin", "what is to be paid is rounded to a whole number of a currency's units")
    problems = Problems()
    for currency, tolerance in options.tolerances:
        if not is_currency(currency):
            problems.add(f"tolerances.{currency}", "invalid_currency", "must be an ISO 4217 code such as EUR")
        problems.extend(tolerance_problems(tolerance), under=f"tolerances.{currency}")
    problems.refuse_if_any("such differences cannot be tolerated", "invalid_tolerance")
    if store.get(entity_id, "entity") is None:
        raise NotFound(f"no such legal entity: {entity_id}")
    before, new = options_item(entity_id, choices_of(store, entity_id)), options_item(entity_id, options)
    what = seller_billing_key(entity_id)[1]
    record = AuditRecord(entity_id, clock(), actor, "billing_choices.changed", what, _said(before), _said(new))
    store.write_one(Unit(f"billing choices {entity_id}").put(new).put(audit_item(record)))


def _said(item: Item) -> dict[str, object]:
    return {name: value for name, value in item.items() if name not in _KEYS}
