"""What people decide about orders that wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from saldo.audit.model import Actor
from saldo.kernel.errors import Refusal
from saldo.orders.model_orders import Code, OrderStatus, Reference, ReferenceKind
from tests.contexts.orders.scenes import SECOND, World, at, line, request
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY
from tests.crashes import assert_survives_every_crash

CHEAP = request(line(unit_price="7.00"))
DEAR = request(line(unit_price="8.00"))


def audited(here: World, action: str) -> list[dict[str, Any]]:
    return [i for i in here.items("audit") if i["action"] == action]


def test_a_price_below_ours_takes_two_different_people() -> None:
    here = World()
    order_id = here.receive(CHEAP).order_id
    first = here.decisions.accept(ENTITY, order_id, CLERK, "old price list")
    assert (first.status, len(first.approvals)) == (OrderStatus.HELD, 1)
    assert [d["approvals"] for d in here.orders.discrepancies(ENTITY)] == [1]
    with pytest.raises(Refusal, match="second_person_needed"):
        here.decisions.accept(ENTITY, order_id, CLERK, "really")
    done = here.decisions.accept(ENTITY, order_id, SECOND, "agreed by phone")
    assert done.status is OrderStatus.FULFILLED
    assert list(here.orders.discrepancies(ENTITY)) == []
    assert [a["actor"]["id"] for a in audited(here, "order.approved")] == [CLERK.id]
    assert [(a["actor"]["id"], a["reason"]) for a in audited(here, "order.accepted")] == [
        (SECOND.id, "agreed by phone")
    ]


def test_an_accepted_price_is_what_the_subscription_costs_and_is_on_no_price_list() -> None:
    here = World()
    order_id = here.receive(CHEAP).order_id
    here.decisions.accept(ENTITY, order_id, CLERK, "old price list")
    here.decisions.accept(ENTITY, order_id, SECOND, "old price list")
    (subscription,) = here.items("subscription")
    own = here.catalog.plan_version(ENTITY, subscription["plan_version_id"])
    assert own.components[0].price.unit_price == Decimal(7)  # type: ignore[union-attr]
    assert own.id not in {v.id for v in here.catalog.versions_of(ENTITY)}
    assert here.codes(here.receive(request(purchase_order="PO-2"))) == []


def test_a_price_above_ours_takes_one_person_and_a_reason() -> None:
    here = World()
    order_id = here.receive(DEAR).order_id
    with pytest.raises(Refusal, match="reason_required"):
        here.decisions.accept(ENTITY, order_id, CLERK, " ")
    assert here.decisions.accept(ENTITY, order_id, CLERK, "theirs to pay").amount_minor == 8000


def test_only_the_sellers_people_decide() -> None:
    here = World()
    order_id = here.receive(DEAR).order_id
    for actor in (Actor("user_eu_buyer", "user"), Actor("invoice_run", "job")):
        with pytest.raises(Refusal, match="staff_only"):
            here.decisions.accept(ENTITY, order_id, actor, "mine")


def test_what_must_be_corrected_cannot_be_accepted() -> None:
    here = World()
    order_id = here.receive(request(line(sku="plan_none"))).order_id
    with pytest.raises(Refusal, match="cannot_be_accepted"):
        here.decisions.accept(ENTITY, order_id, CLERK, "whatever")


def test_a_corrected_order_is_matched_anew_and_placed() -> None:
    here = World()
    asked = request(line(sku="plan_none"))
    order_id = here.receive(asked).order_id
    wrong = here.decisions.correct(ENTITY, order_id, at(asked, sku="plan_seats", unit_price=Decimal(7)), CLERK, "typo")
    assert [d.code for d in wrong.discrepancies] == [Code.PRICE_DIFFERS]
    done = here.decisions.correct(ENTITY, order_id, at(asked, sku="plan_seats"), CLERK, "typo")
    assert done.status is OrderStatus.FULFILLED and len(here.items("subscription")) == 1


def test_a_correction_forgets_who_approved_before() -> None:
    here = World()
    order_id = here.receive(CHEAP).order_id
    here.decisions.accept(ENTITY, order_id, CLERK, "old price list")
    cheaper = at(CHEAP, unit_price=Decimal(1))
    assert here.decisions.correct(ENTITY, order_id, cheaper, SECOND, "cheaper still").approvals == ()
    assert here.decisions.accept(ENTITY, order_id, SECOND, "mine alone").status is OrderStatus.HELD


def test_an_order_whose_customer_is_found_moves_to_its_records() -> None:
    here = World()
    asked = request(references=(Reference(ReferenceKind.DUNS, "1"),))
    order_id = here.receive(asked).order_id
    assert here.order(order_id).owner == ENTITY and here.orders.of_account(ACCOUNT) == []
    here.orders.know_as(ENTITY, ACCOUNT, Reference(ReferenceKind.DUNS, "1"), CLERK)
    done = here.decisions.correct(ENTITY, order_id, asked, CLERK, "number registered")
    assert done.status is OrderStatus.FULFILLED
    assert [o.id for o in here.orders.of_account(ACCOUNT)] == [order_id]
    assert [(i["pk"], i["sk"]) for i in here.items("order")] == [(ACCOUNT, f"order#{order_id}")]
    assert here.receive(asked).repeated


def test_a_correction_is_on_record_and_does_not_clear_a_copy() -> None:
    here = World()
    here.receive(request(line(quantity=10)))
    copy = request(line(quantity=12))
    order_id = here.receive(copy).order_id
    mended = here.decisions.correct(ENTITY, order_id, at(copy, quantity=Decimal(11)), CLERK, "recount")
    assert [d.code for d in mended.discrepancies] == [Code.DUPLICATE_ORDER]
    assert audited(here, "order.corrected")[0]["after"]["changes"] == {"line 1 quantity": "12 → 11"}


def test_what_names_an_order_is_not_corrected() -> None:
    here = World()
    order_id = here.receive(CHEAP).order_id
    for changed in (replace(CHEAP, purchase_order="PO-2"), replace(CHEAP, party="api:x"), at(CHEAP, number="2")):
        with pytest.raises(Refusal, match="not_the_same_order"):
            here.decisions.correct(ENTITY, order_id, changed, CLERK, "typo")


def test_one_line_is_accepted_and_the_other_refused() -> None:
    here = World()
    asked = request(line("1", unit_price=8), line("2", "plan_setup", 1, unit_price=950))
    order_id = here.receive(asked).order_id
    part = here.decisions.accept(ENTITY, order_id, CLERK, "fine", lines=("2",))
    assert (part.status, [d.line for d in part.discrepancies]) == (OrderStatus.HELD, ["1"])
    done = here.decisions.refuse(ENTITY, order_id, CLERK, "not wanted", lines=("1",))
    assert (done.status, done.amount_minor) == (OrderStatus.FULFILLED, 95000)
    assert here.items("subscription") == [] and len(here.items("item")) == 1
    with pytest.raises(Refusal, match="move_not_allowed"):
        here.decisions.refuse(ENTITY, order_id, CLERK, "too late", lines=("2",))


def test_a_refused_order_is_no_copy_of_the_next() -> None:
    here = World()
    order_id = here.receive(DEAR).order_id
    here.decisions.refuse(ENTITY, order_id, CLERK, "wrong price")
    assert list(here.orders.discrepancies(ENTITY)) == []
    assert here.codes(here.receive(at(DEAR, unit_price=Decimal("7.5"), number="1a"))) == []


def test_an_accepted_line_is_called_off_until_something_of_it_was_delivered() -> None:
    here = World()
    order_id = here.receive(request(line("1", "plan_device", 2), line("2", "plan_device", 2))).order_id
    here.decisions.deliver(ENTITY, order_id, "1", here.clock().date(), "LS-1", CLERK, quantity=Decimal(1))
    with pytest.raises(Refusal, match="already_delivered"):
        here.decisions.refuse(ENTITY, order_id, CLERK, "cancelled", lines=("1",))
    assert here.decisions.refuse(ENTITY, order_id, CLERK, "cancelled", lines=("2",)).status is OrderStatus.ACCEPTED


def test_of_two_decisions_on_one_version_the_first_stands() -> None:
    here = World()
    order_id = here.receive(DEAR).order_id
    seen = here.order(order_id).version
    here.decisions.accept(ENTITY, order_id, CLERK, "fine", version=seen)
    with pytest.raises(Refusal, match="changed_meanwhile"):
        here.decisions.refuse(ENTITY, order_id, SECOND, "not fine", version=seen)


def test_accepting_a_new_party_makes_it_known() -> None:
    here = World(trusting=False)
    order_id = here.receive().order_id
    here.decisions.accept(ENTITY, order_id, CLERK, "called them back")
    assert here.codes(here.receive(request(purchase_order="PO-2"))) == []


def test_a_crash_while_accepting_leaves_an_order_that_is_whole() -> None:
    @contextmanager
    def held() -> Iterator[tuple[World, str]]:
        here = World()
        yield here, here.receive(DEAR).order_id

    def work(scene: tuple[World, str]) -> None:
        here, order_id = scene
        if here.order(order_id).status is OrderStatus.HELD:
            here.decisions.accept(ENTITY, order_id, CLERK, "fine")

    assert_survives_every_crash(held, lambda s: [s[0].table], work, lambda s: s[0].essence())
