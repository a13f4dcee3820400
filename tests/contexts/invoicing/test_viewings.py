"""Who looked at which invoice comes onto the account's trail, by the rules of the page, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from saldo.access.model import Looked, Origin, Role, Seat, Session
from saldo.access.model_acting import Acting
from saldo.access.model_visibility import Visibility
from saldo.access.records import looked_value, session_item
from saldo.audit.records import audit_record
from saldo.invoicing.records import header_item
from saldo.invoicing.status import InvoiceStatus
from saldo.invoicing.viewings import Viewings
from saldo.kernel.clock import instant_text
from saldo.storage import schema
from saldo.storage.items import Item
from saldo.storage.store import Store
from saldo.storage.units import Unit
from tests.functions.portal.scenes import NORTH, OTHERS, header_of
from tests.simulation.dynamodb import MemoryDynamoDB

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SHOWN = header_of(NORTH, date(2026, 11, 1), 11900, 14)
SEAT = Seat(NORTH, Role.VIEWER, "Kontor Nord", "EUR", SHOWN.entity_id, "Europe/Berlin")
SESSION = Session("d" * 64, "user_eu_1", "org_eu_1", (SEAT,), "en", False, NOW, NOW, None, Origin("198.51.100.0"))
LOOKED = Looked(NORTH, "invoice.viewed", SHOWN.invoice_id, NOW, "click", "192.0.2.0")


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store(MemoryDynamoDB(schema.AGENDA_FIELDS), "records")  # type: ignore[arg-type]
    made.write_one(Unit("i").insert(header_item(SHOWN)))
    yield made


def asked(session: Session = SESSION, looked: Looked = LOOKED) -> Item:
    return session_item(session) | {"looked": looked_value(looked)}


def trail(store: Store, owner: str = NORTH) -> list[tuple[str, str, str, str, str]]:
    found = [audit_record(item) for item in store.query_all(owner, prefix="audit#")]
    return [(r.action, r.subject_id, r.actor.id, r.actor.address, r.actor.on_behalf_of) for r in found]


def test_a_look_is_on_the_trail_once_however_often_it_is_told(store: Store) -> None:
    assert Viewings(store).record([asked(), asked()]) == 2
    Viewings(store).record([asked()])
    assert trail(store) == [("invoice.viewed", SHOWN.invoice_id, "user_eu_1", "192.0.2.0", "")]


def first_look(store: Store) -> str | None:
    item = store.get(NORTH, f"seen#{SHOWN.invoice_id}")
    return item["at"] if item else None


def test_the_earliest_look_of_all_that_are_told_is_the_first_and_stays_so(store: Store) -> None:
    later, latest = (replace(LOOKED, at=NOW + timedelta(minutes=n)) for n in (1, 2))
    Viewings(store).record([asked(looked=latest), asked(looked=later)])
    first = first_look(store)
    Viewings(store).record([asked(looked=replace(LOOKED, at=NOW + timedelta(minutes=3)))])
    assert first_look(store) == first == instant_text(later.at)


def test_a_look_of_staff_for_the_customer_is_not_the_customers(store: Store) -> None:
    acting = Acting("staff_eu_1", "user_eu_9", NOW + timedelta(hours=1))
    Viewings(store).record([asked(replace(SESSION, user_id="staff_eu_1", acting=acting))])
    assert first_look(store) is None


def test_two_looks_at_one_invoice_are_two_records(store: Store) -> None:
    Viewings(store).record([asked(), asked(looked=replace(LOOKED, at=NOW + timedelta(seconds=3)))])
    assert len(trail(store)) == 2


def test_staff_who_act_for_a_customer_are_named_with_the_one_who_consented(store: Store) -> None:
    acting = Acting("staff_eu_1", "user_eu_9", NOW + timedelta(hours=1))
    Viewings(store).record([asked(replace(SESSION, user_id="staff_eu_1", acting=acting))])
    assert [line[2:] for line in trail(store)] == [("staff_eu_1", "192.0.2.0", "user_eu_9")]


@pytest.mark.parametrize(
    "item",
    [
        asked(replace(SESSION, seats=())),
        asked(replace(SESSION, seats=(replace(SEAT, account_id=OTHERS),))),
        asked(replace(SESSION, seen_at=NOW - timedelta(hours=1))),
        asked(looked=replace(LOOKED, subject_id="inv_20261101none")),
        asked(looked=replace(LOOKED, account_id=OTHERS)),
        asked(replace(SESSION, seats=(replace(SEAT, visibility=Visibility(months=1)),)), replace(LOOKED, at=NOW)),
        session_item(SESSION),
    ],
    ids=["no seat", "another's seat", "session over", "no such invoice", "another's account", "in sight", "no look"],
)
def test_what_the_page_did_not_show_is_not_said_to_be_seen(
    store: Store, item: Item, request: pytest.FixtureRequest
) -> None:
    in_sight = request.node.callspec.id == "in sight"
    assert Viewings(store).record([item]) == (1 if in_sight else 0)
    assert len(trail(store)) == (1 if in_sight else 0) and trail(store, OTHERS) == []


def test_neither_drafts_nor_what_is_out_of_sight_was_shown(store: Store) -> None:
    draft = replace(header_of(NORTH, date(2026, 11, 2), 23800, 14), status=InvoiceStatus.DRAFT)
    old = replace(header_of(NORTH, date(2025, 1, 2), 23800, 14), status=InvoiceStatus.PAID, open_minor=0)
    store.put_many([header_item(draft), header_item(old)])
    short = replace(SESSION, seats=(replace(SEAT, visibility=Visibility(months=3)),))
    looks = [asked(short, replace(LOOKED, subject_id=header.invoice_id)) for header in (draft, old)]
    assert Viewings(store).record(looks) == 0
