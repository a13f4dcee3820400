"""From issued invoices, payments and credit notes to what is open, credited, discounted and realised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from saldo.accounts.model import Settle
from saldo.invoicing.model import DocumentKind, InvoiceBody
from saldo.invoicing.rules_credit_notes import credit_note, discount_back, settled_back, whole, with_discounts
from saldo.invoicing.rules_early import (
    Legs,
    Offers,
    discount_taken,
    minor_of,
    offers_left,
    still_taken,
    with_discount,
    written_off,
)
from saldo.invoicing.rules_settling import Due, in_turn, shares
from saldo.invoicing.rules_terms import early_offers
from saldo.invoicing.rules_tolerance import tolerated
from saldo.kernel.errors import Problem, Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money, split_by_weights
from saldo.quotes.model_receivables import (
    CreditAsked,
    CreditUse,
    PaymentMade,
    Receivables,
    ReceivablesAsked,
    WriteOff,
)
from saldo.quotes.rules_standing import Open, aged, revalued, standing


def receivables(asked: ReceivablesAsked, bodies: Sequence[InvoiceBody]) -> Receivables:
    """How the account stands after all that was asked, in the order of its dates, through `as_of`: what is issued later
    is not there yet, and money for it is the customer's credit.

    Refusal `no_such_invoice`, `more_than_open`, `more_than_credit`, `money_used`, `invalid_credit_note`,
    `instalments_do_not_add_up`.
    """
    issued = [body for body in bodies if body.kind is DocumentKind.INVOICE]
    account = _Account(asked, [_opened(body) for body in issued])
    paid = (event for event in asked.events if isinstance(event, PaymentMade))
    returned = [_TakenBack(one.taken_back_on, one) for one in paid if one.taken_back_on is not None]
    for event in sorted([*asked.events, *returned], key=lambda e: e.on):
        if asked.as_of is None or event.on <= asked.as_of:
            account.take(event)
    currency = next((_ledger_currency(b, b.exchange) for b in issued if b.exchange), "")
    there = [item for item in account.items if account.is_there(item)]
    return Receivables(
        invoices=tuple(standing(asked, item) for item in there),
        credit_notes=tuple(account.notes),
        credit_minor=account.credit,
        fx_minor=sum(booked - paid for booked, paid in account.fx),
        fx_currency=currency,
        fx_steps=tuple(account.fx),
        revalued=revalued(there, asked.closing) if asked.closing and currency else None,
        aged=aged(there, asked, asked.as_of) if asked.as_of else None,
    )


def _opened(body: InvoiceBody) -> Open:
    return Open(body, body.payable_minor, early_offers(body))


def _ledger_currency(body: InvoiceBody, rate: ExchangeRate) -> str:
    return rate.counter if rate.base == body.currency else rate.base


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """The bank takes back a payment."""

    on: date
    payment: PaymentMade


@dataclass(frozen=True, slots=True)
class _Settled:
    """What a payment did to an invoice: money, the discount or small difference that it had, and its worth."""

    item: Open
    minor: int
    besides: Legs
    worth: int | None


@dataclass(slots=True)
class _Account:
    asked: ReceivablesAsked
    items: list[Open]
    notes: list[InvoiceBody] = field(default_factory=list)
    credit: int = 0
    fx: list[tuple[int, int]] = field(default_factory=list)
    settled: dict[int, list[_Settled]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: PaymentMade | CreditAsked | WriteOff | CreditUse | _TakenBack) -> None:
        if isinstance(event, PaymentMade):
            self.pay(event)
        elif isinstance(event, _TakenBack):
            self.turn_round(event)
        elif isinstance(event, CreditAsked):
            self.credit_back(event)
        elif isinstance(event, CreditUse):
            self.use_credit(event)
        else:
            item = self.numbered(event.invoice)
            item.give_up(event.on, item.minor if event.minor is None else min(event.minor, item.minor))

    def pay(self, payment: PaymentMade) -> None:
        """What is over stays with the seller to the customer's credit."""
        left = payment.settles_minor
        if left < 0 and payment.invoice is None:
            given_back = min(-left, max(self.credit, 0))
            self.credit, left = self.credit - given_back, left + given_back
        for item, part in [] if payment.unapplied else self._parts(payment, left):
            if part and self.is_there(item):
                self._settle(item, part, payment, payment.settles_minor - left)
                left -= part
        self.credit += left

    def _parts(self, payment: PaymentMade, left: int) -> list[tuple[Open, int]]:
        """What of a payment goes to which invoices, to each at once. Refusal `more_than_open` where that is named, and
        is beyond what is open."""
        if payment.parts:
            named = Counter[int]()
            for n, minor in payment.parts:
                named[n] += minor
            return [(self._with_open(n, minor), minor) for n, minor in named.items()]
        there = filter(self.is_there, self.items)
        items = list(there) if payment.invoice is None else [self.numbered(payment.invoice)]
        owed = [Due(n, one.body.due_on, one.minor, self._early(one)) for n, one in enumerate(items)]
        how = self.asked.terms.settle if payment.invoice is None else None
        if left < 0:  # given back: it opens the one that money would have settled first
            return [(items[one.place], left) for one in in_turn(owed, how or Settle.OLDEST)[:1]]
        return [(items[n], part) for n, part in shares(left, owed, payment.on, how)]

    def use_credit(self, use: CreditUse) -> None:
        """Refusal `more_than_credit`, `more_than_open`."""
        item = self.numbered(use.invoice)
        minor = min(max(self.credit, 0), max(item.minor, 0)) if use.minor is None else use.minor
        if minor > max(self.credit, 0):
            asked, has = (Money(one, item.body.currency) for one in (minor, self.credit))
            raise Refusal("more_than_credit", f"{asked} are more than the customer has, {has}")
        item = self._with_open(use.invoice, minor)
        self.credit -= minor
        item.move(use.on, minor)

    def _with_open(self, n: int, minor: int) -> Open:
        """An invoice that has so much open. Refusal `more_than_open`."""
        item = self.numbered(n)
        if minor > item.minor:
            asked, open_ = (Money(one, item.body.currency) for one in (minor, item.minor))
            raise Refusal("more_than_open", f"{asked} are more than invoice {n} has open, {open_}")
        return item

    def _settle(self, item: Open, part: int, payment: PaymentMade, reached: int) -> None:
        """reached: what of the payment is settled before."""
        discount = self._discount(item, payment.on, part)
        small = 0 if discount else tolerated(self.asked.terms.tolerance, item.minor, part)
        booked = item.move(payment.on, part)
        worth = payment.worth(reached, Money(part, item.body.currency)) if item.body.exchange else None
        if worth is not None:
            self.fx.append((booked, worth))
        if besides := discount or written_off(small):
            item.discounted = with_discount(item.discounted, besides)
            item.move(payment.on, minor_of(besides), event=False)
        self.settled[id(payment)].append(_Settled(item, part, besides, worth))

    def turn_round(self, event: _TakenBack) -> None:
        """As if the money had never come, in both currencies. Refusal `money_used` where what of it was the customer's
        credit is there no longer."""
        done = self.settled[id(event.payment)]
        unapplied = event.payment.settles_minor - sum(one.minor for one in done)
        if unapplied > self.credit:
            raise Refusal(
                "money_used", f"what of the payment of {event.payment.on} was to the customer's credit is used"
            )
        self.credit -= unapplied
        for one in done:
            booked = one.item.move(event.on, -one.minor)
            if one.worth is not None:
                self.fx.append((booked, -one.worth))
            back = still_taken(one.item.discounted, one.besides)
            one.item.discounted = with_discount(one.item.discounted, back, -1)
            one.item.move(event.on, -minor_of(back), event=False)

    def _early(self, item: Open) -> Offers:
        """The discounts for paying early that are left of an invoice, by the rules of payments on record."""
        credited = -sum(note.total_minor for note in item.notes)
        return offers_left(item.early, item.minor, item.body.total_minor, credited, item.body.early_in_part)

    def _discount(self, item: Open, on: date, part: int) -> Legs:
        taken = discount_taken(self._early(item), item.minor, part, on, item.body.early_in_part)
        return taken.legs if taken else ()

    def credit_back(self, asked: CreditAsked) -> None:
        """A credit note settles what is open first; what was paid already becomes the customer's credit, less the
        discount, or small difference, that settled a part of it."""
        item = self.numbered(asked.invoice)
        try:
            note = credit_note(item.body, asked.on, _amounts(item, asked), item.notes)
        except Refusal as refusal:
            raise _as_asked(refusal, asked) from None
        open_minor = max(item.minor, 0)
        note = settled_back(item.body, note, item.notes, open_minor)
        back = discount_back(item.body, note, item.notes, open_minor, item.discounted)
        item.discounted = with_discount(item.discounted, back, -1)
        item.notes.append(note)
        self.notes.append(note)
        part = min(-note.payable_minor, open_minor)
        item.move(asked.on, part)
        self.credit += -note.payable_minor - part - minor_of(back)

    def is_there(self, item: Open) -> bool:
        """Whether an invoice is issued by the day as of which the account is asked about."""
        return self.asked.as_of is None or item.body.issued_on <= self.asked.as_of

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
    there = Money(sum(positive.values()), item.body.currency)
    if asked.minor > there.minor or not positive:
        found = Problem("amount", "more_than_left", f"{there} are left to take back")
        raise Refusal("invalid_credit_note", "the credit note cannot be made", [found])
    parts = split_by_weights(Money(asked.minor, item.body.currency), list(positive.values()))
    return {line_id: part.minor for line_id, part in zip(positive, parts, strict=True) if part.minor}


def _as_asked(refusal: Refusal, asked: CreditAsked) -> Refusal:
    """A refusal that names the fields of the document where a credit note is asked for: `amounts` of lines are its
    `lines` there, and all of them are the credit note itself."""

    def at(name: str) -> str:
        within = "" if name == "amounts" else name.replace("amounts.", "lines.", 1)
        return ".".join(filter(None, (asked.place, within)))

    found = [Problem(at(one.field), one.code, one.message) for one in refusal.problems]
    return Refusal(refusal.code, refusal.message, found)
