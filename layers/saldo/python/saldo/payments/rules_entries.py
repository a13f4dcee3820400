"""The journal entries of payments, in the currency paid in and, where that is another, in the seller's own.

What is owed stands at the rate of its document, money that came at the rate of the day on which it came. Settling the
one with the other, the difference between the two is won or lost; nothing else about a payment is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from saldo.invoicing.rules_early import EarlyOffer, Legs, minor_of, written_off
from saldo.kernel.errors import Refusal
from saldo.kernel.money import Money, split_by_weights
from saldo.kernel.periods import local_date
from saldo.ledger.model import Entry, EntryKind, LedgerAccount, Posting, entry_for
from saldo.payments.model import Allocation, Payable, Payment

RECEIVABLES, UNAPPLIED = LedgerAccount.RECEIVABLES, LedgerAccount.UNAPPLIED_CASH
BANK, CLEARING = LedgerAccount.BANK, LedgerAccount.GATEWAY_CLEARING


def settlement_entry(payment: Payment) -> Entry:
    """Dr gateway clearing, Cr unapplied cash: the gateway owes us what the customer paid, at the rate of that day.

    Where the bank had it before we heard of it, what it is worth goes straight there: the payout did not know it.
    """
    minor, value = payment.settled_minor, worth(payment)
    legs: tuple[Posting, ...] = (Posting(CLEARING, minor), Posting(UNAPPLIED, -minor))
    if payment.paid_out_at is not None and value:
        known = (Posting(CLEARING, minor, base_minor=0), Posting(UNAPPLIED, -minor, base_minor=-value))
        legs = (*known, Posting(BANK, 0, base_minor=value))
    return entry_of(EntryKind.PAYMENT_SETTLED, payment, payment.id, legs)


def worth(payment: Payment) -> int:
    """What was received, in the seller's own currency; 0 where that is not known or needs no saying."""
    received = Money(payment.settled_minor, payment.amount.currency)
    return payment.exchange.convert(received).minor if payment.exchange else 0


def application_entry(
    payment: Payment, part: int, applied: Sequence[Allocation], payables: Mapping[str, Payable]
) -> Entry:
    """Dr unapplied cash, Cr receivables invoice by invoice, for one part of a payment. `applied`: not empty, the next
    after `payment.applied`. The exchange difference is a leg of its own, of nothing in the currency paid in."""
    bases = _receivables_in_own_currency(payment, applied)
    legs = [
        Posting(RECEIVABLES, -a.minor, a.invoice_id, payables[a.invoice_id].due_on, base_minor=base)
        for a, base in zip(applied, bases, strict=True)
    ]
    difference = sum(differences(payment, applied))
    cash = None if None in bases else -difference - sum(base for base in bases if base is not None)
    unapplied = Posting(UNAPPLIED, sum(a.minor for a in applied), base_minor=cash)
    won_or_lost = [Posting(LedgerAccount.FX_DIFFERENCE, 0, base_minor=difference)] if difference else []
    return entry_of(EntryKind.PAYMENT_APPLIED, payment, f"{payment.id}/{part}", (unapplied, *legs, *won_or_lost))


def _receivables_in_own_currency(payment: Payment, applied: Sequence[Allocation]) -> list[int | None]:
    """Of each allocation, the leg in the seller's own currency: what was booked; where nothing was, what is paid."""
    if not payment.own_currency:
        return [None] * len(applied)
    shares = shares_paid(payment, applied)
    return [-(share if a.booked_minor is None else a.booked_minor) for a, share in zip(applied, shares, strict=True)]


def shares_paid(payment: Payment, applied: Sequence[Allocation]) -> list[int]:
    """What of the money each of these allocations is in the seller's own currency, at the rate of the payment; 0 before
    there is one. Allocations follow `payment.applied`; all of a payment's add up to the whole converted once."""
    if payment.exchange is None:
        return [0] * len(applied)
    found, reached = [], sum(a.minor for a in payment.applied)
    for a in applied:
        found.append(payment.exchange.convert_part(reached, Money(a.minor, payment.amount.currency)))
        reached += a.minor
    return found


def differences(payment: Payment, applied: Sequence[Allocation]) -> list[int]:
    """What settling each of these allocations lost in the seller's own currency, gains below zero: what it is booked at
    less what is paid. Nothing before the payment has a rate, and where an invoice was never booked at one."""
    if payment.exchange is None:
        return [0] * len(applied)
    shares = shares_paid(payment, applied)
    return [0 if a.booked_minor is None else a.booked_minor - share for a, share in zip(applied, shares, strict=True)]


def valuation_entry(payment: Payment) -> Entry | None:
    """What a payment's entries lack in the seller's own currency, once the rate of its day is known: it is in the bank
    by then. Afterwards all stands as if the rate had been there at once. None where it is worth less than a cent.

    payment: applied and paid out, with its rate.
    """
    assert payment.exchange is not None and payment.fully_applied, "worth is known, all is applied"
    before = replace(payment, applied=())
    shares, lost = shares_paid(before, payment.applied), sum(differences(before, payment.applied))
    received = worth(payment)
    never_booked = [
        Posting(RECEIVABLES, 0, a.invoice_id, base_minor=-share)
        for a, share in zip(payment.applied, shares, strict=True)
        if a.booked_minor is None
    ]
    booked = sum(a.booked_minor or 0 for a in payment.applied)
    legs = [
        Posting(BANK, 0, base_minor=received),
        Posting(UNAPPLIED, 0, base_minor=sum(shares) - received - booked),
        Posting(LedgerAccount.FX_DIFFERENCE, 0, base_minor=lost),
        *never_booked,
    ]
    worth_saying = tuple(leg for leg in legs if leg.base_minor)
    return entry_of(EntryKind.PAYMENT_VALUED, payment, payment.id, worth_saying) if worth_saying else None


def discount_entry(
    payment: Payment,
    part: int,
    applied: Sequence[Allocation],
    discounts: Mapping[str, EarlyOffer],
    payables: Mapping[str, Payable],
) -> Entry:
    """Dr early discount and the tax on it, Cr receivables invoice by invoice. `discounts`: not empty, each taken by
    what is applied; in the seller's own currency it is what its part of the invoice is booked at, so nothing is won or
    lost on it."""
    taken = {invoice_id: offer.legs for invoice_id, offer in discounts.items()}
    return _without_money(EntryKind.EARLY_DISCOUNT_TAKEN, payment, part, applied, taken, payables)


def difference_entry(
    payment: Payment,
    part: int,
    applied: Sequence[Allocation],
    left: Mapping[str, int],
    payables: Mapping[str, Payable],
) -> Entry:
    """Dr small difference, Cr receivables invoice by invoice. `left`: not empty, what is within the tolerance."""
    taken = {invoice_id: written_off(minor) for invoice_id, minor in left.items()}
    return _without_money(EntryKind.DIFFERENCE_WRITTEN_OFF, payment, part, applied, taken, payables)


def _without_money(
    kind: EntryKind,
    payment: Payment,
    part: int,
    applied: Sequence[Allocation],
    taken: Mapping[str, Legs],
    payables: Mapping[str, Payable],
) -> Entry:
    """What settles invoices beside the money that is applied, by what that is booked to."""
    legs: Counter[tuple[LedgerAccount, str]] = Counter()
    bases: Counter[tuple[LedgerAccount, str]] = Counter()
    credits = []
    for a in (one for one in applied if one.invoice_id in taken):
        payable, of_invoice = payables[a.invoice_id], taken[a.invoice_id]
        minor = minor_of(of_invoice)
        left = _booked_after(payable, a.minor, minor) if payment.own_currency else 0
        parts = split_by_weights(Money(left, payable.currency), [leg[2] for leg in of_invoice])
        for (account, tag, leg_minor), base in zip(of_invoice, parts, strict=True):
            legs[account, tag] += leg_minor
            bases[account, tag] += base.minor
        base_minor = -left if payment.own_currency else None
        credits.append(Posting(RECEIVABLES, -minor, a.invoice_id, payable.due_on, base_minor=base_minor))
    told = bases if payment.own_currency else {}
    debits = [Posting(a, minor, tag=tag or None, base_minor=told.get((a, tag))) for (a, tag), minor in legs.items()]
    entry = entry_of(kind, payment, f"{payment.id}/{part}", (*debits, *credits))
    booked = next((payables[i].booked for i in taken if payables[i].booked), None)
    return replace(entry, exchange=booked.rate) if booked else entry


def _booked_after(payable: Payable, paid_minor: int, minor: int) -> int:
    """What so much of an invoice is booked at, after so much of it is paid."""
    before, upto = payable.booked_at(paid_minor), payable.booked_at(paid_minor + minor)
    return 0 if before is None or upto is None else upto - before


def payout_entry(payment: Payment, amount: Money, paid_at: datetime) -> Entry:
    """Dr bank, Cr gateway clearing: what the gateway owed has reached the bank, in the currency paid in."""
    legs = (Posting(BANK, amount.minor), Posting(CLEARING, -amount.minor))
    return entry_of(EntryKind.PAYOUT_RECEIVED, payment, payment.id, legs, paid_at)


def import_entry(payment: Payment) -> Entry:
    """Dr bank, Cr unapplied cash: money that had reached the bank before Saldo knew of it."""
    return entry_of(
        EntryKind.PAYMENT_IMPORTED,
        payment,
        payment.id,
        (Posting(BANK, payment.settled_minor), Posting(UNAPPLIED, -payment.settled_minor)),
    )


def entry_of(
    kind: EntryKind, payment: Payment, source_id: str, postings: tuple[Posting, ...], at: datetime | None = None
) -> Entry:
    """Of the day on which the payment settled, or of `at`. What nobody knows the worth of counts as nothing in the
    seller's own currency until `valuation_entry` says it."""
    at = at or payment.settled_at
    if at is None:
        raise Refusal("not_settled", f"{payment.id} has not settled")
    if payment.own_currency and payment.exchange is None:
        postings = tuple(leg._replace(base_minor=leg.base_minor or 0) for leg in postings)
    return entry_for(
        kind,
        booked_on=local_date(at, payment.booking_zone),
        entity_id=payment.entity_id,
        account_id=payment.account_id,
        currency=payment.amount.currency,
        source_id=source_id,
        postings=postings,
        exchange=payment.exchange,
    )
