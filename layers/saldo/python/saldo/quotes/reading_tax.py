"""Tax rules of a quote's document: rates of its own, or the table that comes with Saldo."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from saldo.kernel.exact import ZERO, times
from saldo.kernel.money import minor_digits
from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding
from saldo.tax.model import Collection, TaxRate, TaxRounding, TaxTable, TaxTreatment
from saldo.tax.rules import problems_of_rates
from saldo.tax.table import shipped_table

_LONG_AGO = date(1900, 1, 1)
_COUNTRY = re.compile(r"[A-Z]{2}")


def country_from(fields: Fields, usual: str) -> str:
    """`country`, by its ISO 3166 code of two letters."""
    country = fields.text("country", usual)
    if not _COUNTRY.fullmatch(country):
        fields.problems.add(fields.at("country"), "invalid_country", "must be an ISO 3166 code such as DE")
        return usual
    return country


def tax_from(document: Fields, country: str, currency: str) -> tuple[TaxTable, TaxRounding, Rounding]:
    """The rates by which a quote is taxed and how tax is rounded; without rates, nothing is taxed.

    country: of rates that name none.
    """
    fields = document.maybe_child("taxes")
    rounding = fields.choice("rounding", TaxRounding, TaxRounding.DOCUMENT)
    mode = fields.choice("mode", Rounding, Rounding.HALF_UP)
    if fields.flag("use_shipped_rates", False):
        fields.one_of("use_shipped_rates", "rates")
        fields.finish()
        return shipped_table(), rounding, mode
    before = len(document.problems.found)
    rates = tuple(_rate(child, country, currency) for child in fields.maybe_children("rates"))
    if len(document.problems.found) == before:
        for problem in problems_of_rates(rates):
            fields.problems.add(fields.at("rates"), "invalid_rates", problem)
    fields.finish()
    return TaxTable("quote", rates, shipped_table().unions), rounding, mode


def _rate(fields: Fields, country: str, currency: str) -> TaxRate:
    percent = fields.decimal("percent", ZERO)
    usual = TaxTreatment.STANDARD if percent or fields.has("per_unit") else TaxTreatment.ZERO
    rate = TaxRate(
        country=country_from(fields, country),
        region=fields.text("region", ""),
        name=fields.text("name", "VAT"),
        categories=frozenset(fields.text_list("categories") or ("standard",)),
        treatment=fields.choice("treatment", TaxTreatment, usual),
        percent=percent,
        from_on=fields.maybe_day("from_on") or _LONG_AGO,
        until_on=fields.maybe_day("until_on"),
        compound=fields.flag("compound", False),
        levy_minor=times(fields.decimal("per_unit", ZERO), Decimal(10 ** minor_digits(currency))),
        collection=fields.choice("collection", Collection, Collection.CHARGED),
    )
    if not fields.has("percent") and not fields.has("per_unit"):
        fields.problems.add(fields.at("percent"), "missing", "a tax has a `percent` or an amount `per_unit`")
    fields.finish()
    return rate
