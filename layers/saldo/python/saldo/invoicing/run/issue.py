"""Issue a batch of numbered drafts: header with its number, journal entry and balance in one unit each.

What the numbers say, and by whom they were given, is on the audit record of the unit that took them (`number.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.records import Numbered, body_key, draft_header, header_item, header_key, issued_header
from saldo.invoicing.records_numbers import series_from
from saldo.invoicing.records_true_up import await_true_up
from saldo.invoicing.rules_entry import issue_entry
from saldo.invoicing.run import records
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.ledger.records import post
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


def issue_invoices(
    store: Store, clock: Clock, run_id: str, attempt_number: int, batch: str, correlation_id: str = ""
) -> int:
    """Issue the drafts of one batch (`<list>.<index>.<first number>`); returns how many there are.

    correlation_id: of the act that asked for them; a day's run has none, and its own id is on each header.

    Safe to repeat: an invoice that is issued already must carry the number it would get, or the books are wrong.
    """
    list_id, index, first = batch.split(".")
    ranks = store.get(*records.ranks_key(run_id, list_id, int(index)))
    if ranks is None:
        raise NotFound(f"no ranks {batch} in {run_id}")
    series = series_from(ranks)
    invoices = [(account, invoice) for account, invoice in ranks["drafts"]]
    numbers = [Numbered(series.number(n), series.name, n) for n in range(int(first), int(first) + len(invoices))]
    numbered = dict(zip(invoices, numbers, strict=True))
    frozen = _bodies(store, invoices)
    at = clock()
    units = [
        _issue_unit(frozen[body_key(*invoice)], number, run_id, at, correlation_id)
        for invoice, number in numbered.items()
    ]
    lost = {conflict.unit for conflict in store.write(units)}
    _check_numbers(store, {i: n for i, n in numbered.items() if _name(i[1]) in lost})
    return len(invoices)


def _bodies(store: Store, invoices: Sequence[tuple[str, str]]) -> dict[Key, Item]:
    keys = [body_key(*invoice) for invoice in invoices]
    found = store.get_many(keys, consistent=True)
    missing = [key for key in keys if key not in found]
    if missing:
        raise NotFound(f"a numbered draft is gone: {missing[0]}")
    return found


def _name(invoice_id: str) -> str:
    return f"issue {invoice_id}"


def _issue_unit(frozen: Item, numbered: Numbered, run_id: str, at: datetime, correlation_id: str) -> Unit:
    """The header's insert is the guard: it is there once, with its number, its entry and its share of the balance."""
    body = body_from_bytes(frozen["body"])
    unit = Unit(_name(body.id))
    unit.insert(header_item(issued_header(draft_header(body, run_id, correlation_id), numbered, at)))
    entry = issue_entry(body)
    if entry is not None:
        post(unit, entry, correlation_id=correlation_id, numbers={body.id: numbered.number})
    await_true_up(unit, body)
    return unit


def _check_numbers(store: Store, lost: dict[tuple[str, str], Numbered]) -> None:
    """What could not be issued now must be issued already, under the number it would get."""
    keys = {header_key(*invoice): numbered for invoice, numbered in lost.items()}
    found: dict[Key, Item] = store.get_many(list(keys), consistent=True)
    for key, numbered in keys.items():
        if key not in found:
            raise Unavailable(f"{key[1]} was not issued, though nobody else has; repeat the batch")
        if found[key]["number"] != numbered.number:
            raise Refusal("numbered_twice", f"{key[1]} has {found[key]['number']} and would get {numbered.number}")
