"""Columns of a ledger."""

from __future__ import annotations

from dataclasses import dataclass

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
