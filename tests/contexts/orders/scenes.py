"""A seller of seats, a set-up and devices, its customer, and orders for them, on a table in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from saldo.accounts.records import account_item, customer_item, entity_item
from saldo.audit.model import Actor
from saldo.catalog.model import (
    BillingTrigger,
    ChargeKind,
    Component,
    Graduated,
    PerUnit,
    Plan,
    PlanVersion,
    PriceModel,
    Product,
    Tier,
    Timing,
)
from saldo.catalog.service import Catalog
from saldo.kernel.periods import Unit as CycleUnit
from saldo.orders.contracts import Contracts
from saldo.orders.decisions import Decisions
from saldo.orders.model_orders import Channel, OrderRequest, Reference, ReferenceKind, RequestedLine
from saldo.orders.order_import import OrderImport, OrderImportRequest, OrderImportSummary
from saldo.orders.service import Orders, Receipt
from saldo.storage.schema import AGENDA_FIELDS
from saldo.storage.store import Store
from tests.contexts.conftest import FrozenClock
from tests.contexts.integration.scenes import Files
from tests.contexts.sellers import ACCOUNT, CLERK, ENTITY, account, entity
from tests.founding import lay
from tests.simulation.dynamodb import MemoryDynamoDB

SECOND = Actor("user_eu_second", "staff")
BUYER = Actor("key_buyer", "partner")
PARTY = "api:buyer"
TODAY = date(2026, 11, 1)


def plan(plan_id: str, kind: ChargeKind, price: PriceModel, **changes: Any) -> PlanVersion:
    component = Component(
        "unit", kind, {"en": plan_id, "de": plan_id}, price, Timing.ADVANCE, "digital_service", plan_id
    )
    fields: dict[str, Any] = {
        "id": f"{plan_id}_v1",
        "plan_id": plan_id,
        "version": 1,
        "currency": "EUR",
        "cycle_unit": CycleUnit.MONTH,
        "cycle_count": 1,
        "components": (component,),
        "effective_on": date(2026, 1, 1),
    }
    return PlanVersion(**(fields | changes))


SEATS = plan("plan_seats", ChargeKind.FIXED, PerUnit(Decimal("7.5")))
SETUP = plan("plan_setup", ChargeKind.ONE_TIME, PerUnit(Decimal(900)))
DEVICE = plan("plan_device", ChargeKind.ONE_TIME, PerUnit(Decimal("49.90")))
TIERS = (Tier(Decimal(10), Decimal("0.333")), Tier(None, Decimal("0.25")))
CABLE = plan("plan_cable", ChargeKind.ONE_TIME, Graduated(TIERS))
VERSIONS = (SEATS, SETUP, DEVICE, CABLE)


def line(number: str = "1", sku: str = "plan_seats", quantity: object = 10, **more: Any) -> RequestedLine:
    price = more.pop("unit_price", None)
    return RequestedLine(number, sku, Decimal(str(quantity)), None if price is None else Decimal(str(price)), **more)


def request(*lines: RequestedLine, **changes: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "party": PARTY,
        "channel": Channel.API,
        "purchase_order": "PO-1",
        "order_on": TODAY,
        "references": (Reference(ReferenceKind.ACCOUNT, ACCOUNT),),
        "lines": lines or (line(),),
    }
    return OrderRequest(**(fields | changes))


class World:
    """One seller with one customer. The buyer's party is known, so that clean orders are placed at once."""

    def __init__(self, files: dict[str, bytes] | None = None, *, trusting: bool = True) -> None:
        self.table = MemoryDynamoDB(AGENDA_FIELDS)
        self.store = Store(cast(Any, self.table), "records")
        self.clock = FrozenClock(datetime(2026, 11, 1, 9, tzinfo=UTC))
        self.files = Files(files or {})
        one = account()
        lay(self.store, [entity_item(entity()), account_item(one), customer_item(one)], self.clock())
        catalog = Catalog(self.store, self.clock)
        for version in VERSIONS:
            trigger = BillingTrigger.DELIVERY if version in (DEVICE, CABLE) else BillingTrigger.ORDER
            product = "prod_" + version.plan_id.removeprefix("plan_")
            catalog.offer_product(Product(product, ENTITY, {"en": product}, trigger), CLERK)
            catalog.offer_plan(Plan(version.plan_id, product, ENTITY, {"en": version.plan_id}), CLERK)
            catalog.publish(ENTITY, version, CLERK)
        self.catalog = catalog
        self.orders = Orders(self.store, self.clock)
        self.decisions = Decisions(self.store, self.clock)
        self.contracts = Contracts(self.store, self.clock)
        if trusting:
            parties = frozenset({PARTY, "file:C-1", "edi:ZZ/BUYER01"})
            self.orders.set_policy(ACCOUNT, CLERK, trusted=parties)

    def receive(self, asked: OrderRequest | None = None, **options: Any) -> Receipt:
        return self.orders.receive(ENTITY, asked or request(), BUYER, **options)

    def run(self, key: str, **options: Any) -> OrderImportSummary:
        importer = OrderImport(self.store, self.files, self.clock)
        return importer.run(OrderImportRequest(ENTITY, key, **options), CLERK)

    def order(self, order_id: str) -> Any:
        return self.orders.find(ENTITY, order_id)

    def items(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.store.scan() if item["kind"] == kind]

    def codes(self, receipt: Receipt) -> list[str]:
        return sorted(d.code for d in receipt.discrepancies)

    def essence(self) -> list[tuple[Any, ...]]:
        """Every record."""
        return sorted((i["pk"], i["sk"], repr(sorted(i.items()))) for i in self.store.scan())


def at(asked: OrderRequest, **changes: Any) -> OrderRequest:
    """The request with changes to its only line."""
    return replace(asked, lines=(replace(asked.lines[0], **changes),))


def with_calls(here: World, *names: str) -> None:
    """Plans of these names are offered, too: a fee, and calls of one meter."""
    for name in names:
        fixed = plan(f"plan_{name}", ChargeKind.FIXED, PerUnit(Decimal(9)))
        calls = replace(fixed.components[0], id="calls", kind=ChargeKind.USAGE, timing=Timing.ARREARS, meter_id="calls")
        here.catalog.offer_plan(Plan(f"plan_{name}", "prod_seats", ENTITY, {"en": name}), CLERK)
        here.catalog.publish(ENTITY, replace(fixed, components=(*fixed.components, calls)), CLERK)
