"""Folds of the journal: balances, open items and aging, as of any date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from saldo.kernel.money import Money
from saldo.ledger.model import AgingBucket, Entry, LedgerAccount, OpenItem, Posting

Balances = dict[tuple[str, LedgerAccount], int]

AgingBounds = tuple[tuple[str, int | None, int | None], ...]


def balances(entries: Iterable[Entry], as_of: date | None = None) -> Balances:
    """Balance in minor units per (currency, ledger account), of entries booked on or before `as_of`.

    Exchange differences are in the entity's own currency, all else in the currency of the entries.
    """
    totals: Balances = defaultdict(int)
    for entry in entries:
        if as_of is None or entry.booked_on <= as_of:
            for p in entry.postings:
                currency, minor = (entry.currency, p.minor) if p.minor else difference_moved(entry, p)
                totals[currency, p.account] += minor
    return dict(totals)


def difference_moved(entry: Entry, posting: Posting) -> tuple[str, int]:
    """What a posting of nothing in the entry's currency moves: an exchange difference, (own currency, minor units)."""
    if posting.account is LedgerAccount.FX_DIFFERENCE and posting.base_minor and entry.exchange:
        return entry.exchange.other(entry.currency), posting.base_minor
    return entry.currency, 0


def base_amounts(entry: Entry) -> tuple[int, ...]:
    """What each posting is in the entity's own currency at the rate the entry was booked at; they add up to zero too.

    Postings that say it are taken at their word. Of the others the first (the receivable) and the rest are converted
    and rounded half up, the odd cents of that go to the largest of the rest, so that a document's base total is its
    total converted once. Without a rate or word: the postings.
    """
    rate, told = entry.exchange, [p.base_minor for p in entry.postings]
    if rate is None:
        return tuple(p.minor if p.base_minor is None else p.base_minor for p in entry.postings)
    found = [
        rate.convert(Money(p.minor, entry.currency)).minor if p.base_minor is None else p.base_minor
        for p in entry.postings
    ]
    converted = [i for i, minor in enumerate(told) if minor is None]
    if converted:
        largest = max([i for i in converted if i] or converted, key=lambda i: abs(entry.postings[i].minor))
        found[largest] -= sum(found)
    return tuple(found)


def own_currency(entry: Entry) -> str:
    """The currency of `base_amounts`."""
    return entry.exchange.other(entry.currency) if entry.exchange else entry.currency


def open_items(entries: Iterable[Entry], as_of: date | None = None) -> list[OpenItem]:
    """Invoices with something still owed, folded from receivables postings; earliest due first, then by id."""
    owed: dict[str, int] = defaultdict(int)
    due: dict[str, date] = {}
    currency: dict[str, str] = {}
    for entry in entries:
        if as_of is not None and entry.booked_on > as_of:
            continue
        for posting in entry.postings:
            if posting.account is not LedgerAccount.RECEIVABLES or posting.invoice_id is None:
                continue
            owed[posting.invoice_id] += posting.minor
            currency[posting.invoice_id] = entry.currency
            if posting.due_on is not None:
                due[posting.invoice_id] = posting.due_on
    items = [OpenItem(i, due[i], currency[i], minor) for i, minor in owed.items() if minor != 0]
    return sorted(items, key=lambda item: (item.due_on, item.invoice_id))


def aging_bounds(days: Sequence[int], first: str = "not_due") -> AgingBounds:
    """Buckets that end on such days past due, rising; one before them for what is not due yet, one after them."""
    names = [f"{low + 1}_{high}" for low, high in zip((0, *days), days, strict=False)]
    lows, highs = (None, 1, *(day + 1 for day in days)), (0, *days, None)
    return tuple(zip((first, *names, f"over_{days[-1]}"), lows, highs, strict=True))


AGING_DAYS = (30, 60, 90)
AGING_BOUNDS = aging_bounds(AGING_DAYS)


def aging(items: Iterable[OpenItem], as_of: date, bounds: AgingBounds = AGING_BOUNDS) -> dict[str, list[AgingBucket]]:
    """Per currency, the buckets of the bounds in order (empty ones too); day 1 is the day after the due date."""
    per_currency: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for item in items:
        per_currency[item.currency].append(((as_of - item.due_on).days, item.open_minor, item.items))
    return {currency: _buckets(late, bounds) for currency, late in sorted(per_currency.items())}


def _buckets(late: Sequence[tuple[int, int, int]], bounds: AgingBounds) -> list[AgingBucket]:
    buckets = []
    for name, low, high in bounds:
        inside = [(m, n) for d, m, n in late if (low is None or d >= low) and (high is None or d <= high)]
        buckets.append(AgingBucket(name, low, high, sum(m for m, _ in inside), sum(n for _, n in inside)))
    return buckets
