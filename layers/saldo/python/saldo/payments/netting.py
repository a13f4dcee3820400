"""Use cases of credit: see what there is, and set it off against invoices, alone or in the unit that starts a payment.

`<account>` / `guard#netting#<fingerprint of the request key>`: what a form set off, and what it left to pay, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.invoicing.habits import habit_moved
from saldo.invoicing.model import Wallet
from saldo.invoicing.records import InvoiceHeader
from saldo.invoicing.records_moves import settle_update
from saldo.invoicing.wallet_records import version_of, wallet_from, wallet_key, write_wallet
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Unavailable
from saldo.kernel.ids import fingerprint
from saldo.kernel.periods import local_date
from saldo.ledger.model import LedgerAccount
from saldo.ledger.records import BALANCE, balance_field, post
from saldo.payments import records, rules_netting
from saldo.payments.model import Allocation, Payable
from saldo.payments.parties import parties_of
from saldo.payments.reading import headers_of, payable
from saldo.payments.rules import validated
from saldo.payments.rules_netting import Credit, Netted
from saldo.storage.items import Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


@dataclass(frozen=True, slots=True)
class _Read:
    """An account's credit as it was read; what is written holds only while it still is so."""

    credit: Credit
    cash: int | None
    wallet: Wallet
    wallet_version: int | None


@dataclass(frozen=True, slots=True)
class Setting:
    """What is to be set off for one form, and how the unit does it."""

    account_id: str
    request_key: str
    currency: str
    entity_id: str
    on: date
    found: Netted
    payables: Mapping[str, Payable]
    headers: Mapping[str, InvoiceHeader]
    read: _Read


@dataclass(frozen=True, slots=True)
class Netting:
    """Of one region. `store` is the region's, not narrowed to a customer."""

    store: Store
    clock: Clock

    def credit(self, account_id: str, currency: str, account_currency: str) -> Credit:
        """What an account has to its credit in a currency: one call, two where money lies unapplied."""
        return self._read(account_id, currency, account_currency).credit

    def known(self, account_id: str, request_key: str) -> tuple[Allocation, ...] | None:
        """What a form that was sent before left to pay; None when it set nothing off."""
        guard = self.store.get(*_guard_key(account_id, request_key))
        return records.allocations_from(guard["rest"]) if guard else None

    def prepare(self, account_id: str, chosen: Sequence[Allocation], reason: str, request_key: str) -> Setting:
        """What credit pays of the chosen invoices now; writes nothing. Refusal `invalid_allocations`; NotFound."""
        account, seller = parties_of(self.store, account_id)
        on = local_date(self.clock(), seller.time_zone)
        headers = headers_of(self.store, account_id, chosen)
        payables = {i: payable(header) for i, header in headers.items()}
        currency = validated(chosen, payables, reason, on).currency
        read = self._read(account_id, currency, account.currency)
        found = rules_netting.net(chosen, payables, read.credit, on)
        return Setting(account_id, request_key, currency, account.entity_id, on, found, payables, headers, read)

    def settle(self, setting: Setting, actor: Actor) -> None:
        """Set it off alone, where credit pays for everything; the same form again changes nothing.

        Unavailable when the account's records changed at that moment: look at it again.
        """
        unit = Unit(f"net {setting.request_key}")
        self.write(unit, setting, actor)
        if self.store.write_one(unit) and self.known(setting.account_id, setting.request_key) is None:
            raise Unavailable("the credit, or an invoice, changed at this moment; try again")

    def write(self, unit: Unit, setting: Setting, actor: Actor) -> None:
        """Guard, wallet, invoices, entry and audit record."""
        found, read, account_id = setting.found, setting.read, setting.account_id
        pk, sk = _guard_key(account_id, setting.request_key)
        source_id, at = f"netting_{sk.rpartition('#')[2]}", self.clock()
        kept = {"netted": records.allocation_items(found.netted), "rest": records.allocation_items(found.rest)}
        unit.insert({"pk": pk, "sk": sk, "kind": "guard", "currency": setting.currency, **kept})
        settled = [settle_update(unit, setting.headers[one.invoice_id], one.minor, at) for one in found.netted]
        if found.credit.notes_minor:
            left = _less(read.wallet, found.credit.notes_minor)
            write_wallet(unit, account_id, setting.entity_id, left, read.wallet_version)
        entry = rules_netting.netting_entry(
            source_id, account_id, setting.entity_id, setting.currency, found, setting.payables, setting.on
        )
        field = balance_field(setting.currency, LedgerAccount.UNAPPLIED_CASH)
        when = {field: read.cash} if found.credit.cash_minor else None
        post(unit, entry, when=when, correlation_id=actor.correlation_id, also=habit_moved((), settled))
        after = {"minor": found.minor, "currency": setting.currency, "cash_minor": found.credit.cash_minor}
        unit.put(audit_item(AuditRecord(account_id, at, actor, "credit.applied", source_id, after=after)))

    def _read(self, account_id: str, currency: str, account_currency: str) -> _Read:
        """The balance before payments: money that settles in between moves it, and the unit then does not hold."""
        found = self.store.get_many([(account_id, BALANCE), wallet_key(account_id)], consistent=True)
        item = found.get(wallet_key(account_id))
        cash = found.get((account_id, BALANCE), {}).get(balance_field(currency, LedgerAccount.UNAPPLIED_CASH))
        wallet = wallet_from(item)
        notes = max(wallet.credit_note_minor, 0) if currency == account_currency else 0
        free = -(cash or 0)
        if free > 0 and self._is_being_applied(account_id):
            free = 0
        return _Read(Credit(max(free, 0), notes), cash, wallet, version_of(item))

    def _is_being_applied(self, account_id: str) -> bool:
        """Whether a payment that came is still on its way to its invoices: its money is not free."""
        fields = ("parts", "parts_applied")
        payments = self.store.query_all(account_id, prefix=records.PREFIX, fields=fields, consistent=True)
        return any(item["parts_applied"] < item["parts"] for item in payments)


def _guard_key(account_id: str, request_key: str) -> Key:
    return account_id, f"guard#netting#{fingerprint(request_key)}"


def _less(wallet: Wallet, minor: int) -> Wallet:
    return replace(wallet, credit_note_minor=wallet.credit_note_minor - minor)
