"""Orders as they come in: what agrees is placed once, what does not waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from saldo.accounts.model import AccountStatus
from saldo.accounts.records import account_item
from saldo.catalog.model import ChargeKind, PerUnit, Plan
from saldo.kernel.errors import NotFound, Refusal
from saldo.orders.model_orders import Channel, Code, LineStatus, OrderStatus, Reference, ReferenceKind
from saldo.orders.records import waiting_item_from
from saldo.orders.showing import progress_of
from saldo.subscriptions.model import Change
from saldo.subscriptions.model import ChangeKind as Kind
from saldo.subscriptions.records import subscription_from
from saldo.subscriptions.service import Subscriptions
from tests.contexts.orders.scenes import BUYER, SEATS, TODAY, World, line, plan, request, with_calls
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account
from tests.crashes import assert_survives_every_crash

MIXED = request(line("1", "plan_seats", 10, unit_price="7.50"), line("2", "prod_setup", 1), line("3", "prod_device", 4))


def test_what_agrees_is_placed_a_plan_as_subscription_and_a_product_as_item() -> None:
    here = World()
    receipt = here.receive(replace(MIXED, cost_centre="CC-7"))
    assert (receipt.status, receipt.repeated, receipt.discrepancies) == (OrderStatus.ACCEPTED, False, ())
    (subscription,) = here.items("subscription")
    assert (subscription["plan_version_id"], subscription["quantities"]) == ("plan_seats_v1", {"unit": "10"})
    assert (subscription["started_on"], subscription["agenda_on"]) == ("2026-11-01", "2026-11-01")
    (item,) = [waiting_item_from(i) for i in here.items("item")]
    assert (item.item.unit_price, item.item.quantity, item.bill_on) == (Decimal(900), Decimal(1), TODAY)
    assert item.item.purchase_order == subscription["purchase_order"] == "PO-1"
    assert item.item.cost_centre == subscription["cost_centre"] == "CC-7"
    assert [x.status for x in here.order(receipt.order_id).lines] == ["fulfilled", "fulfilled", "accepted"]


def test_a_line_that_waits_for_delivery_is_billed_for_what_was_delivered() -> None:
    here = World()
    order_id = here.receive(MIXED).order_id
    here.decisions.deliver(ENTITY, order_id, "3", date(2026, 11, 5), "LS-1", CLERK, quantity=Decimal(3))
    again = here.decisions.deliver(ENTITY, order_id, "3", date(2026, 11, 5), "LS-1", CLERK, quantity=Decimal(3))
    assert again.lines[2].delivered == 3
    with pytest.raises(Refusal, match="over_delivered"):
        here.decisions.deliver(ENTITY, order_id, "3", date(2026, 11, 6), "LS-2", CLERK, quantity=Decimal(2))
    done = here.decisions.deliver(ENTITY, order_id, "3", date(2026, 11, 9), "LS-2", CLERK)
    assert done.status is OrderStatus.FULFILLED
    items = [waiting_item_from(i) for i in here.items("item") if "device" in str(i["names"])]
    assert sorted((i.item.quantity, str(i.bill_on)) for i in items) == [(1, "2026-11-09"), (3, "2026-11-05")]
    assert {i.item.unit_price for i in items} == {Decimal("49.90")}
    assert [i.item.supplied_on for i in items] == [i.bill_on for i in items]
    (setup,) = [waiting_item_from(i) for i in here.items("item") if "setup" in str(i["names"])]
    assert setup.item.supplied_on is None  # ordered, and nobody said that it was delivered


def test_parts_of_a_line_come_to_the_whole_of_it_to_the_cent() -> None:
    here = World()
    order_id = here.receive(request(line("1", "plan_cable", 11))).order_id
    whole = here.order(order_id).lines[0].agreed.amount_minor
    assert whole == 358  # 10 × 0.333 + 0.25
    for nth in range(11):
        here.decisions.deliver(ENTITY, order_id, "1", TODAY, f"LS-{nth}", CLERK, quantity=Decimal(1))
    items = [waiting_item_from(i).item for i in here.items("item")]
    assert sum(round(i.quantity * i.unit_price * 100) for i in items) == whole


def test_an_order_shows_what_was_invoiced_and_what_is_to_come() -> None:
    here = World()
    order_id = here.receive(MIXED).order_id
    (item,) = here.items("item")
    here.store.put_many([item | {"status": "billed", "invoice_id": "inv_1"}])
    shown = progress_of(here.store.within(ACCOUNT), here.order(order_id))
    assert [(p.ordered_minor, p.invoiced_minor, p.to_come_minor) for p in shown] == [
        (7500, 0, 7500),
        (90000, 90000, 0),
        (19960, 0, 19960),
    ]
    assert shown[0].next_bill_on == TODAY and shown[1].invoice_ids == ("inv_1",)


def test_an_order_that_comes_again_changes_nothing() -> None:
    here = World()
    first = here.receive(MIXED)
    before = here.essence()
    again = here.receive(replace(MIXED, lines=MIXED.lines[::-1]))
    assert (again.order_id, again.repeated) == (first.order_id, True)
    assert here.essence() == before


def test_the_same_key_is_one_order_and_never_another() -> None:
    here = World()
    here.receive(key="k-1")
    assert here.receive(key="k-1").repeated
    with pytest.raises(Refusal, match="key_reused"):
        here.receive(request(purchase_order="PO-2"), key="k-1")
    assert len(here.items("order")) == 1


def test_further_lines_of_a_purchase_order_are_a_further_order() -> None:
    here = World()
    here.receive(request(line("1")))
    second = here.receive(request(line("1"), line("2", "plan_setup", 1)))
    assert (second.repeated, len(second.before), len(here.order(second.order_id).lines)) == (False, 1, 1)
    assert len(here.items("subscription")) == 1 and len(here.items("item")) == 1


def test_a_line_that_says_otherwise_under_its_number_is_held() -> None:
    here = World()
    here.receive(request(line("1", quantity=10)))
    second = here.receive(request(line("1", quantity=12)))
    assert here.codes(second) == [Code.DUPLICATE_ORDER]
    assert here.receive(request(line("1", quantity=12))).repeated
    assert len(here.items("subscription")) == 1


DISCREPANCIES: list[tuple[str, Any, Code]] = [
    ("customer", request(references=(Reference(ReferenceKind.DUNS, "123456789"),)), Code.UNKNOWN_CUSTOMER),
    ("product", request(line(sku="plan_none")), Code.UNKNOWN_PRODUCT),
    ("price", request(line(unit_price="7.49")), Code.PRICE_DIFFERS),
    ("currency", request(currency="USD"), Code.CURRENCY_DIFFERS),
    ("contract", request(contract_id="ct_none"), Code.UNKNOWN_CONTRACT),
    ("party", request(party="api:stranger"), Code.NEW_PARTY),
    ("ship to", request(ship_to_country="RU"), Code.SHIP_TO_DIFFERS),
]


@pytest.mark.parametrize(("asked", "code"), [d[1:] for d in DISCREPANCIES], ids=[d[0] for d in DISCREPANCIES])
def test_what_does_not_agree_waits_in_the_queue_before_anything_is_billed(asked: Any, code: Code) -> None:
    here = World()
    receipt = here.receive(asked)
    assert (receipt.status, here.codes(receipt)) == (OrderStatus.HELD, [code])
    (queued,) = here.orders.discrepancies(ENTITY)
    assert (queued["order_id"], queued["discrepancies"][0]["code"]) == (receipt.order_id, code)
    assert here.items("subscription") == here.items("item") == []


def test_a_price_that_differs_is_named_with_both_amounts() -> None:
    (found,) = World().receive(request(line(unit_price="7.49"))).discrepancies
    assert (found.line, found.asked_minor, found.expected_minor) == ("1", 7490, 7500)


def test_everything_that_does_not_agree_is_named_at_once() -> None:
    here = World()
    asked = request(
        line("1", unit_price=1), line("2", "plan_none"), party="api:x", currency="USD", ship_to_country="FR"
    )
    assert here.codes(here.receive(asked)) == [
        Code.CURRENCY_DIFFERS,
        Code.NEW_PARTY,
        Code.SHIP_TO_DIFFERS,
        Code.UNKNOWN_PRODUCT,
    ]


def test_a_copy_from_another_party_is_suspected_within_days_and_not_after() -> None:
    here = World()
    here.receive()
    copy = request(party="file:C-1", channel=Channel.FILE, purchase_order="po 1")
    assert here.codes(here.receive(copy)) == [Code.SUSPECTED_DUPLICATE]
    late = replace(copy, purchase_order="PO/1", order_on=TODAY + timedelta(days=31))
    assert here.codes(here.receive(late)) == []


def test_a_quantity_far_beyond_habit_is_looked_at() -> None:
    here = World()
    for nth in range(3):
        here.receive(request(line(quantity=10 + nth), purchase_order=f"PO-{nth}"))
    usual = here.receive(request(line(quantity=120), purchase_order="PO-8"))
    assert here.codes(usual) == []
    assert here.codes(here.receive(request(line(quantity=1300), purchase_order="PO-9"))) == [Code.UNUSUAL_QUANTITY]


def test_credit_counts_what_is_owed_and_what_waits() -> None:
    here = World()
    here.orders.set_policy(ACCOUNT, CLERK, credit_limit_minor=90_000)
    assert here.codes(here.receive(request(line("1", "plan_setup", 1)))) == [], "a limit may be used up"
    second = here.receive(request(line("1", "plan_setup", 1), purchase_order="PO-2"))
    assert here.codes(second) == [Code.OVER_CREDIT_LIMIT]
    assert second.discrepancies[0].asked_minor == 180_000


def test_an_account_that_is_not_active_gets_nothing() -> None:
    here = World()
    here.store.put_many([account_item(replace(account(), status=AccountStatus.SUSPENDED))])
    assert here.codes(here.receive()) == [Code.ACCOUNT_NOT_ACTIVE]


def test_customers_are_found_by_number_duns_and_name_and_never_by_two_of_them() -> None:
    here = World()
    here.store.put_many([account_item(account("acct_eu_other"))])
    assert here.orders.know_as(ENTITY, ACCOUNT, Reference(ReferenceKind.NAME, "Kontor  Nord GmbH"), CLERK)
    assert not here.orders.know_as(ENTITY, ACCOUNT, Reference(ReferenceKind.NAME, "kontor nord gmbh"), CLERK)
    here.orders.know_as(ENTITY, "acct_eu_other", Reference(ReferenceKind.DUNS, "12-345 6789"), CLERK)
    with pytest.raises(Refusal, match="reference_taken"):
        here.orders.know_as(ENTITY, "acct_eu_other", Reference(ReferenceKind.NAME, "KONTOR NORD GMBH"), CLERK)
    name = Reference(ReferenceKind.NAME, "Kontor Nord GmbH")
    assert here.receive(request(references=(name,))).account_id == ACCOUNT
    both = request(references=(name, Reference(ReferenceKind.DUNS, "12-3456789")), purchase_order="PO-2")
    assert here.codes(here.receive(both)) == [Code.AMBIGUOUS_CUSTOMER]


def test_another_sellers_account_is_unknown() -> None:
    here = World()
    here.store.put_many([account_item(account("acct_eu_theirs", entity_id="ent_eu_another"))])
    asked = request(references=(Reference(ReferenceKind.ACCOUNT, "acct_eu_theirs"),))
    assert here.codes(here.receive(asked)) == [Code.UNKNOWN_CUSTOMER]


def test_an_order_that_cannot_be_read_is_refused_with_every_fault() -> None:
    here = World()
    asked = request(
        line("1", "", 0), line("1", unit_price=-1), line("a b"), purchase_order="", order_on=date(2016, 11, 1)
    )
    with pytest.raises(Refusal) as refused:
        here.receive(asked)
    assert sorted((p.field, p.code) for p in refused.value.problems) == [
        ("lines[0].number", "not_unique"),
        ("lines[0].quantity", "not_above_zero"),
        ("lines[0].sku", "missing"),
        ("lines[1].number", "not_unique"),
        ("lines[1].unit_price", "negative"),
        ("lines[2].number", "invalid_number"),
        ("order_on", "out_of_range"),
        ("purchase_order", "invalid_name"),
    ]
    with pytest.raises(NotFound):
        here.orders.receive("ent_eu_none", request(), BUYER)


def test_an_order_of_many_lines_is_placed_whole() -> None:
    here = World()
    lines = [line(str(n), "plan_setup" if n % 2 else "plan_seats", 1) for n in range(1, 301)]
    receipt = here.receive(request(*lines))
    assert receipt.status is OrderStatus.FULFILLED
    assert (len(here.items("item")), len(here.items("subscription"))) == (150, 150)


@pytest.mark.parametrize("asked", [MIXED, request(line(unit_price=1))], ids=["placed", "held"])
def test_a_crash_at_any_call_leaves_the_same_records_when_the_order_comes_again(asked: Any) -> None:
    def work(here: World) -> None:
        here.receive(asked, key="k-1")

    assert assert_survives_every_crash(scene, lambda w: [w.table], work, World.essence) <= 9


def test_a_crash_within_a_long_order_is_made_good_by_its_next_delivery() -> None:
    asked = request(*[line(str(n), "plan_setup", 1) for n in range(1, 120)])

    def end_state(here: World) -> list[Any]:
        assert here.receive(asked).status is OrderStatus.FULFILLED
        return sorted(i["sk"] for i in here.items("item"))

    assert_survives_every_crash(scene, lambda w: [w.table], lambda w: w.receive(asked), end_state)


def test_copies_in_any_order_are_one_order_each() -> None:
    orders = [request(line(quantity=n), purchase_order=f"PO-{n}") for n in (1, 2)]
    found = set()
    for arrival in set(permutations([*orders, *orders])):
        here = World()
        for asked in arrival:
            here.receive(asked)
        found.add(tuple(sorted((i["subscription_id"], str(i["quantities"])) for i in here.items("subscription"))))
        assert all(x.status is LineStatus.FULFILLED for o in here.orders.of_account(ACCOUNT) for x in o.lines)
    assert len(found) == 1 and len(next(iter(found))) == 2


def test_two_at_once_for_one_account_both_count() -> None:
    """Another order comes in just before this one is written: the history of both is kept."""
    here = World()
    other, done = request(purchase_order="PO-2"), []

    def meanwhile(_number: int, operation: str, when: str) -> None:
        if operation == "TransactWriteItems" and when == "before" and not done:
            done.append(True)
            here.receive(other)

    here.table.fault = meanwhile
    here.receive()
    here.table.fault = None
    assert here.orders.ordering(ACCOUNT).most["plan_seats"] == (Decimal(10), 2)
    assert len(here.items("order")) == 2


def test_what_an_order_is_told_of_does_not_name_people() -> None:
    here = World()
    here.receive(request(line(unit_price=1)))
    for record in (*here.items("discrepancy"), *here.items("audit")):
        assert "Kontor" not in repr(record)


@contextmanager
def scene() -> Iterator[World]:
    yield World()


def test_a_line_changes_a_running_subscription_and_keeps_what_it_was_sold_at() -> None:
    here = World()
    here.receive(request(line(quantity=10)))
    (running,) = here.items("subscription")
    later = replace(SEATS, id="seats_v2", version=2, effective_on=date(2026, 11, 2))
    dearer = replace(later.components[0], price=PerUnit(Decimal(9)))
    here.catalog.publish(ENTITY, replace(later, components=(dearer,)), CLERK)
    more = line(quantity=15, unit_price="7.5", start_on=date(2026, 11, 20), changes=running["subscription_id"])
    receipt = here.receive(request(more, purchase_order="PO-2", order_on=date(2026, 11, 3)))
    assert receipt.status is OrderStatus.FULFILLED
    (changed,) = map(subscription_from, here.items("subscription"))
    (change,) = changed.changes
    assert (change.kind, change.effective_on, change.quantities) == ("quantity", date(2026, 11, 20), {"unit": 15})
    assert here.receive(request(more, purchase_order="PO-2", order_on=date(2026, 11, 3))).repeated


def test_a_line_moves_a_subscription_to_another_plan_at_its_price_of_the_day() -> None:
    here = World()
    pro = plan("plan_pro", ChargeKind.FIXED, PerUnit(Decimal(12)))
    here.catalog.offer_plan(Plan("plan_pro", "prod_seats", ENTITY, {"en": "Pro"}), CLERK)
    here.catalog.publish(ENTITY, pro, CLERK)
    here.receive(request(line(quantity=10)))
    (running,) = here.items("subscription")
    up = line(sku="plan_pro", quantity=10, changes=running["subscription_id"])
    held = here.receive(request(replace(up, unit_price=Decimal("7.5")), purchase_order="PO-2"))
    assert here.codes(held) == [Code.PRICE_DIFFERS]
    here.receive(request(up, purchase_order="PO-3"))
    (changed,) = map(subscription_from, here.items("subscription"))
    assert [(c.kind, c.plan_version_id) for c in changed.changes] == [("plan", "plan_pro_v1")]


def test_a_change_that_cannot_be_made_is_held_and_never_half_done() -> None:
    here = World()
    here.receive(request(line(quantity=10, start_on=date(2026, 12, 1))))
    (running,) = here.items("subscription")
    asked = [line("1", quantity=5, changes=running["subscription_id"]), line("2", "plan_setup", 1)]
    assert here.codes(here.receive(request(*asked, purchase_order="PO-2"))) == [Code.CHANGE_NOT_POSSIBLE]
    other = request(line(changes="sub_of_another"), purchase_order="PO-3")
    assert here.codes(here.receive(other)) == [Code.CHANGE_NOT_POSSIBLE]
    assert here.items("item") == [] and here.items("subscription") == [running]
    twice = [replace(asked[0], number=n) for n in ("1", "2")]
    with pytest.raises(Refusal, match="changed by two lines"):
        here.receive(request(*twice, purchase_order="PO-4"))


def test_a_plan_whose_meter_another_subscription_bills_is_held_until_that_one_ends() -> None:
    here = World()
    with_calls(here, "calls", "pro")
    here.receive(request(line(sku="plan_calls")))
    (first,) = here.items("subscription")
    asked = request(line(sku="plan_pro", start_on=date(2026, 12, 1)), purchase_order="PO-2")
    held = here.receive(asked)
    assert here.codes(held) == [Code.METER_CLAIMED_TWICE]
    assert held.discrepancies[0].message.startswith(f"calls is billed by {first['subscription_id']} from 2026-12-01 on")
    stop = Change("stop", Kind.CANCEL, date(2026, 12, 1))
    Subscriptions(here.store, here.clock).change(ACCOUNT, first["subscription_id"], stop, CLERK)
    here.decisions.correct(ENTITY, held.order_id, asked, CLERK, "the other one ends")
    assert len(here.items("subscription")) == 2


def test_two_lines_of_one_order_do_not_bill_one_meter_and_neither_does_a_change() -> None:
    here = World()
    with_calls(here, "calls", "pro")
    held = here.receive(request(line("1", "plan_calls"), line("2", "plan_pro")))
    assert [(d.line, d.code) for d in held.discrepancies] == [("2", Code.METER_CLAIMED_TWICE)]
    assert "line 1 of this order" in held.discrepancies[0].message
    for number, sku in (("PO-2", "plan_calls"), ("PO-3", "plan_seats")):
        here.receive(request(line(sku=sku), purchase_order=number))
    (seats,) = [i["subscription_id"] for i in here.items("subscription") if i["plan_version_id"] == "plan_seats_v1"]
    moved = here.receive(request(line(sku="plan_pro", changes=seats), purchase_order="PO-4"))
    assert here.codes(moved) == [Code.METER_CLAIMED_TWICE]


def test_what_a_line_changes_counts_for_the_meters_of_the_lines_after_it() -> None:
    here, december = World(), date(2026, 12, 1)
    with_calls(here, "calls", "pro")
    here.receive(request(line(sku="plan_seats")))
    (seats,) = [item["subscription_id"] for item in here.items("subscription")]
    up, calls = line("1", "plan_pro", changes=seats), line("2", "plan_calls")
    held = here.receive(request(up, calls, purchase_order="PO-2"))
    assert [(d.line, d.code) for d in held.discrepancies] == [("2", Code.METER_CLAIMED_TWICE)]
    assert held.discrepancies[0].message.startswith(f"calls is billed by {seats} from ")
    assert len(here.items("subscription")) == 1
    here.receive(request(up, purchase_order="PO-3"))
    down = replace(up, sku="plan_seats", start_on=december), replace(calls, start_on=december)
    assert here.receive(request(*down, purchase_order="PO-4")).status is OrderStatus.FULFILLED
    assert len(here.items("subscription")) == 2
