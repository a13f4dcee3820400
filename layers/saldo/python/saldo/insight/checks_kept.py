"""What is kept of an account's records, so that pages need not read them all, is what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product

from saldo.insight.model import Owner, Violation
from saldo.invoicing.habits import habit_from
from saldo.invoicing.listing import InvoiceRow
from saldo.invoicing.open_list import kept_rows
from saldo.invoicing.open_sums import open_items_from, summed_by_day
from saldo.invoicing.reading import open_items, row_from
from saldo.invoicing.rules_habit import habit_of
from saldo.ledger import records as ledger_records
from saldo.ledger.records_statement import day_sums_from, line_from
from saldo.ledger.rules_statement import sums_of
from saldo.payments.lately import problem_of


def sums_of_days_are_the_fold(owner: Owner) -> Iterator[Violation]:
    """Of days that the stream told of. One that it has yet to tell of has fewer entries in its sums, and never more."""
    for item in owner.of("day_sums"):
        folded = {(one.on, one.currency): one for one in sums_of(line_from(entry) for entry in owner.of("entry"))}
        for one in day_sums_from(item):
            now = folded.get((one.on, one.currency))
            if now is None or one.entries > now.entries or (one.entries == now.entries and one != now):
                yield Violation(3, owner.id, f"the sums of {one.on} in {one.currency} are not those of its entries")


def open_sums_are_of_the_open_invoices(owner: Owner) -> Iterator[Violation]:
    """Where the journal has not moved since they were written; else nobody believes them."""
    counted = [ledger_records.entries_counted(balance) for balance in owner.of("balance")]
    for item in owner.of("open_sums"):
        believed = [item["entries"]] == counted
        if believed and open_items_from(item) != summed_by_day(open_items(_open_rows(owner))):
            yield Violation(18, owner.id, "the sums of what is open are not those of the open invoices")


def open_lists_are_the_open_invoices(owner: Owner) -> Iterator[Violation]:
    """Where neither the journal nor a hold has moved since they were kept; else nobody believes them."""
    for item, balance in product(owner.of("open_list"), owner.of("balance")):
        owed = kept_rows(balance, item)
        if owed is not None and set(owed.rows) != set(_open_rows(owner)):
            yield Violation(18, owner.id, "the list of what is open is not that of the invoices: saldo journal rebuild")


def _open_rows(owner: Owner) -> list[InvoiceRow]:
    return [row_from(i) for i in owner.of("invoice") if i["status"] != "draft" and i["open_minor"] > 0]


def habits_are_the_fold_of_what_was_paid(owner: Owner) -> Iterator[Violation]:
    read = date.fromisoformat
    paid = habit_of((read(i["due_on"]), read(i["paid_on"])) for i in owner.of("invoice") if "paid_on" in i)
    for balance in owner.of("balance"):
        if habit_from(balance) != paid:
            yield Violation(3, owner.id, "when it pays is not what its invoices come to: saldo journal rebuild")


def latest_payments_are_the_latest(owner: Owner) -> Iterator[Violation]:
    """Where no payment was written since they were folded; else nobody believes them."""
    for item in owner.of("payments"):
        if problem := problem_of(item, owner.of("payment")):
            yield Violation(14, owner.id, f"{problem}: saldo journal rebuild")
