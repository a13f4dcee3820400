"""Use cases of a seller's own tax rates: put them on record, look at them and at how they came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from saldo.accounts.model import LegalEntity
from saldo.accounts.records import entity_from
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.kernel.money import is_currency
from saldo.kernel.reading import Fields, read
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from saldo.tax import records
from saldo.tax.model import OwnRatesVersion, TaxRate
from saldo.tax.reading import rates_from
from saldo.tax.rules_own import check_over, not_charged
from saldo.tax.table import shipped_table

# What goes into one record of the table, with some room.
_MOST_BYTES = 300_000


_Row = dict[str, Any]  # a rate as it is written: parsed JSON


@dataclass(frozen=True, slots=True)
class Put:
    """What putting rates on record comes to. `new`, `gone`: rates that were not on record before, and that are no more,
    as they are written. `not_charged`: jurisdictions where the seller is not registered, so that nothing is charged
    there until it is."""

    version: int
    changed: bool
    new: list[_Row]
    gone: list[_Row]
    not_charged: tuple[str, ...]


class SellerTaxes:
    """Own rates of one region's sellers. What has been issued keeps the taxes it was issued with."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def put(self, entity_id: str, document: Any, actor: Actor, reason: str, *, dry_run: bool = False) -> Put:
        """Have these rates hold over the carried ones from now on, in the place of those before: all that the seller
        says of taxes, {"rates": as in a quote's `taxes`, "currency"?: of their amounts, else the seller's}. None at all
        leaves the carried ones alone. The same again changes nothing.

        Refusal `invalid_input` names every field at fault, `reason_required`, `changed_meanwhile`; NotFound.
        """
        entity = self._entity(entity_id)
        now = self._store.get(*records.own_rates_key(entity_id))
        currency, rates = read(document, lambda fields: _own(fields, entity), "the tax rates cannot be read")
        # Where the seller sits may change one day; what these rates are of does not.
        written = records.written_rates(
            [{**row, "country": row.get("country") or entity.country} for row in document["rates"]]
        )
        _check_size(written)
        was, rows = (records.rates_as_written(text) for text in (now["rates"] if now else "[]", written))
        before, unregistered = _told(now)[0], not_charged(rates, entity, shipped_table())
        if (currency, written) == ((now["currency"], now["rates"]) if now else (currency, "[]")):
            return Put(before, False, [], [], unregistered)
        new, gone = [row for row in rows if row not in was], [row for row in was if row not in rows]
        if dry_run:
            return Put(before, True, new, gone, unregistered)
        if not reason.strip():
            raise Refusal("reason_required", "say why the taxes are others now")
        version = OwnRatesVersion(before + 1, currency, len(rows), self._clock(), actor.id, reason.strip())
        self._keep(entity_id, version, written, actor, now)
        return Put(version.version, True, new, gone, unregistered)

    def _keep(self, entity_id: str, version: OwnRatesVersion, written: str, actor: Actor, before: Item | None) -> None:
        current, kept = records.own_rates_items(entity_id, version, written)
        records.own_rates_from(current)  # what a run could not read is never kept
        unit = Unit(f"taxes {entity_id} {version.version}").insert(kept).put(current)  # each version comes once
        was, new = ({"version": v, "rates": n} for v, n in (_told(before), (version.version, version.number_of_rates)))
        at, reason = version.since, version.reason
        unit.put(audit_item(AuditRecord(entity_id, at, actor, "own_taxes.changed", current["sk"], was, new, reason)))
        if self._store.write_one(unit):
            raise Refusal("changed_meanwhile", "the tax rates were changed by someone else; look at them and try again")

    def current(self, entity_id: str) -> tuple[OwnRatesVersion, list[_Row]] | None:
        """The version that holds and its rates as they were written; None where the carried table holds alone."""
        return _shown(self._store.get(*records.own_rates_key(entity_id)))

    def version(self, entity_id: str, version: int) -> tuple[OwnRatesVersion, list[_Row]]:
        """One that held at some time, as an invoice names it (`own 3`). NotFound."""
        found = _shown(self._store.get(*records.version_key(entity_id, version)))
        if found is None:
            raise NotFound(f"there is no version {version} of these tax rates")
        return found

    def versions(self, entity_id: str) -> list[OwnRatesVersion]:
        """All there were, the newest first: who put them on record when, and why."""
        items = self._store.query_all(entity_id, prefix=records.VERSIONS, newest_first=True, fields=records.TOLD)
        return [records.version_from(item) for item in items]

    def _entity(self, entity_id: str) -> LegalEntity:
        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        return entity_from(item)


def _own(fields: Fields, entity: LegalEntity) -> tuple[str, Sequence[TaxRate]]:
    currency = fields.text("currency", entity.currency)
    if not is_currency(currency):
        fields.problems.add("currency", "invalid_currency", "must be an ISO 4217 code such as EUR")
        currency = entity.currency
    if not fields.has("rates"):
        fields.problems.add("rates", "missing", "is required; an empty list leaves the carried rates alone")
    rates = rates_from(fields, entity.country, currency)
    check_over(shipped_table(), rates, fields)
    for name in ("rounding", "mode"):
        if fields.has(name):
            fields.problems.add(name, "chosen_elsewhere", f"is a choice of the seller: saldo choices set --tax-{name}")
    fields.finish()
    return currency, rates


def _check_size(written: str) -> None:
    size = len(written.encode())
    if size > _MOST_BYTES:
        raise Refusal("too_many_rates", f"the rates take {size:,} bytes, and at most {_MOST_BYTES:,} go on record")


def _told(item: Item | None) -> tuple[int, int]:
    return (int(item["version"]), int(item["number_of_rates"])) if item else (0, 0)


def _shown(item: Item | None) -> tuple[OwnRatesVersion, list[_Row]] | None:
    return (records.version_from(item), records.rates_as_written(item["rates"])) if item else None
