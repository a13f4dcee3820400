"""What invoicing needs from whoever knows about tax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from saldo.tax.model import BuyerFacts, SellerFacts, TaxableLine, TaxAnswer


class TaxPort(Protocol):
    """Answers which taxes are due on the lines of one document, in one currency's minor units."""

    def quote(self, lines: Sequence[TaxableLine], buyer: BuyerFacts, seller: SellerFacts) -> TaxAnswer:
        """One LineTax per line, in the lines' order, and totals that follow from them.

        Raises Refusal `tax_undecidable` when facts or rates are missing: never silently zero. Raises Unavailable
        when whoever is asked does not answer.
        """
        ...
