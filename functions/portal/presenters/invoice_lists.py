"""The list of invoices: what its address asks for, its rows, what was ticked on it, and the list as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from functions.portal.presenters.filters import Query, dates_from, page_from, said
from functions.portal.presenters.invoices import RowView, row_view
from functions.portal.presenters.spreadsheets import Amount, Cell, Spreadsheet
from functions.portal.presenters.tables import Column
from functions.portal.presenters.tags import invoice_tag
from functions.portal.words import Words
from saldo.access.model_views import SavedView
from saldo.invoicing.listing import COLUMNS, STATUSES, InvoiceRow, Listing, ListWish, Owed, owed_of
from saldo.kernel.errors import Problems
from saldo.kernel.ids import is_id
from saldo.storage.classified import EXPORTS

_KINDS = {"issued_on": "day", "due_on": "day", "status": "tag", "total_minor": "money", "open_minor": "strong"}
# One read of the table by key takes so many.
MOST_PICKED = 100
# An address without a query opens the reader's default view; this one never does.
_EVERYTHING = "all=1"


@dataclass(frozen=True, slots=True)
class Picked:
    """What is ticked: the sentence that sums it up, and what of it is not on this page (id, minor, currency)."""

    ids: frozenset[str]
    told: str
    elsewhere: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class ListView:
    """`currency`: of all rows, "" where they differ and each amount names its own. `statuses`: the filter's choices.

    `summary`: how many fit and what of them is open. `tabs`: all, and the saved views: (text, address, is here).
    `save`: where this list is saved as a view, `change`: where the view that is shown is changed; "" for nowhere.
    `state`: the list's own query as (name, value), for forms that come back to it.
    """

    rows: tuple[RowView, ...]
    columns: tuple[Column, ...]
    currency: str
    statuses: tuple[tuple[str, str], ...]
    summary: str
    newer: str
    older: str
    files: tuple[tuple[str, str], ...]
    complete: bool
    filtered: bool
    everything: str
    tabs: tuple[tuple[str, str, bool], ...]
    save: str
    change: str
    picked: Picked
    state: tuple[tuple[str, str], ...]


def wish_from(query: Query) -> ListWish:
    """The list asked for in a URL; Refusal `invalid_list` names every field that makes no sense."""
    problems = Problems()
    from_on, to_on = dates_from(query, problems)
    problems.refuse_if_any("the list cannot be filtered like this", "invalid_list")
    status, sort, order = said(query, "status"), said(query, "sort"), said(query, "order")
    sort = sort if sort in COLUMNS else "issued_on"
    return ListWish(
        status=status if status in STATUSES else "",
        from_on=from_on,
        to_on=to_on,
        text=said(query, "text")[:40],
        sort=sort,
        descending=(order or ("desc" if sort == "issued_on" else "asc")) != "asc",
        page=page_from(query),
        cursor=said(query, "cursor")[:600],
    )


def picked_from(query: Query) -> list[str]:
    """Ids of invoices that are ticked. Refusal `invalid_list` for more than can be added up."""
    picked = list(dict.fromkeys(i for i in query.get("pay", []) if i.startswith("inv_") and is_id(i)))
    problems = Problems()
    if len(picked) > MOST_PICKED:
        problems.add("list", "too_many_picked", f"at most {MOST_PICKED} invoices can be ticked")
    problems.refuse_if_any("too many invoices are ticked", "invalid_list")
    return picked


def query_of(wish: ListWish) -> str:
    """The part of an address that says which list it is, "" for the plain one; the page within it is left out."""
    return urlencode(_pairs(replace(wish, page=1, cursor="")))


def _pairs(wish: ListWish) -> dict[str, str]:
    """Only what differs from the plain list."""
    usual = wish.sort == "issued_on" and wish.descending
    pairs = {
        "status": wish.status,
        "from": str(wish.from_on or ""),
        "to": str(wish.to_on or ""),
        "text": wish.text,
        "sort": "" if usual else wish.sort,
        "order": "" if usual else "desc" if wish.descending else "asc",
        "page": str(wish.page) if wish.page > 1 else "",
        "cursor": wish.cursor,
    }
    return {name: value for name, value in pairs.items() if value}


def address_of(path: str, wish: ListWish, picked: Sequence[str] = (), **changes: object) -> str:
    """The address of a list, with what is ticked."""
    there = replace(wish, **{"cursor": "", "page": 1, **changes})  # type: ignore[arg-type] # names are ListWish's
    query = urlencode([*_pairs(there).items(), *(("pay", i) for i in picked)])
    return f"{path}?{query or _EVERYTHING}"


def list_view(
    listing: Listing,
    wish: ListWish,
    picked: Sequence[str],
    others: Mapping[str, InvoiceRow],
    views: Sequence[SavedView],
    home: str,
    today: date,
    words: Words,
) -> ListView:
    """others: ticked invoices that are not on this page. views: saved ones of this account."""
    path, query = f"{home}/invoices", query_of(wish)
    newer, older = _turned(path, listing, wish, picked)
    currencies = {row.currency for row in listing.rows}
    currency = next(iter(currencies)) if len(currencies) == 1 else ""
    here = next((v for v in views if v.query == query), None)
    return ListView(
        rows=tuple(row_view(row, today, words, bare=bool(currency)) for row in listing.rows),
        columns=tuple(_column(name, wish, path, picked, words) for name in COLUMNS),
        currency=currency,
        statuses=(("", words("invoices.any")), *((s, words(f"filter.{s}")) for s in STATUSES)),
        summary=_summary(listing, words),
        newer=newer,
        older=older,
        files=tuple((words(f"files.{e}"), address_of(f"{path}.{e}", wish)) for e in ("xlsx", "csv")),
        complete=listing.complete,
        filtered=wish.narrows,
        everything=f"{path}?{_EVERYTHING}",
        tabs=_tabs(views, here, query, path, words),
        save=f"{path}/views/new?{query}" if query and here is None else "",
        change=f"{path}/views/{here.id}" if here else "",
        picked=_picked(listing.rows, picked, others, words),
        state=tuple(_pairs(wish).items()),
    )


def _turned(path: str, listing: Listing, wish: ListWish, picked: Sequence[str]) -> tuple[str, str]:
    """The addresses of the pages before and after this one, "" where there is none."""
    here = {"cursor": wish.cursor}
    newer = address_of(path, wish, picked, page=wish.page - 1, **here) if wish.page > 1 else ""
    older = address_of(path, wish, picked, page=wish.page + 1, **here) if wish.page < listing.pages else ""
    if not newer and wish.cursor:
        newer = address_of(path, wish, picked)
    if not older and listing.cursor:
        older = address_of(path, wish, picked, cursor=listing.cursor)
    return newer, older


def _summary(listing: Listing, words: Words) -> str:
    """How many fit and what is open of them: "12 invoices · €1,200.00 open", "" where the read does not tell."""
    if listing.found is None:
        return ""
    owed = _each(listing.owed, words)
    told = words.count("invoices.found", listing.found)
    return f"{told} · {words('invoices.of_it_open', amount=owed)}" if owed else told


def _each(owed: Owed, words: Words) -> str:
    return " + ".join(words.money(minor, currency) for currency, minor in owed if minor)


def _tabs(
    views: Sequence[SavedView], here: SavedView | None, query: str, path: str, words: Words
) -> tuple[tuple[str, str, bool], ...]:
    """Nothing as long as nothing is saved."""
    if not views:
        return ()
    everything = words("views.everything"), f"{path}?{_EVERYTHING}", not query
    return everything, *((v.name, f"{path}?{v.query}", v is here) for v in views)


def _picked(
    shown: Sequence[InvoiceRow], picked: Sequence[str], others: Mapping[str, InvoiceRow], words: Words
) -> Picked:
    here = [row for row in shown if row.invoice_id in picked]
    rows = [*here, *others.values()]
    told = words("invoices.none_selected")
    if rows:
        owed = _each(owed_of(rows), words) or words.money(0, rows[0].currency)
        told = f"{words.count('invoices.selected', len(rows))} · {owed}"
    elsewhere = tuple((r.invoice_id, max(r.open_minor, 0), r.currency) for r in others.values())
    return Picked(frozenset(r.invoice_id for r in rows), told, elsewhere)


def _column(name: str, wish: ListWish, path: str, picked: Sequence[str], words: Words) -> Column:
    here = wish.sort == name
    said = ("descending" if wish.descending else "ascending") if here else "none"
    descending = not wish.descending if here else name != "number"
    href = address_of(path, wish, picked, sort=name, descending=descending)
    return Column(words(f"column.{name}"), _KINDS.get(name, "text"), href, said)


def register_file(rows: Iterable[InvoiceRow], today: date, words: Words) -> Spreadsheet:
    """A register of invoices."""
    heads = [words(f"column.{name}") for name in EXPORTS["register"]]
    return Spreadsheet(words("nav.invoices"), heads, _register(rows, today, words))


def _register(rows: Iterable[InvoiceRow], today: date, words: Words) -> Iterator[tuple[Cell, ...]]:
    for row in rows:
        said, currency = invoice_tag(row, today, words).text, row.currency
        amounts = Amount(row.total_minor, currency), Amount(row.open_minor, currency)
        yield (row.number, row.issued_on, row.due_on, said, currency, *amounts)
