"""One account with very many invoices in the real portal application, and many people who look at it at once."""

from __future__ import annotations

import gc
import io
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing import get_context

import pytest

from functions.portal import services
from saldo.invoicing.codec import body_to_bytes
from saldo.invoicing.open_sums import OpenSums
from saldo.invoicing.records import InvoiceHeader, body_item, header_item
from saldo.invoicing.status import InvoiceStatus
from saldo.ledger.daily_sums import DailySums
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.model_statement import LONG
from saldo.ledger.records import BALANCE, balance_field, entry_item
from saldo.storage import schema
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import build, forget
from tests.in_process_aws import in_process_aws
from tests.simulation.dynamodb import Bill, MemoryDynamoDB

HOME = f"/accounts/{scenes.NORTH}"
PAGES = {
    "overview": HOME,
    "list": f"{HOME}/invoices",
    "filter": f"{HOME}/invoices?status=paid",
    "sort": f"{HOME}/invoices?sort=total_minor",
    "search": f"{HOME}/invoices?text=RW-2026-04",
    "statement": f"{HOME}/statement",
}
ROUNDS = 2
_FORK = get_context("fork")
_SIGNED_IN: list[Browser] = []  # what a forked process finds in its memory


def portal(invoices: int, concurrency: int, say: Callable[[str], None]) -> dict[str, list[float]]:
    """Latencies in seconds by page, all that look at once together; says p50, p99, CPU and calls of each."""
    with pytest.MonkeyPatch.context() as patch, in_process_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        try:
            with redirect_stdout(io.StringIO()):
                built = build(patch)
                table = _table(invoices)
                browser = built.signed_in()
                _SIGNED_IN[:] = [browser]
            say(f"{invoices:,} invoices on one account, {concurrency} people at once, each a process of its own")
            return {name: _looked(browser, table, name, path, concurrency, say) for name, path in PAGES.items()}
        finally:
            forget()


def _table(invoices: int) -> MemoryDynamoDB:
    store = services.store()
    items = list(store.scan())
    table = MemoryDynamoDB(schema.AGENDA_FIELDS)
    store._client = table  # type: ignore[assignment]
    store.put_many(items)
    fill(store, invoices)
    return table


def fill(store: Store, invoices: int) -> None:
    """Put so many documents of ten years, and what the stream makes of them, on the account."""
    account = scenes.NORTH
    store.put_many(item for n in range(invoices) for item in _invoice(n))
    added = sum(_header(n).open_minor for n in range(invoices))
    name = balance_field("EUR", LedgerAccount.RECEIVABLES)
    store.write_one(Unit("balance").update((account, BALANCE), add={name: added}))
    entries = DailySums(store).rebuild(account)
    assert OpenSums(store, services.clock).fold(account, entries) == (entries >= LONG)


def _header(n: int) -> InvoiceHeader:
    """The n-th document of ten years, most of them paid."""
    on = scenes.TODAY - timedelta(days=n % 3650)
    header = scenes.header_of(scenes.NORTH, on, 10_000 + n, 14)
    if n % 20:
        return replace(header, number=f"RW-{on:%Y}-{n:06}", open_minor=0, status=InvoiceStatus.PAID)
    return replace(header, number=f"RW-{on:%Y}-{n:06}")


def _invoice(n: int) -> list[Item]:
    header = _header(n)
    owed = Posting(LedgerAccount.RECEIVABLES, header.total_minor, header.invoice_id, header.due_on)
    rest = (Posting(LedgerAccount.REVENUE, -header.net_minor), Posting(LedgerAccount.TAX_PAYABLE, -header.tax_minor))
    items = [header_item(header), _entry(header, EntryKind.INVOICE_ISSUED, header.issued_on, owed, *rest)]
    if not header.open_minor:
        back = (owed._replace(minor=-owed.minor), Posting(LedgerAccount.BANK, owed.minor))
        items.append(_entry(header, EntryKind.PAYMENT_IMPORTED, header.due_on, *back))
    if n % 1000 == 0:  # a page of one invoice reads one body
        items.append(body_item(header.account_id, header.invoice_id, body_to_bytes(scenes.body_of(header))))
    return items


def _entry(header: InvoiceHeader, kind: EntryKind, on: date, *legs: Posting) -> Item:
    source = header.invoice_id if kind is EntryKind.INVOICE_ISSUED else header.invoice_id.replace("inv_", "pay_")
    entry = entry_for(
        kind,
        booked_on=min(on, scenes.TODAY),
        entity_id=header.entity_id,
        account_id=header.account_id,
        currency="EUR",
        source_id=source,
        postings=legs,
    )
    # Beside a payment lies what came where that was another currency: nothing here.
    return entry_item(entry) | ({"number": header.number} if kind is EntryKind.INVOICE_ISSUED else {})


def _looked(
    browser: Browser, table: MemoryDynamoDB, name: str, path: str, concurrency: int, say: Callable[[str], None]
) -> list[float]:
    with redirect_stdout(io.StringIO()):
        browser.get(path)
        table.bill, began = Bill(), time.process_time()
        page = browser.get(path)
        cpu_ms = (time.process_time() - began) * 1000
    calls, rru = table.bill.total_calls, table.bill.rru
    assert page.status == 200, f"{path} answers {page.status}"
    gc.freeze()  # a look must not copy what it only reads
    with _FORK.Pool(concurrency) as people:
        looks = people.map(_look, [path] * (concurrency * ROUNDS), chunksize=1)
    seconds = sorted(s for s, _ in looks)
    errors = sum(status != 200 for _, status in looks)
    p50, p99 = (seconds[min(len(seconds) - 1, int(len(seconds) * q))] * 1000 for q in (0.5, 0.99))
    say(
        f"  {name:<10} alone {cpu_ms:7.1f} ms CPU, {calls} calls, {rru:g} read units, {len(page.body) / 1024:.0f} kB; "
        f"at once p50 {p50:.0f} ms, p99 {p99:.0f} ms, {errors} errors of {len(looks)}"
    )
    assert not errors
    return seconds


def _look(path: str) -> tuple[float, int]:
    (browser,) = _SIGNED_IN
    began = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        status = browser.get(path).status
    return time.perf_counter() - began, status
