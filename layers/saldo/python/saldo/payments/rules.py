"""Decisions on payments: what may be paid, what news changes, what is applied where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from saldo.invoicing.rules_early import EarlyOffer
from saldo.kernel.errors import Problem, Problems, Refusal
from saldo.kernel.ids import fingerprint
from saldo.kernel.money import Money
from saldo.kernel.periods import local_date
from saldo.payments.model import (
    MOVES,
    Allocation,
    GatewayPayment,
    Payable,
    Payment,
    PaymentStatus,
    Receipt,
    StatusChange,
)

INVOICES_A_UNIT = 40
# News come by themselves within minutes, payouts within days: only then is the gateway asked.
ASKED_AFTER = timedelta(minutes=10)
PAYOUT_ASKED_AFTER = timedelta(days=1)
# Those that wait are asked about as long again as they have waited by now, and at least so often.
MOST_WAIT = {"paying": timedelta(hours=6), "clearing": timedelta(days=1), "unrated": timedelta(hours=1)}
_MOST_INVOICES = 1000


def validated(
    allocations: Sequence[Allocation], payables: Mapping[str, Payable], reason: str, on: date | None = None
) -> Money:
    """The amount that these allocations add up to.

    on: the day of paying in the seller's calendar; less an early-payment discount that still holds needs no reason.
    payables: the account's issued invoices by id, at least those allocated. Raises Refusal `invalid_allocations`
    with every problem: nothing_chosen, too_many_invoices, chosen_twice, unknown_invoice, not_above_zero,
    over_open_balance, reason_required (for paying less than is open, not in dispute and
    not promised for other days), currency_mix.
    """
    problems = Problems()
    if not allocations:
        problems.add("allocations", "nothing_chosen", "choose at least one invoice to pay")
    if len(allocations) > _MOST_INVOICES:
        problems.add("allocations", "too_many_invoices", f"one payment covers at most {_MOST_INVOICES} invoices")
    seen: set[str] = set()
    for index, allocation in enumerate(allocations):
        payable = payables.get(allocation.invoice_id)
        again = allocation.invoice_id in seen
        problems.extend(_problems_of(allocation, payable, again), under=f"allocations[{index}]")
        seen.add(allocation.invoice_id)
    chosen = [payables[i] for i in seen if i in payables]
    currencies = sorted({p.currency for p in chosen})
    if len(currencies) > 1:
        problems.add("allocations", "currency_mix", f"one payment has one currency, not {' and '.join(currencies)}")
    if not reason.strip() and any(_falls_short(a, payables[a.invoice_id], on) for a in _known(allocations, payables)):
        problems.add("reason", "reason_required", "say why less than the open balance is paid")
    problems.refuse_if_any("these invoices cannot be paid as chosen", "invalid_allocations")
    return Money(sum(a.minor for a in allocations), currencies[0])


def _falls_short(allocation: Allocation, payable: Payable, on: date | None) -> bool:
    """Whether less is paid than is open and not in dispute, promised for other days, or asked for paying early."""
    short = 0 < allocation.minor < payable.undisputed_minor and not payable.promise_id
    return short and (on is None or not payable.is_settled_early(allocation.minor, on))


def discounts_taken(
    applied: Sequence[Allocation], payables: Mapping[str, Payable], paid_on: date
) -> dict[str, EarlyOffer]:
    """The discounts, by invoice, of those that are paid what was asked for paying early, and in time: what they leave;
    of parts their part, where invoices give that.

    paid_on: the day the payer paid, in the seller's calendar; how long the money then takes is not the payer's fault.
    """
    found = ((a.invoice_id, payables[a.invoice_id].discount(a.minor, paid_on)) for a in applied)
    return {invoice_id: offer for invoice_id, offer in found if offer}


def leaves_some(applied: Sequence[Allocation], payables: Mapping[str, Payable], settled: Collection[str]) -> bool:
    """Whether any of the invoices has something open afterwards; settled: those of which something is known already."""
    rest = (a for a in applied if a.invoice_id not in settled)
    return any(a.minor < payables[a.invoice_id].open_minor for a in rest)


def own_currency_of(payables: Iterable[Payable]) -> str:
    """The seller's own currency, where any of these is booked in it at a rate; "" elsewhere."""
    return next((p.booked.rate.other(p.currency) for p in payables if p.booked), "")


def _known(allocations: Iterable[Allocation], payables: Mapping[str, Payable]) -> Iterable[Allocation]:
    return (a for a in allocations if a.invoice_id in payables)


def _problems_of(allocation: Allocation, payable: Payable | None, again: bool) -> Iterable[Problem]:
    if again:
        yield Problem("invoice_id", "chosen_twice", "this invoice is chosen more than once")
    if payable is None:
        yield Problem("invoice_id", "unknown_invoice", "there is no such invoice")
    if allocation.minor <= 0:
        yield Problem("minor", "not_above_zero", "the amount must be above zero")
    elif payable is not None and allocation.minor > payable.open_minor:
        still = Money(payable.open_minor, payable.currency)
        yield Problem("minor", "over_open_balance", f"{payable.number} has {still} open")


def next_status(current: PaymentStatus, reported: PaymentStatus) -> PaymentStatus:
    """The state after this news: the reported one where MOVES allows it, else the current one."""
    return reported if reported in MOVES[current] else current


def changed_by(payment: Payment, report: GatewayPayment, at: datetime) -> Payment | None:
    """The payment after this news; None when the news is old (the payment is there already, or further).

    On settlement: the amount received, the receipt and the number of parts to apply are set, nothing is applied yet.
    """
    status = next_status(payment.status, report.status)
    if status is payment.status:
        return None
    new = replace(
        payment,
        status=status,
        gateway_ref=payment.gateway_ref or report.ref,
        method=report.method or payment.method,
        failure_code=report.failure_code if status is PaymentStatus.FAILED else "",
        history=(*payment.history, StatusChange(at, status)),
        version=payment.version + 1,
    )
    if status is not PaymentStatus.SETTLED:
        return new
    return replace(
        new,
        settled_at=report.happened_at,
        settled_minor=report.amount.minor,
        parts=len(parts_of(payment.allocations, report.amount.minor)),
        receipt_number=receipt_number(payment.id, local_date(report.happened_at, payment.booking_zone)),
    )


def misfit(payment: Payment, report: GatewayPayment) -> str | None:
    """Why this report cannot be about this payment (a code), or None when it can."""
    if report.amount.currency != payment.amount.currency:
        return "currency_mismatch"
    if report.status is PaymentStatus.SETTLED and report.amount.minor <= 0:
        return "invalid_amount"
    if payment.gateway_ref and report.ref and payment.gateway_ref != report.ref:
        return "reference_mismatch"
    return None


def parts_of(allocations: Sequence[Allocation], settled_minor: int) -> list[tuple[Allocation, ...]]:
    """The allocations that the money received covers, in the payer's order, 40 a part; always at least one part.

    When less was received than chosen, the first invoices are covered in full and one of them in part. The split
    follows from the payment alone, so repeating a part means the same invoices and the same limits.
    """
    covered, left = [], settled_minor
    for allocation in allocations:
        minor = min(allocation.minor, left)
        if minor > 0:
            covered.append(replace(allocation, minor=minor))
        left -= minor
    starts = range(0, max(len(covered), 1), INVOICES_A_UNIT)
    return [tuple(covered[start : start + INVOICES_A_UNIT]) for start in starts]


def apply_to_open(part: Sequence[Allocation], payables: Mapping[str, Payable]) -> tuple[Allocation, ...]:
    """What can be applied now: for each allocation the smaller of what was meant and what is still open.

    Each with what it is booked at in the seller's own currency. Invoices with nothing open (someone else paid them
    meanwhile) are left out; the rest stays unapplied cash.
    """
    known = (a for a in part if a.invoice_id in payables)
    possible = (replace(a, minor=min(a.minor, payables[a.invoice_id].open_minor)) for a in numbered(known, payables))
    found = (a for a in possible if a.minor > 0)
    return tuple(replace(a, booked_minor=payables[a.invoice_id].booked_at(a.minor)) for a in found)


def numbered(allocations: Iterable[Allocation], payables: Mapping[str, Payable]) -> tuple[Allocation, ...]:
    """The allocations with their invoices' numbers, so that whoever shows them need not look them up."""
    return tuple(replace(a, number=payables[a.invoice_id].number) for a in allocations)


def agenda_of(payment: Payment) -> tuple[str, datetime] | None:
    """Which list of unfinished business the payment is on and when a sweep first looks after it; None when finished.

    `paying`: the gateway has not said the last word, or parts are still to be applied. `clearing`: settled, the
    money has not reached the bank. `unrated`: it has, and what it is worth in the seller's own currency is not known.
    """
    if payment.awaits_news or not payment.fully_applied:
        return "paying", payment.started_at + ASKED_AFTER
    if payment.status is not PaymentStatus.SETTLED or payment.settled_at is None:
        return None
    if payment.paid_out_at is None:
        return "clearing", payment.settled_at + PAYOUT_ASKED_AFTER
    return ("unrated", payment.settled_at + ASKED_AFTER) if payment.awaits_rate else None


def next_look(payment: Payment, now: datetime) -> datetime | None:
    """When a sweep that has just looked after the payment does so again; None where it will not: it is finished, or
    its list's first look is still to come."""
    listed = agenda_of(payment)
    if listed is None or listed[1] > now:
        return None
    waited = now - (payment.started_at if listed[0] == "paying" else payment.settled_at or payment.started_at)
    return now + min(waited, MOST_WAIT[listed[0]])


def receipt_number(payment_id: str, paid_on: date) -> str:
    """The receipt's number follows from the payment (R-20261101-4F0K…): no counter, the same on every repeat."""
    return f"R-{paid_on:%Y%m%d}-{fingerprint('receipt', payment_id)[-10:].upper()}"


def receipt_of(payment: Payment, numbers: Mapping[str, str]) -> Receipt:
    """The receipt of a settled payment. numbers: invoice numbers by invoice id. Refusal `not_settled` before."""
    if payment.settled_at is None:
        raise Refusal("not_settled", "a receipt is there once the payment has settled")
    return Receipt(
        number=payment.receipt_number,
        payment_id=payment.id,
        paid_on=local_date(payment.settled_at, payment.booking_zone),
        amount=Money(payment.settled_minor, payment.amount.currency),
        method=payment.method,
        lines=tuple((numbers[a.invoice_id], a.minor) for a in payment.applied),
        unapplied_minor=payment.unapplied_minor,
    )


@dataclass(frozen=True, slots=True)
class Texts:
    """Words of the hosted page's description, per language."""

    one: str
    several: str


_TEXTS = {
    "en": Texts("Invoice {0}", "{0} invoices: {1}"),
    "de": Texts("Rechnung {0}", "{0} Rechnungen: {1}"),
    "fr": Texts("Facture {0}", "{0} factures\u202f: {1}"),
    "es": Texts("Factura {0}", "{0} facturas: {1}"),
}


def description_of(payables: Sequence[Payable], language: str) -> str:
    """What the hosted page says the payment is for; names at most three invoices."""
    texts = _TEXTS.get(language, _TEXTS["en"])
    numbers = [p.number for p in payables]
    if len(numbers) == 1:
        return texts.one.format(numbers[0])
    return texts.several.format(len(numbers), ", ".join(numbers[:3]) + (", …" if len(numbers) > 3 else ""))
