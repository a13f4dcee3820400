"""A tax service asked first, and the table where it does not answer, marked as an estimate: never silently zero."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from saldo.kernel.errors import Refusal, Unavailable
from saldo.tax.breaker import Breaker
from saldo.tax.model import OUTSIDE, BuyerFacts, SellerFacts, TaxableLine, TaxAnswer, TaxFacts
from saldo.tax.model_services import TaxDocument
from saldo.tax.ports import TaxService
from saldo.tax.rules import decided_by_facts
from saldo.tax.rules_service import WRONG, answer_from
from saldo.tax.table import TableTax

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceTax:
    """The tax port of a seller with a tax service. What facts alone decide is not asked; a wrong answer counts as a
    failure of the service; a document that the service refuses (`tax_undecidable`) is not guessed at. `told`: called
    for each estimate, so that people hear of them."""

    service: TaxService
    table: TableTax
    breaker: Breaker
    parallel: int = 8
    told: Callable[[], None] = lambda: None

    def quote(self, lines: Sequence[TaxableLine], buyer: BuyerFacts, seller: SellerFacts, currency: str) -> TaxAnswer:
        facts = TaxFacts(buyer, replace(seller, own_rates=None))  # which no service is asked about
        if (
            all(line.category == OUTSIDE or line.taxes for line in lines)
            or decided_by_facts(buyer, seller, self.table.table) is not None
        ):
            return replace(self.table.quote(lines, buyer, seller, currency), facts=facts)
        _check_certificates(lines, buyer)
        try:
            return self.ask(TaxDocument(facts, currency, tuple(lines)))
        except Unavailable as outage:
            return self._estimate(lines, facts, seller, currency, str(outage))
        except Refusal as refusal:
            if refusal.code != WRONG:
                raise
            return self._estimate(lines, facts, seller, currency, "gave a wrong answer")

    def ask(self, document: TaxDocument) -> TaxAnswer:
        """The service's own answer, checked. Raises Unavailable also while the circuit is open, else as it does."""
        if not self.breaker.ask():
            raise Unavailable(f"{self.service.name} failed before and is left alone for a while")
        well = False
        try:
            answer = answer_from(document, self.service.rate(document), self.service.name)
            well = True
        except Refusal as refusal:
            well = refusal.code != WRONG  # it answered, and said no
            raise
        finally:
            (self.breaker.succeeded if well else self.breaker.failed)()
        return answer

    def _estimate(
        self, lines: Sequence[TaxableLine], facts: TaxFacts, seller: SellerFacts, currency: str, why: str
    ) -> TaxAnswer:
        self.told()
        log.warning("tax was estimated", extra={"service": self.service.name, "why": why})
        answer = self.table.quote(lines, facts.buyer, seller, currency)
        source = f"{answer.source}; {self.service.name}: {why}"
        return replace(answer, source=source, estimated=True, facts=facts)


def _check_certificates(lines: Sequence[TaxableLine], buyer: BuyerFacts) -> None:
    """Refusal `tax_undecidable` for a certificate of a part: services are told of whole ones, and charge all else."""
    asked = [line for line in lines if line.category != OUTSIDE and not line.taxes]
    for one in (e for e in buyer.exemptions if not e.is_whole):
        here = [place for place in one.jurisdictions if place.split("-")[0] == buyer.country]
        if any(one.covers(place, line.category, line.supplied_on) for place in here for line in asked):
            why = "covers a part, which no tax service is told: end it here and have the service keep it"
            raise Refusal("tax_undecidable", f"the certificate {one.id} {why}")
