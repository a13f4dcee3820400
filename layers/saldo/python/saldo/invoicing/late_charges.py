"""Use case: interest and fixed sums for late payment become waiting items, each once, for the next run to bill.

`<entity>`-wide and safe to repeat: a charge has a permanent id (`interest-<invoice>-<month>`, `latefee-<invoice>`,
`latefee-<invoice>-<day>`), so asking twice, or after a crash, adds nothing twice. Reference rates put on record lie
under `rates_reference` / `rate#<name>#<from>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice

from saldo.accounts.model import Account, LatePolicy, LegalEntity
from saldo.accounts.records import account_from, account_keys, entity_from
from saldo.audit.model import Actor, AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.records import header_key, open_agenda
from saldo.invoicing.rules_late_law import REFERENCE_RATES, ReferenceRate
from saldo.invoicing.rules_late_payment import INTEREST, LateCase, LateCharge, charges_on, debts_of
from saldo.invoicing.run.open import as_of_date
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal
from saldo.ledger.service import entries
from saldo.orders.model import Item, WaitingItem
from saldo.orders.records import add_item, item_key
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit

_REFERENCE = "rates_reference"
_INTEREST_NAMES = {
    "en": "Interest for late payment of invoice {number}, {day:%m/%Y}",
    "de": "Verzugszinsen zu Rechnung {number}, {day:%m/%Y}",
    "fr": "Intérêts de retard sur la facture {number}, {day:%m/%Y}",
    "es": "Intereses de demora de la factura {number}, {day:%m/%Y}",
}
_FEE_NAMES = {
    "en": "Compensation for late payment of invoice {number}",
    "de": "Verzugspauschale zu Rechnung {number}",
    "fr": "Indemnité forfaitaire de recouvrement, facture {number}",
    "es": "Compensación por costes de cobro de la factura {number}",
}
_AGREED_NAMES = {
    "en": "Late fee on invoice {number}, day {days} after the due date ({day:%Y-%m-%d})",
    "de": "Mahngebühr zu Rechnung {number}, Tag {days} nach Fälligkeit ({day:%d.%m.%Y})",
    "fr": "Frais de retard sur la facture {number}, jour {days} après l’échéance ({day:%d/%m/%Y})",
    "es": "Recargo por demora de la factura {number}, día {days} tras el vencimiento ({day:%d/%m/%Y})",
}


@dataclass(slots=True)
class LateReport:
    """Charges that were added now, and invoices that none could be told for: (account, invoice, code)."""

    added: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str, str]] = field(default_factory=list)


class LateCharges:
    """Charges for late payment of one region's sellers. charged: whether an account is, besides its own terms."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        charged: Callable[[Account], bool] = lambda _account: True,
    ) -> None:
        self._store, self._clock, self._charged = store, clock, charged

    def due(self, entity_id: str, _on: date) -> Iterator[Key]:
        """Whom a day is about: all of the seller's accounts."""
        return account_keys(self._store, entity_id)

    def assess(self, entity_id: str, as_of: str = "", keys: Iterable[Key] | None = None) -> LateReport:
        """Add what is to be charged to the seller's customers by a day: a date, the scheduled instant, "" for today.

        keys: a part of what is `due`; None for all.
        """
        item = self._store.get(entity_id, "entity")
        if item is None:
            raise NotFound(f"no such legal entity: {entity_id}")
        entity = entity_from(item)
        day = as_of_date(as_of, entity.time_zone, self._clock())
        rates, report = self.reference_rates(), LateReport()
        for account in self._charged_accounts(self.due(entity_id, day) if keys is None else keys):
            case = LateCase(account.terms.late, entity.country, account.tax_status, rates)
            self._assess_account(entity, account, case, day, report)
        return report

    def add_reference_rate(self, rate: ReferenceRate, actor: Actor) -> None:
        """Put a central bank's rate on record. Refusal `rate_known` for another value of a half-year on record."""
        if not rate.from_on < rate.until_on:
            raise Refusal("invalid_rate", "a rate holds for at least a day")
        key = _REFERENCE, f"rate#{rate.name}#{rate.from_on.isoformat()}"
        until_on, percent = rate.until_on.isoformat(), str(rate.percent)
        fields = {"kind": "reference_rate", "name": rate.name, "from_on": rate.from_on.isoformat()}
        unit = Unit(f"rate {key[1]}").insert(
            {"pk": key[0], "sk": key[1], **fields, "until_on": until_on, "percent": percent}
        )
        record = AuditRecord(
            _REFERENCE, self._clock(), actor, "reference_rate.added", key[1], after={"percent": percent}
        )
        if self._store.write_one(unit.put(audit_item(record))):
            known = self._store.get(*key) or {}
            if (known.get("percent"), known.get("until_on")) != (percent, until_on):
                raise Refusal("rate_known", f"{rate.name} of {rate.from_on} is on record as {known.get('percent')}")

    def reference_rates(self) -> tuple[ReferenceRate, ...]:
        """Those that came with Saldo and those on record; of two that hold, the one that begins later goes."""
        stored = self._store.query_all(_REFERENCE, prefix="rate#")
        return REFERENCE_RATES + tuple(
            ReferenceRate(
                i["name"], date.fromisoformat(i["from_on"]), date.fromisoformat(i["until_on"]), Decimal(i["percent"])
            )
            for i in stored
        )

    def _charged_accounts(self, keys: Iterable[Key]) -> Iterator[Account]:
        coming = iter(keys)
        while chunk := list(islice(coming, 100)):
            found = self._store.get_many(chunk)
            accounts = sorted(map(account_from, found.values()), key=lambda a: a.id)
            yield from (a for a in accounts if a.terms.late.policy is not LatePolicy.NONE and self._charged(a))

    def _assess_account(
        self, entity: LegalEntity, account: Account, case: LateCase, on: date, report: LateReport
    ) -> None:
        debts = debts_of(entries(self._store, account.id))
        disputed = self._disputed(account.id) if debts else {}
        charges: list[LateCharge] = []
        for debt in debts:
            try:
                charges += charges_on(debt, case, on, disputed.get(debt.invoice_id, 0))
            except Refusal as refusal:
                report.left_out.append((account.id, debt.invoice_id, refusal.code))
        known = self._store.get_many([item_key(account.id, charge.id) for charge in charges])
        fresh = [charge for charge in charges if item_key(account.id, charge.id) not in known]
        keys = [header_key(account.id, charge.invoice_id) for charge in fresh]
        headers = self._store.get_many(keys, consistent=True)
        numbers = {key: item["number"] for key, item in headers.items()}
        # Under a promise to pay that is kept up nothing is charged; once it is broken, all that it put off is.
        promised = {item["invoice_id"] for item in headers.values() if item.get("promise_id")}
        fresh = [charge for charge in fresh if charge.invoice_id not in promised]
        for charge in fresh:
            number = numbers.get(header_key(account.id, charge.invoice_id), charge.invoice_id)
            if self._store.write_one(self._unit(entity, account, charge, number, on)) is None:
                report.added.append(charge.id)

    def _disputed(self, account_id: str) -> dict[str, int]:
        """What is in dispute of each invoice, in minor units: it bears no interest meanwhile."""
        items = self._store.query_all(open_agenda(account_id), agenda=True)
        return {item["invoice_id"]: item["disputed_minor"] for item in items if item.get("disputed_minor")}

    def _unit(self, entity: LegalEntity, account: Account, charge: LateCharge, number: str, on: date) -> Unit:
        texts = _INTEREST_NAMES if charge.kind == INTEREST else _AGREED_NAMES if charge.month else _FEE_NAMES
        said = {"number": number, "day": charge.month, "days": charge.days_late}
        names = {language: text.format(**said) for language, text in texts.items()}
        item = Item(charge.id, names, charge.money.as_decimal(), tax_category="outside", revenue_tag=charge.kind)
        origin = f"{'interest' if charge.kind == INTEREST else 'late fee'} {charge.invoice_id}"
        unit = add_item(Unit(charge.id), WaitingItem(account.id, entity.id, item, on, origin))
        after = {"minor": charge.money.minor, "currency": charge.money.currency}
        actor = job("late_charges", charge.id)
        return unit.put(
            audit_item(AuditRecord(account.id, self._clock(), actor, "late_charge.added", charge.id, after=after))
        )
