"""What a tax service said, held against itself and against what was asked, before anything follows from it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from saldo.kernel.errors import Problems
from saldo.kernel.exact import ZERO, plus, rounded_to, times, total
from saldo.kernel.money import minor_digits
from saldo.kernel.rounding import Rounding
from saldo.tax.model import TaxableLine, TaxAnswer, TaxRounding, TaxShare, TaxTreatment
from saldo.tax.model_services import Rated, RatedLine, RatedTax, TaxDocument, place_of
from saldo.tax.rules import no_supply
from saldo.tax.rules_totals import line_taxes, tax_totals

WRONG = "tax_service_wrong"
# A percentage that a service's partly taxed amount comes to is held to so many digits.
_DIGITS = 6


def answer_from(document: TaxDocument, rated: Rated, source: str) -> TaxAnswer:
    """The answer that a service's words come to: rates become the taxes of lines, and totals follow from the lines.
    What is no supply was not asked about and bears no tax; what gives back an earlier charge bears what that bore.

    Services round each tax of each line, so TaxRounding.LINE is named. Refusal `tax_service_wrong` with every problem:
    another currency, customer, amount or place than was asked about, lines missing, twice or unknown, sums that do not
    add up, tax against the sign of its base or above it, a rate that does not make its amount to within one minor unit,
    no tax and no reason.
    """
    problems = Problems()
    lines = {line.line_id: line for line in rated.lines}
    _check_document(document, rated, lines, problems)
    for i, line in enumerate(document.asked):
        if line.id in lines:
            _check_line(line, lines[line.id], document, problems, f"lines[{i}]")
    problems.refuse_if_any("what the tax service said does not add up", WRONG)
    shares = [
        _shares(line, lines[line.id], document)
        if line.id in lines
        else line.taxes or (no_supply(document.facts.seller),)
        for line in document.lines
    ]
    taxes = line_taxes(document.lines, shares, TaxRounding.LINE)
    totals = tax_totals(document.lines, taxes, TaxRounding.LINE)
    return TaxAnswer(source, False, TaxRounding.LINE, taxes, totals, Rounding.HALF_UP, document.facts)


def _check_document(document: TaxDocument, rated: Rated, lines: dict[str, RatedLine], problems: Problems) -> None:
    if rated.currency and rated.currency != document.currency:
        problems.add("currency", "other_currency", f"is {rated.currency}, asked was {document.currency}")
    buyer = document.facts.buyer.code
    if rated.customer and buyer and rated.customer != buyer:
        problems.add("customer", "other_customer", f"is of another buyer than {buyer}")
    known = {line.id for line in document.asked}
    if len(lines) != len(rated.lines):
        problems.add("lines", "line_twice", "a line is there more than once")
    for line_id in sorted(known ^ lines.keys()):
        code = "line_missing" if line_id in known else "line_unknown"
        problems.add("lines", code, f"line {line_id}")
    if total(line.tax for line in rated.lines) != rated.tax:
        problems.add("tax", "sum_differs", "the lines' taxes do not make up the document's")


def _check_line(line: TaxableLine, rated: RatedLine, document: TaxDocument, problems: Problems, path: str) -> None:
    currency = document.currency
    if rated.amount is not None:
        told = (rated.amount, plus(rated.amount, rated.tax)) if line.inclusive else (rated.amount,)
        off = [_minor(amount, currency) - line.net_minor for amount in told]
        if all(abs(one) > 1 for one in off):
            problems.add(f"{path}.amount", "other_amount", f"is {rated.amount}, asked was {line.net_minor} minor units")
    if total(tax.tax for tax in rated.taxes) != rated.tax:
        problems.add(f"{path}.tax", "sum_differs", "the jurisdictions' taxes do not make up the line's")
    if not rated.taxes and line.net_minor:
        problems.add(path, "no_reason", "bears no tax, and nothing says why")
    for n, tax in enumerate(rated.taxes):
        _check_tax(line, tax, currency, problems, f"{path}.taxes[{n}]")
        if not _is_near(tax.jurisdiction, document):
            problems.add(f"{path}.taxes[{n}]", "other_place", f"is of {tax.jurisdiction}, neither the buyer's nor ours")


def _is_near(jurisdiction: str, document: TaxDocument) -> bool:
    """Whether a tax is of the country and region that the buyer or the seller is in."""
    country, *parts = jurisdiction.split("-")
    near = [(facts.country, facts.region) for facts in (document.facts.buyer, document.facts.seller)]
    return any(country == c and (not region or parts[:1] in ([], [region])) for c, region in near)


def _check_tax(line: TaxableLine, tax: RatedTax, currency: str, problems: Problems, path: str) -> None:
    said, reckoned = _minor(tax.tax, currency), _minor(tax.taxable, currency) * Fraction(tax.rate)
    if said.denominator != 1:
        problems.add(path, "too_many_digits", f"{tax.tax} has more digits than {currency} has")
    if tax.rate < 0 or said * line.net_minor < 0:
        problems.add(path, "wrong_sign", f"a tax of {tax.tax} on a line of {line.net_minor} minor units")
    if abs(_minor(tax.taxable, currency)) > abs(line.net_minor) + 1:
        problems.add(path, "taxable_too_large", f"{tax.taxable} is more than the line")
    if tax.rate > 1:
        problems.add(path, "rate_too_high", f"{tax.rate} is more than the amount itself")
    if abs(said - reckoned) > 1:
        problems.add(path, "rate_differs", f"{tax.rate} of {tax.taxable} is not {tax.tax}")
    if not tax.treatment.is_taxed and (tax.tax or not tax.reason):
        problems.add(path, "no_reason", f"{tax.treatment} with a tax of {tax.tax} and the reason {tax.reason!r}")
    if tax.treatment.is_taxed and not tax.rate and line.net_minor:
        problems.add(path, "silently_zero", "is taxed at nothing, and nothing says why")


def _minor(amount: Decimal, currency: str) -> Fraction:
    return Fraction(amount) * Fraction(10 ** minor_digits(currency))


def _shares(line: TaxableLine, rated: RatedLine, document: TaxDocument) -> tuple[TaxShare, ...]:
    """A service's taxes as percentages of the line's net; those of one place and name become one."""
    if not rated.taxes:
        return (TaxShare(place_of(document), "", TaxTreatment.ZERO, ZERO, "nothing_charged"),)
    currency = document.currency
    within = _minor(rated.tax, currency) if line.inclusive else 0
    found: dict[tuple[str, str, TaxTreatment, str], Decimal] = {}
    for tax in rated.taxes:
        key = tax.jurisdiction, tax.name, tax.treatment, tax.reason
        found[key] = plus(found.get(key, ZERO), _percent(tax, line.net_minor - within, currency))
    return tuple(TaxShare(j, name, kind, percent, reason) for (j, name, kind, reason), percent in found.items())


def _percent(tax: RatedTax, net: Fraction | int, currency: str) -> Decimal:
    """Of the whole line: where a part of it is taxed, the rate times that part. A minor unit less is mere rounding."""
    percent = times(tax.rate, Decimal(100))
    taxable = _minor(tax.taxable, currency)
    if not net or abs(taxable - net) <= 1:
        return percent
    return rounded_to(_DIGITS, Fraction(percent) * taxable / net)
