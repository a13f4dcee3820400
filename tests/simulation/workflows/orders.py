"""Orders and contracts: received, decided on, delivered; signed, accepted, amended, ended."""

from __future__ import annotations

from datetime import UTC, date, datetime

from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.catalog.model import BillingTrigger, Plan, Product
from saldo.catalog.service import Catalog
from saldo.orders.contracts import Contracts
from saldo.orders.decisions import Decisions
from saldo.orders.model_contracts import ContractStatus, MilestoneStatus, Terms
from saldo.orders.model_orders import OrderRequest, OrderStatus, Reference, ReferenceKind
from saldo.orders.service import Orders, Receipt
from tests.contexts.orders.scenes import BUYER, CABLE, DEVICE, PARTY, VERSIONS, at, line, request
from tests.contexts.orders.test_contracts import START, contract
from tests.contexts.orders.test_files import EDI, GOOD
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account, entity
from tests.founding import lay
from tests.simulation.region import Region
from tests.simulation.workflows import invoke, workflow
from tests.unit.orders.x12_writing import interchange, purchase_order

DEAR = request(line(unit_price="8.00"))
MIXED = request(line("1", "plan_seats", 3), line("2", "plan_setup", 1), line("3", "plan_device", 2))


def _orders(region: Region) -> Orders:
    return Orders(region.store, region.clock)


def _decisions(region: Region) -> Decisions:
    return Decisions(region.store, region.clock)


def _contracts(region: Region) -> Contracts:
    return Contracts(region.store, region.clock)


def seller(region: Region) -> None:
    """What the tests of the room begin with."""
    region.now = datetime(2026, 11, 1, 9, tzinfo=UTC)
    one = account()
    lay(region.store, [entity_item(entity()), account_item(one), customer_item(one)], region.now)
    catalog = Catalog(region.store, region.clock)
    for version in VERSIONS:
        trigger = BillingTrigger.DELIVERY if version in (DEVICE, CABLE) else BillingTrigger.ORDER
        product = "prod_" + version.plan_id.removeprefix("plan_")
        catalog.offer_product(Product(product, ENTITY, {"en": product}, trigger), CLERK)
        catalog.offer_plan(Plan(version.plan_id, product, ENTITY, {"en": version.plan_id}), CLERK)
        catalog.publish(ENTITY, version, CLERK)
    _orders(region).set_policy(ACCOUNT, CLERK, trusted=frozenset({PARTY, "file:C-1"}))


def _receive(region: Region, asked: OrderRequest, key: str = "k-1") -> Receipt:
    return _orders(region).receive(ENTITY, asked, BUYER, key=key)


@workflow("orders: placed", prepare=seller)
def placed(region: Region) -> None:
    _receive(region, MIXED)


@workflow("orders: held", prepare=seller)
def held(region: Region) -> None:
    _receive(region, DEAR)


@workflow("orders: long", prepare=seller)
def long(region: Region) -> None:
    _receive(region, request(*[line(str(n), "plan_setup", 1) for n in range(1, 120)]))


@workflow("orders: who may order", prepare=seller)
def policy(region: Region) -> None:
    _orders(region).set_policy(ACCOUNT, CLERK, trusted=frozenset({PARTY}))
    _orders(region).know_as(ENTITY, ACCOUNT, Reference(ReferenceKind.CUSTOMER, "4400"), CLERK)


def waiting(region: Region) -> None:
    seller(region)
    held(region)


def _waiting_order(region: Region) -> str:
    (order,) = _orders(region).of_account(ACCOUNT)
    return order.id if order.status is OrderStatus.HELD else ""


@workflow("orders: accept", prepare=waiting)
def accept(region: Region) -> None:
    if order_id := _waiting_order(region):
        _decisions(region).accept(ENTITY, order_id, CLERK, "fine")
    else:
        held(region)  # the delivery comes again and goes on with what a crash left undone


@workflow("orders: correct", prepare=waiting)
def correct(region: Region) -> None:
    if order_id := _waiting_order(region):
        _decisions(region).correct(ENTITY, order_id, at(DEAR, unit_price=None), CLERK, "typing error")
    else:
        held(region)


@workflow("orders: refuse", prepare=waiting)
def refuse(region: Region) -> None:
    if order_id := _waiting_order(region):
        _decisions(region).refuse(ENTITY, order_id, CLERK, "too dear")


def to_deliver(region: Region) -> None:
    seller(region)
    placed(region)


@workflow("orders: deliver", prepare=to_deliver)
def deliver(region: Region) -> None:
    (order,) = _orders(region).of_account(ACCOUNT)
    _decisions(region).deliver(ENTITY, order.id, "3", region.now.date(), "LS-1", CLERK)


def with_file(region: Region) -> None:
    seller(region)
    region.buckets.files["imports", "orders.csv"] = GOOD.encode()


@workflow("orders: import a file", prepare=with_file)
def import_file(region: Region) -> None:
    invoke("orders.import_orders", {"entity_id": ENTITY, "key": "orders.csv"})


def with_edi_file(region: Region) -> None:
    seller(region)
    _orders(region).know_as(ENTITY, ACCOUNT, Reference(ReferenceKind.CUSTOMER, "4400"), CLERK)
    region.buckets.files["imports", "in.edi"] = interchange(purchase_order(EDI, "0001")).encode()


@workflow("orders: import a file of X12", prepare=with_edi_file)
def import_edi(region: Region) -> None:
    invoke("orders.import_orders", {"entity_id": ENTITY, "key": "in.edi"})


@workflow("contract: sign and accept", prepare=seller)
def sign(region: Region) -> None:
    _contracts(region).sign(contract(), CLERK)
    _contracts(region).accept(ACCOUNT, "ct_eu_roll_out", "live", START, "AP-1", CLERK)


def signed(region: Region) -> None:
    seller(region)
    _contracts(region).sign(contract(), CLERK)
    for milestone_id in ("design", "build"):
        _contracts(region).accept(ACCOUNT, "ct_eu_roll_out", milestone_id, START, "AP-1", CLERK)


@workflow("contract: take back, amend, end", prepare=signed)
def amend(region: Region) -> None:
    """As a person does, who looks before doing it again."""
    one = _contracts(region).get(ACCOUNT, "ct_eu_roll_out")
    if any(m.id == "design" and m.status is not MilestoneStatus.PLANNED for m in one.milestones):
        _contracts(region).take_back(ACCOUNT, one.id, "design", CLERK, "not what was agreed")
    if len(one.terms) == 1:
        terms = Terms(date(2026, 12, 1), date(2027, 12, 1), one.terms[0].prices, one.terms[0].value_minor)
        _contracts(region).amend(ACCOUNT, one.id, terms, None, CLERK, "prolonged")
    if _contracts(region).get(ACCOUNT, one.id).status is not ContractStatus.ENDED:
        _contracts(region).end(ACCOUNT, one.id, CLERK, "by agreement")
