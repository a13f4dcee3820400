"""Tax rules of a quote's document: rates of its own, those that come with Saldo, or its own over these."""

from __future__ import annotations

from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding
from saldo.tax.model import TaxRounding, TaxTable
from saldo.tax.reading import rates_from
from saldo.tax.rules_own import check_over, over
from saldo.tax.table import shipped_table


def tax_from(document: Fields, country: str, currency: str) -> tuple[TaxTable, TaxRounding, Rounding]:
    """The rates by which a quote is taxed and how tax is rounded; without rates, nothing is taxed.

    country: of rates that name none.
    """
    fields = document.maybe_child("taxes")
    rounding = fields.choice("rounding", TaxRounding, TaxRounding.DOCUMENT)
    mode = fields.choice("mode", Rounding, Rounding.HALF_UP)
    shipped, rates = shipped_table(), rates_from(fields, country, currency)
    table = TaxTable("quote", rates, shipped.unions)
    if fields.flag("use_shipped_rates", False):
        check_over(shipped, rates, fields)
        table = over(shipped, rates, "quote")
    fields.finish()
    return table, rounding, mode
