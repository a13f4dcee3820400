"""The open invoices of an account, told without the index: as they are, or not from the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from saldo.insight.invariants import check_all
from saldo.invoicing import open_list
from saldo.invoicing.open_list import Open, of_accounts
from saldo.invoicing.reading import open_rows
from saldo.invoicing.records import InvoiceHeader, PromiseMark, header_from, header_key, open_list_key
from saldo.invoicing.records_moves import dispute_update, promise_update
from saldo.storage import schema
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.functions.portal.scenes import NORTH, SOUTH
from tests.simulation.dynamodb import MemoryDynamoDB
from tests.simulation.test_open_sums import NOW, TODAY, issue, pay


@pytest.fixture
def store() -> Store:
    made = Store(MemoryDynamoDB(schema.AGENDA_FIELDS), "records")  # type: ignore[arg-type]
    for n in range(4):
        issue(made, n)
    return made


def calls(store: Store) -> int:
    return int(store._client.calls)  # type: ignore[attr-defined]


def look(store: Store) -> Open:
    return of_accounts(store, [NORTH, SOUTH])[NORTH]


def is_how_things_are(store: Store) -> bool:
    """Told by its invoices at once, and then from the record by one call."""
    right, first = Open(tuple(open_rows(store, NORTH))), look(store)
    before = calls(store)
    return first == right == look(store) and calls(store) == before + 1


def test_what_is_open_in_several_accounts_is_one_call_once_it_was_looked_at(store: Store) -> None:
    assert is_how_things_are(store)
    assert [row.number for row in look(store).rows] == ["N-3", "N-2", "N-1", "N-0"]
    assert of_accounts(store, [SOUTH]) == {SOUTH: Open(())}


def test_a_list_from_before_a_change_is_not_believed(store: Store) -> None:
    look(store)
    header = issue(store, 9)
    assert is_how_things_are(store) and header.invoice_id in {row.invoice_id for row in look(store).rows}
    pay(store, header)
    assert is_how_things_are(store) and header.invoice_id not in {row.invoice_id for row in look(store).rows}


def test_what_is_in_dispute_or_promised_moves_no_journal_and_is_told_all_the_same(store: Store) -> None:
    look(store)
    one, other = (header_from(store.get(*header_key(NORTH, r.invoice_id)) or {}) for r in look(store).rows[:2])
    dispute(store, one)
    assert look(store).rows[0].disputed_minor == 1 and is_how_things_are(store)
    unit, mark = Unit("promise"), PromiseMark(NOW, "prm_1", "current", TODAY + timedelta(days=9))
    for header in (replace(one, disputed_minor=1), other):
        promise_update(unit, header, mark, holds=True)
    store.write_one(unit)
    assert [row.promise_id for row in look(store).rows[:2]] == ["prm_1"] * 2 and is_how_things_are(store)
    unit = Unit("kept")
    promise_update(unit, replace(other, promise_id="prm_1"), mark, holds=False)
    store.write_one(unit)
    assert look(store).rows[1].promise_id == "" and is_how_things_are(store)


def dispute(store: Store, header: InvoiceHeader) -> None:
    unit = Unit("dispute")
    dispute_update(unit, header, header.disputed_minor + 1)
    store.write_one(unit)


@pytest.mark.parametrize("moved", [dispute, pay])
def test_what_moves_while_the_list_is_read_leaves_it_unkept(
    store: Store, monkeypatch: pytest.MonkeyPatch, moved: Callable[[Store, InvoiceHeader], None]
) -> None:
    write = Store.write

    def meanwhile(at: Store, units: Sequence[Unit]) -> object:
        monkeypatch.setattr(Store, "write", write)
        moved(store, header_from(store.get(*header_key(NORTH, first.invoice_id)) or {}))
        return write(at, units)

    first = open_rows(store, NORTH)[0]
    monkeypatch.setattr(Store, "write", meanwhile)
    look(store)
    assert "rows" not in (store.get(*open_list_key(NORTH)) or {})
    assert is_how_things_are(store)


def test_an_index_that_is_behind_the_journal_is_not_kept(store: Store) -> None:
    header = issue(store, 9)
    place: Item = {"agenda_pk": f"open#{NORTH}", "agenda_on": header.due_on.isoformat()}
    store.write_one(Unit("behind").update(header_key(NORTH, header.invoice_id), remove=tuple(place)))
    assert len(look(store).rows) == 4 and store.get(*open_list_key(NORTH)) is None
    store.write_one(Unit("there").update(header_key(NORTH, header.invoice_id), set=place))
    assert len(look(store).rows) == 5 and is_how_things_are(store)


def test_what_was_forgotten_is_read_anew(store: Store) -> None:
    look(store)
    open_list.forget(store, NORTH)
    assert open_list.kept_of(store, NORTH) is None and is_how_things_are(store)


def test_very_many_open_invoices_are_read_each_time_and_said_to_be_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_list, "FEW", 3)
    assert not look(store).is_all and len(look(store).rows) == 3
    assert open_list.rows_of(store, NORTH) == open_rows(store, NORTH)


def test_a_list_that_is_not_that_of_the_invoices_is_told(store: Store) -> None:
    look(store)
    assert not [v for v in check_all(store).violations if v.invariant == 18]
    first = look(store).rows[0]
    store.write_one(Unit("bend").update(header_key(NORTH, first.invoice_id), set={"disputed_minor": 1}))
    assert [v.message for v in check_all(store).violations if v.invariant == 18]
