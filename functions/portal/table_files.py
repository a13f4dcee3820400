"""Tables as files: one view gives a `Spreadsheet`, and two routes make CSV and an Excel workbook of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import TypeVar

from functions.http.edge import EdgeRoutes
from functions.http.requests import Request
from functions.portal.answers import CSV, XLSX, Answer, download
from functions.portal.presenters.spreadsheets import Spreadsheet, as_csv, as_xlsx
from functions.portal.words import Words
from saldo.kernel.errors import Refusal

Rule = TypeVar("Rule")
Seen = TypeVar("Seen", bound=Request)
ENDINGS = {"csv": (CSV, as_csv), "xlsx": (XLSX, as_xlsx)}
# Lambda answers with at most 6 MB, and what is not text is a third longer on the way.
MOST_BYTES = 4_400_000
_PACKED_FROM = 500_000


def files(
    routes: EdgeRoutes[Rule, Seen], path: str, rule: Rule
) -> Callable[[Callable[[Seen], Answer]], Callable[[Seen], Answer]]:
    """Registers a view of `table_file`s under the path and each ending."""

    def decorate(view: Callable[[Seen], Answer]) -> Callable[[Seen], Answer]:
        for ending in ENDINGS:
            routes.register("GET", f"{path}.{ending}", rule)(view)
        return view

    return decorate


def table_file(visit: Request, table: Spreadsheet, stem: str) -> Answer:
    """The table in the format that the path ends with. Long text travels packed where the client takes it.

    Refusal `too_large_export` for more than one answer carries: ask for fewer days.
    """
    ending = visit.path.rpartition(".")[2]
    kind, written = ENDINGS[ending]
    body, packed = written(table), {}
    if ending == "csv" and len(body) > _PACKED_FROM and "gzip" in visit.headers.get("accept-encoding", ""):
        body, packed = gzip.compress(body, 6, mtime=0), {"Content-Encoding": "gzip"}
    if len(body) > MOST_BYTES:
        raise Refusal("too_large_export", "the file is larger than one answer carries; ask for fewer days")
    answer = download(body, kind, f"{stem}.{ending}")
    return Answer(answer.body, kind=answer.kind, headers={**answer.headers, **packed})


def file_links(words: Words, path: str, query: str = "") -> tuple[tuple[str, str], ...]:
    """What a page offers: (name of the format, address)."""
    return tuple((words(f"files.{e}"), f"{path}.{e}" + (f"?{query}" if query else "")) for e in ("xlsx", "csv"))
