"""Parts of periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from saldo.catalog.model import ChargeKind, DayCount, PerUnit
from saldo.invoicing.rules import charge_lines
from saldo.kernel.exact import minor_of_share
from saldo.kernel.periods import Period, Unit, local_date
from saldo.rating.rules.proration import counted, share_of
from saldo.subscriptions.model import Alignment
from tests.unit.invoicing.scenes import case_of, component, plan, sold
from tests.unit.worked.calendar import fee
from tests.unit.worked.reading import Case, Check, euros


def prorated(amount: object, days: int, of: int) -> Decimal:
    return euros(minor_of_share(Decimal(str(amount)), (days, of), "EUR"))


def part_of_a_fee(inputs: Case, expected: Case) -> None:
    """Days of a period of so many days."""
    amount = inputs.get("price", inputs.get("plan", inputs.get("amount")))
    wanted = expected.get("amount", expected.get("invoiced"))
    assert prorated(amount, inputs["days"], inputs["of"]) == Decimal(wanted)


def leap_month(inputs: Case, expected: Case) -> None:
    if "days" in inputs:
        part_of_a_fee(inputs, expected)
        return
    start = date.fromisoformat(inputs["start"])
    end = date.fromisoformat(inputs["period_end_inclusive"]) + timedelta(days=1)
    version = plan(component("fee", fee(inputs["amount"])))
    line = charge_lines(case_of(version, sold(version, start, alignment=Alignment.CALENDAR), as_of=start))[0]
    assert line.period == Period(start, end)
    assert (line.share.days, line.share.of) == (expected["days"], expected["of"])
    assert euros(line.net_minor) == Decimal(expected["amount"])


def after_a_trial(inputs: Case, expected: Case) -> None:
    if "created" not in inputs:
        days = inputs["month_days"] - inputs["days_before_start"] - inputs["trial_days"]
        assert prorated(inputs["plan"], days, inputs["month_days"]) == Decimal(expected["amount"])
        return
    version = plan(component("fee", fee(inputs["plan"])))
    created = date.fromisoformat(inputs["created"])
    subscription = sold(version, created, alignment=Alignment.CALENDAR, trial_days=inputs["trial_days"])
    line = charge_lines(case_of(version, subscription, as_of=subscription.billed_from))[0]
    assert (line.share.days, line.share.of) == (expected["days"], expected["of"])
    assert euros(line.net_minor) == Decimal(expected["amount"])


def starts_in_the_customers_week(inputs: Case, expected: Case) -> None:
    start = local_date(datetime.fromisoformat(inputs["subscribed_at"]), inputs["customer_tz"])
    version = plan(component("fee", fee(inputs["plan_per_week"])), unit=Unit.WEEK)
    line = charge_lines(case_of(version, sold(version, start, alignment=Alignment.CALENDAR), as_of=start))[0]
    assert line.period.days == expected["billed_days"]
    assert euros(line.net_minor) == Decimal(expected["amount"])


def factor_of_real_days(inputs: Case, expected: Case) -> None:
    full = Period(*map(date.fromisoformat, inputs["full_period"]))
    share = share_of(Period(date.fromisoformat(inputs["from"]), date.fromisoformat(inputs["to"])), full)
    assert round(Decimal(share.days) / share.of, 9) == Decimal(expected["factor"])


def day_counts(inputs: Case, expected: Case) -> None:
    start = date.fromisoformat(inputs["from"])
    end = date.fromisoformat(inputs["to_inclusive"]) + timedelta(days=1)
    month = Period(start.replace(day=1), (start.replace(day=1) + timedelta(days=31)).replace(day=1))
    names = {
        "actual": DayCount.ACTUAL,
        "actual_over_30": DayCount.ACTUAL_OVER_30,
        "strict_30": DayCount.THIRTY_360,
    }
    for name, day_count in names.items():
        share = counted(Period(start, end), month, day_count)
        assert f"{share.days}/{share.of}" == expected[name]


def quarter_by_anniversary(inputs: Case, expected: Case) -> None:
    first = date.fromisoformat(inputs["used_from"])
    used = Period(first, date.fromisoformat(inputs["used_to_inclusive"]) + timedelta(days=1))
    assert used.days == expected["days"]
    assert prorated(inputs["amount"], used.days, inputs["quarter_days"]) == Decimal(expected["amount"])


def never_prorated(inputs: Case, expected: Case) -> None:
    setup = component("setup", PerUnit(Decimal(inputs["one_time_price"])), ChargeKind.ONE_TIME)
    start = date(2025, 1, 17)
    subscription = sold(
        plan(setup), start, alignment=Alignment.CALENDAR, quantities={"setup": Decimal(inputs["quantity"])}
    )
    (line,) = charge_lines(case_of(plan(setup), subscription, as_of=start))
    assert euros(line.net_minor) == Decimal(expected["amount"])


AREAS: Mapping[str, Check] = {
    "proration.anniversary_align": part_of_a_fee,
    "proration.anniversary_quarter": quarter_by_anniversary,
    "proration.calendar_month": part_of_a_fee,
    "proration.day_count": day_counts,
    "proration.factor_actual_days": factor_of_real_days,
    "proration.leap": leap_month,
    "proration.one_time": never_prorated,
    "proration.timezone": starts_in_the_customers_week,
    "proration.trial": after_a_trial,
}
