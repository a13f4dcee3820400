"""Lists of an account's records, newest first: a page as they lie, or those of a thousand that fit a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from functions.portal.answers import Answer
from functions.portal.pages import page
from functions.portal.presenters.filters import Filter, address, filter_from
from functions.portal.visit import Visit
from saldo.kernel.errors import Refusal
from saldo.storage.items import Item

Row = TypeVar("Row")
PAGE, WINDOW = 50, 1000


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """One page of a list. `count`: how many fit, None where the read does not tell; `complete` is False when there
    are more than one read can look through: the last page leads on."""

    rows: tuple[Row, ...]
    count: int | None
    newer: str
    older: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """What a list is of. `statuses`: state → its key in the words. `prefix` bounds the records' sort keys."""

    name: str
    prefix: str
    statuses: Mapping[str, str]
    row_of: Callable[[Item], Row]
    fits: Callable[[Row, Filter], bool]


def asked_of(visit: Visit, kind: Kind[Row]) -> tuple[Filter, list[tuple[str, str]]]:
    """The filter of the page's address, and what is wrong with it."""
    try:
        return filter_from(visit.query, tuple(kind.statuses)), []
    except Refusal as refusal:
        return Filter(), [(p.field, visit.words(f"problem.{p.code}")) for p in refusal.problems]


def found_of(visit: Visit, kind: Kind[Row], asked: Filter) -> Found[Row]:
    """By one call."""
    path, limit = f"{visit.home}/{kind.name}", WINDOW if asked.narrows else PAGE
    account_id, cursor = visit.account.account_id, asked.cursor or None
    got = visit.records.query(account_id, prefix=kind.prefix, limit=limit, newest_first=True, cursor=cursor)
    fit = [row for row in map(kind.row_of, got.items) if kind.fits(row, asked)]
    pages = max(1, -(-len(fit) // PAGE))
    at, here = min(asked.page, pages), {"cursor": asked.cursor}
    newer = address(path, asked, page=at - 1, **here) if at > 1 else address(path, asked) if cursor else ""
    older = address(path, asked, page=at + 1, **here) if at < pages else ""
    if not older and got.cursor:
        older = address(path, asked, cursor=got.cursor)
    whole = not got.cursor and not cursor
    count = len(fit) if asked.narrows or whole else None
    return Found(tuple(fit[(at - 1) * PAGE : at * PAGE]), count, newer, older, whole or not asked.narrows)


def list_page(visit: Visit, kind: Kind[Row], shown: Callable[[Found[Row]], object], tab: str, **more: object) -> Answer:
    """The template named as the list, with `rows` as `shown` makes them."""
    asked, problems = asked_of(visit, kind)
    found = found_of(visit, kind, asked)
    statuses = [("", visit.words("invoices.any")), *((s, visit.words(key)) for s, key in kind.statuses.items())]
    values = {"rows": shown(found), "found": found, "asked": asked, "statuses": statuses, "tab": tab, **more}
    return page(visit, kind.name, status=422 if problems else 200, problems=problems, **values)
