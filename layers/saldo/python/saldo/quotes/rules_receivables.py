"""From issued invoices, payments and credit notes to what is open, credited, discounted and realised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from saldo.invoicing.model import DocumentKind, InvoiceBody
from saldo.invoicing.rules_credit_notes import credit_note, settled_back, whole, with_discounts
from saldo.invoicing.rules_terms import early_payment
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money, split_by_weights
from saldo.quotes.model_receivables import (
    CreditAsked,
    PaymentMade,
    Receivables,
    ReceivablesAsked,
    WriteOff,
)
from saldo.quotes.rules_standing import Open, aged, revalued, standing


def receivables(asked: ReceivablesAsked, bodies: Sequence[InvoiceBody]) -> Receivables:
    """How the account stands after all that was asked, in the order of its dates, through `as_of`.

    Refusal `no_such_invoice`, `invalid_credit_note`, `instalments_do_not_add_up`.
    """
    issued = [body for body in bodies if body.kind is DocumentKind.INVOICE]
    account = _Account(asked, [Open(body, body.payable_minor) for body in issued])
    for event in sorted(asked.events, key=lambda e: e.on):
        if asked.as_of is None or event.on <= asked.as_of:
            account.take(event)
    currency = next((_ledger_currency(b, b.exchange) for b in issued if b.exchange), "")
    return Receivables(
        invoices=tuple(standing(asked, item) for item in account.items),
        credit_notes=tuple(account.notes),
        credit_minor=account.credit,
        fx_minor=sum(booked - paid for booked, paid in account.fx),
        fx_currency=currency,
        fx_steps=tuple(account.fx),
        revalued=revalued(account.items, asked.closing) if asked.closing else None,
        aged=aged(account.items, asked, asked.as_of) if asked.as_of else None,
    )


def _ledger_currency(body: InvoiceBody, rate: ExchangeRate) -> str:
    return rate.counter if rate.base == body.currency else rate.base


@dataclass(slots=True)
class _Account:
    asked: ReceivablesAsked
    items: list[Open]
    notes: list[InvoiceBody] = field(default_factory=list)
    credit: int = 0
    fx: list[tuple[int, int]] = field(default_factory=list)

    def take(self, event: PaymentMade | CreditAsked | WriteOff) -> None:
        if isinstance(event, PaymentMade):
            self.pay(event)
        elif isinstance(event, CreditAsked):
            self.credit_back(event)
        else:
            item = self.numbered(event.invoice)
            item.give_up(event.on, item.minor if event.minor is None else min(event.minor, item.minor))

    def pay(self, payment: PaymentMade) -> None:
        """One invoice, or the oldest first; what is over stays with the seller to the customer's credit."""
        left = payment.amount_minor
        items = self.items if payment.invoice is None else [self.numbered(payment.invoice)]
        if left < 0 and payment.invoice is None:
            given_back = min(-left, max(self.credit, 0))
            self.credit, left = self.credit - given_back, left + given_back
        for item in items:
            part = left if left < 0 else min(left, max(item.minor, 0))
            if part:
                self._settle(item, part, payment, payment.amount_minor - left)
                left -= part
        self.credit += left

    def _settle(self, item: Open, part: int, payment: PaymentMade, reached: int) -> None:
        """reached: what of the payment is settled before."""
        limit = self.asked.terms.tolerance.limit_of(item.minor)
        item.paid += part
        booked = item.move(payment.on, part)
        if item.body.exchange is not None and payment.exchange is not None:
            self.fx.append((booked, payment.exchange.convert_part(reached, Money(part, item.body.currency))))
        discount = self._discount(item, payment.on)
        if discount:
            item.discount_taken += discount
            item.move(payment.on, discount, event=False)
        elif part > 0 and 0 < item.minor <= limit:
            item.give_up(payment.on, item.minor, event=False)

    def _discount(self, item: Open, on: date) -> int:
        """What an early payment of all that was asked for it early leaves open."""
        terms = self.asked.terms.early_discount
        if terms is None or item.minor <= 0 or item.notes:
            return 0
        early = early_payment(item.body, terms)
        return item.minor if on <= early.until_on and item.paid >= early.early_minor else 0

    def credit_back(self, asked: CreditAsked) -> None:
        """A credit note settles what is open first; what was paid already becomes the customer's credit."""
        item = self.numbered(asked.invoice)
        note = credit_note(item.body, asked.on, _amounts(item, asked), item.notes)
        note = settled_back(item.body, note, item.notes, max(item.minor, 0))
        item.notes.append(note)
        self.notes.append(note)
        part = min(-note.payable_minor, max(item.minor, 0))
        item.move(asked.on, part)
        self.credit += -note.payable_minor - part

    def numbered(self, n: int) -> Open:
        if not 1 <= n <= len(self.items):
            raise Refusal("no_such_invoice", f"there are {len(self.items)} invoices, and none has number {n}")
        return self.items[n - 1]


def _amounts(item: Open, asked: CreditAsked) -> dict[str, int]:
    if asked.amounts:
        return with_discounts(item.body, asked.amounts, item.notes)
    left = whole(item.body, item.notes)
    if asked.minor is None:
        return left
    positive = {line_id: minor for line_id, minor in left.items() if minor > 0}
    if not positive:
        raise Refusal("invalid_credit_note", f"nothing of {item.body.id} is left to take back")
    parts = split_by_weights(Money(asked.minor, item.body.currency), list(positive.values()))
    return {line_id: part.minor for line_id, part in zip(positive, parts, strict=True) if part.minor}
