"""What a reader asks of a list, as it stands in the list's address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from functions.portal.forms import whole
from saldo.kernel.errors import Problems

Query = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Dates include both ends. `page` counts the pages of what one read holds, `cursor` leads to the next read."""

    status: str = ""
    from_on: date | None = None
    to_on: date | None = None
    text: str = ""
    page: int = 1
    cursor: str = ""

    @property
    def narrows(self) -> bool:
        return bool(self.status or self.text or self.from_on or self.to_on)

    def holds(self, on: date, status: str, *texts: str) -> bool:
        """Whether a row of this date and state, which is found under these texts, fits."""
        if self.status and self.status != status:
            return False
        if (self.from_on and on < self.from_on) or (self.to_on and on > self.to_on):
            return False
        return not self.text or any(self.text.casefold() in text.casefold() for text in texts)


def filter_from(query: Query, statuses: Sequence[str] = ()) -> Filter:
    """Refusal `invalid_list` names every field that makes no sense."""
    problems = Problems()
    from_on, to_on = dates_from(query, problems)
    problems.refuse_if_any("the list cannot be filtered like this", "invalid_list")
    status = said(query, "status")
    return Filter(
        status=status if status in statuses else "",
        from_on=from_on,
        to_on=to_on,
        text=said(query, "text")[:40],
        page=page_from(query),
        cursor=said(query, "cursor")[:600],
    )


def dates_from(query: Query, problems: Problems) -> tuple[date | None, date | None]:
    from_on, to_on = (date_from(said(query, name), name, problems) for name in ("from", "to"))
    if from_on and to_on and to_on < from_on:
        problems.add("to", "before_from", "the last date lies before the first")
    return from_on, to_on


def date_from(text: str, name: str, problems: Problems) -> date | None:
    """An ISO date as date inputs send it; "" is None, anything else a problem."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problems.add(name, "invalid_date", "this is not a date")
        return None


def said(query: Query, name: str) -> str:
    return query.get(name, [""])[-1].strip()


def page_from(query: Query) -> int:
    return min(whole(said(query, "page")) or 1, 10_000)


def query_of(asked: Filter) -> str:
    """The filter alone, without the page."""
    return address("", asked).removeprefix("?")


def address(path: str, asked: Filter, **changes: object) -> str:
    """The address of a list: only what differs from the plain one is in it."""
    there = replace(asked, **{"cursor": "", "page": 1, **changes})  # type: ignore[arg-type] # names are Filter's
    page = str(there.page) if there.page > 1 else ""
    pairs = {"status": there.status, "from": there.from_on, "to": there.to_on, "text": there.text}
    pairs |= {"page": page, "cursor": there.cursor}
    query = urlencode({name: value for name, value in pairs.items() if value})
    return f"{path}?{query}" if query else path
