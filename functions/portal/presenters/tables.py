"""Columns of a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

# So many lines of an invoice are a page of less than 60 kB.
ROWS_A_PAGE = 100
Row = TypeVar("Row")
_CLASSES = {"money": "n", "strong": "n strong", "day": "day", "tag": "of-status", "pick": "pick"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and kind: text, money (or any figure), strong (the figure that matters), day, tag, pick.

    `href` sorts by it, or the other way round; `sorted` is what aria-sort says: none, ascending, descending.
    """

    text: str
    kind: str = "text"
    href: str = ""
    sorted: str = "none"

    @property
    def is_figure(self) -> bool:
        return self.kind in ("money", "strong")

    @property
    def css(self) -> str:
        return _CLASSES.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which rows of a table are on a page where it is long: those from `first` to `last` (from 1) of `count`."""

    page: int
    pages: int
    count: int

    @property
    def first(self) -> int:
        return (self.page - 1) * ROWS_A_PAGE + 1

    @property
    def last(self) -> int:
        return min(self.page * ROWS_A_PAGE, self.count)

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        return rows[self.first - 1 : self.last]


def stretch(count: int, wanted: int) -> Stretch:
    """The page that is wanted (from 1), or the nearest that there is."""
    pages = max(-(-count // ROWS_A_PAGE), 1)
    return Stretch(min(max(wanted, 1), pages), pages, count)
