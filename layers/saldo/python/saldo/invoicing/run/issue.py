"""Issue a batch of numbered drafts: number, journal entry and balance in one unit each."""

from __future__ import annotations

from saldo.audit.model import AuditRecord, job
from saldo.audit.records import audit_item
from saldo.invoicing.codec import body_from_bytes
from saldo.invoicing.model import InvoiceBody
from saldo.invoicing.records import InvoiceHeader, Numbered, body_key, header_from, header_key, issue_update
from saldo.invoicing.records_true_up import await_true_up
from saldo.invoicing.rules import issue_entry
from saldo.invoicing.run import records
from saldo.kernel.clock import Clock
from saldo.kernel.errors import NotFound, Refusal, Unavailable
from saldo.ledger.records import post
from saldo.storage.items import Item, Key
from saldo.storage.store import Store
from saldo.storage.units import Unit


def issue_invoices(store: Store, clock: Clock, run_id: str, attempt_number: int, batch: str) -> int:
    """Issue the drafts of one batch (`<list>.<index>.<first number>`); returns how many are issued now.

    Safe to repeat: an invoice that is issued already must carry the number it would get, or the books are wrong.
    """
    list_id, index, first = batch.split(".")
    ranks = store.get(*records.ranks_key(run_id, list_id, int(index)))
    if ranks is None:
        raise NotFound(f"no ranks {batch} in {run_id}")
    series = records.series_from(ranks)
    rows = [(account, invoice, int(first) + i) for i, (account, invoice) in enumerate(ranks["drafts"])]
    found = _read(store, [(account, invoice) for account, invoice, _ in rows])
    units = []
    for account_id, invoice_id, n in rows:
        number = series.number(n)
        header = header_from(found[header_key(account_id, invoice_id)])
        if header.number == number:
            continue
        if header.number:
            raise Refusal("numbered_twice", f"{invoice_id} has {header.number} and would get {number}")
        body = body_from_bytes(found[body_key(account_id, invoice_id)]["body"])
        units.append(_issue_unit(header, body, Numbered(number, series.name, n), run_id, clock))
    if store.write(units):
        raise Unavailable("some invoices were issued by someone else at the same moment; repeat the batch")
    return len(rows)


def _read(store: Store, invoices: list[tuple[str, str]]) -> dict[Key, Item]:
    keys = [key for account, invoice in invoices for key in (header_key(account, invoice), body_key(account, invoice))]
    found = store.get_many(keys, consistent=True)
    missing = [key for key in keys if key not in found]
    if missing:
        raise NotFound(f"a numbered draft is gone: {missing[0]}")
    return found


def _issue_unit(header: InvoiceHeader, body: InvoiceBody, numbered: Numbered, run_id: str, clock: Clock) -> Unit:
    at = clock()
    unit = Unit(f"issue {header.invoice_id}")
    issue_update(unit, header, numbered, at)
    entry = issue_entry(body)
    if entry is not None:
        post(unit, entry)
    await_true_up(unit, body)
    record = AuditRecord(
        header.account_id,
        at,
        job("invoice_run", run_id),
        f"{header.document.value}.issued",
        header.invoice_id,
        after={"number": numbered.number, "total_minor": header.total_minor, "currency": header.currency},
    )
    return unit.put(audit_item(record))
