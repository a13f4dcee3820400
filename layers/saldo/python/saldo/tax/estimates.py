"""The tax port of looks ahead: what an invoice will bear by the table. No tax service is asked: it is an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from saldo.kernel.errors import Refusal
from saldo.tax.model import BuyerFacts, LineTax, SellerFacts, TaxableLine, TaxAnswer
from saldo.tax.table import TableTax, shipped_table

# The source of an answer that knows no tax.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TableEstimate:
    """Answers by a table. Where it cannot decide, the answer bears no tax and names UNKNOWN as its source: a look ahead
    goes on without. Refusal `tax_undecidable` only where amounts have their taxes in them, for then nothing is known.
    """

    table: TableTax
    parallel: ClassVar[int] = 1

    def quote(
        self, lines: Sequence[TaxableLine], buyer: BuyerFacts, seller: SellerFacts, currency: str = ""
    ) -> TaxAnswer:
        try:
            return self.table.quote(lines, buyer, seller, currency)
        except Refusal as refusal:
            if refusal.code != "tax_undecidable" or any(line.inclusive for line in lines):
                raise
            untaxed = tuple(LineTax(line.id, ()) for line in lines)
            return TaxAnswer(UNKNOWN, True, seller.rounding, untaxed, (), seller.mode)


@lru_cache(maxsize=1)
def estimates() -> TableEstimate:
    """By the rates that come with Saldo, under a seller's own."""
    return TableEstimate(TableTax(shipped_table(), estimated=True))
