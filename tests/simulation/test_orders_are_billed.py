"""From an order, or a milestone, to the invoice that a run issues, and back to what the order shows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from saldo.catalog.model import BillingTrigger, Plan, Product
from saldo.catalog.service import Catalog
from saldo.insight.invariants import check_all
from saldo.invoicing.codec import body_from_bytes
from saldo.orders.contracts import Contracts
from saldo.orders.decisions import Decisions
from saldo.orders.model_contracts import Contract, ContractPrice, Milestone, Service, Terms
from saldo.orders.model_orders import OrderStatus, Reference, ReferenceKind
from saldo.orders.service import Orders
from saldo.orders.showing import progress_of
from tests.contexts.orders.scenes import BUYER, DEVICE, PARTY, SEATS, SETUP, line, request
from tests.contexts.sellers import CLERK
from tests.simulation.world import ENTITY, World, account_id_of

ACCOUNT = account_id_of(0)
JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def world() -> World:
    here = World()
    here.found(1, started_on=JAN)
    catalog = Catalog(here.store, here.clock)
    for version in (SEATS, SETUP, DEVICE):
        trigger = BillingTrigger.DELIVERY if version is DEVICE else BillingTrigger.ORDER
        catalog.offer_product(Product(version.plan_id, ENTITY.id, {"en": version.plan_id}, trigger), CLERK)
        catalog.offer_plan(Plan(version.plan_id, version.plan_id, ENTITY.id, {"en": version.plan_id}), CLERK)
        catalog.publish(ENTITY.id, version, CLERK)
    Orders(here.store, here.clock).set_policy(ACCOUNT, CLERK, trusted=frozenset({PARTY}))
    return here


def nets(here: World) -> dict[str, list[int]]:
    """Net amounts of the lines of each invoice, by its day; those of unused meters left out."""
    bodies = [body_from_bytes(i["body"]) for i in here.store.scan() if i["kind"] == "body"]
    by_day = sorted(bodies, key=lambda b: b.issued_on)
    return {str(b.issued_on): sorted(x.net_minor for x in b.lines if x.net_minor) for b in by_day}


def test_a_run_bills_what_was_ordered_and_the_order_shows_it() -> None:
    here = world()
    orders, decisions = Orders(here.store, here.clock), Decisions(here.store, here.clock)
    asked = request(
        line("1", "plan_seats", 10),
        line("2", "plan_setup", 1),
        line("3", "plan_device", 4),
        order_on=JAN,
        references=(Reference(ReferenceKind.ACCOUNT, ACCOUNT),),
    )
    order_id = orders.receive(ENTITY.id, asked, BUYER).order_id
    here.run(JAN)
    decisions.deliver(ENTITY.id, order_id, "3", date(2026, 1, 20), "LS-1", CLERK, quantity=Decimal(1))
    here.run(FEB)
    here.run(MAR)
    assert nets(here) == {
        "2026-01-01": [750, 4900, 7500, 90000],
        "2026-02-01": [750, 4900, 4990, 7500],
        "2026-03-01": [750, 4900, 7500],
    }
    order = orders.find(ENTITY.id, order_id)
    shown = progress_of(here.store.within(ACCOUNT), order)
    assert order.status is OrderStatus.ACCEPTED
    assert [(p.invoiced_minor, p.to_come_minor) for p in shown] == [(0, 7500), (90000, 0), (4990, 14970)]
    assert (shown[0].billed_through, shown[0].next_bill_on) == (MAR, date(2026, 4, 1))
    assert check_all(here.store).violations == []


def test_milestones_make_partial_invoices_and_services_are_billed_from_go_live_at_the_agreed_price() -> None:
    here = world()
    contracts = Contracts(here.store, here.clock)
    contract = Contract(
        "ct_eu_1",
        ACCOUNT,
        ENTITY.id,
        "Roll-out",
        "EUR",
        (Terms(JAN, None, (ContractPrice("plan_seats", Decimal(5)),), 1_000_01),),
        tuple(
            Milestone(name, {"en": name}, percent=Decimal(share), tax_category="digital_service")
            for name, share in (("design", "33.33"), ("build", "33.33"), ("live", "33.34"))
        ),
        (Service("seats", "plan_seats", "live", Decimal(8)),),
        retainage_percent=Decimal(10),
    )
    contracts.sign(contract, CLERK)
    here.run(JAN)
    contracts.accept(ACCOUNT, "ct_eu_1", "design", date(2026, 1, 12), "AP-1", CLERK)
    here.run(FEB)
    for name in ("build", "live"):
        contracts.accept(ACCOUNT, "ct_eu_1", name, FEB, f"AP-{name}", CLERK)
    contracts.release(ACCOUNT, "ct_eu_1", date(2026, 2, 20), "FA-1", CLERK)
    here.run(MAR)
    found = nets(here)
    assert found["2026-01-01"] == [750, 4900]
    assert found["2026-02-01"] == [750, 4900, 29997]
    milestones = [n for day in found.values() for n in day if n not in (750, 4900, 4000)]
    assert sum(milestones) == 1_000_01 and found["2026-03-01"].count(4000) == 2
    assert check_all(here.store).violations == []


def test_nothing_of_an_order_that_waits_is_billed() -> None:
    here = world()
    asked = request(
        line("1", "plan_setup", 1, unit_price=1), order_on=JAN, references=(Reference(ReferenceKind.ACCOUNT, ACCOUNT),)
    )
    assert Orders(here.store, here.clock).receive(ENTITY.id, asked, BUYER).status is OrderStatus.HELD
    here.run(JAN)
    assert nets(here) == {"2026-01-01": [750, 4900]}
