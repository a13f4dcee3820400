"""Contracts: agreed prices, milestones billed as they are reached, services that wait for go-live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.catalog.model import CutShort, Minimum
from saldo.kernel.errors import Refusal
from saldo.kernel.periods import Length
from saldo.kernel.periods import Unit as Unit_
from saldo.orders.model_contracts import Contract, ContractPrice, Milestone, MilestoneStatus, Service, Terms
from saldo.orders.model_orders import Code, OrderStatus
from saldo.orders.records import waiting_item_from
from saldo.orders.records_contracts import put_contract
from saldo.orders.rules_contracts import milestone_amounts, retained_minor
from saldo.storage.units import Unit
from saldo.subscriptions.model import Term
from saldo.subscriptions.service import Subscriptions
from tests.contexts.orders.scenes import World, line, request
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY
from tests.crashes import assert_survives_every_crash

START = date(2026, 11, 1)
PRICE = ContractPrice("plan_seats", Decimal("6.25"), most=Decimal(100), buyer_sku="B-77")


def milestone(milestone_id: str, percent: object = None, **more: Any) -> Milestone:
    share = None if percent is None else Decimal(str(percent))
    return Milestone(milestone_id, {"en": milestone_id}, percent=share, **more)


def contract(**changes: Any) -> Contract:
    fields: dict[str, Any] = {
        "id": "ct_eu_roll_out",
        "account_id": ACCOUNT,
        "entity_id": ENTITY,
        "title": "Roll-out",
        "currency": "EUR",
        "terms": (Terms(START, date(2027, 11, 1), (PRICE,), 100_000_01),),
        "milestones": (milestone("design", 30), milestone("build", 30), milestone("live", 40)),
        "services": (Service("seats", "plan_seats", "live", Decimal(20)),),
        "purchase_order": "PO-77",
    }
    return Contract(**(fields | changes))


def signed(here: World, **changes: Any) -> Contract:
    one = contract(**changes)
    assert here.contracts.sign(one, CLERK)
    return here.contracts.get(ACCOUNT, one.id)


def billed(here: World, *statuses: str) -> dict[str, int]:
    """Minor units by item, of items in these statuses (waiting by default)."""
    items = [waiting_item_from(i) for i in here.items("item")]
    chosen = [w for w in items if w.status in (statuses or ("waiting",))]
    return {w.item.id: int(w.item.quantity * w.item.unit_price * 100) for w in chosen}


def test_an_agreed_price_is_what_an_order_is_held_against_and_billed_at() -> None:
    here = World()
    signed(here)
    assert here.codes(here.receive(request(line(unit_price="7.50")))) == [Code.PRICE_DIFFERS]
    receipt = here.receive(request(line(sku="", buyer_sku="B-77", unit_price="6.25"), purchase_order="PO-2"))
    assert receipt.status is OrderStatus.FULFILLED
    (subscription,) = here.items("subscription")
    version = here.catalog.plan_version(ENTITY, subscription["plan_version_id"])
    assert version.components[0].price.unit_price == Decimal("6.25")  # type: ignore[union-attr]
    assert version.plan_id == "plan_seats" and version.id not in {v.id for v in here.catalog.versions_of(ENTITY)}


def test_a_contract_in_another_currency_sets_no_price() -> None:
    here = World()
    here.store.write_one(put_contract(Unit("sign"), contract(currency="USD", milestones=(), services=()), new=True))
    receipt = here.receive(request(line(unit_price="7.50")))
    assert here.codes(receipt) == [] and receipt.status is OrderStatus.FULFILLED
    (subscription,) = here.items("subscription")
    assert subscription["plan_version_id"] in {v.id for v in here.catalog.versions_of(ENTITY)}, "at the list's price"


def test_orders_over_the_agreed_quantity_or_value_are_held() -> None:
    here = World()
    signed(here, milestones=(), services=(), terms=(Terms(START, None, (PRICE,), 0, 60_000),))
    assert here.codes(here.receive(request(line("1", quantity=60), line("2", quantity=30)))) == []
    over = here.receive(request(line("1", quantity=11), purchase_order="PO-2"))
    assert here.codes(over) == [Code.QUANTITY_OVER_CONTRACT, Code.VALUE_OVER_CONTRACT]
    assert here.codes(here.receive(request(line(quantity=6), purchase_order="PO-3"))) == []


def test_what_an_order_took_of_a_contract_is_free_again_when_it_is_called_off() -> None:
    here = World()
    device = ContractPrice("plan_device", Decimal(40), most=Decimal(10))
    signed(here, milestones=(), services=(), terms=(Terms(START, None, (device,)),))
    order_id = here.receive(request(line("1", "plan_device", 10))).order_id
    second = request(line("1", "plan_device", 1), purchase_order="PO-2")
    assert here.codes(here.receive(second)) == [Code.QUANTITY_OVER_CONTRACT]
    here.decisions.refuse(ENTITY, order_id, CLERK, "not wanted", lines=("1",))
    assert here.codes(here.receive(replace(second, purchase_order="PO-3"))) == []


def test_a_contract_holds_for_its_term_and_not_after_it_was_ended() -> None:
    here = World()
    one = signed(here, terms=(Terms(START, date(2026, 12, 1), (PRICE,), 100),), milestones=(), services=())
    late = request(contract_id=one.id, order_on=date(2026, 12, 1), purchase_order="PO-2")
    assert here.codes(here.receive(late)) == [Code.CONTRACT_EXPIRED]
    here.contracts.end(ACCOUNT, one.id, CLERK, "by agreement")
    assert here.codes(here.receive(request(contract_id=one.id))) == [Code.CONTRACT_EXPIRED]
    assert here.codes(here.receive(request(line(unit_price="7.5"), purchase_order="PO-3"))) == []


def test_an_accepted_milestone_is_billed_once_and_its_services_start_that_day() -> None:
    here = World()
    one = signed(here)
    assert billed(here) == {} and here.items("subscription") == []
    here.contracts.accept(ACCOUNT, one.id, "design", date(2026, 11, 10), "AP-1", CLERK)
    again = here.contracts.accept(ACCOUNT, one.id, "design", date(2026, 11, 10), "AP-1", CLERK)
    assert again.version == 2 and billed(here) == {"milestone-ct_eu_roll_out-design": 30_000_00}
    with pytest.raises(Refusal, match="move_not_allowed"):
        here.contracts.accept(ACCOUNT, one.id, "design", date(2026, 11, 11), "AP-2", CLERK)
    live = here.contracts.accept(ACCOUNT, one.id, "live", date(2026, 12, 15), "AP-9", CLERK)
    (subscription,) = here.items("subscription")
    assert (subscription["started_on"], subscription["quantities"]) == ("2026-12-15", {"unit": "20"})
    assert live.services[0].subscription_id == subscription["subscription_id"]
    assert "~" in subscription["plan_version_id"]
    (item,) = [w for w in map(waiting_item_from, here.items("item")) if w.item.id.endswith("live")]
    assert (item.bill_on, item.item.purchase_order) == (date(2026, 12, 15), "PO-77")
    assert subscription["purchase_order"] == "PO-77"
    assert item.item.supplied_on == date(2026, 12, 15)


def test_milestones_with_a_day_of_their_own_wait_for_it_from_signing_on() -> None:
    here = World()
    signed(here, milestones=(milestone("first", 50, due_on=date(2027, 1, 1)), milestone("rest", 50)), services=())
    (item,) = map(waiting_item_from, here.items("item"))
    assert (item.item.id, item.bill_on) == ("milestone-ct_eu_roll_out-first", date(2027, 1, 1))


def test_what_is_kept_back_is_billed_with_the_final_acceptance_and_all_comes_to_the_value() -> None:
    here = World()
    one = signed(here, retainage_percent=Decimal("7.5"), services=())
    with pytest.raises(Refusal, match="milestones_open"):
        here.contracts.release(ACCOUNT, one.id, START, "FA-1", CLERK)
    for name in ("design", "build", "live"):
        here.contracts.accept(ACCOUNT, one.id, name, START, f"AP-{name}", CLERK)
    here.contracts.release(ACCOUNT, one.id, START, "FA-1", CLERK)
    amounts = billed(here)
    assert amounts["milestone-ct_eu_roll_out-design"] == 27_750_00
    assert sum(amounts.values()) == 100_000_01
    names = [waiting_item_from(item).item.names["de"] for item in here.items("item")]
    assert [name for name in names if "abzüglich 7,5 % Sicherheitseinbehalt" in name] and len(names) == 4
    with pytest.raises(Refusal, match="already_released"):
        here.contracts.release(ACCOUNT, one.id, START, "FA-1", CLERK)


def test_an_acceptance_is_taken_back_before_it_is_billed_and_not_after() -> None:
    here = World()
    one = signed(here, services=())
    here.contracts.accept(ACCOUNT, one.id, "design", START, "AP-1", CLERK)
    back = here.contracts.take_back(ACCOUNT, one.id, "design", CLERK, "faults found")
    assert back.milestones[0].status is MilestoneStatus.PLANNED and billed(here) == {}
    here.contracts.accept(ACCOUNT, one.id, "design", START, "AP-2", CLERK)
    assert billed(here) == {"milestone-ct_eu_roll_out-design-r1": 30_000_00}
    (item,) = [i for i in here.items("item") if i["status"] == "waiting"]
    here.store.put_many([item | {"status": "billed", "invoice_id": "inv_1"}])
    with pytest.raises(Refusal, match=r"already_billed.*inv_1.*credit note"):
        here.contracts.take_back(ACCOUNT, one.id, "design", CLERK, "more faults")


def test_going_live_is_not_taken_back() -> None:
    here = World()
    one = signed(here)
    here.contracts.accept(ACCOUNT, one.id, "live", START, "AP-1", CLERK)
    with pytest.raises(Refusal, match="service_started"):
        here.contracts.take_back(ACCOUNT, one.id, "live", CLERK, "oh")


def test_an_amendment_holds_from_its_day_and_every_version_is_kept() -> None:
    here = World()
    one = signed(here, services=())
    here.contracts.accept(ACCOUNT, one.id, "design", START, "AP-1", CLERK)
    later = Terms(date(2027, 1, 1), date(2028, 1, 1), (replace(PRICE, unit_price=Decimal(5)),), 120_000_00)
    after = here.contracts.amend(ACCOUNT, one.id, later, None, CLERK, "more work")
    assert milestone_amounts(after)["design"] == 30_000_00
    assert sum(milestone_amounts(after).values()) == 120_000_00
    assert [v.version for v in here.contracts.versions(ACCOUNT, one.id)] == [1, 2, 3]
    assert here.contracts.versions(ACCOUNT, one.id)[0].terms == one.terms
    assert here.codes(here.receive(request(line(unit_price="6.25")))) == []
    spring = request(line(unit_price=5), order_on=date(2027, 3, 1), purchase_order="PO-2")
    assert here.codes(here.receive(spring)) == []
    audits = [i for i in here.items("audit") if i["action"].startswith("contract.")]
    assert len(audits) == 3


def test_planned_milestones_may_be_replaced_and_billable_ones_may_not() -> None:
    here = World()
    one = signed(here, services=())
    here.contracts.accept(ACCOUNT, one.id, "design", START, "AP-1", CLERK)
    terms = one.terms[0]
    changed = (milestone("design", 30), milestone("build", 50))
    after = here.contracts.amend(ACCOUNT, one.id, terms, changed, CLERK, "smaller")
    assert {m.id: m.status for m in after.milestones} == {"design": "billable", "build": "planned", "live": "cancelled"}
    with pytest.raises(Refusal, match="milestone_is_billable"):
        here.contracts.amend(ACCOUNT, one.id, terms, (milestone("design", 20),), CLERK, "cheaper")


def test_of_two_changes_of_one_version_the_first_stands() -> None:
    here = World()
    one = signed(here, services=())
    here.contracts.accept(ACCOUNT, one.id, "design", START, "AP-1", CLERK, version=1)
    with pytest.raises(Refusal, match="changed_meanwhile"):
        here.contracts.accept(ACCOUNT, one.id, "build", START, "AP-2", CLERK, version=1)


def test_a_contract_that_is_not_sound_is_refused_with_every_fault() -> None:
    here = World()
    bad = contract(
        title="",
        currency="USD",
        retainage_percent=Decimal(100),
        terms=(Terms(START, START, (), 0, 100),),
        milestones=(milestone("a", 60), milestone("a", 60), milestone("b", amount_minor=5, percent=5), milestone("c")),
        services=(Service("s", "plan_seats", "none"),),
    )
    with pytest.raises(Refusal) as refused:
        here.contracts.sign(bad, CLERK)
    assert {(p.field, p.code) for p in refused.value.problems} == {
        ("title", "missing"),
        ("retainage_percent", "out_of_range"),
        ("terms[0].ends_on", "before_start"),
        ("milestones[0].id", "not_unique"),
        ("milestones[1].id", "not_unique"),
        ("milestones[0].percent", "percent_of_nothing"),
        ("milestones[1].percent", "percent_of_nothing"),
        ("milestones[2]", "amount_or_percent"),
        ("milestones[3]", "amount_or_percent"),
        ("milestones", "over_whole"),
        ("services[0].milestone_id", "unknown_milestone"),
    }
    with pytest.raises(Refusal, match="is billed in EUR"):
        here.contracts.sign(contract(currency="USD", terms=(Terms(START, None, (), 100),), services=()), CLERK)
    with pytest.raises(Refusal, match="plan_x is not sold"):
        here.contracts.sign(contract(terms=(Terms(START, None, (replace(PRICE, plan_id="plan_x"),), 100),)), CLERK)


def test_signing_again_changes_nothing_and_another_contract_under_its_id_is_refused() -> None:
    here = World()
    one = signed(here)
    here.contracts.accept(ACCOUNT, one.id, "design", START, "AP-1", CLERK)
    before = here.essence()
    assert here.contracts.sign(contract(), CLERK) is False
    assert here.essence() == before
    with pytest.raises(Refusal, match="contract_exists"):
        here.contracts.sign(contract(title="Another"), CLERK)


def test_a_crash_while_accepting_or_signing_leaves_one_item_and_one_subscription() -> None:
    @contextmanager
    def scene() -> Iterator[World]:
        yield World()

    def work(here: World) -> None:
        here.contracts.sign(contract(), CLERK)
        here.contracts.accept(ACCOUNT, "ct_eu_roll_out", "live", START, "AP-1", CLERK)

    assert_survives_every_crash(scene, lambda w: [w.table], work, World.essence)


@given(
    st.integers(0, 10**9),
    st.lists(st.integers(1, 5000), min_size=1, max_size=12),
    st.integers(0, 9999),
)
def test_shares_of_a_contract_come_to_its_value_whatever_they_are(value: int, shares: list[int], kept: int) -> None:
    whole = sum(shares)
    percents = [Decimal(s * 10**6 // whole) / 10**4 for s in shares]
    percents[-1] += Decimal(100) - sum(percents)
    one = contract(
        terms=(Terms(START, None, (), value),),
        milestones=tuple(milestone(str(i), p) for i, p in enumerate(percents)),
        retainage_percent=Decimal(kept) / 100,
    )
    amounts = milestone_amounts(one)
    assert sum(amounts.values()) == value
    billed_as = [a - retained_minor(one, a) for a in amounts.values()]
    assert sum(billed_as) + sum(retained_minor(one, a) for a in amounts.values()) == value
    assert all(0 <= b <= a for a, b in zip(amounts.values(), billed_as, strict=True))


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), st.integers(1, 10**7), st.integers(1, 10**7), st.data())
def test_shares_come_to_the_new_value_when_a_contract_is_amended_half_way(
    shares: list[int], value: int, more: int, data: st.DataObject
) -> None:
    percents = [Decimal(s) * 100 / sum(shares) for s in shares]
    percents = [p.quantize(Decimal("0.01")) for p in percents]
    percents[-1] += 100 - sum(percents)
    if percents[-1] < 0:
        return
    one = contract(
        terms=(Terms(START, None, (), value),),
        milestones=tuple(milestone(str(i), p) for i, p in enumerate(percents)),
    )
    amounts = milestone_amounts(one)
    done = data.draw(st.sets(st.sampled_from(sorted(amounts)), max_size=len(shares) - 1))
    billable = MilestoneStatus.BILLABLE
    half = tuple(replace(m, status=billable, billed_minor=amounts[m.id]) if m.id in done else m for m in one.milestones)
    amended = replace(one, milestones=half, terms=(Terms(START, None, (), value + more),))
    after = milestone_amounts(amended)
    assert all(after[m] == amounts[m] for m in done)
    left = [p for i, p in enumerate(percents) if str(i) not in done]
    if any(left):
        assert sum(after.values()) == value + more


COMMITTED = Minimum((Decimal(6000), Decimal(8000)), Length(Unit_.YEAR), cut_short=CutShort.WHOLE)
YEARLY = Term(Length(Unit_.YEAR), 60, 90, Decimal(3))


def test_a_contract_commits_to_its_own_minimum_and_sells_for_a_term() -> None:
    here = World()
    price, service = replace(PRICE, minimum=COMMITTED), Service("seats", "plan_seats", "live", Decimal(20), term=YEARLY)
    one = signed(here, terms=(Terms(START, None, (price,), 100_000_01),), services=(service,))
    assert one.terms[0].prices[0].minimum == COMMITTED and one.services[0].term == YEARLY, "read back as it was"
    here.contracts.accept(ACCOUNT, one.id, "live", date(2026, 11, 20), "AP-9", CLERK)
    sold = Subscriptions(here.store, here.clock).of_account(ACCOUNT)[-1]
    assert sold.term == YEARLY
    assert here.catalog.plan_version(ENTITY, sold.plan_version_id).minimum == COMMITTED
    (renewing,) = here.items("term")
    assert (renewing["ends_on"], renewing["agenda_on"]) == ("2027-11-20", "2027-08-22")


def test_a_contract_whose_minimum_or_term_cannot_be_is_refused_by_field() -> None:
    here = World()
    price = replace(PRICE, minimum=replace(COMMITTED, every=Length(Unit_.WEEK, 5)))
    with pytest.raises(Refusal) as refused:
        signed(here, terms=(Terms(START, None, (price,), 100_000_01),))
    assert ("prices[0].minimum.every", "not_whole_cycles") in {(p.field, p.code) for p in refused.value.problems}
    service = Service("seats", "plan_seats", "live", term=replace(YEARLY, length=Length(Unit_.WEEK, 5)))
    with pytest.raises(Refusal) as refused:
        signed(here, services=(service,))
    assert ("services[0].term.count", "not_whole_cycles") in {(p.field, p.code) for p in refused.value.problems}
