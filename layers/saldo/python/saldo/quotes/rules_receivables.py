"""From issued invoices, payments and credit notes to what is open, credited, discounted, late and realised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from saldo.invoicing.model import DocumentKind, InvoiceBody
from saldo.invoicing.rules_credit_notes import credit_note, whole
from saldo.invoicing.rules_interest import late_charges
from saldo.invoicing.rules_terms import early_payment, instalments
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate, realised_difference
from saldo.kernel.money import Money, split_by_weights
from saldo.quotes.model_receivables import (
    CreditAsked,
    PaymentMade,
    Receivable,
    Receivables,
    ReceivablesAsked,
)


@dataclass(slots=True)
class _Open:
    body: InvoiceBody
    minor: int
    after: list[int] = field(default_factory=list)
    written_off: int = 0
    notes: list[InvoiceBody] = field(default_factory=list)


@dataclass(slots=True)
class _Account:
    asked: ReceivablesAsked
    items: list[_Open]
    credit: int = 0
    notes: list[InvoiceBody] = field(default_factory=list)
    fx: list[tuple[int, int]] = field(default_factory=list)
    fx_minor: int = 0

    def pay(self, payment: PaymentMade) -> None:
        """One invoice, or the oldest first; what is over stays with the seller to the customer's credit."""
        left = payment.amount_minor
        items = self.items if payment.invoice is None else [self.numbered(payment.invoice)]
        for item in items:
            part = left if left < 0 else min(left, max(item.minor, 0))
            if part == 0:
                continue
            self.settle(item, part, payment)
            left -= part
            if left == 0:
                break
        self.credit += left

    def settle(self, item: _Open, part: int, payment: PaymentMade) -> None:
        limit = self.asked.terms.tolerance.limit_of(item.minor)
        item.minor -= part
        if part > 0 and 0 < item.minor <= limit:
            item.written_off, item.minor = item.written_off + item.minor, 0
        item.after.append(item.minor)
        booked, paid = item.body.exchange, payment.exchange
        if booked is not None and paid is not None:
            money = Money(part, item.body.currency)
            self.fx.append((booked.convert(money).minor, paid.convert(money).minor))
            self.fx_minor += realised_difference(money, booked, paid).minor

    def credit_back(self, asked: CreditAsked) -> None:
        """A credit note settles what is open first; what was paid already becomes the customer's credit."""
        item = self.numbered(asked.invoice)
        note = credit_note(item.body, asked.on, _amounts(item, asked), item.notes)
        item.notes.append(note)
        self.notes.append(note)
        part = min(-note.payable_minor, max(item.minor, 0))
        item.minor -= part
        item.after.append(item.minor)
        self.credit += -note.payable_minor - part

    def numbered(self, n: int) -> _Open:
        if not 1 <= n <= len(self.items):
            raise Refusal("no_such_invoice", f"there are {len(self.items)} invoices, and none has number {n}")
        return self.items[n - 1]


def _amounts(item: _Open, asked: CreditAsked) -> dict[str, int]:
    if asked.amounts:
        return dict(asked.amounts)
    left = whole(item.body, item.notes)
    if asked.minor is None:
        return left
    positive = {line_id: minor for line_id, minor in left.items() if minor > 0}
    if not positive:
        raise Refusal("invalid_credit_note", f"nothing of {item.body.id} is left to take back")
    parts = split_by_weights(Money(asked.minor, item.body.currency), list(positive.values()))
    return {line_id: part.minor for line_id, part in zip(positive, parts, strict=True) if part.minor}


def receivables(asked: ReceivablesAsked, bodies: Sequence[InvoiceBody]) -> Receivables:
    """How the account stands after all that was asked, in the order of its dates.

    Refusal `no_such_invoice`, `invalid_credit_note`, `instalments_do_not_add_up`.
    """
    issued = [body for body in bodies if body.kind is DocumentKind.INVOICE]
    account = _Account(asked, [_Open(body, body.payable_minor) for body in issued])
    for event in sorted(asked.events, key=lambda e: e.on):
        if isinstance(event, PaymentMade):
            account.pay(event)
        else:
            account.credit_back(event)
    invoices = tuple(_standing(asked, item) for item in account.items)
    currency = next((_ledger_currency(b, b.exchange) for b in issued if b.exchange), "")
    steps = tuple(account.fx)
    return Receivables(invoices, tuple(account.notes), account.credit, account.fx_minor, currency, steps)


def _ledger_currency(body: InvoiceBody, rate: ExchangeRate) -> str:
    return rate.counter if rate.base == body.currency else rate.base


def _standing(asked: ReceivablesAsked, item: _Open) -> Receivable:
    terms, body = asked.terms, item.body
    late = None
    if terms.late_interest is not None and asked.as_of is not None:
        days = (asked.as_of - body.due_on).days
        late = late_charges(Money(item.minor, body.currency), days, terms.late_interest)
    return Receivable(
        body=body,
        open_minor=item.minor,
        open_after=tuple(item.after),
        written_off_minor=item.written_off,
        early=early_payment(body, terms.early_discount) if terms.early_discount else None,
        parts=tuple(instalments(body.payable_minor, terms.instalments)) if terms.instalments else (),
        late=late,
    )
