"""What the hourly look over all records takes, in parts: its own speed, its memory, and how long a region's takes.

`python -m tests.bench.whole_look` prints docs/scaling.md's table. One month of many accounts is looked at through the
function's own use case, on the table in memory; time is CPU, to which a call's time is added for each page. What is put
together is measured on rows of made-up documents, since there are more of them than a test can bill.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any

from infra.cdk.functions import CHECK_INVARIANTS
from saldo.insight.checks_across import SERIES, Of, Share
from saldo.insight.invariants import Report
from saldo.insight.parts import BooksLook, _first_line
from saldo.storage.files import Files
from saldo.storage.looks import PART_BYTES, Look, bytes_at_once
from tests.bench.figures import Figure
from tests.bench.prices import RRU
from tests.bench.sizing import CALL_S
from tests.simulation.dynamodb import PAGE_BYTES
from tests.simulation.region import Buckets, Wire
from tests.simulation.world import World

# What an invoice's records come to in all: header, body, entry, balances, links and its share in its account.
BYTES_AN_INVOICE = 3_000
PARTS_AT_ONCE = 20  # infra/cdk/runs.py
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """bytes_s, records_s: a part's own speed. rows_s: of what is put together; row_bytes: of one. Peaks in MB: of one
    part of this many MB, of as large a one in a table twice the size, of one four times as large, and of putting so
    many rows together."""

    bytes_s: float
    records_s: float
    rows_s: float
    row_bytes: float
    part_mb: float
    peak_mb: float
    peak_of_twice_mb: float
    peak_of_whole_mb: float
    rows: int
    together_mb: float

    @property
    def full_part_mb(self) -> float:
        """What a part of full size peaks at, reckoned from two sizes."""
        slope = (self.peak_of_whole_mb - self.peak_mb) / (3 * self.part_mb)
        return self.peak_mb + slope * (PART_BYTES / _MB - self.part_mb)


def measured(accounts: int = 1000, rows: int = 200_000) -> Measured:
    world = _billed(accounts)
    files = Files(Buckets(Wire()), "work")  # type: ignore[arg-type]
    books, look = BooksLook(world.store, files), Look("look_1", world.now, 4)
    began = time.process_time()
    records = sum(books.part(look, part).counted.total() for part in range(4))
    took = time.process_time() - began
    size = world.store.size_bytes()
    twice = _billed(2 * accounts)
    doubled, larger = BooksLook(twice.store, files), Look("look_2", twice.now, 8)
    together, big = _made_up(rows, parts=20)
    began = time.process_time()
    assert not together.together(big).across
    added = time.process_time() - began
    sizes = sum(len(body) for (_, key), body in together._files.files._client.files.items())  # type: ignore[attr-defined]
    return Measured(
        bytes_s=size / took,
        records_s=records / took,
        rows_s=rows / added,
        row_bytes=sizes / rows,
        part_mb=size / 4 / _MB,
        peak_mb=_peak_mb(lambda: books.part(look, 0)),
        peak_of_twice_mb=_peak_mb(lambda: doubled.part(larger, 0)),
        peak_of_whole_mb=_peak_mb(lambda: books.part(Look("look_3", world.now, 1), 0)),
        rows=rows,
        together_mb=_peak_mb(lambda: together.together(big)),
    )


@lru_cache(maxsize=2)
def _billed(accounts: int) -> World:
    world = World()
    world.found(accounts, started_on=date(2026, 1, 1))
    for month in (1, 2, 3):
        world.run(date(2026, month, 1))
    return world


def _made_up(rows: int, parts: int) -> tuple[BooksLook, Look]:
    """Files of documents of one series and the block on record that holds them, shared out as accounts are."""
    files = Files(Buckets(Wire()), "work")  # type: ignore[arg-type]
    books, look = BooksLook(None, files), Look("look_1", World().now, parts)  # type: ignore[arg-type]
    lines = [f"acct_eu_{n % 99_991:06d} inv_20260101{n:016d} EUR {n}\n" for n in range(1, rows + 1)]
    for part in range(parts):
        own: list[Any] = []
        if part == 0:
            digest = sha256("".join(lines).encode()).hexdigest()
            own = [(SERIES, "ent_eu_seller", "RW-2026", 0, Of.NEXT, rows + 1)]
            own.append((SERIES, "ent_eu_seller", "RW-2026", 1, Of.BLOCK, rows, digest))
        for n in range(part + 1, rows + 1, parts):
            document = "2026-01-01", f"inv_20260101{n:016d}", lines[n - 1]
            own.append((SERIES, "ent_eu_seller", "RW-2026", n, Of.DOCUMENT, *document))
        text = "\n".join(json.dumps(row, separators=(",", ":")) for row in [_first_line(Report(), Share()), *own])
        files.put(books._files.key(look, part), text.encode(), "application/x-ndjson")
    return books, look


def _peak_mb(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / _MB


def part_s(found: Measured, size: float = PART_BYTES) -> float:
    """How long one part takes, its pages one after the other."""
    return size / found.bytes_s + size / PAGE_BYTES * CALL_S


def together_s(invoices: int, found: Measured) -> float:
    return invoices / found.rows_s + invoices * found.row_bytes / bytes_at_once(parts_of(invoices)) * CALL_S


def parts_of(invoices: int) -> int:
    return -(-invoices * BYTES_AN_INVOICE // PART_BYTES)


def look_s(invoices: int, found: Measured) -> float:
    rounds = -(-parts_of(invoices) // PARTS_AT_ONCE)
    return rounds * part_s(found) + together_s(invoices, found)


def dollars(invoices: int) -> float:
    """What one look reads."""
    return invoices * BYTES_AN_INVOICE / 4096 * RRU


def told(found: Measured) -> Iterator[str]:
    """The table, in Markdown."""
    yield f"{found.records_s:,.0f} records ({found.bytes_s / _MB:.1f} MB) a second in one function;"
    yield f"{found.rows_s:,.0f} documents a second are put together. A part of {found.part_mb:.1f} MB peaks at"
    yield f"{found.peak_mb:.1f} MB, and at {found.peak_of_twice_mb:.1f} MB in a table twice the size;"
    yield f"{found.rows:,} documents are put together in {found.together_mb:.1f} MB."
    yield ""
    yield "| invoices in a region | GB | one function would take | parts | a part | put together | a look | its reads |"
    yield "|---|---|---|---|---|---|---|---|"
    for invoices in (1_000_000, 10_000_000, 100_000_000):
        size = invoices * BYTES_AN_INVOICE
        alone, last = part_s(found, size), together_s(invoices, found)
        over = "" if alone < CHECK_INVARIANTS.timeout_s else ", of its 15 min"
        yield (
            f"| {invoices:,} | {size / 1e9:,.0f} | {_time(alone)}{over} | {parts_of(invoices):,} "
            f"| {part_s(found):.0f} s | {last:.0f} s | {_time(look_s(invoices, found))} | ${dollars(invoices):.2f} |"
        )
    yield ""
    yield f"In time are put together {_most(found):,} million documents; a part of {PART_BYTES // _MB} MB peaks, "
    yield f"reckoned, at {found.full_part_mb:,.0f} MB."


def _most(found: Measured) -> int:
    """So many million documents one function puts together in its time."""
    millions = 1
    while together_s((millions + 1) * 1_000_000, found) < CHECK_INVARIANTS.timeout_s:
        millions += 1
    return millions


def _time(s: float) -> str:
    return f"{s / 3600:.1f} h" if s >= 7200 else f"{s / 60:.1f} min"


def figures() -> list[Figure]:
    found = measured()
    return [
        Figure("look: records one function looks at", found.records_s, "/s", None, "higher"),
        Figure(f"look: peak of a part of {found.part_mb:.1f} MB", found.peak_mb, "MB", None, "lower"),
        Figure("look: the same in a table twice the size", found.peak_of_twice_mb, "MB", None, "lower"),
        Figure("look: documents put together", found.rows_s, "/s", None, "higher"),
        Figure(f"look: peak of putting together {found.rows:,}", found.together_mb, "MB", None, "lower"),
    ]


if __name__ == "__main__":
    print("\n".join(told(measured())))
