"""What a page costs, warm, on an account of 100 and of 100,000 invoices: CPU of the handler, calls, bytes.

The CPU of the table in memory, which the handler waits for elsewhere, is taken out; the AWS SDK's own is not in it.
"""

from __future__ import annotations

import gc
import gzip
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import pytest

from functions.portal import services
from functions.portal.static_files import FOLDER
from functions.portal.table_files import MOST_BYTES
from saldo.access.model_visibility import SelfService, Visibility
from saldo.access.visibility import VisibilityRules
from saldo.audit.model import job
from saldo.invoicing.reading import open_rows
from tests.bench.figures import Figure
from tests.contexts.sellers import ENTITY
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import Portal, build, forget
from tests.load.portal import fill
from tests.simulation.dynamodb import MemoryDynamoDB

MOST_CALLS, MOST_CPU_MS, MOST_CPU_MS_OF_MANY, MOST_KB, MOST_ASSETS_KB = 2, 25, 40, 60, 10
MOST_FILE_CPU_S = 10
FEW, MANY = 100, 100_000
TIMES = 40
HOME = f"/accounts/{scenes.NORTH}"
OF_MANY = {
    "overview": HOME,
    "invoice list": f"{HOME}/invoices",
    "filter": f"{HOME}/invoices?status=paid",
    "open only": f"{HOME}/invoices?status=open&sort=due_on&order=asc",
    "sort": f"{HOME}/invoices?sort=total_minor",
    "search": f"{HOME}/invoices?text=RW-2026-04",
    "statement": f"{HOME}/statement",
    "statement, a late page of ten years": f"{HOME}/statement?from=2016-11-01&page=1500",
}


def figures() -> list[Figure]:
    with _portal(FEW) as (portal, browser):
        found = _few(portal, browser)
    with _portal(MANY) as (portal, browser):
        found += _many(portal, browser)
    return [*found, Figure("CSS and JavaScript, gzipped", _assets_kb(), "kB", MOST_ASSETS_KB, "lower")]


def _few(portal: Portal, browser: Browser) -> list[Figure]:
    pages = OF_MANY | {
        "invoice": f"{HOME}/invoices/{_newest('invoice#')}",
        "pay": f"{HOME}/pay?all=open",
        "payments": f"{HOME}/payments",
        "payment with receipt": f"{HOME}/payments/{_newest('payment#')}",
        "approvals": f"{HOME}/approvals",
        "people": f"{HOME}/people",
        "all accounts": "/accounts?all=1",
        "notifications": "/notifications",
        "open in all accounts": "/invoices",
        "new plan": f"{HOME}/plans/new",
        "subscriptions": f"{HOME}/subscriptions",
        "activity": f"{HOME}/activity",
    }
    del pages["statement, a late page of ten years"]
    table = portal.region.records
    found = [f for name, path in pages.items() for f in _measured(browser, table, name, path, MOST_CPU_MS)]
    desk = f"/staff/{ENTITY}"
    with redirect_stdout(io.StringIO()):
        auditor = portal.staff_in("auditor")
    found += _measured(auditor, table, "start page of staff", desk, MOST_CPU_MS)
    return [*found, *_measured(portal.browser(), table, "pay link", _pay_link(portal), MOST_CPU_MS)]


def _pay_link(portal: Portal) -> str:
    """Of an open invoice, once the account has such links; its people sign in anew after that."""
    store, allowed = services.store(), Visibility(actions=frozenset(SelfService))
    VisibilityRules(store, portal.clock).set(scenes.NORTH, allowed, job("bench"), "asked for")
    row = open_rows(store, scenes.NORTH)[0]
    return f"/pay/{services.pay_links().token(scenes.NORTH, row.invoice_id)}"


def _many(portal: Portal, browser: Browser) -> list[Figure]:
    named = {f"{name}, {MANY:,} invoices": path for name, path in OF_MANY.items()}
    table = portal.region.records
    pages = [f for name, path in named.items() for f in _measured(browser, table, name, path, MOST_CPU_MS_OF_MANY)]
    return [*pages, *_of_file(browser, table, "csv"), *_of_file(browser, table, "xlsx")]


def _of_file(browser: Browser, table: MemoryDynamoDB, ending: str) -> list[Figure]:
    """The whole list as a file: CPU, and how much of what Lambda answers with."""
    whole, apart, began = table._call, _Apart(table), time.process_time()
    with redirect_stdout(io.StringIO()):
        page = browser.get(f"{HOME}/invoices.{ending}", accept_encoding="gzip")
    cpu_s = time.process_time() - began - apart.seconds
    table._call = whole  # type: ignore[method-assign]
    assert page.status == 200
    name = f"{MANY:,} invoices as {ending}"
    return [
        Figure(f"{name}: CPU", cpu_s, "s CPU", MOST_FILE_CPU_S, "lower"),
        Figure(f"{name}: size", len(page.body) / 1_000_000, "MB", MOST_BYTES / 1_000_000, "lower"),
    ]


@contextmanager
def _portal(invoices: int) -> Iterator[tuple[Portal, Browser]]:
    patch = pytest.MonkeyPatch()
    with redirect_stdout(io.StringIO()):
        portal = build(patch)
        browser = portal.signed_in()
        fill(services.store(), invoices)
    gc.collect()
    gc.freeze()
    yield portal, browser
    gc.unfreeze()
    patch.undo()
    forget()


def _newest(prefix: str) -> str:
    query = services.store().query(scenes.NORTH, prefix="body#" if prefix == "invoice#" else prefix, newest_first=True)
    return str(query.items[0]["sk"]).partition("#")[2]


class _Apart:
    """How much CPU the table took within calls."""

    def __init__(self, table: MemoryDynamoDB) -> None:
        self.seconds = 0.0
        self._call = table._call
        table._call = self._timed  # type: ignore[method-assign]

    def _timed(self, *asked: Any, **more: Any) -> Any:
        began = time.process_time()
        try:
            return self._call(*asked, **more)
        finally:
            self.seconds += time.process_time() - began


def _measured(browser: Browser, table: MemoryDynamoDB, name: str, path: str, most_ms: int) -> list[Figure]:
    with redirect_stdout(io.StringIO()):  # the portal's log
        assert browser.get(path).status == 200
        table.calls = 0
        page = browser.get(path)
        calls = table.calls
        cpu_ms = _cpu_ms(lambda: browser.get(path), table)
    kb = len(page.body) / 1000
    return [
        Figure(f"page {name}: calls", calls, "calls", MOST_CALLS, "lower"),
        Figure(f"page {name}: CPU", cpu_ms, "ms CPU", most_ms, "lower"),
        Figure(f"page {name}: bytes, uncompressed", kb, "kB", MOST_KB, "lower"),
    ]


def _cpu_ms(look: Callable[[], object], table: MemoryDynamoDB) -> float:
    whole, apart = table._call, _Apart(table)
    began = time.process_time()
    for _ in range(TIMES):
        look()
    spent = time.process_time() - began - apart.seconds
    table._call = whole  # type: ignore[method-assign]
    return spent / TIMES * 1000


def _assets_kb() -> float:
    return sum(len(gzip.compress(f.read_bytes(), 9)) for f in FOLDER.iterdir() if f.suffix in (".css", ".js")) / 1000
