"""Money that came to the seller's bank and that staff report: of any currency, for invoices of the account's.

The reference of the bank's line names it for ever: reported again it is the payment that it became.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from saldo.accounts.model import Account, LegalEntity, Settle
from saldo.audit.model import Actor, AuditRecord
from saldo.audit.records import audit_item
from saldo.exchange.service import ExchangeRates
from saldo.invoicing.choices import choices_of
from saldo.invoicing.habits import habit_moved
from saldo.invoicing.records import ISSUED, InvoiceHeader, header_from, open_agenda
from saldo.invoicing.records_moves import reopen_update
from saldo.kernel.clock import Clock
from saldo.kernel.errors import Refusal, Unavailable
from saldo.kernel.exchange import ExchangeRate, rate_in_words
from saldo.kernel.ids import derived_id
from saldo.kernel.money import Money
from saldo.ledger.model import Entry, EntryKind, LedgerAccount
from saldo.ledger.records import BALANCE, PREFIX, balance_field, entry_from, post
from saldo.ledger.rules import base_amounts
from saldo.payments import records, rules
from saldo.payments.model import Allocation, Payable, Payment, PaymentStatus, Received, StatusChange
from saldo.payments.news import apply_part, finish_applying
from saldo.payments.parties import parties_of
from saldo.payments.rating import rated
from saldo.payments.reading import headers_of, load, payable
from saldo.payments.rules_receiving import (
    BANK_GATEWAY,
    converted,
    converted_by_bank,
    entry_keys,
    lost_in,
    mirrored,
    receipt_entries,
    returned,
    spread_over,
)
from saldo.storage.store import Store
from saldo.storage.units import Unit

_ZONE = "UTC"  # a line of a bank statement has a date, not an instant
_MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class MoneyCame:
    """What a line of a bank statement says. money: what the payer sent; credited: what the bank made of it, where it
    converted it itself.

    invoices: numbers of those that it pays, in this order; empty: by the account's terms, or as its seller chose. rate:
    at which it is taken, where that is not the seller's rate of the day. keep: leave it in its own currency, unapplied,
    without a rate.
    """

    account_id: str
    money: Money
    on: date
    reference: str
    actor: Actor
    invoices: tuple[str, ...] = ()
    rate: ExchangeRate | None = None
    credited: Money | None = None
    keep: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receiving:
    """Of one region. `store` is the region's, not narrowed to a customer."""

    store: Store
    clock: Clock

    def receive(self, came: MoneyCame) -> Payment:
        """Book money in the bank and apply it as far as it reaches; what is more lies unapplied.

        Refusals: `not_above_zero`, `reference_missing`, `reference_used` (for another amount or day), `in_the_future`,
        `unknown_invoice` naming every number, `other_currency`, `no_exchange_rate`. Unavailable: ask again.
        """
        self._check(came)
        source = f"received {came.reference.strip()}"
        for _ in range(_MOST_ATTEMPTS):
            known = self._known(came, source)
            if known is not None:
                return finish_applying(self.store, self.clock, known)
            unit, payment = self._unit(came, source)
            if self.store.write_one(unit) is None:
                return finish_applying(self.store, self.clock, payment)
        raise Unavailable("the invoices of this account are being changed by many at once; try again")

    def take_back(self, account_id: str, payment_id: str, on: date, actor: Actor, reason: str) -> Payment:
        """The bank took the money back: every entry is turned round and the invoices are open again, once.

        Refusals: `reason_required`, `before_it_came`, `money_used` where what lay unapplied has been used since,
        `not_payable` for an invoice that was credited, and those of `rules_receiving.returned`. NotFound.
        """
        if not reason.strip():
            raise Refusal("reason_required", "say why, for those who look at it later")
        for _ in range(_MOST_ATTEMPTS):
            payment = load(self.store, account_id, payment_id)
            if payment.status is PaymentStatus.RETURNED:
                return payment
            unit, back = self._returning(payment, on, actor, reason)
            if self.store.write_one(unit) is None:
                return back
        raise Unavailable("the invoices of this account are being changed by many at once; try again")

    def _returning(self, payment: Payment, on: date, actor: Actor, reason: str) -> tuple[Unit, Payment]:
        at = self.clock()
        back = returned(payment, at)
        if payment.settled_at is None or on < payment.settled_at.date():
            raise Refusal("before_it_came", f"{payment.id} came after {on}")
        unit = records.rewrite(Unit(f"take back {payment.id}"), payment, back)
        made = self._entries(payment)
        entries = [mirrored(payment, entry, on) for entry in made]
        discounts, differences = (
            _of_invoices([mirrored(payment, entry, on) for entry in made if entry.kind is kind])
            for kind in (EntryKind.EARLY_DISCOUNT_TAKEN, EntryKind.DIFFERENCE_WRITTEN_OFF)
        )
        headers = headers_of(self.store, payment.account_id, payment.applied)
        for invoice_id, (minor, base_minor) in _of_invoices(entries).items():
            if invoice_id not in headers:
                raise Refusal("not_payable", f"{invoice_id} cannot be open again")
            besides = (found.get(invoice_id, (0, 0))[0] for found in (discounts, differences))
            reopen_update(unit, headers[invoice_id], minor, base_minor, at, *besides)
        also = habit_moved([headers[invoice_id] for invoice_id in _of_invoices(entries)], ())
        post(unit, *entries, when=self._unused(payment), correlation_id=actor.correlation_id, also=also)
        record = AuditRecord(payment.account_id, at, actor, "payment.taken_back", payment.id, reason=reason)
        return unit.put(audit_item(record)), back

    def _entries(self, payment: Payment) -> list[Entry]:
        assert payment.settled_at is not None, "only what was booked is taken back"
        on = payment.settled_at.date()
        ids = (derived_id("je", on, kind, source) for kind, source in entry_keys(payment))
        keys = [(payment.account_id, f"{PREFIX}{on.isoformat()}#{entry_id}") for entry_id in ids]
        found = self.store.get_many(keys, consistent=True)
        return [entry_from(found[key]) for key in keys if key in found]

    def _unused(self, payment: Payment) -> dict[str, int | None]:
        """The unapplied cash there is, so that the unit holds only while this payment's part of it is still there."""
        field = balance_field(payment.amount.currency, LedgerAccount.UNAPPLIED_CASH)
        there = (self.store.get(payment.account_id, BALANCE) or {}).get(field)  # None: it never moved
        if -(there or 0) < payment.unapplied_minor:
            raise Refusal("money_used", f"what lay unapplied of {payment.id} has been used since: credit that first")
        return {field: there}

    def _check(self, came: MoneyCame) -> None:
        if came.money.minor <= 0:
            raise Refusal("not_above_zero", "money that came is above zero")
        if not came.reference.strip():
            raise Refusal("reference_missing", "name the line of the bank statement")
        if came.on > self.clock().date():
            raise Refusal("in_the_future", f"{came.on} is still to come")

    def _known(self, came: MoneyCame, source: str) -> Payment | None:
        guard = self.store.get(*_key(records.import_guard(came.account_id, source, "")))
        if guard is None:
            return None
        known = load(self.store, came.account_id, guard["payment_id"])
        money = known.received.money if known.received else known.amount
        assert known.settled_at is not None, "money that came has settled"
        if (money, known.settled_at.date()) != (came.money, came.on):
            raise Refusal("reference_used", f"{came.reference} came on {known.settled_at.date()} with {money}")
        return known

    def _unit(self, came: MoneyCame, source: str) -> tuple[Unit, Payment]:
        account, seller = parties_of(self.store, came.account_id)
        rates = ExchangeRates(self.store)
        payables = self._payables(came, account)
        amount, received = self._taken(came, account, payables, rates)
        wanted = spread_over(amount.minor, payables, came.on, self._settling(came, account, payables))
        payment = rated(rates, _payment(came, seller, amount, received, payables, wanted))
        known = rates.known_rate_for
        day_rate = known(seller.id, seller.currency, came.money.currency, came.on) if received else None
        first = receipt_entries(payment, seller.currency, day_rate)
        if payment.received:
            payment = replace(payment, received=replace(payment.received, lost_minor=lost_in(first)))
        unit = Unit(f"receive {came.account_id} {came.reference}")
        unit.insert(records.import_guard(came.account_id, source, payment.id))
        said = {payment.id: f"{came.money.minor} {came.money.currency}"} if received else {}
        after = apply_part(self.store, unit, payment, *first, numbers=said)
        records.insert_payment(unit, after)
        return unit.put(audit_item(self._record(came, after))), after

    def _settling(self, came: MoneyCame, account: Account, payables: Sequence[Payable]) -> Settle | None:
        """How money that names no invoice settles several: by the account's terms, else as its seller chose."""
        if came.invoices or len(payables) < 2:
            return None
        return account.terms.settle or choices_of(self.store, account.entity_id).settle

    def _record(self, came: MoneyCame, payment: Payment) -> AuditRecord:
        after = {"amount_minor": payment.amount.minor, "currency": payment.amount.currency, "reference": came.reference}
        if payment.received:
            after |= {"received": str(came.money), "rate": rate_in_words(payment.received.rate)}
        action, at = "payment.received", self.clock()
        return AuditRecord(came.account_id, at, came.actor, action, payment.id, after=after, reason=came.reason)

    def _payables(self, came: MoneyCame, account: Account) -> list[Payable]:
        """The open invoices that it pays: those named, else those of the account's currency."""
        if came.keep:
            return []
        headers = self._open(came.account_id)
        if not came.invoices:
            return [payable(h) for h in headers if h.currency == account.currency]
        by_number = {h.number: h for h in headers}
        missing = [number for number in came.invoices if number not in by_number]
        if missing:
            raise Refusal("unknown_invoice", f"not open on this account: {', '.join(missing)}")
        chosen = [payable(by_number[number]) for number in dict.fromkeys(came.invoices)]
        if len({one.currency for one in chosen}) > 1:
            raise Refusal("other_currency", "one payment is taken for invoices of one currency")
        return chosen

    def _open(self, account_id: str) -> Sequence[InvoiceHeader]:
        items = self.store.query_all(open_agenda(account_id), agenda=True)
        keys = [(item["pk"], item["sk"]) for item in items]
        found = map(header_from, self.store.get_many(keys, consistent=True).values())
        ready = [header for header in found if header.status in ISSUED and header.open_minor > 0]
        return sorted(ready, key=lambda header: (header.due_on, header.invoice_id))

    def _taken(
        self, came: MoneyCame, account: Account, payables: Sequence[Payable], rates: ExchangeRates
    ) -> tuple[Money, Received | None]:
        """What the money is taken for, and what came where that is another currency."""
        into = payables[0].currency if payables else account.currency
        if came.credited is not None:
            if came.credited.currency != into:
                raise Refusal("other_currency", f"what is to be paid is {into}, not {came.credited.currency}")
            return came.credited, converted_by_bank(came.money, came.credited, came.on)
        if came.keep or came.money.currency == into:
            return came.money, None
        rate = came.rate or rates.price_rate(account.entity_id, came.money.currency, into, came.on)
        if {rate.base, rate.counter} != {came.money.currency, into}:
            raise Refusal("other_currency", f"{rate_in_words(rate)} is not between {came.money.currency} and {into}")
        wanted = Money(sum(p.open_minor for p in payables), into) if came.invoices else None
        return converted(came.money, rate, wanted, rates.tolerance(account.entity_id))


def _key(item: Mapping[str, str]) -> tuple[str, str]:
    return item["pk"], item["sk"]


def _of_invoices(entries: Sequence[Entry]) -> dict[str, tuple[int, int]]:
    """What these entries move of each invoice, and the same in the seller's own currency."""
    found: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True):
            if leg.account is LedgerAccount.RECEIVABLES and leg.invoice_id:
                minor, base_minor = found.get(leg.invoice_id, (0, 0))
                found[leg.invoice_id] = minor + leg.minor, base_minor + base
    return found


def _payment(
    came: MoneyCame,
    seller: LegalEntity,
    amount: Money,
    received: Received | None,
    payables: Sequence[Payable],
    wanted: tuple[Allocation, ...],
) -> Payment:
    at = datetime.combine(came.on, time(), tzinfo=UTC)
    payment_id = derived_id("pay", came.on, BANK_GATEWAY, came.account_id, came.reference.strip())
    chosen = [one for one in payables if one.invoice_id in {a.invoice_id for a in wanted}]
    return Payment(
        account_id=came.account_id,
        id=payment_id,
        entity_id=seller.id,
        booking_zone=_ZONE,
        status=PaymentStatus.SETTLED,
        amount=amount,
        allocations=wanted,
        reason=came.reason,
        gateway=BANK_GATEWAY,
        started_at=at,
        gateway_ref=came.reference.strip(),
        settled_at=at,
        settled_minor=amount.minor,
        parts=len(rules.parts_of(wanted, amount.minor)),
        receipt_number=rules.receipt_number(payment_id, came.on),
        paid_out_at=at,
        history=(StatusChange(at, PaymentStatus.SETTLED),),
        correlation_id=came.actor.correlation_id,
        own_currency=rules.own_currency_of(chosen),
        received=received,
    )
