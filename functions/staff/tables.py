"""What pages of staff are mostly made of: tables whose first cell names the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from functions.portal.presenters.tables import Column
from functions.portal.presenters.tags import Tag

# What it is and what it says; with the text and the address of a way to change it.
Fact = tuple[str, str] | tuple[str, str, tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Row:
    """`cells`: texts, or tags after the first. `href`: where the first cell leads, "" for nowhere; `note`: a small line
    below it."""

    cells: tuple[str | Tag, ...]
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One card with a table. `empty`: what is said when there are no rows."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    empty: str
    currency: str = ""
    more: str = ""


def columns(*texts: str) -> tuple[Column, ...]:
    """Columns of text; a heading that ends in `|money` (or another kind) has that kind."""
    return tuple(Column(text, kind or "text") for text, _, kind in (t.partition("|") for t in texts))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of facts and tables. `above`: the way back; `told`: something to know first."""

    title: str
    sentence: str = ""
    above: Sequence[tuple[str, str]] = ()
    facts: Sequence[Fact] = ()
    tables: Sequence[Table] = ()
    told: Sequence[str] = field(default_factory=tuple)
