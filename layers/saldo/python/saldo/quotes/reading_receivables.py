"""Payments, credit notes, terms and exchange rates of a quote's document."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from saldo.invoicing.rules_interest import Bands, LateFee, LateInterest, MonthCount
from saldo.invoicing.rules_late_law import STATUTES
from saldo.invoicing.rules_terms import DiscountTax, EarlyDiscount, Part, Tolerance
from saldo.kernel.exact import ZERO, minor_of_share, plus
from saldo.kernel.exchange import ExchangeRate
from saldo.kernel.periods import Unit
from saldo.kernel.reading import Fields
from saldo.ledger.rules import AGING_BOUNDS
from saldo.quotes.model_receivables import CreditAsked, PaymentMade, ReceivablesAsked, Terms, WriteOff

_MOST_DAYS = 3660


class Quoted(StrEnum):
    """Which way a rate is told: ledger currency for one unit of the document's, or the other way round."""

    LEDGER_PER_DOCUMENT = "ledger_per_document"
    DOCUMENT_PER_LEDGER = "document_per_ledger"


class Law(StrEnum):
    """Whose law sets late interest; EU is directive 2011/7/EU as most of its members have it."""

    UK = "UK"
    EU = "EU"
    DE = "DE"
    DE_CONSUMER = "DE_CONSUMER"
    FR = "FR"
    AT = "AT"
    BE = "BE"
    ES = "ES"
    IE = "IE"
    IT = "IT"
    LU = "LU"
    NL = "NL"
    PT = "PT"

    @property
    def points(self) -> Decimal:
        """What it adds to the reference rate, a year."""
        if self is Law.DE_CONSUMER:
            return STATUTES["DE"].consumer_points or ZERO
        return STATUTES[self.country].points

    @property
    def bands(self) -> Bands:
        return () if self is Law.DE_CONSUMER else STATUTES[self.country].bands

    @property
    def country(self) -> str:
        return _COUNTRY_OF.get(self, self.value)


_COUNTRY_OF = {Law.UK: "GB", Law.EU: "IT"}


class Per(StrEnum):
    """What an interest rate is for."""

    YEAR = "year"
    MONTH = "month"


class Compounds(StrEnum):
    """After what time interest bears interest; NEVER: simple."""

    NEVER = "never"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


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
    given_up = [_write_off(child, currency) for child in fields.maybe_children("write_offs")]
    aging = fields.maybe_child("aging")
    asked = ReceivablesAsked(
        as_of=fields.maybe_day("as_of"),
        events=(*payments, *notes, *given_up),
        terms=Terms(
            early_discount=_early(fields.child("early_discount")) if fields.has("early_discount") else None,
            late_interest=late_from(fields.child("late_interest"), currency) if fields.has("late_interest") else None,
            instalments=tuple(_part(child, currency) for child in fields.maybe_children("instalments")),
            tolerance=_tolerance(fields.maybe_child("tolerance"), currency),
        ),
        closing=_rate(fields, "closing_rate", date.min, exchange),
        loss_percents=aging.decimal_list("loss_percents"),
        sales_days=aging.integer("sales_days") if aging.has("sales_days") else None,
    )
    if asked.loss_percents and len(asked.loss_percents) != len(AGING_BOUNDS):
        names = ", ".join(name for name, _, _ in AGING_BOUNDS)
        aging.problems.add(aging.at("loss_percents"), "wrong_length", f"must be one each for {names}")
    if asked.as_of is None and (asked.terms.late_interest is not None or fields.has("aging")):
        fields.problems.add(fields.at("as_of"), "missing", "interest and aging are reckoned as of a day")
    aging.finish()
    fields.finish()
    return asked


def _minor(fields: Fields, name: str, currency: str) -> int:
    return minor_of_share(fields.decimal(name), (1, 1), currency)


def _rate(fields: Fields, name: str, on: date, booked: ExchangeRate | None) -> ExchangeRate | None:
    """A later rate, told the same way round as that of the invoices; None where there is none."""
    source = fields.text("source", "") if name == "rate" else ""
    if not fields.has(name):
        return None
    rate = fields.decimal(name)
    if booked is None:
        fields.problems.add(fields.at(name), "no_ledger_currency", "`exchange` names no ledger currency")
    elif rate <= 0:
        fields.problems.add(fields.at(name), "not_above_zero", "a rate is above zero")
    else:
        return ExchangeRate(booked.base, booked.counter, rate, source, on)
    return None


def _payment(fields: Fields, currency: str, booked: ExchangeRate | None) -> PaymentMade:
    on = fields.day("on")
    invoice = fields.integer("invoice") if fields.has("invoice") else None
    payment = PaymentMade(on, _minor(fields, "amount", currency), invoice, _rate(fields, "rate", on, booked))
    fields.finish()
    return payment


def _write_off(fields: Fields, currency: str) -> WriteOff:
    minor = _minor(fields, "amount", currency) if fields.has("amount") else None
    given_up = WriteOff(fields.day("on"), fields.integer("invoice", 1), minor)
    if minor is not None and minor < 0:
        fields.problems.add(fields.at("amount"), "negative", "must be zero or more")
    fields.finish()
    return given_up


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


def late_from(fields: Fields, currency: str) -> LateInterest:
    """A rate of its own, or a law's points above the base rate, with the law's compensation."""
    law = fields.choice("law", Law) if fields.has("law") else None
    percent, later = _percent_from(fields, law), []
    for child in fields.maybe_children("later"):
        on = child.day("from_on")
        later.append((on, _percent_from(child, law)))
        child.finish()
    thirty_days = fields.flag("thirty_days", False)
    year_days = fields.integer("year_days", 360 if thirty_days else 365)
    if year_days < 1:
        fields.problems.add(fields.at("year_days"), "below_one", "a year has days")
    compounds = fields.choice("compounds", Compounds, Compounds.NEVER)
    if compounds is not Compounds.NEVER and (thirty_days or fields.has("months")):
        why = "interest that bears interest is counted by whole times and real days"
        fields.problems.add(fields.at("compounds"), "one_of_two", why)
    rule = LateInterest(
        percent=percent,
        year_days=None if fields.flag("calendar_year", False) else max(year_days, 1),
        thirty_days=thirty_days,
        compounds=None if compounds is Compounds.NEVER else Unit(compounds),
        months=fields.choice("months", MonthCount, MonthCount.EXACT),
        grace_days=_not_below(fields, "grace_days"),
        from_grace=fields.flag("from_grace", False),
        most_percent=fields.maybe_decimal("most_percent"),
        daily_rounding=fields.flag("daily_rounding", False),
        bands=law.bands if law else (),
        per=Unit(fields.choice("per", Per, Per.YEAR)),
        later=tuple(sorted(later)),
        fees=tuple(_fee(child, currency) for child in fields.maybe_children("fees")),
    )
    fields.finish()
    return rule


def _percent_from(fields: Fields, law: Law | None) -> Decimal:
    """`percent` as it is, or `base_percent` plus the law's points."""
    if fields.has("percent"):
        if fields.has("base_percent"):
            fields.problems.add(fields.at("base_percent"), "one_of_two", "either a `percent` or a `base_percent`")
        return fields.decimal("percent")
    if law is None:
        if fields.has("base_percent"):
            fields.problems.add(fields.at("base_percent"), "no_law", "a base rate needs a `law` that adds to it")
        return fields.decimal("percent")
    return plus(fields.decimal("base_percent"), law.points)


def _fee(fields: Fields, currency: str) -> LateFee:
    fee = LateFee(
        after_days=fields.integer("after_days", 0),
        amount_minor=_minor(fields, "amount", currency) if fields.has("amount") else 0,
        percent=fields.decimal("percent", ZERO),
        least_minor=_minor(fields, "least", currency) if fields.has("least") else 0,
        most_minor=_minor(fields, "most", currency) if fields.has("most") else None,
        every_days=fields.integer("every_days") if fields.has("every_days") else None,
        times=fields.integer("times") if fields.has("times") else None,
    )
    if not fields.has("amount") and not fields.has("percent"):
        fields.problems.add(fields.at("amount"), "missing", "a fee has an `amount` or a `percent`")
    if fee.every_days is not None and fee.every_days < 1:
        fields.problems.add(fields.at("every_days"), "below_one", "must be a day or more")
    fields.finish()
    return fee


def _not_below(fields: Fields, name: str) -> int:
    days = fields.integer(name, 0)
    if not 0 <= days <= _MOST_DAYS:
        fields.problems.add(fields.at(name), "out_of_range", f"must be from 0 to {_MOST_DAYS}")
        return 0
    return days


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
