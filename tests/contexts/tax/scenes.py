"""A seller in New York with a tax service, its buyers, and the services on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from local.tax_services.avatax import AvaTaxBook
from local.tax_services.faults import Script
from local.tax_services.rating import Rater
from local.tax_services.server import ServiceProcess
from local.tax_services.vertex import TOKENS, VertexBook
from local.vendors.avatax import AVATAX
from local.vendors.model import Contract
from local.vendors.vertex import VERTEX
from saldo.accounts.model import TaxStatus
from saldo.storage.web import WebService
from saldo.tax.avalara import AvaTax, AvaTaxKey
from saldo.tax.breaker import Breaker
from saldo.tax.fallback import ServiceTax
from saldo.tax.model import BuyerFacts, SellerFacts, TaxableLine, TaxFacts
from saldo.tax.model_services import TaxDocument
from saldo.tax.ports import TaxService
from saldo.tax.table import TableTax, shipped_table
from saldo.tax.vertex import Vertex, VertexKey
from tests.contracts.held import answering

SELLER = SellerFacts("US", "NY", frozenset({"US-TX", "EU"}), "10001")
BROOKLYN = BuyerFacts("US", "NY", TaxStatus.BUSINESS, False, (), "11201", "acct_us_buyer")
LYON = BuyerFacts("FR", "", TaxStatus.CONSUMER, False, (), "69001", "acct_eu_buyer")
DAY = date(2026, 11, 1)
TABLE = TableTax(shipped_table())
SERVICES = ("avalara", "vertex")


def lines(*nets: int, category: str = "digital_service", inclusive: bool = False) -> list[TaxableLine]:
    return [TaxableLine(str(n), net, category, DAY, inclusive) for n, net in enumerate(nets, 1)]


def document(*nets: int, buyer: BuyerFacts = BROOKLYN, code: str = "", **more: bool) -> TaxDocument:
    return TaxDocument(TaxFacts(buyer, SELLER), "USD", tuple(lines(*nets, **more)), code)  # type: ignore[arg-type]


@dataclass
class Seconds:
    """Time that moves only when told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Running:
    """A service on loopback, its client, and the port in front of them."""

    process: ServiceProcess
    book: AvaTaxBook | VertexBook
    service: TaxService
    clock: Seconds = field(default_factory=Seconds)
    port: ServiceTax = field(init=False)

    def __post_init__(self) -> None:
        self.port = ServiceTax(self.service, TABLE, Breaker(self.clock))

    @property
    def script(self) -> Script:
        return self.process.script


@contextmanager
def running(name: str, *, read_s: float = 2.0, life_s: int = 3600) -> Iterator[Running]:
    book, contract = simulated(name, life_s)
    with answering(book, contract, Script(slow_s=0.4)) as process:
        web = WebService(process.url, name, read_s=read_s)
        yield Running(process, book, client(name, web))


def simulated(name: str, life_s: int = 3600) -> tuple[AvaTaxBook | VertexBook, Contract]:
    """A service that knows `client`, and the contract with it."""
    if name == "avalara":
        return AvaTaxBook(Rater(SELLER), "2000001", "licence", "SALDO"), AVATAX
    return VertexBook(Rater(SELLER), "saldo", "secret", "SALDO", life_s), VERTEX


def client(name: str, web: WebService) -> TaxService:
    if name == "avalara":
        return AvaTax(web, lambda: AvaTaxKey("2000001", "licence", "SALDO"))
    return Vertex(web, lambda: VertexKey("saldo", "secret", "SALDO", web.url + TOKENS))
