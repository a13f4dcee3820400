"""What a page costs, warm: CPU of the handler and calls to the table. The AWS SDK's own CPU is left out."""

from __future__ import annotations

import io
import time
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.portal import services
from saldo.invoicing.records import header_item
from saldo.invoicing.status import InvoiceStatus
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.records import entry_item
from tests.bench.figures import Figure
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import build, forget
from tests.simulation.dynamodb import MemoryDynamoDB

MOST_CALLS = 2
MANY = 100_000
TIMES = 60


def figures() -> list[Figure]:
    patch = pytest.MonkeyPatch()
    with redirect_stdout(io.StringIO()):
        portal = build(patch)
        browser = portal.signed_in()
    home = f"/accounts/{scenes.NORTH}"
    invoice = f"{home}/invoices/{_newest('invoice#')}"
    payment = f"{home}/payments/{_newest('payment#')}"
    pages = {
        "overview": home,
        "invoice list": f"{home}/invoices",
        "invoice": invoice,
        "pay": f"{home}/pay?all=open",
        "payments": f"{home}/payments",
        "payment with receipt": payment,
        "statement": f"{home}/statement",
        "all accounts": "/accounts?all=1",
    }
    table = portal.region.records
    found = [figure for name, path in pages.items() for figure in _measured(browser, table, name, path)]
    _grown()
    big = {
        "list": f"{home}/invoices",
        "filter": f"{home}/invoices?status=paid",
        "sort": f"{home}/invoices?sort=total_minor",
        "search": f"{home}/invoices?text=rw-2025-1",
        "statement": f"{home}/statement",
    }
    for name, path in big.items():
        found += _measured(browser, table, f"at 100,000 invoices, {name}", path, times=3, most_ms=40)
    patch.undo()
    forget()
    return found


def _grown() -> None:
    """The account of the scenes with 100,000 paid invoices more, evenly over three years, and their journal."""
    paid = {"status": InvoiceStatus.PAID, "open_minor": 0}
    items = []
    for n in range(MANY):
        on = scenes.TODAY - timedelta(days=30 + n % 1000)
        header = scenes.header_of(scenes.NORTH, on, 20000 + n, 14)
        legs = (
            Posting(LedgerAccount.RECEIVABLES, header.total_minor, header.invoice_id, header.due_on),
            Posting(LedgerAccount.REVENUE, -header.total_minor),
        )
        entry = entry_for(
            EntryKind.INVOICE_ISSUED,
            booked_on=on,
            entity_id=header.entity_id,
            account_id=scenes.NORTH,
            currency="EUR",
            source_id=header.invoice_id,
            postings=legs,
        )
        items += [header_item(replace(header, number=f"RW-{on:%Y}-1{n:06}", **paid)), entry_item(entry)]
    services.store().put_many(items)


def _newest(prefix: str) -> str:
    (item,) = services.store().query(scenes.NORTH, prefix=prefix, newest_first=True, limit=1).items
    return str(item["sk"]).removeprefix(prefix)


def _measured(
    browser: Browser, table: MemoryDynamoDB, name: str, path: str, times: int = TIMES, most_ms: float = 25
) -> list[Figure]:
    with redirect_stdout(io.StringIO()):  # the portal's log
        assert browser.get(path).status == 200
        table.calls = 0
        browser.get(path)
        calls = table.calls
        began = time.process_time()
        for _ in range(times):
            browser.get(path)
        cpu_ms = (time.process_time() - began) / times * 1000
    return [
        Figure(f"page {name}: calls", calls, "calls", MOST_CALLS, "lower"),
        Figure(f"page {name}: CPU", cpu_ms, "ms CPU", most_ms, "lower"),
    ]
