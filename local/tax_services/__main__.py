"""`python -m local.tax_services --seller US-NY --registered US-TX`: all three services, until it is stopped."""

from __future__ import annotations

import argparse
import signal
from contextlib import ExitStack
from threading import Event

from local.tax_services.avatax import AvaTaxBook
from local.tax_services.faults import Fault, Script
from local.tax_services.rating import Rater
from local.tax_services.server import Book, ServiceProcess
from local.tax_services.vertex import VertexBook
from local.tax_services.vies import ViesBook
from saldo.tax.model import SellerFacts

LICENCE = "local"  # whoever reaches this machine's loopback may ask


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.tax_services", description="Tax services on one machine.")
    parser.add_argument("--port", type=int, default=8095, help="of AvaTax; Vertex and VIES take the two after it")
    parser.add_argument("--seller", default="US-NY", help="where the seller sits: country, or country-region")
    parser.add_argument("--registered", action="append", default=[], help="where else it may charge tax")
    parser.add_argument("--valid-id", action="append", default=[], help="a tax id that VIES knows")
    parser.add_argument("--fault", type=Fault, default=Fault.NONE, choices=list(Fault), help="what each call meets")
    return parser.parse_args()


def main() -> int:
    args = _arguments()
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    country, _, region = args.seller.partition("-")
    rater = Rater(SellerFacts(country, region, frozenset({args.seller, *args.registered})))
    books: dict[str, Book] = {
        "avatax": AvaTaxBook(rater, LICENCE, LICENCE, "SALDO"),
        "vertex": VertexBook(rater, LICENCE, LICENCE, "SALDO"),
        "vies": ViesBook(set(args.valid_id)),
    }
    with ExitStack() as running:
        for n, (name, book) in enumerate(books.items()):
            script = Script(args.fault)
            service = running.enter_context(ServiceProcess(book, port=args.port + n, script=script))
            print(f"{name}: ready at {service.url}", flush=True)
        over.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
