"""The tax port answered from a table of dated rates: for sellers without a tax service, and when that is silent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, ClassVar

from saldo.accounts.model import Exemption, TaxStatus
from saldo.kernel.errors import Refusal
from saldo.tax.codec import basis_from
from saldo.tax.model import (
    BuyerFacts,
    Collection,
    SellerFacts,
    TaxableLine,
    TaxAnswer,
    TaxRate,
    TaxShare,
    TaxTable,
    TaxTreatment,
)
from saldo.tax.rules import line_taxes, problems_of_rates, shares_for, tax_totals

_Decision = tuple[str, date, str, str, TaxStatus, bool, tuple[Exemption, ...], SellerFacts]
_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class TableTax:
    """Answers by `shares_for` over a table. `estimated` when it stands in for a service that did not answer.

    Decisions are remembered: they depend on facts, category and day alone.
    """

    table: TaxTable
    estimated: bool = False
    _decided: dict[_Decision, tuple[TaxShare, ...]] = field(default_factory=dict, repr=False, compare=False)
    parallel: ClassVar[int] = 1

    def quote(
        self, lines: Sequence[TaxableLine], buyer: BuyerFacts, seller: SellerFacts, currency: str = ""
    ) -> TaxAnswer:
        shares = [line.taxes or self._shares(line, buyer, seller) for line in lines]
        taxes = line_taxes(lines, shares, seller.rounding, seller.mode)
        totals = tax_totals(lines, taxes, seller.rounding, seller.mode)
        return TaxAnswer(f"table {self.table.version}", self.estimated, seller.rounding, taxes, totals, seller.mode)

    def _shares(self, line: TaxableLine, buyer: BuyerFacts, seller: SellerFacts) -> tuple[TaxShare, ...]:
        kind = buyer.country, buyer.region, buyer.status, buyer.has_tax_id, buyer.exemptions
        key = (line.category, line.supplied_on, *kind, seller)
        known = self._decided.get(key)
        if known is None:
            if len(self._decided) >= _MOST_KEPT:
                self._decided.clear()
            known = self._decided[key] = shares_for(line, buyer, seller, self.table)
        return known


@lru_cache(maxsize=1)
def shipped_table() -> TaxTable:
    """The rates that come with Saldo (`rates.json`, with notes on where they are from)."""
    return table_from(json.loads(files("saldo.tax").joinpath("rates.json").read_text("utf-8")))


def table_from(document: Mapping[str, Any]) -> TaxTable:  # Any: parsed JSON
    """A table from its JSON form; Refusal `invalid_tax_table` says what is wrong with it."""
    try:
        rates = tuple(_rate_from(row) for row in document["rates"])
        unions = {name: frozenset(members) for name, members in document["unions"].items()}
        table = TaxTable(str(document["version"]), rates, unions)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise Refusal("invalid_tax_table", f"a table of tax rates cannot be read: {error!r}") from error
    problems = problems_of_rates(rates)
    if problems:
        raise Refusal("invalid_tax_table", "; ".join(problems))
    return table


def _rate_from(row: Mapping[str, Any]) -> TaxRate:
    until = row.get("until_on")
    return TaxRate(
        row["country"],
        row.get("region", ""),
        row["name"],
        frozenset(row["categories"]),
        TaxTreatment(row["treatment"]),
        Decimal(row["percent"]),
        date.fromisoformat(row["from_on"]),
        date.fromisoformat(until) if until else None,
        row.get("compound", False),
        Decimal(row.get("levy_minor", 0)),
        Collection(row.get("collection", Collection.CHARGED)),
        basis_from(row["basis"]) if "basis" in row else None,
    )
