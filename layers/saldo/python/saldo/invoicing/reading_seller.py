"""What a seller's own systems read of the invoices of all its customers.

Invoices lie with their accounts, so a seller's list goes account by account, each through a store that reaches that
account alone. A page stops after a bounded number of calls and says where to go on: it may be short, never wrong.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from saldo.accounts.records import entity_from
from saldo.invoicing import listing, reading, records
from saldo.invoicing.listing import ListWish
from saldo.invoicing.reading import Invoice
from saldo.invoicing.records import InvoiceHeader
from saldo.kernel.errors import NotFound, Problem, Refusal
from saldo.kernel.ids import check_id
from saldo.kernel.periods import local_date
from saldo.storage.items import Item
from saldo.storage.store import Store

MOST_CALLS = 100
_CUSTOMER = "customer#"
_NOT_OURS = Refusal("invalid_cursor", "this page reference is not valid here; start again from the first page")


@dataclass(frozen=True, slots=True)
class SellerWish:
    """Which invoices: of one account ("": of all), with a status of `listing.STATUSES` ("": any), issued between two
    dates, both included."""

    account_id: str = ""
    status: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class SellerPage:
    """Some invoices by account, the newest first; where to go on, None at the end."""

    headers: tuple[InvoiceHeader, ...]
    cursor: str | None


def page(
    store: Store,
    entity_id: str,
    wish: SellerWish,
    now: datetime,
    limit: int,
    cursor: str = "",
    reached: Callable[[str], Store] | None = None,
) -> SellerPage:
    """At most `limit` invoices from where the cursor points; NotFound for an account that is not the seller's.

    reached: gives the store by which an account that is named is read, once it is known to be the seller's.
    Refusal `invalid_cursor` for one that is not ours or belongs to another list, `invalid_input` for impossible dates.
    """
    today = _today(store, entity_id, now) if wish.status == "overdue" else now.date()
    bounds = _bounds(wish)
    began, after = _from_cursor(cursor, bounds)
    if wish.account_id and began not in ("", wish.account_id):
        raise _NOT_OURS
    found: list[InvoiceHeader] = []
    calls, within = 0, reached if reached and wish.account_id else store.within
    for account_id in _accounts(store, entity_id, wish, began):
        at = after if account_id == began else ""
        while True:
            if len(found) >= limit or calls >= MOST_CALLS:
                return SellerPage(tuple(found), _to_cursor(account_id, at))
            calls += 1
            items, is_end = _older(within(account_id), account_id, bounds, limit - len(found), at)
            found += [records.header_from(item) for item in items if _fits(item, wish, today)]
            if is_end:
                break
            at = items[-1]["sk"]
    return SellerPage(tuple(found), None)


def invoice(store: Store, entity_id: str, account_id: str, invoice_id: str) -> Invoice:
    """One issued invoice of an account that is the seller's, as `store` reaches it, in one call; NotFound alike for one
    that another seller issued to it."""
    found = reading.invoice(store, account_id, invoice_id)
    if found.header.entity_id != entity_id:
        raise NotFound("no such invoice")
    return found


def _accounts(store: Store, entity_id: str, wish: SellerWish, began: str) -> Iterator[str]:
    """Accounts from the one where the last page stopped."""
    if wish.account_id:
        if store.get(entity_id, _CUSTOMER + wish.account_id, consistent=False) is None:
            raise NotFound("no such account")
        yield wish.account_id
        return
    own = store.within(entity_id)
    bounds = {"first": _CUSTOMER + began, "last": _CUSTOMER + "~"}
    for item in own.query_all(entity_id, **bounds, limit=MOST_CALLS, fields=("account_id",)):
        yield item["account_id"]


def _bounds(wish: SellerWish) -> tuple[str, str]:
    """The sort keys between which these invoices lie."""
    if wish.from_on and wish.to_on and wish.to_on < wish.from_on:
        problem = Problem("issued_to", "before_from", "the last date lies before the first")
        raise Refusal("invalid_input", "the query is not valid", [problem])
    return reading.bounds_of(ListWish(from_on=wish.from_on, to_on=wish.to_on))


def _older(store: Store, account_id: str, bounds: tuple[str, str], limit: int, after: str) -> tuple[list[Item], bool]:
    """One call's worth of an account's invoices, older than the one at `after`; and whether these are the last."""
    last, more = (after, 1) if after else (bounds[1], 0)
    page = store.query(account_id, first=bounds[0], last=last, newest_first=True, limit=limit + more)
    items = [item for item in page.items if item["sk"] != after]
    return items, page.cursor is None or not items


def _fits(item: Item, wish: SellerWish, today: date) -> bool:
    asked = ListWish(status=wish.status)
    return reading.is_shown(item) and bool(listing.fitting([reading.row_from(item)], asked, today))


def _today(store: Store, entity_id: str, now: datetime) -> date:
    """The date where the seller keeps its books."""
    item = store.get(entity_id, "entity", consistent=False)
    if item is None:
        raise NotFound("no such legal entity")
    return local_date(now, entity_from(item).time_zone)


def _to_cursor(account_id: str, after: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([account_id, after]).encode()).decode().rstrip("=")


def _from_cursor(cursor: str, bounds: tuple[str, str]) -> tuple[str, str]:
    """Account and sort key to go on after. It comes back from outside: nothing of it is believed but its shape."""
    if not cursor:
        return "", ""
    try:
        account_id, after = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        check_id(account_id, "acct")
        if after and not bounds[0] <= after <= bounds[1]:
            raise ValueError(cursor)
    except (ValueError, TypeError, AttributeError, RecursionError, Refusal) as error:
        raise _NOT_OURS from error
    return account_id, after
