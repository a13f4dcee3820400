"""What invoicing needs from whoever knows about tax, and what this room needs from a tax service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from saldo.tax.model import BuyerFacts, SellerFacts, TaxableLine, TaxAnswer
from saldo.tax.model_services import Rated, TaxDocument


class TaxPort(Protocol):
    """Answers which taxes are due on the lines of one document, in one currency's minor units.

    `parallel`: how many documents may well be asked about at once; 1 for what answers out of memory.
    """

    @property
    def parallel(self) -> int: ...

    def quote(self, lines: Sequence[TaxableLine], buyer: BuyerFacts, seller: SellerFacts, currency: str) -> TaxAnswer:
        """One LineTax per line, in the lines' order, and totals that follow from them.

        Raises Refusal `tax_undecidable` when facts or rates are missing: never silently zero. Raises Unavailable
        when whoever is asked does not answer.
        """
        ...


class TaxService(Protocol):
    """A service outside that knows taxes. What it says is not believed before `rules_service` has checked it."""

    @property
    def name(self) -> str: ...

    def rate(self, document: TaxDocument) -> Rated:
        """What taxes the lines bear; nothing is kept there.

        Raises Unavailable when it does not answer, Refusal `tax_undecidable` when it says that the facts are wrong,
        Refusal `tax_service_wrong` for an answer of another form than documented.
        """
        ...

    def record(self, document: TaxDocument) -> Rated:
        """Have the service keep the document for the seller's returns, under its `code`; repeating it keeps it once.

        Raises as `rate` does.
        """
        ...
