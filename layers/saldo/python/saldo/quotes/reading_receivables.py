"""Payments, credit notes, terms and exchange rates of a quote's document."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from itertools import pairwise

from saldo.accounts.model import Settle
from saldo.accounts.model import Terms as AccountTerms
from saldo.accounts.reading_payment_terms import payment_terms_from
from saldo.accounts.rules import discount_problems
from saldo.invoicing.rules_terms import DiscountTax, EarlyDiscount, Part
from saldo.invoicing.rules_tolerance import Tolerance, tolerance_problems
from saldo.kernel.errors import Refusal
from saldo.kernel.exact import ONE, ZERO, minor_of_share
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.money import Money, is_currency
from saldo.kernel.reading import Fields
from saldo.ledger.rules import AGING_DAYS, aging_bounds
from saldo.quotes.model import Booking
from saldo.quotes.model_receivables import (
    AgedBy,
    AgingAsked,
    CreditAsked,
    CreditUse,
    PaymentMade,
    ReceivablesAsked,
    Terms,
    WriteOff,
)
from saldo.quotes.reading_amounts import maybe_minor, minor_from
from saldo.quotes.reading_late import late_from
from saldo.quotes.reading_prices import day_rates_from
from saldo.quotes.rules_exchange import booked_at, told_as
from saldo.subscriptions.reading import check_day

_MOST_DAYS = 3660


class Quoted(StrEnum):
    """Which way a rate is told: ledger currency for one unit of the document's, or the other way round."""

    LEDGER_PER_DOCUMENT = "ledger_per_document"
    DOCUMENT_PER_LEDGER = "document_per_ledger"


def exchange_from(fields: Fields, currency: str) -> Booking | None:
    """How invoices are booked; None where the document names no ledger currency. One `rate`, or `rates` of days as a
    source publishes them, of which that of its day holds for each invoice."""
    ledger = fields.text("ledger_currency", "")
    if ledger and not is_currency(ledger):
        fields.problems.add(fields.at("ledger_currency"), "invalid_currency", "must be an ISO 4217 code such as EUR")
    by_day, one_rate = fields.has("rates"), fields.has("rate")
    if (by_day or one_rate) and not ledger:
        fields.problems.add(fields.at("ledger_currency"), "missing", "name the currency that the rates book in")
    if by_day and not ledger:
        day_rates_from(fields)
    elif by_day:
        fields.one_of("rate", "rates")
        booking = Booking(currency, ledger, day_rates_from(fields))
        fields.finish()
        return booking
    way = fields.choice("quoted", Quoted, Quoted.LEDGER_PER_DOCUMENT)
    source, on = fields.text("source", ""), fields.maybe_day("on") or date.min
    rate = fields.decimal("rate") if ledger else ZERO
    if ledger and rate <= 0:
        fields.problems.add(fields.at("rate"), "not_above_zero", "a rate is above zero")
    fields.finish()
    if not ledger or rate <= 0:
        return None
    pair = (ledger, currency) if way is Quoted.DOCUMENT_PER_LEDGER else (currency, ledger)
    return Booking(currency, ledger, ExchangeRate(*pair, rate, source, on))


def receivables_from(fields: Fields, currency: str, booking: Booking | None) -> tuple[ReceivablesAsked, AccountTerms]:
    """What is asked about the time after the invoices are issued, and what is agreed that stands on them."""
    payments = [_payment(child, currency, booking) for child in fields.maybe_children("payments")]
    notes = [_credit_note(child, currency) for child in fields.maybe_children("credit_notes")]
    given_up = [_write_off(child, currency) for child in fields.maybe_children("write_offs")]
    used = [_credit_use(child, currency) for child in fields.maybe_children("credit_uses")]
    agreed = AccountTerms(_early_discounts(fields), fields.flag("early_in_part", False))
    asked = ReceivablesAsked(
        as_of=fields.maybe_day("as_of"),
        events=(*payments, *notes, *given_up, *used),
        terms=Terms(
            late_interest=late_from(fields.child("late_interest"), currency) if fields.has("late_interest") else None,
            instalments=tuple(_part(child, currency) for child in fields.maybe_children("instalments")),
            tolerance=_tolerance(fields.maybe_child("tolerance"), currency),
            settle=fields.choice("settle", Settle, Settle.OLDEST),
        ),
        closing=_rate(fields, "closing_rate", date.min, booking),
        aging=_aging(fields.maybe_child("aging")),
    )
    if asked.as_of is not None:
        check_day(fields, "as_of", asked.as_of)
    if asked.as_of is None and (asked.terms.late_interest is not None or fields.has("aging")):
        fields.problems.add(fields.at("as_of"), "missing", "interest and aging are reckoned as of a day")
    fields.finish()
    return asked, agreed


def _aging(fields: Fields) -> AgingAsked:
    """Buckets and figures; bounds in days, rising."""
    by = fields.choice("by", AgedBy, AgedBy.DUE)
    told = fields.decimal_list("bounds")
    days = tuple(map(int, told))
    if days != told or any(low >= high for low, high in pairwise((0, *days))):
        why = "must be whole days above zero, each more than the one before"
        fields.problems.add(fields.at("bounds"), "not_rising", why)
        days = ()
    bounds = aging_bounds(days or AGING_DAYS, _FIRST[by])
    asked = AgingAsked(
        by=by,
        bounds=bounds,
        loss_percents=fields.decimal_list("loss_percents"),
        sales_days=fields.maybe_integer("sales_days"),
        month_days=fields.maybe_integer("month_days"),
    )
    if asked.loss_percents and len(asked.loss_percents) != len(bounds):
        names = ", ".join(name for name, _, _ in bounds)
        fields.problems.add(fields.at("loss_percents"), "wrong_length", f"must be one each for {names}")
    for name, days_told in (("sales_days", asked.sales_days), ("month_days", asked.month_days)):
        if days_told is not None and days_told < 1:
            fields.problems.add(fields.at(name), "below_one", "must be a day or more")
    fields.finish()
    return asked


_FIRST = {AgedBy.DUE: "not_due", AgedBy.ISSUED: "issued_that_day"}


def _early_discounts(fields: Fields) -> tuple[EarlyDiscount, ...]:
    """One, or several of falling percents: 3 % within 7 days, 2 % within 14."""
    if not fields.has("early_discount"):
        return ()
    found = fields.child("early_discount")
    steps = [found, *found.maybe_children("then")]
    first = _early(found, DiscountTax.IF_EARLY)
    discounts = first, *(_early(step, first.tax) for step in steps[1:])
    for step, problems in zip(steps, discount_problems(discounts, _MOST_DAYS), strict=True):
        for problem in problems:
            step.problems.add(step.at(problem.field), problem.code, problem.message)
    return discounts


def _rate(fields: Fields, name: str, on: date, booking: Booking | None) -> ExchangeRate | None:
    """A later rate, told the same way round as that of the invoices; None where there is none."""
    source = fields.text("source", "") if name == "rate" else ""
    if not fields.has(name):
        return _published(fields, on, booking) if name == "rate" else None
    rate = fields.decimal(name)
    if booking is None:
        fields.problems.add(fields.at(name), "no_ledger_currency", "`exchange` names no ledger currency")
    elif rate <= 0:
        fields.problems.add(fields.at(name), "not_above_zero", "a rate is above zero")
    else:
        return ExchangeRate(*told_as(booking), rate, source, on)
    return None


def _published(fields: Fields, on: date, booking: Booking | None) -> ExchangeRate | None:
    if booking is None or isinstance(booking.at, ExchangeRate):
        return None
    try:
        return booked_at(booking, on)
    except Refusal as refusal:
        fields.problems.add(fields.at("on"), refusal.code, refusal.message)
        return None


def _payment(fields: Fields, currency: str, booking: Booking | None) -> PaymentMade:
    """Money in the document's currency, or in another one that is taken `at` so much of the document's for one."""
    on = fields.day("on")
    invoice = fields.maybe_integer("invoice")
    paid_in = fields.text("currency", currency)
    if not is_currency(paid_in):
        fields.problems.add(fields.at("currency"), "invalid_currency", "must be an ISO 4217 code such as EUR")
    parts = tuple(_to_invoice(child, currency) for child in fields.maybe_children("invoices"))
    minor = minor_from(fields, "amount", currency, signed=True)
    if not is_currency(paid_in):
        fields.has("at")
    elif paid_in != currency:
        minor = _taken_at(fields, paid_in, currency)
    payment = PaymentMade(
        on=on,
        amount_minor=minor,
        invoice=invoice,
        exchange=_rate(fields, "rate", on, booking),
        parts=parts,
        kept_minor=maybe_minor(fields, "kept", currency) or 0,
        unapplied=fields.flag("unapplied", False),
        worth_minor=_worth(fields, paid_in, currency, booking),
        taken_back_on=fields.maybe_day("taken_back_on"),
    )
    if payment.taken_back_on and (payment.taken_back_on < on or minor < 0):
        why = "what came is taken back, on the day it came or later"
        fields.problems.add(fields.at("taken_back_on"), "never_came", why)
    if fields.has("worth") and booking is None:
        fields.problems.add(fields.at("worth"), "no_ledger_currency", "`exchange` names no ledger currency")
    if (payment.worth_minor or 0) * payment.settles_minor < 0:
        fields.problems.add(fields.at("worth"), "wrong_sign", "below zero where the amount is, and only there")
    if parts and sum(part for _, part in parts) > payment.settles_minor:
        fields.problems.add(fields.at("invoices"), "more_than_paid", "more goes to invoices than was paid")
    if sum((invoice is not None, bool(parts), payment.unapplied)) > 1:
        fields.problems.add(fields.at("invoices"), "one_of", "an `invoice`, several `invoices`, or `unapplied`")
    fields.finish()
    return payment


def _worth(fields: Fields, paid_in: str, currency: str, booking: Booking | None) -> int | None:
    """In minor units of the ledger's currency: what is told; of money that came in it, what came."""
    if booking is None:
        return None
    in_ledger = paid_in == booking.ledger != currency and not fields.has("worth")
    return maybe_minor(fields, "amount" if in_ledger else "worth", booking.ledger, signed=True)


def _taken_at(fields: Fields, paid_in: str, currency: str) -> int:
    rate = fields.decimal("at", ONE)
    if not fields.has("at") or rate <= 0:
        fields.problems.add(fields.at("at"), "not_above_zero", f"how much {currency} one {paid_in} is taken for")
        return 0
    money = Money.of_major(fields.decimal("amount"), paid_in)
    return ExchangeRate(paid_in, currency, rate, "", date.min).convert(money).minor


def _to_invoice(fields: Fields, currency: str) -> tuple[int, int]:
    part = fields.integer("invoice"), minor_from(fields, "amount", currency)
    fields.finish()
    return part


def _credit_use(fields: Fields, currency: str) -> CreditUse:
    use = CreditUse(fields.day("on"), fields.integer("invoice", 1), maybe_minor(fields, "amount", currency))
    fields.finish()
    return use


def _write_off(fields: Fields, currency: str) -> WriteOff:
    given_up = WriteOff(fields.day("on"), fields.integer("invoice", 1), maybe_minor(fields, "amount", currency))
    fields.finish()
    return given_up


def _credit_note(fields: Fields, currency: str) -> CreditAsked:
    by_line = fields.decimals("lines")
    asked = CreditAsked(
        on=fields.day("on"),
        invoice=fields.integer("invoice", 1),
        amounts={line: minor_of_share(amount, (1, 1), currency) for line, amount in by_line.items()},
        minor=maybe_minor(fields, "amount", currency, signed=True),
        place=fields.path,
    )
    fields.finish()
    return asked


def _early(fields: Fields, tax: DiscountTax) -> EarlyDiscount:
    """tax: of the first, which is that of the others too where they do not say another."""
    percent, days = fields.decimal("percent"), fields.integer("days", 14)
    discount = EarlyDiscount(percent, days, fields.choice("tax", DiscountTax, tax))
    fields.finish()
    return discount


def _part(fields: Fields, currency: str) -> Part:
    part = Part(
        percent=fields.maybe_decimal("percent"),
        amount_minor=maybe_minor(fields, "amount", currency, signed=True),
        due=payment_terms_from(fields.child("payment_terms"), _MOST_DAYS) if fields.has("payment_terms") else None,
    )
    fields.flag("remainder", False)
    fields.finish()
    return part


def _tolerance(fields: Fields, currency: str) -> Tolerance:
    """None of its limits is no tolerance at all, as where there is no such part."""
    tolerance = Tolerance(
        amount_minor=maybe_minor(fields, "amount", currency, signed=True),
        percent=fields.maybe_decimal("percent"),
        clerk_minor=maybe_minor(fields, "clerk_amount", currency, signed=True),
    )
    if tolerance != Tolerance():
        fields.problems.extend(tolerance_problems(tolerance), fields.path)
    fields.finish()
    return tolerance
