"""Tax rules of a quote's document: rates of its own, those that come with Saldo, or its own over these."""

from __future__ import annotations

from dataclasses import dataclass

from saldo.accounts.model import Account
from saldo.kernel.reading import Fields
from saldo.kernel.rounding import Rounding
from saldo.tax.model import TaxRounding, TaxTable
from saldo.tax.reading import rates_from
from saldo.tax.rules_own import check_over, over
from saldo.tax.table import shipped_table


@dataclass(frozen=True, slots=True)
class TaxesTold:
    """The rates by which a quote is taxed and how tax is rounded. named: jurisdictions of the document's own rates;
    shipped: those that come with Saldo are among the rates."""

    table: TaxTable
    rounding: TaxRounding
    mode: Rounding
    named: frozenset[str]
    shipped: bool

    def charged_by(self, seller: str, buyer: Account) -> list[str]:
        """Where a seller in a country may charge tax when it does not say: wherever rates are named, and of those that
        come with Saldo at home and in its union. A sale at home is charged or refused, never untaxed for want of a
        rate."""
        if not self.shipped:
            return sorted(self.named)
        near = {seller}.union(*(members for members in self.table.unions.values() if seller in members))
        at_home = {seller} | (
            {f"{seller}-{buyer.tax_region}"} if seller == buyer.country and buyer.tax_region else set()
        )
        return sorted(self.named | at_home | {r.jurisdiction for r in self.table.rates if r.country in near})


def tax_from(document: Fields, country: str, currency: str) -> TaxesTold:
    """Without rates, nothing is taxed. country: of rates that name none."""
    fields = document.maybe_child("taxes")
    rounding = fields.choice("rounding", TaxRounding, TaxRounding.DOCUMENT)
    mode = fields.choice("mode", Rounding, Rounding.HALF_UP)
    carried, rates = shipped_table(), rates_from(fields, country, currency)
    named = frozenset(rate.jurisdiction for rate in rates)
    shipped = fields.flag("use_shipped_rates", False)
    if shipped:
        check_over(carried, rates, fields)
    table = over(carried, rates, "quote") if shipped else TaxTable("quote", rates, carried.unions)
    fields.finish()
    return TaxesTold(table, rounding, mode, named, shipped)
