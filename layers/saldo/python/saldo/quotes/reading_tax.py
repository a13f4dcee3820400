"""Tax rules of a quote's document: rates of its own, or the table that comes with Saldo."""

from __future__ import annotations

from datetime import date

from saldo.kernel.reading import Fields
from saldo.quotes.model import TaxRules
from saldo.tax.model import TaxRate, TaxRounding, TaxTable, TaxTreatment
from saldo.tax.rules import problems_of_rates
from saldo.tax.table import shipped_table

_LONG_AGO = date(1900, 1, 1)


def tax_from(document: Fields, country: str) -> TaxRules:
    """The rules by which a quote is taxed; without any, nothing is. country: of rates that name none."""
    fields = document.maybe_child("taxes")
    rounding = fields.choice("rounding", TaxRounding, TaxRounding.DOCUMENT)
    if fields.flag("use_shipped_rates", False):
        fields.finish()
        return TaxRules(shipped_table(), rounding)
    before = len(document.problems.found)
    rates = tuple(_rate(child, country) for child in fields.maybe_children("rates"))
    if len(document.problems.found) == before:
        for problem in problems_of_rates(rates):
            fields.problems.add(fields.at("rates"), "invalid_rates", problem)
    fields.finish()
    return TaxRules(TaxTable("quote", rates, shipped_table().unions), rounding)


def _rate(fields: Fields, country: str) -> TaxRate:
    percent = fields.decimal("percent")
    usual = TaxTreatment.STANDARD if percent else TaxTreatment.ZERO
    rate = TaxRate(
        country=fields.text("country", country),
        region=fields.text("region", ""),
        name=fields.text("name", "VAT"),
        categories=frozenset(fields.text_list("categories") or ("standard",)),
        treatment=fields.choice("treatment", TaxTreatment, usual),
        percent=percent,
        from_on=fields.maybe_day("from_on") or _LONG_AGO,
        until_on=fields.maybe_day("until_on"),
    )
    fields.finish()
    return rate
