"""What a page costs, warm: CPU of the handler and calls to the table. The AWS SDK's own CPU is left out."""

from __future__ import annotations

import io
import time
from contextlib import redirect_stdout

import pytest

from functions.portal import services
from tests.bench.figures import Figure
from tests.functions.portal import scenes
from tests.functions.portal.browser import Browser
from tests.functions.portal.conftest import build, forget
from tests.simulation.dynamodb import MemoryDynamoDB

MOST_CALLS, MOST_CPU_MS = 2, 25
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
    patch.undo()
    forget()
    return found


def _newest(prefix: str) -> str:
    (item,) = services.store().query(scenes.NORTH, prefix=prefix, newest_first=True, limit=1).items
    return str(item["sk"]).removeprefix(prefix)


def _measured(browser: Browser, table: MemoryDynamoDB, name: str, path: str) -> list[Figure]:
    with redirect_stdout(io.StringIO()):  # the portal's log
        assert browser.get(path).status == 200
        table.calls = 0
        browser.get(path)
        calls = table.calls
        began = time.process_time()
        for _ in range(TIMES):
            browser.get(path)
        cpu_ms = (time.process_time() - began) / TIMES * 1000
    return [
        Figure(f"page {name}: calls", calls, "calls", MOST_CALLS, "lower"),
        Figure(f"page {name}: CPU", cpu_ms, "ms CPU", MOST_CPU_MS, "lower"),
    ]
