"""Use case of a seller's own details: where customers pay to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from saldo.accounts.bank_statements import BankStatements
from saldo.accounts.model import LegalEntity
from saldo.accounts.records import bank_fields, entity_from, facts_item
from saldo.accounts.rules_bank import SIGNED, ending
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Problems, Refusal
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

_MOST = 60


@dataclass(frozen=True, slots=True)
class BankDetails:
    """An account of the seller's. `iban`: an IBAN, or the account as its country writes it."""

    bank_name: str
    iban: str
    bic: str


def checked_bank(given: BankDetails) -> BankDetails:
    """Trimmed and checked: an IBAN by its check digits (ISO 13616). Refusal `invalid_bank` names every field."""
    bank = BankDetails(*(" ".join(text.split()) for text in (given.bank_name, given.iban, given.bic)))
    problems = Problems()
    for field in ("bank_name", "iban", "bic"):
        if not 0 < len(getattr(bank, field)) <= _MOST:
            problems.add(field, "required", f"1 to {_MOST} characters")
    if bank.iban[:2].isalpha():
        from stdnum import iban
        from stdnum.exceptions import ValidationError

        try:
            bank = replace(bank, iban=iban.validate(bank.iban, check_country=False))
        except ValidationError:
            problems.add("iban", "invalid_iban", "the check digits do not fit")
    problems.refuse_if_any("these cannot be bank details", "invalid_bank")
    return bank


class SellerDetails:
    """Details of one region's sellers. What has been issued keeps those it was issued with."""

    def __init__(self, store: Store, clock: Clock, statements: BankStatements) -> None:
        self._store, self._clock, self._statements = store, clock, statements

    def change_bank(
        self, entity_id: str, bank: BankDetails, actor: Actor, reason: str, consent: Callable[[Unit], None]
    ) -> LegalEntity:
        """Let customers pay there from now on; the same again changes nothing. `consent` adds the second person's
        agreement to the unit, or refuses: nothing is signed before. Refusal `invalid_bank`, `changed_meanwhile`."""
        bank = checked_bank(bank)
        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound("no such legal entity")
        before = entity_from(item)
        after = replace(before, bank_name=bank.bank_name, iban=bank.iban, bic=bank.bic)
        if after == before:
            return before
        unit = Unit(f"bank of {entity_id}")
        consent(unit)
        after = self._statements.signed(after, before)
        unit.update((entity_id, "entity"), set=bank_fields(after), when=_as_read(item))
        unit.put(facts_item(after))
        was, now = ({"account": f"…{ending(one.iban)}"} for one in (before, after))
        record = AuditRecord(entity_id, self._clock(), actor, "entity.bank_changed", entity_id, was, now, reason)
        if self._store.write_one(unit.put(audit_item(record))):
            raise Refusal("changed_meanwhile", "the details were changed by someone else; look at them and try again")
        return after


def _as_read(item: Item) -> dict[str, Any]:
    """What a change of the account starts from; the number of the statement counts on from there."""
    return {name: item.get(name) for name in (*SIGNED, "bank_statement")}
