"""Reading statements: of a short journal from its entries, of a long one from sums of its days and one page of it."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, timedelta

from saldo.ledger import rules
from saldo.ledger.daily_sums import all_lines, lines_of
from saldo.ledger.model_statement import LONG, DaySum, Place, Statement, StatementPage
from saldo.ledger.records import BALANCE, entries_counted, entry_from
from saldo.ledger.records_statement import day_sums_from, day_sums_key, days_bounds, line_from
from saldo.ledger.rules_statement import entries_in, page_of, place_of, replaced, sums_of
from saldo.storage.store import Store

# What the stream may not have told yet was booked in these days, nearly always.
_LATELY = timedelta(days=40)
_MOST_KNOWN = 10_000
# Journals that were found long by this process: entries are never taken away, so they stay long.
_known_long: OrderedDict[str, None] = OrderedDict()


def statement(store: Store, account_id: str, from_on: date, to_on: date, page: int, today: date) -> StatementPage:
    """One page of the statement between two dates, both included. Always what the journal says at this moment.

    One call for a journal of up to `LONG` entries. A longer one: two calls, and its open items are not told by age.
    """
    if account_id not in _known_long:
        found = _short(store, account_id, from_on, to_on, page)
        if found is not None:
            return found
        _known_long[account_id] = None
        if len(_known_long) > _MOST_KNOWN:
            _known_long.popitem(last=False)
    return _long(store, account_id, from_on, to_on, page, today)


def whole(store: Store, account_id: str, from_on: date, to_on: date, today: date) -> tuple[Statement, ...]:
    """Every line between two dates, both included, for export; as many calls as it takes."""
    first, last = from_on.isoformat(), to_on.isoformat()
    lines = lines_of(store, account_id, "" if account_id not in _known_long else first, last)
    before = sums_now(store, account_id, today) if account_id in _known_long else sums_of(lines)
    sums = replaced(before, {line.on for line in lines}, sums_of(lines))
    shown = [line for line in lines if line.on >= first]
    return page_of(sums, shown, first, last, Place(first, last, 0, 1, 1), {}, most=None)


def _short(store: Store, account_id: str, from_on: date, to_on: date, page: int) -> StatementPage | None:
    """From all entries up to the end; None when there are too many."""
    bounds = days_bounds("", to_on.isoformat())
    read = store.query(account_id, limit=LONG, consistent=True, **bounds)
    if read.cursor is not None:
        return None
    lines = [line_from(item) for item in read.items]
    first, last = from_on.isoformat(), to_on.isoformat()
    sums = sums_of(lines)
    place = place_of(sums, first, last, page)
    shown = [line for line in lines if place.first_on <= line.on <= place.last_on]
    aged = rules.aging(rules.open_items(entry_from(item) for item in read.items), to_on)
    return StatementPage(page_of(sums, shown, first, last, place, aged), place.page, place.pages)


def _long(store: Store, account_id: str, from_on: date, to_on: date, page: int, today: date) -> StatementPage:
    sums = sums_now(store, account_id, today)
    first, last = from_on.isoformat(), to_on.isoformat()
    place = place_of(sums, first, last, page)
    lines = lines_of(store, account_id, place.first_on, place.last_on) if place.first_on else []
    # An entry that came between the two calls counts in what is shown and in what it adds up to.
    sums = replaced(sums, {line.on for line in lines}, sums_of(lines))
    return StatementPage(page_of(sums, lines, first, last, place, {}), place.page, place.pages, ages=False)


def sums_now(store: Store, account_id: str, today: date) -> list[DaySum]:
    """The sums of every day of a long journal as they are now: in one call where the stream has caught up, else the
    days since are read anew, and where that does not account for every entry, the whole journal."""
    balance_key, sums_key = (account_id, BALANCE), day_sums_key(account_id)
    found = store.get_many([balance_key, sums_key], consistent=True)
    counted = entries_counted(found.get(balance_key))
    item = found.get(sums_key)
    sums = day_sums_from(item) if item else []
    if item is not None and entries_in(sums) == counted:
        return sums
    if item is not None:
        since = (today - _LATELY).isoformat()
        fresh = lines_of(store, account_id, since, "9999")
        sums = [one for one in sums if one.on < since] + sums_of(fresh)
        if entries_in(sums) == entries_counted(store.get(*balance_key)):  # counted later than read: none is missing
            return sums
    return sums_of(all_lines(store, account_id))
