"""2,466 real invoices with settlements: balances and aging agree with a computation straight from the file."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from saldo.insight.invariants import check_all
from saldo.integration.imports_records import account_id_of
from saldo.ledger.rules import aging
from tests.contexts.integration.scenes import World
from tests.contexts.sellers import ENTITY, entity
from tests.in_process_aws import in_process_aws
from tests.shared import shared

FILE = "data/ar/late_payments.csv"
OPTIONS = {"preset": "late-payments", "currency": "USD", "country": "US"}


def day(text: str) -> date:
    month, day_of_month, year = text.split("/")
    return date(int(year), int(month), int(day_of_month))


def aged(late_days: int) -> str:
    if late_days <= 0:
        return "not_due"
    return next((name for name, last in (("1_30", 30), ("31_60", 60), ("61_90", 90)) if late_days <= last), "over_90")


def expected(rows: list[dict[str, str]], on: date) -> dict[str, Counter[str]]:
    """Cents per customer and bucket, by nothing but the rows: issued by that day and not settled by it."""
    owed: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if day(row["InvoiceDate"]) <= on < day(row["SettledDate"]):
            cents = Decimal(row["InvoiceAmount"]) * 100
            owed[row["customerID"]][aged((on - day(row["DueDate"])).days)] += int(cents)
    return owed


@pytest.fixture(scope="module")
def imported() -> Iterator[tuple[World, list[dict[str, str]]]]:
    path = shared(FILE)
    with in_process_aws(), path.open() as file:
        here = World({"old.csv": path.read_bytes()}, entity(currency="USD", country="US"))
        summary = here.run("old.csv", **OPTIONS)
        assert (summary.rows, summary.imported, summary.rejected, summary.customers) == (2466, 2466, 0, 100)
        yield here, list(csv.DictReader(file))


@pytest.mark.parametrize("on", [date(2013, 6, 30), date(2013, 12, 31)])
def test_aging_and_open_balance_of_every_customer_are_those_of_the_file(
    imported: tuple[World, list[dict[str, str]]], on: date
) -> None:
    here, rows = imported
    wanted = expected(rows, on)
    assert sum(sum(c.values()) for c in wanted.values()) > 0
    for customer in sorted({row["customerID"] for row in rows}):
        items = here.open_items(customer, on)
        buckets = {b.name: b.minor for b in aging(items, on).get("USD", []) if b.minor}
        assert buckets == dict(wanted.get(customer, {})), customer
        assert sum(i.open_minor for i in items) == sum(wanted.get(customer, {}).values())


def test_in_the_end_every_invoice_is_paid_and_every_invariant_holds(
    imported: tuple[World, list[dict[str, str]]],
) -> None:
    here, rows = imported
    assert {i["status"] for i in here.items("invoice")} == {"paid"}
    assert check_all(here.store).violations == []
    first = rows[0]
    account_id = account_id_of(ENTITY, first["customerID"])
    numbers = {i["number"] for i in here.store.query_all(account_id, prefix="invoice#")}
    assert numbers == {r["invoiceNumber"] for r in rows if r["customerID"] == first["customerID"]}


def test_the_same_file_again_changes_nothing(imported: tuple[World, list[dict[str, str]]]) -> None:
    here, _ = imported
    before = here.table.bill.calls["TransactWriteItems"]
    summary = here.run("old.csv", **OPTIONS)
    assert summary.repeated and here.table.bill.calls["TransactWriteItems"] == before
