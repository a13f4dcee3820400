"""Money that came to the seller's bank: what it settles, and its entries, where it came in another currency too.

What came and what it is taken for are booked in an entry each, which meet in exchange clearing: in the seller's own
currency nothing is left there, and what the two differ by is won or lost. No clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from saldo.accounts.model import Settle
from saldo.invoicing.rules_settling import Due, shares
from saldo.kernel.errors import Refusal
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.rules import base_amounts
from saldo.payments.model import Allocation, Payable, Payment, PaymentStatus, Received, StatusChange
from saldo.payments.rules_entries import BANK, UNAPPLIED, entry_of, worth

BANK_GATEWAY = "bank"
EXCHANGE, DIFFERENCE = LedgerAccount.EXCHANGE_CLEARING, LedgerAccount.FX_DIFFERENCE
_PERCENT, _DIGITS = 100, Context(prec=10, rounding=ROUND_HALF_UP)


def converted(money: Money, rate: ExchangeRate, wanted: Money | None, tolerance: Decimal) -> tuple[Money, Received]:
    """What money is taken for in the other currency of a rate, rounded half up.

    wanted: what the chosen invoices have open; where the money comes to within `tolerance` per cent of that, it is
    taken for just that, and the difference is won or lost by exchange. Refusal `not_above_zero`.
    """
    found = rate.convert(money)
    if found.minor <= 0:
        raise Refusal("not_above_zero", f"{money} comes to nothing in {found.currency}")
    near = wanted is not None and abs(found.minor - wanted.minor) * _PERCENT <= Fraction(tolerance) * wanted.minor
    taken = wanted if wanted is not None and near else found
    return taken, Received(money, rate, tolerated_minor=taken.minor - found.minor)


def converted_by_bank(money: Money, credited: Money, on: date) -> Received:
    """The same where the bank converted it: what it credited stands, and the rate is what follows (10 digits)."""
    if money.minor <= 0 or credited.minor <= 0:
        raise Refusal("not_above_zero", "what came and what the bank credited are above zero")
    per_unit = _DIGITS.divide(credited.as_decimal(), money.as_decimal())
    rate = ExchangeRate(money.currency, credited.currency, per_unit, "bank", on)
    return Received(money, rate, by_bank=True, tolerated_minor=credited.minor - rate.convert(money).minor)


def spread_over(minor: int, payables: Sequence[Payable], on: date, how: Settle | None) -> tuple[Allocation, ...]:
    """Money of a day over open invoices, as far as it reaches, settling them in this way; None: as they are named."""
    items = [Due(place, p.due_on, p.open_minor, p.early) for place, p in enumerate(payables)]
    found = ((payables[place], part) for place, part in shares(minor, items, on, how))
    return tuple(Allocation(p.invoice_id, part, p.number) for p, part in found)


def receipt_entries(payment: Payment, own: str, day_rate: ExchangeRate | None) -> tuple[Entry, ...]:
    """Dr bank, Cr unapplied cash. In another currency: Dr bank, Cr exchange clearing in what came; Dr exchange
    clearing, Cr unapplied cash in what it is taken for, with what was won or lost.

    own: the seller's own currency. day_rate: between that and what came, on the day; None where there is none. Refusal
    `no_exchange_rate` where neither says what came is worth in the seller's own currency.
    """
    received = payment.received
    if received is None or received.by_bank:
        legs = Posting(BANK, payment.settled_minor), Posting(UNAPPLIED, -payment.settled_minor)
        return (entry_of(EntryKind.PAYMENT_RECEIVED, payment, payment.id, legs),)
    if payment.amount.currency == own:
        return _into_own(payment, received, day_rate)
    if payment.own_currency and payment.exchange is None:
        raise Refusal("no_exchange_rate", f"what {payment.amount} is worth in {own} is not known")
    if payment.exchange is None:
        return _exchanged(payment, received, None, None), _taken(payment, None)
    if received.money.currency == own:
        return _exchanged(payment, received, None, None), _taken(payment, received.money.minor)
    if day_rate is None:
        raise Refusal("no_exchange_rate", f"what {received.money} is worth in {own} is not known")
    at_bank = day_rate.convert(received.money).minor
    return _exchanged(payment, received, at_bank, day_rate), _taken(payment, at_bank)


def lost_in(entries: Sequence[Entry]) -> int:
    """What these entries lose by exchange in the seller's own currency, gains below zero."""
    return sum(
        base
        for entry in entries
        for leg, base in zip(entry.postings, base_amounts(entry), strict=True)
        if leg.account is DIFFERENCE
    )


def _into_own(payment: Payment, received: Received, day_rate: ExchangeRate | None) -> tuple[Entry, ...]:
    """Taken for the seller's own currency: the bank holds what it is worth that day; without a rate, what it is taken
    for."""
    taken = payment.settled_minor
    at_bank = day_rate.convert(received.money).minor if day_rate else taken
    legs = Posting(EXCHANGE, at_bank), Posting(DIFFERENCE, taken - at_bank), Posting(UNAPPLIED, -taken)
    near = entry_of(EntryKind.PAYMENT_RECEIVED, payment, payment.id, tuple(leg for leg in legs if leg.minor))
    return _exchanged(payment, received, at_bank, day_rate or received.rate), near


def _exchanged(payment: Payment, received: Received, at_bank: int | None, rate: ExchangeRate | None) -> Entry:
    """Dr bank, Cr exchange clearing in the currency that came. at_bank: what that is in the seller's own."""
    minor, base = received.money.minor, None if at_bank is None else -at_bank
    legs = Posting(BANK, minor, base_minor=at_bank), Posting(EXCHANGE, -minor, base_minor=base)
    entry = entry_of(EntryKind.PAYMENT_EXCHANGED, replace(payment, exchange=rate, own_currency=""), payment.id, legs)
    return replace(entry, currency=received.money.currency)


def _taken(payment: Payment, at_bank: int | None) -> Entry:
    """Dr exchange clearing, Cr unapplied cash in the currency of the invoices, which is not the seller's own."""
    minor = payment.settled_minor
    if at_bank is None:
        legs: tuple[Posting, ...] = (Posting(EXCHANGE, minor), Posting(UNAPPLIED, -minor))
    else:
        value = worth(payment)
        legs = (Posting(EXCHANGE, minor, base_minor=at_bank), Posting(UNAPPLIED, -minor, base_minor=-value))
        if value != at_bank:
            legs = (*legs, Posting(DIFFERENCE, 0, base_minor=value - at_bank))
    return entry_of(EntryKind.PAYMENT_RECEIVED, payment, payment.id, legs)


def entry_keys(payment: Payment) -> list[tuple[EntryKind, str]]:
    """Kind and source of every entry that a payment of one part may have."""
    part = f"{payment.id}/0"
    own = (EntryKind.PAYMENT_RECEIVED, EntryKind.PAYMENT_EXCHANGED, EntryKind.PAYMENT_VALUED)
    of_part = (EntryKind.PAYMENT_APPLIED, EntryKind.EARLY_DISCOUNT_TAKEN, EntryKind.DIFFERENCE_WRITTEN_OFF)
    return [*((kind, payment.id) for kind in own), *((kind, part) for kind in of_part)]


def mirrored(payment: Payment, entry: Entry, on: date) -> Entry:
    """The entry turned round, leg by leg and in both currencies: the two leave nothing in any account."""
    legs = tuple(
        leg._replace(minor=-leg.minor, base_minor=None if leg.base_minor is None else -leg.base_minor)
        for leg in entry.postings
    )
    return entry_for(
        EntryKind.PAYMENT_TAKEN_BACK,
        booked_on=on,
        entity_id=entry.entity_id,
        account_id=entry.account_id,
        currency=entry.currency,
        source_id=f"{payment.id}/{entry.id}",
        postings=legs,
        exchange=entry.exchange,
    )


def returned(payment: Payment, at: datetime) -> Payment:
    """The payment once the bank has taken it back. Refusals: `not_from_bank`, `not_settled`, `too_many_invoices`."""
    if payment.gateway != BANK_GATEWAY:
        raise Refusal(
            "not_from_bank", f"{payment.id} came through {payment.gateway}, whose news says what becomes of it"
        )
    if payment.status is not PaymentStatus.SETTLED or not payment.fully_applied:
        raise Refusal("not_settled", f"{payment.id} is {payment.status}")
    if payment.parts > 1:
        raise Refusal("too_many_invoices", f"{payment.id} paid more invoices than one unit opens again")
    status = PaymentStatus.RETURNED
    history = (*payment.history, StatusChange(at, status))
    back = replace(payment, status=status, applied=(), history=history, version=payment.version + 1)
    return replace(back, received=payment.received and replace(payment.received, lost_minor=0))
