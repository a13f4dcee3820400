"""An invoice run in miniature: read usage, bill one account, close its windows in the unit of the invoice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from saldo.accounts.model import Account
from saldo.catalog.model import ChargeKind, Component, PlanVersion, PriceModel, Timing
from saldo.invoicing.model import BillingCase, Draft, InvoiceBody
from saldo.invoicing.rules import bill, due_of
from saldo.invoicing.rules_history import usage_asked
from saldo.invoicing.rules_late import late_charge, windows_of
from saldo.invoicing.rules_soundness import problems_of
from saldo.invoicing.rules_tallies import keys_touched
from saldo.invoicing.tally_records import read_tallies, write_tally
from saldo.kernel.periods import Unit as CycleUnit
from saldo.storage.units import Conflict, Unit
from saldo.subscriptions.model import Alignment, Subscription
from saldo.subscriptions.rules import subscribe
from saldo.tax.table import TableTax, shipped_table
from saldo.usage.model_windows import AccountUsage
from saldo.usage.totals import UsageTotals, close_windows
from tests.contexts.sellers import account, entity, plan_version
from tests.contexts.usage.scenes import World

TAX = TableTax(shipped_table())


def usage_plan(*prices: tuple[str, PriceModel], plan_id: str = "plan_team_v1") -> PlanVersion:
    """A monthly plan that charges for meters, each by its price."""
    components = [
        Component(
            id=meter_id,
            kind=ChargeKind.USAGE,
            names={"en": meter_id},
            price=price,
            timing=Timing.ARREARS,
            tax_category="standard",
            revenue_tag=meter_id,
            meter_id=meter_id,
        )
        for meter_id, price in prices
    ]
    return plan_version(id=plan_id, components=tuple(components), cycle_unit=CycleUnit.MONTH)


@dataclass
class Customer:
    """One account with one subscription, billed month by month."""

    world: World
    version: PlanVersion
    subscription: Subscription
    account: Account

    @classmethod
    def of(cls, world: World, version: PlanVersion, started_on: date) -> Customer:
        buyer = account()
        subscription = subscribe(
            "sub_1",
            account_id=buyer.id,
            entity_id=buyer.entity_id,
            plan_version=version,
            started_on=started_on,
            alignment=Alignment.CALENDAR,
        )
        return cls(world, version, subscription, buyer)

    def read(self, as_of: date) -> tuple[BillingCase, AccountUsage]:
        due = due_of(self.subscription, self.version, as_of)
        usage = UsageTotals(self.world.store).read({self.account: list(usage_asked(due))})[self.account.id]
        case = BillingCase(
            self.account,
            entity(),
            (due,),
            usage.totals,
            as_of,
            details=usage.details,
            stood=usage.stood,
            late=tuple(late_charge(found, self.version) for found in usage.late),
        )
        return replace(case, tallies=read_tallies(self.world.store, keys_touched(case))), usage

    def write(self, case: BillingCase, usage: AccountUsage) -> tuple[InvoiceBody | None, Conflict | None]:
        """The unit of a run's invoice, as far as usage is concerned."""
        outcome = bill(case, TAX)
        body = outcome.body if isinstance(outcome, Draft) else None
        assert body is None or problems_of(body) == ()
        invoices = dict.fromkeys(body.charges, body.id) if body else {}
        windows = windows_of(case, {self.account.id: usage}, invoices).get(self.account.id, [])
        unit = close_windows(Unit(f"bill {self.account.id}"), self.account, usage, windows)
        for part in outcome.tallies:
            write_tally(unit, part)
        conflict = self.world.store.write_one(unit) if unit.writes else None
        if conflict is None:
            self.subscription = outcome.subscriptions[0]
        return body, conflict

    def bill(self, as_of: date) -> InvoiceBody | None:
        body, conflict = self.write(*self.read(as_of))
        assert conflict is None, conflict
        return body


def amounts(body: InvoiceBody | None) -> list[tuple[str, str, int]]:
    """Lines that come to something: what for, from when, how much."""
    lines = body.lines if body else ()
    return [(line.kind.value, line.period.start.isoformat(), line.net_minor) for line in lines if line.net_minor]
