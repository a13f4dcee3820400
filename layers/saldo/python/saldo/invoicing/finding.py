"""Which document has a number: from the block the number was taken in, without a record for each document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from saldo.invoicing.records import header_key
from saldo.invoicing.records_numbers import numbers_key, series_from
from saldo.invoicing.run.model import INVOICES_PER_BATCH
from saldo.invoicing.run.records import ranks_key
from saldo.invoicing.status import SHOWN
from saldo.kernel.ids import fingerprint
from saldo.storage.items import Item
from saldo.storage.store import Store

_DIGITS = re.compile(r"[0-9]+")
# Groups of digits that are tried as the number proper, from the end; more of them no pattern writes.
_MOST_GROUPS = 4
_MOST_TEXT = 60


@dataclass(frozen=True, slots=True)
class FoundDocument:
    account_id: str
    invoice_id: str


def imported_number_key(entity_id: str, number: str) -> tuple[str, str]:
    """A number of another system names one invoice of a seller, for ever; whoever imports it writes this guard."""
    return entity_id, f"guard#imported_invoice#{fingerprint(entity_id, number)}"


def document_numbered(store: Store, entity_id: str, number: str) -> FoundDocument | None:
    """The issued document of a seller that has this number, written as on it; None when there is none.

    store: reaches all of the region. A read for each group of digits, from the last, until one is a number; two more
    lead to the document.
    """
    if not 0 < len(number) <= _MOST_TEXT:
        return None
    found = _numbered_here(store, entity_id, number) or _imported(store, entity_id, number)
    if found is None:
        return None
    header = store.get(*header_key(found.account_id, found.invoice_id))
    is_it = header is not None and header["status"] in SHOWN and header["number"] == number
    return found if is_it and header is not None and header["entity_id"] == entity_id else None


def _imported(store: Store, entity_id: str, number: str) -> FoundDocument | None:
    guard = store.get(*imported_number_key(entity_id, number))
    return FoundDocument(guard["account_id"], guard["invoice_id"]) if guard else None


def _numbered_here(store: Store, entity_id: str, number: str) -> FoundDocument | None:
    for series, n in _readings(number):
        (pk, first), (_, last) = numbers_key(entity_id, series, 0), numbers_key(entity_id, series, n)
        page = store.query(pk, first=first, last=last, newest_first=True, limit=1, consistent=True)
        for block in page.items:
            if n < block["first"] + block["count"] and series_from(block).number(n) == number:
                return _in_block(store, block, n - block["first"])
    return None


def _readings(number: str) -> Iterator[tuple[str, int]]:
    """Each way to read a text as (name of a series, number in it): series are named by what stands around it."""
    for group in list(_DIGITS.finditer(number))[::-1][:_MOST_GROUPS]:
        before, after, digits = number[: group.start()], number[group.end() :], group.group()
        if len(digits) <= 12:
            yield (f"{before}*{after}" if after else before.rstrip("-")), int(digits)


def _in_block(store: Store, block: Item, rank: int) -> FoundDocument | None:
    if "invoice_id" in block:
        return FoundDocument(block["account_id"], block["invoice_id"])
    batch, at = divmod(rank, INVOICES_PER_BATCH)
    item = store.get(*ranks_key(block["run_id"], block["list_id"], batch))
    return FoundDocument(*item["drafts"][at]) if item else None
