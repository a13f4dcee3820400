"""The tax port answered from a table of dated rates: for sellers without a tax service, and when that is silent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, ClassVar, TypeVar

from saldo.accounts.model import Exemption, TaxStatus
from saldo.kernel.errors import Refusal
from saldo.kernel.reading import Fields, read
from saldo.tax.model import (
    BuyerFacts,
    OwnRates,
    SellerFacts,
    TaxableLine,
    TaxAnswer,
    TaxShare,
    TaxTable,
)
from saldo.tax.reading import rates_from
from saldo.tax.rules import line_taxes, shares_for, tax_totals
from saldo.tax.rules_own import over

_Key = TypeVar("_Key")
_Decision = tuple[str, date, str, str, TaxStatus, bool, tuple[Exemption, ...], SellerFacts]
_MOST_KEPT = 20_000
_MOST_TABLES = 100
_NO_CURRENCY = "XXX"


@dataclass(frozen=True, slots=True)
class TableTax:
    """Answers by `shares_for` over a table, with the seller's own rates over it. `estimated` when it stands in for a
    service that did not answer.

    Decisions are remembered: they depend on facts, category and day alone.
    """

    table: TaxTable
    estimated: bool = False
    _decided: dict[_Decision, tuple[TaxShare, ...]] = field(default_factory=dict, repr=False, compare=False)
    _over: dict[OwnRates, TaxTable] = field(default_factory=dict, repr=False, compare=False)
    parallel: ClassVar[int] = 1

    def quote(
        self, lines: Sequence[TaxableLine], buyer: BuyerFacts, seller: SellerFacts, currency: str = ""
    ) -> TaxAnswer:
        table = self._table(seller.own_rates)
        decided: dict[tuple[str, date], tuple[TaxShare, ...]] = {}
        shares: list[tuple[TaxShare, ...]] = []
        for line in lines:
            borne = line.taxes or decided.get((line.category, line.supplied_on))
            if borne is None:
                borne = decided[line.category, line.supplied_on] = self._shares(line, buyer, seller, table)
            shares.append(borne)
        _check_currency(lines, shares, seller.own_rates, currency)
        taxes = line_taxes(lines, shares, seller.rounding, seller.mode)
        totals = tax_totals(lines, taxes, seller.rounding, seller.mode)
        return TaxAnswer(f"table {table.version}", self.estimated, seller.rounding, taxes, totals, seller.mode)

    def _table(self, own: OwnRates | None) -> TaxTable:
        if own is None:
            return self.table
        known = self._over.get(own)
        if known is None:
            _make_room(self._over, _MOST_TABLES)
            known = self._over[own] = over(self.table, own.rates, f"{self.table.version}, own {own.version}")
        return known

    def _shares(
        self, line: TaxableLine, buyer: BuyerFacts, seller: SellerFacts, table: TaxTable
    ) -> tuple[TaxShare, ...]:
        kind = buyer.country, buyer.region, buyer.status, buyer.has_tax_id, buyer.exemptions
        key = (line.category, line.supplied_on, *kind, seller)
        known = self._decided.get(key)
        if known is None:
            _make_room(self._decided, _MOST_KEPT)
            known = self._decided[key] = shares_for(line, buyer, seller, table)
        return known


def _make_room(kept: dict[_Key, Any], most: int) -> None:  # Any: what is kept is not looked at
    if len(kept) >= most:
        kept.clear()


def _check_currency(
    lines: Sequence[TaxableLine], shares: Sequence[tuple[TaxShare, ...]], own: OwnRates | None, currency: str
) -> None:
    """Amounts are of the currency that they were written in: never so many cents of another."""
    if own is None or currency == own.currency:
        return
    for line, borne in zip(lines, shares, strict=True):
        for share in borne if not line.taxes else ():
            if share.has_amounts:
                what = f"{share.jurisdiction} {share.name} is told in amounts of {own.currency}"
                raise Refusal("tax_undecidable", f"{what}, and the document is in {currency}")


@lru_cache(maxsize=1)
def shipped_table() -> TaxTable:
    """The rates that come with Saldo (`rates.json`, with notes on where they are from)."""
    return table_from(json.loads(files("saldo.tax").joinpath("rates.json").read_text("utf-8")))


def table_from(document: Mapping[str, Any]) -> TaxTable:  # Any: parsed JSON
    """A table from its JSON form: {"version", "notes"?, "unions": {name: [countries]}, "rates": as `rates_from` reads
    them, of percents alone}. Refusal `invalid_input` says what is wrong with it."""
    return read(document, _table, "a table of tax rates cannot be read")


def _table(fields: Fields) -> TaxTable:
    fields.text_list("notes")
    unions = fields.child("unions")
    members = {name: frozenset(unions.text_list(name)) for name in unions.names()}
    table = TaxTable(fields.text("version"), rates_from(fields, "", _NO_CURRENCY), members)
    if any(rate.has_amounts for rate in table.rates):
        fields.problems.add("rates", "has_amounts", "a table for every currency has percents alone")
    fields.finish()
    return table
