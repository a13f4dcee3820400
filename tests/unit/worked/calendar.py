"""Boundaries of billing periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from saldo.catalog.model import Flat, PlanVersion, PriceModel, Timing
from saldo.invoicing.rules import charge_lines
from saldo.kernel.periods import Unit, local_date
from saldo.subscriptions.model import ChargePeriod
from saldo.subscriptions.rules import billed, billing_due
from tests.unit.invoicing.scenes import ARREARS, case_of, component, plan, sold
from tests.unit.worked.reading import Case, Check, cents, euros


def boundaries(plan_version: PlanVersion, start: date, n: int) -> list[ChargePeriod]:
    """The first n periods billed in advance of a subscription that starts on a day."""
    due = billing_due(sold(plan_version, start), plan_version, start + timedelta(days=400 * n))
    return [period for period in due if period.timing is Timing.ADVANCE][:n]


def fee(amount: object = 1) -> PriceModel:
    return Flat(Decimal(str(amount)))


def repeating_dates(inputs: Case, expected: Case) -> None:
    unit = Unit(inputs.get("every", "month"))
    version = plan(component("fee", fee(inputs.get("price", 1))), unit=unit)
    start = date.fromisoformat(inputs.get("anchor", inputs.get("start")))
    assert [p.boundary.isoformat() for p in boundaries(version, start, inputs["n"])] == expected["dates"]
    if "amount_each" in expected:
        last = date.fromisoformat(expected["dates"][-1])
        lines = charge_lines(case_of(version, sold(version, start), as_of=last))
        assert [line.net_minor for line in lines] == [cents(expected["amount_each"])] * inputs["n"]


def arrears_at_month_end(inputs: Case, expected: Case) -> None:
    version = plan(component("fee", fee(), timing=ARREARS))
    subscription = sold(version, date.fromisoformat(inputs["start"]))
    due = billing_due(subscription, version, date.fromisoformat(inputs["target"]))
    assert [p.period.as_text().split("/") for p in due] == expected["billed_periods"]


def dst_gap(inputs: Case, expected: Case) -> None:
    start = date.fromisoformat(inputs["start_local"].split("T")[0])
    assert start.isoformat() == expected["start_date"]
    found = boundaries(plan(component("fee", fee())), start, inputs["n"])
    assert [p.boundary.isoformat() for p in found] == expected["period_starts"]
    assert all(b > a for p in found for a, b in [p.period.instants(inputs["tz"])])


def dst_year(inputs: Case, expected: Case) -> None:
    version = plan(component("fee", fee(inputs["monthly"])))
    start = date(int(inputs["start"][:4]), 1, 1)
    periods = boundaries(version, start, inputs["months"])
    lines = charge_lines(case_of(version, sold(version, start), as_of=periods[-1].boundary))
    assert len(lines) == expected["invoices"]
    assert {euros(line.net_minor) for line in lines} == {Decimal(expected["amount_each"])}
    assert euros(sum(line.net_minor for line in lines)) == Decimal(expected["total"])


def starts_on_local_date(inputs: Case, expected: Case) -> None:
    start = local_date(datetime.fromisoformat(expected["utc_start"]), inputs["tz"])
    version = plan(component("fee", fee(inputs["price"])))
    subscription = sold(version, start, trial_days=inputs["trial_days"])
    first_paid = billing_due(subscription, version, subscription.billed_from)[0]
    assert subscription.anchor_on.day == expected["bcd"]
    assert first_paid.period.as_text().split("/") == expected["first_paid_period"]
    assert euros(charge_lines(case_of(version, subscription, as_of=first_paid.boundary))[0].net_minor) == Decimal(
        expected["amount"]
    )


def runs_twice(inputs: Case, expected: Case) -> None:
    boundary = date.fromisoformat(inputs["weekly_anniversary_on_local"])
    version = plan(component("fee", fee()), unit=Unit.WEEK)
    subscription = sold(version, boundary - timedelta(weeks=1))
    subscription = billed(subscription, version, boundary - timedelta(weeks=1))
    invoices = 0
    for run_at in inputs["job_runs_utc"]:
        as_of = local_date(datetime.fromisoformat(run_at), inputs["tz"])
        invoices += bool(billing_due(subscription, version, as_of))
        subscription = billed(subscription, version, as_of)
    assert invoices == expected["invoices"]


AREAS: Mapping[str, Check] = {
    "calendar.anchor_31": repeating_dates,
    "calendar.arrears_eom": arrears_at_month_end,
    "calendar.bcd_31": repeating_dates,
    "calendar.double_run": runs_twice,
    "calendar.dst_gap": dst_gap,
    "calendar.dst_year": dst_year,
    "calendar.leap_day_annual": repeating_dates,
    "calendar.local_date": starts_on_local_date,
}
