"""Payments, credit notes, terms and exchange rates of a quote's document."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.invoicing.rules_interest import COMPENSATION, STATUTORY_POINTS, LateInterest
from saldo.invoicing.rules_terms import DiscountTax, EarlyDiscount, Part, Tolerance
from saldo.kernel.exact import ZERO, minor_of_share, plus
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.reading import Fields
from saldo.quotes.model_receivables import CreditAsked, PaymentMade, ReceivablesAsked, Terms

_MOST_DAYS = 3660


class Quoted(StrEnum):
    """Which way a rate is told: ledger currency for one unit of the document's, or the other way round."""

    LEDGER_PER_DOCUMENT = "ledger_per_document"
    DOCUMENT_PER_LEDGER = "document_per_ledger"


class Law(StrEnum):
    """Whose law sets late interest."""

    UK = "UK"
    EU = "EU"


def exchange_from(fields: Fields, currency: str) -> ExchangeRate | None:
    """The rate of invoices; None where the document names no ledger currency."""
    ledger = fields.text("ledger_currency", "")
    way = fields.choice("quoted", Quoted, Quoted.LEDGER_PER_DOCUMENT)
    source, on = fields.text("source", ""), fields.maybe_day("on") or date.min
    rate = fields.decimal("rate") if ledger else ZERO
    if ledger and rate <= 0:
        fields.problems.add(fields.at("rate"), "not_above_zero", "a rate is above zero")
    if ledger and (len(ledger) != 3 or not ledger.isupper()):
        fields.problems.add(fields.at("ledger_currency"), "invalid_currency", "must be an ISO 4217 code such as EUR")
    fields.finish()
    if not ledger or rate <= 0:
        return None
    if way is Quoted.DOCUMENT_PER_LEDGER:
        return ExchangeRate(ledger, currency, rate, source, on)
    return ExchangeRate(currency, ledger, rate, source, on)


def receivables_from(fields: Fields, currency: str, exchange: ExchangeRate | None) -> ReceivablesAsked:
    """What is asked about the time after the invoices are issued."""
    payments = [_payment(child, currency, exchange) for child in fields.maybe_children("payments")]
    notes = [_credit_note(child, currency) for child in fields.maybe_children("credit_notes")]
    asked = ReceivablesAsked(
        as_of=fields.maybe_day("as_of"),
        events=(*payments, *notes),
        terms=Terms(
            early_discount=_early(fields.child("early_discount")) if fields.has("early_discount") else None,
            late_interest=_late(fields.child("late_interest")) if fields.has("late_interest") else None,
            instalments=tuple(_part(child, currency) for child in fields.maybe_children("instalments")),
            tolerance=_tolerance(fields.maybe_child("tolerance"), currency),
        ),
    )
    if asked.terms.late_interest is not None and asked.as_of is None:
        fields.problems.add(fields.at("as_of"), "missing", "interest is reckoned as of a day")
    fields.finish()
    return asked


def _minor(fields: Fields, name: str, currency: str) -> int:
    return minor_of_share(fields.decimal(name), (1, 1), currency)


def _payment(fields: Fields, currency: str, booked: ExchangeRate | None) -> PaymentMade:
    on, exchange = fields.day("on"), None
    if fields.has("rate"):
        rate = fields.decimal("rate")
        if booked is None:
            fields.problems.add(fields.at("rate"), "no_ledger_currency", "`exchange` names no ledger currency")
        elif rate <= 0:
            fields.problems.add(fields.at("rate"), "not_above_zero", "a rate is above zero")
        else:
            exchange = ExchangeRate(booked.base, booked.counter, rate, fields.text("source", ""), on)
    fields.has("source")
    invoice = fields.integer("invoice") if fields.has("invoice") else None
    payment = PaymentMade(on, _minor(fields, "amount", currency), invoice, exchange)
    fields.finish()
    return payment


def _credit_note(fields: Fields, currency: str) -> CreditAsked:
    by_line = fields.decimals("lines")
    asked = CreditAsked(
        on=fields.day("on"),
        invoice=fields.integer("invoice", 1),
        amounts={line: minor_of_share(amount, (1, 1), currency) for line, amount in by_line.items()},
        minor=_minor(fields, "amount", currency) if fields.has("amount") else None,
    )
    fields.finish()
    return asked


def _early(fields: Fields) -> EarlyDiscount:
    tax = fields.choice("tax", DiscountTax, DiscountTax.IF_EARLY)
    discount = EarlyDiscount(fields.decimal("percent"), fields.integer("days", 14), tax)
    if not 0 <= discount.days <= _MOST_DAYS:
        fields.problems.add(fields.at("days"), "out_of_range", f"must be from 0 to {_MOST_DAYS}")
    fields.finish()
    return discount


def _late(fields: Fields) -> LateInterest:
    """A rate of its own, or a law's points above the base rate, with the law's compensation."""
    law = fields.choice("law", Law) if fields.has("law") else None
    percent = fields.maybe_decimal("percent")
    if percent is None:
        base = fields.decimal("base_percent") if law else fields.decimal("percent")
        percent = plus(base, STATUTORY_POINTS) if law else base
    fields.has("base_percent")
    rule = LateInterest(
        percent=percent,
        year_days=fields.integer("year_days", 365),
        daily_rounding=fields.flag("daily_rounding", False),
        bands=COMPENSATION[law] if law else (),
    )
    if rule.year_days < 1:
        fields.problems.add(fields.at("year_days"), "below_one", "a year has days")
        rule = LateInterest(Decimal(0))
    fields.finish()
    return rule


def _part(fields: Fields, currency: str) -> Part:
    part = Part(
        percent=fields.maybe_decimal("percent"),
        amount_minor=_minor(fields, "amount", currency) if fields.has("amount") else None,
    )
    fields.flag("remainder", False)
    fields.finish()
    return part


def _tolerance(fields: Fields, currency: str) -> Tolerance:
    tolerance = Tolerance(
        amount_minor=_minor(fields, "amount", currency) if fields.has("amount") else None,
        percent=fields.maybe_decimal("percent"),
        clerk_minor=_minor(fields, "clerk_amount", currency) if fields.has("clerk_amount") else None,
    )
    fields.finish()
    return tolerance
