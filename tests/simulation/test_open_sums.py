"""What an account with very many open invoices owes, told without adding them up: right, or not from the sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from saldo.insight.invariants import check_all
from saldo.invoicing import open_sums
from saldo.invoicing.open_sums import FEW, OpenSums, Standing, open_sums_key, standing, summed_by_day
from saldo.invoicing.reading import open_items, open_rows
from saldo.invoicing.records import InvoiceHeader, header_from, header_item, header_key
from saldo.invoicing.records_moves import settle_update
from saldo.ledger.model import EntryKind, LedgerAccount, Posting, entry_for
from saldo.ledger.model_statement import LONG
from saldo.ledger.records import post
from saldo.storage import schema
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.functions.portal.scenes import NORTH, header_of
from tests.simulation.dynamodb import MemoryDynamoDB

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
OPEN = 60


def posted(store: Store, header: InvoiceHeader, minor: int, kind: EntryKind, unit: Unit) -> None:
    legs = (
        Posting(LedgerAccount.RECEIVABLES, minor, header.invoice_id, header.due_on),
        Posting(LedgerAccount.OPENING_BALANCE, -minor),
    )
    source = f"{header.invoice_id} {kind}"
    post(unit, entry_for(kind, booked_on=header.issued_on, entity_id=header.entity_id, account_id=NORTH,
                         currency="EUR", source_id=source, postings=legs), correlation_id="")  # fmt: skip
    assert store.write_one(unit) is None


def issue(store: Store, n: int) -> InvoiceHeader:
    header = header_of(NORTH, TODAY - timedelta(days=n), 1000 + n, 14)
    header = replace(header, number=f"N-{n}")
    posted(store, header, header.total_minor, EntryKind.INVOICE_IMPORTED, Unit("i").insert(header_item(header)))
    return header


def pay(store: Store, header: InvoiceHeader) -> None:
    unit = Unit("pay")
    now = header_from(store.get(*header_key(NORTH, header.invoice_id)) or {})
    settle_update(unit, now, now.open_minor, NOW)
    posted(store, now, -now.open_minor, EntryKind.CREDIT_NOTE_ISSUED, unit)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(open_sums, "FEW", OPEN // 2)
    open_sums._known_many.clear()
    made = Store(MemoryDynamoDB(schema.AGENDA_FIELDS), "records")  # type: ignore[arg-type]
    for n in range(OPEN):
        issue(made, n)
    yield made
    open_sums._known_many.clear()


def fold(store: Store) -> bool:
    return OpenSums(store, lambda: NOW).fold(NORTH, LONG)


def right(store: Store) -> Standing:
    rows = open_rows(store, NORTH)
    coming = tuple(row for row in rows if not row.is_overdue(TODAY))[: open_sums.NEXT]
    return Standing(summed_by_day(open_items(rows)), coming)


def says(store: Store, today: date = TODAY) -> Standing:
    found = standing(store, NORTH, today)
    return replace(found, items=summed_by_day(found.items))


def test_sums_say_what_the_invoices_say_in_one_call(store: Store) -> None:
    assert fold(store)
    assert says(store) == right(store)
    calls = store._client.calls  # type: ignore[attr-defined]
    assert len(says(store).items) > open_sums.FEW
    assert store._client.calls == calls + 1  # type: ignore[attr-defined]
    assert not [v for v in check_all(store).violations if v.invariant == 18]


def test_sums_from_before_a_change_are_not_believed(store: Store) -> None:
    assert fold(store)
    pay(store, issue(store, 70))
    before = right(store)
    assert says(store) == before
    pay(store, header_of(NORTH, TODAY - timedelta(days=3), 1003, 14))
    assert says(store) == right(store) != before
    assert fold(store)
    assert says(store) == right(store)


def test_days_pass_and_nothing_changes_but_what_is_next(store: Store) -> None:
    assert fold(store)
    later = TODAY + timedelta(days=12)
    found = says(store, later)
    assert [row.due_on for row in found.next_due] == [later + timedelta(days=n) for n in range(3)]
    assert found.items == right(store).items


def test_a_list_that_is_behind_the_journal_is_not_summed(store: Store) -> None:
    assert fold(store)
    kept = store.get(*open_sums_key(NORTH))
    header = issue(store, 71)
    store.write_one(Unit("behind").update(header_key(NORTH, header.invoice_id), remove=("agenda_pk", "agenda_on")))
    assert not fold(store)
    assert store.get(*open_sums_key(NORTH)) == kept


def test_sums_that_are_not_those_of_the_invoices_are_told(store: Store) -> None:
    assert fold(store)
    bent = header_of(NORTH, TODAY - timedelta(days=3), 1003, 14)
    store.write_one(Unit("bend").update(header_key(NORTH, bent.invoice_id), set={"due_on": "2026-01-01"}))
    assert [v.message for v in check_all(store).violations if v.invariant == 18]


def test_few_open_invoices_are_added_up_and_short_journals_have_no_sums(store: Store) -> None:
    assert not OpenSums(store, lambda: NOW).fold(NORTH, LONG - 1)
    assert store.get(*open_sums_key(NORTH)) is None and FEW > OPEN
    assert says(store) == right(store)
