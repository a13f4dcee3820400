"""What an account paid so far (`rules_habit`), in three numbers of its balance: the unit that settles an invoice moves
them with it, so that they cost no write, and a page that reads the balance knows them.

An invoice counts that money settled (`InvoiceHeader.paid_on`), once; no more while the bank has taken that back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

from saldo.invoicing.records import PREFIX, InvoiceHeader, InvoiceStatus, header_from, header_key
from saldo.invoicing.rules_habit import Habit, habit_of, paid_so
from saldo.kernel.errors import Unavailable
from saldo.ledger.records import BALANCE
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit

FIELDS = {"paid": "habit_paid", "weight": "habit_weight", "days": "habit_days"}
_MOST_ATTEMPTS = 5


def habit_from(balance: Item | None) -> Habit:
    """What a balance says; nothing for one that never saw an invoice paid."""
    return Habit(**{name: int((balance or {}).get(field, 0)) for name, field in FIELDS.items()})


def habit_moved(before: Iterable[InvoiceHeader], after: Iterable[InvoiceHeader]) -> dict[str, int]:
    """What moves the balance (`ledger.records.post`) in the unit that makes of the headers what they are after."""
    moved = habit_of_headers(after) - habit_of_headers(before)
    return {field: value for field, value in _told(moved).items() if value}


def habit_of_headers(headers: Iterable[InvoiceHeader]) -> Habit:
    return habit_of((one.due_on, one.paid_on) for one in headers if one.paid_on is not None)


def rebuild(store: Store, account_id: str) -> Habit:
    """Count anew from the invoices; those that were paid before anybody counted are counted from now on.

    Unavailable while the account's invoices are being paid all the time.
    """
    for _ in range(_MOST_ATTEMPTS):
        balance = store.get(account_id, BALANCE) or {}
        headers = [header_from(item) for item in store.query_all(account_id, prefix=PREFIX, consistent=True)]
        if earlier := [(header, on) for header in headers if (on := _paid_earlier(header))]:
            store.write([_remembered(header, on) for header, on in earlier])
            continue
        now, was = _told(habit_of_headers(headers)), {field: balance.get(field) for field in FIELDS.values()}
        unit = Unit(f"habit of {account_id}").update((account_id, BALANCE), set=now, when=was)
        if not balance or was == now or store.write_one(unit) is None:
            return habit_of_headers(headers)
    raise Unavailable("the account's invoices are being paid all the time; try again")


def _paid_earlier(header: InvoiceHeader) -> date | None:
    """When money settled an invoice that does not say so: from before that was noted. What credit paid as it was
    issued, and what was credited, was not paid."""
    if header.paid_on or header.status is not InvoiceStatus.PAID or header.credited_minor or len(header.history) < 2:
        return None
    issued, paid = header.history[0], header.history[-1]
    return paid.at.date() if paid.at != issued.at else None


def _remembered(header: InvoiceHeader, on: date) -> Unit:
    unit = Unit(f"paid {header.invoice_id}")
    as_read = {"status": header.status.value, "paid_on": None, "credited_minor": None}
    unit.update(header_key(header.account_id, header.invoice_id), set={"paid_on": on.isoformat()}, when=as_read)
    return unit.update((header.account_id, BALANCE), add=_told(paid_so(header.due_on, on)))


def _told(habit: Habit) -> dict[str, int]:
    return {FIELDS[name]: value for name, value in asdict(habit).items()}
